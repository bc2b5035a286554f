//! TLS of our own: certificates that are exchanged without a restart, and client certificates.
//!
//! The files are looked at every few seconds. What does not fit together (a certificate of which the
//! new key is not there yet, a file that is being written) changes nothing: the pair that served
//! before goes on serving.

pub mod handshake;
mod peer;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig};
use tokio_util::sync::CancellationToken;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::ledger::Clock;

/// How often the files are looked at.
pub const RELOAD_EVERY: Duration = Duration::from_secs(5);
/// Largest file read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// What clients and server speak within TLS, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// Times that changed files were taken up or not, by outcome.
const RELOADS: &str = "entente_tls_reloads_total";
/// When the certificate that serves expires, in seconds since 1970.
const EXPIRES: &str = "entente_tls_certificate_expires_seconds";

/// Says what is measured.
pub fn describe() {
    describe_counter!(
        RELOADS,
        Unit::Count,
        "Times that changed TLS files were taken up or not, by outcome"
    );
    describe_gauge!(
        EXPIRES,
        Unit::Seconds,
        "When the certificate that serves expires, in seconds since 1970"
    );
    handshake::describe();
}

/// Where the certificates are, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, followed by those between it and the root.
    pub certificate: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// Authorities whose client certificates are believed; none is asked for, where `None`.
    pub client_ca: Option<PathBuf>,
}

/// What the files held.
#[derive(Clone, PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Contents {
    fn read(files: &TlsFiles) -> io::Result<Self> {
        let client_ca = files.client_ca.as_deref();
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
            client_ca: client_ca.map(read).transpose()?,
        })
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let named = |why: String| io::Error::other(format!("{}: {why}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| named(error.to_string()))?;
    if size.len() > FILE_BYTES_MAX {
        return Err(named(format!("more than {FILE_BYTES_MAX} bytes")));
    }
    std::fs::read(path).map_err(|error| named(error.to_string()))
}

/// The injected clock, by which certificates are valid or not.
struct Time(Arc<dyn Clock>);

impl std::fmt::Debug for Time {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Time")
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let micros = u64::try_from(self.0.now().as_micros()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_micros(micros)))
    }
}

/// The certificates that serve, and the files that they are exchanged from.
pub struct Tls {
    files: TlsFiles,
    clock: Arc<dyn Clock>,
    current: RwLock<Arc<ServerConfig>>,
    seen: Mutex<Contents>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// If one cannot be read, or they do not fit together.
    pub fn load(files: TlsFiles, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let contents = Contents::read(&files)?;
        let config = config(&contents, &clock)?;
        note_expiry(&contents);
        Ok(Self {
            files,
            clock,
            current: RwLock::new(config),
            seen: Mutex::new(contents),
        })
    }

    /// What serves now.
    #[must_use]
    pub fn current(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Takes up files that changed; those that do not fit together change nothing.
    pub fn reload(&self) {
        let contents = match Contents::read(&self.files) {
            Ok(contents) => contents,
            Err(error) => {
                tracing::warn!(%error, "a TLS file cannot be read; the one before serves on");
                counter!(RELOADS, "outcome" => "unreadable").increment(1);
                return;
            }
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == contents {
            return;
        }
        match config(&contents, &self.clock) {
            Ok(config) => {
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = config;
                note_expiry(&contents);
                tracing::info!("TLS certificates were exchanged");
                counter!(RELOADS, "outcome" => "exchanged").increment(1);
            }
            Err(error) => {
                tracing::warn!(%error, "TLS files do not fit; those before serve on");
                counter!(RELOADS, "outcome" => "kept").increment(1);
            }
        }
        *seen = contents;
    }

    /// Takes up files that change until `stop`.
    pub async fn keep_current(self: Arc<Self>, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(RELOAD_EVERY))
            .await
            .is_some()
        {
            let tls = Arc::clone(&self);
            // Files may be on a slow disk.
            if tokio::task::spawn_blocking(move || tls.reload())
                .await
                .is_err()
            {
                tracing::error!("TLS files could not be looked at");
            }
        }
    }
}

fn config(contents: &Contents, clock: &Arc<dyn Clock>) -> io::Result<Arc<ServerConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let time = Arc::new(Time(Arc::clone(clock)));
    let builder = ServerConfig::builder_with_details(Arc::clone(&provider), time)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let builder = match &contents.client_ca {
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates("the client authorities", authorities)? {
                roots.add(authority).map_err(io::Error::other)?;
            }
            // Who shows no certificate may have a key or a token.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(io::Error::other)?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::from_pem_slice(&contents.key)
        .map_err(|error| io::Error::other(format!("the key: {error}")))?;
    let chain = certificates("the certificate", &contents.certificate)?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| io::Error::other(format!("certificate and key: {error}")))?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

fn certificates(what: &str, pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| io::Error::other(format!("{what}: {error}")))?;
    if found.is_empty() {
        return Err(io::Error::other(format!("{what}: there is none")));
    }
    Ok(found)
}

fn note_expiry(contents: &Contents) {
    let Ok(leaf) = CertificateDer::from_pem_slice(&contents.certificate) else {
        return;
    };
    if let Ok((_, leaf)) = X509Certificate::from_der(&leaf) {
        let expires = leaf.validity().not_after.timestamp();
        let seconds = u32::try_from(expires).unwrap_or(u32::MAX);
        gauge!(EXPIRES).set(f64::from(seconds));
    }
}
