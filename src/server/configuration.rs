//! How the server is set up: from a file, from the environment, and from flags.
//!
//! Every setting has one name everywhere: `metrics_listen` in the file is `ENTENTE_METRICS_LISTEN` in
//! the environment and `--metrics-listen` on the command line. A flag counts before the environment,
//! that before the file, and that before the default.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use config::{Config, ConfigError, File, FileFormat};
use serde::{Deserialize, Serialize};
use url::Url;

use super::tls::TlsFiles;
use super::tokens::{TokenIssuer, Verifier};
use crate::api::sign_in::TokenVerifier;
use crate::api::sign_in::quota::CallQuota;

/// Where the database is unless said otherwise.
pub const DATABASE_URL_DEFAULT: &str = "sqlite://entente.db";
/// How many calls a firm may make in each second unless said otherwise: far more than a desk of a
/// hundred people makes, and far fewer than one replica serves.
pub const CALLS_PER_SECOND_DEFAULT: u32 = 500;
/// How many calls a firm may make at once unless said otherwise.
pub const CALLS_BURST_DEFAULT: u32 = 1_000;
/// What stands for a secret.
const HIDDEN: &str = "***";

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object for each line.
    Json,
}

/// What was given on the command line and in the environment; everything else is left open.
#[derive(Clone, Debug, Default, Serialize, clap::Args)]
pub struct Given {
    /// `sqlite://path` or `postgres://...`.
    #[arg(long, env = "ENTENTE_DATABASE_URL", hide_env_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// Address to listen on; `0.0.0.0:50051` for all interfaces.
    #[arg(long, env = "ENTENTE_LISTEN")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Address for Prometheus to read metrics from, by plain HTTP. Not for the internet.
    #[arg(long, env = "ENTENTE_METRICS_LISTEN")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// How log lines are written.
    #[arg(long, env = "ENTENTE_LOG_FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
    /// Where traces and logs are sent by OTLP over gRPC, such as `http://127.0.0.1:4317`; nowhere by
    /// default.
    #[arg(long, env = "ENTENTE_OTLP_ENDPOINT", value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<String>,
    /// Seconds between telling that the server stops (health `NOT_SERVING`) and taking no more
    /// connections, so that load balancers notice first.
    #[arg(long, env = "ENTENTE_SHUTDOWN_DELAY_SECONDS", value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shutdown_delay_seconds: Option<u16>,
    /// Whether to bring the schema up to date before serving; otherwise an older one is refused.
    #[arg(long, env = "ENTENTE_MIGRATE", value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migrate: Option<bool>,
    /// Certificate to serve TLS with, as PEM; plain HTTP without. Read again when it changes.
    #[arg(long, env = "ENTENTE_TLS_CERTIFICATE", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// Key of that certificate, as PEM. Read again when it changes.
    #[arg(long, env = "ENTENTE_TLS_KEY", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// Authorities whose client certificates are believed, as PEM. Read again when it changes.
    #[arg(long, env = "ENTENTE_TLS_CLIENT_CA", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_ca: Option<PathBuf>,
    /// Sites that may make calls from a browser, such as `https://desk.north.example`; `*` for all.
    #[arg(
        long,
        env = "ENTENTE_CORS_ORIGINS",
        value_delimiter = ',',
        value_name = "ORIGINS"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors_origins: Option<Vec<String>>,
    /// How many calls a firm may make in each second, on each replica; 0 for any number.
    #[arg(long, env = "ENTENTE_CALLS_PER_SECOND")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_second: Option<u32>,
    /// How many calls a firm may make at once after it made none for a while.
    #[arg(long, env = "ENTENTE_CALLS_BURST")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_burst: Option<u32>,
    /// Whether subscriptions may post to private and local addresses, and without TLS.
    #[arg(long, env = "ENTENTE_WEBHOOK_PRIVATE_TARGETS", value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_private_targets: Option<bool>,
}

/// How the server is set up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Configuration {
    /// `sqlite://path` or `postgres://...`; may contain a password.
    pub database_url: String,
    /// Address of gRPC, gRPC-Web and JSON.
    pub listen: SocketAddr,
    /// Address of `/metrics`; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Where traces and logs are sent by OTLP over gRPC; nowhere by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<String>,
    /// Seconds between telling that the server stops and taking no more connections.
    pub shutdown_delay_seconds: u16,
    /// Whether the schema is brought up to date before serving.
    pub migrate: bool,
    /// Certificate of the server as PEM, with those between it and the root; plain HTTP without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// Key of the certificate as PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// Authorities whose client certificates are believed, as PEM; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_ca: Option<PathBuf>,
    /// Sites that may make calls from a browser; none by default.
    pub cors_origins: Vec<String>,
    /// How many calls a firm may make in each second on each replica; 0 for any number.
    pub calls_per_second: u32,
    /// How many calls a firm may make at once after it made none for a while; at least one.
    pub calls_burst: u32,
    /// Identity providers whose tokens are believed; none by default. In the file only.
    pub token_issuers: Vec<TokenIssuer>,
    /// Whether subscriptions may post to private and local addresses, and without TLS.
    pub webhook_private_targets: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            database_url: DATABASE_URL_DEFAULT.to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 50_051)),
            metrics_listen: None,
            log_format: LogFormat::Text,
            otlp_endpoint: None,
            shutdown_delay_seconds: 0,
            migrate: true,
            tls_certificate: None,
            tls_key: None,
            tls_client_ca: None,
            cors_origins: Vec::new(),
            calls_per_second: CALLS_PER_SECOND_DEFAULT,
            calls_burst: CALLS_BURST_DEFAULT,
            token_issuers: Vec::new(),
            webhook_private_targets: false,
        }
    }
}

impl Configuration {
    /// Reads the file, if one is named, and lets what was given count before it.
    ///
    /// # Errors
    /// If the file is not there or is no TOML, or has a setting that does not exist or makes no sense;
    /// the message names it.
    pub fn read(file: Option<&Path>, given: &Given) -> Result<Self, ConfigError> {
        let mut sources = Config::builder();
        if let Some(file) = file {
            sources = sources.add_source(File::from(file).format(FileFormat::Toml));
        }
        sources
            .add_source(Config::try_from(given)?)
            .build()?
            .try_deserialize()
    }

    /// The certificates to serve with, if any.
    ///
    /// # Errors
    /// If one of the settings needs another one.
    pub fn tls_files(&self) -> Result<Option<TlsFiles>, String> {
        match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_ca: self.tls_client_ca.clone(),
            })),
            (None, None) if self.tls_client_ca.is_some() => {
                Err("tls_client_ca needs tls_certificate and tls_key".to_owned())
            }
            (None, None) => Ok(None),
            _ => Err("tls_certificate and tls_key go together".to_owned()),
        }
    }

    /// How many calls a firm may make; any number, where `None`.
    ///
    /// # Errors
    /// If not even one call may be made at once.
    pub fn quota(&self) -> Result<Option<CallQuota>, String> {
        let Some(per_second) = NonZeroU32::new(self.calls_per_second) else {
            return Ok(None);
        };
        let burst = NonZeroU32::new(self.calls_burst).ok_or("calls_burst must be at least 1")?;
        Ok(Some(CallQuota { per_second, burst }))
    }

    /// Who verifies tokens; nobody, where none are believed.
    ///
    /// # Errors
    /// The issuer at fault, and why.
    pub fn token_verifier(&self) -> Result<Option<Arc<dyn TokenVerifier>>, String> {
        if self.token_issuers.is_empty() {
            return Ok(None);
        }
        Ok(Some(Arc::new(Verifier::new(&self.token_issuers)?)))
    }

    /// The settings as a file would have them, without secrets.
    ///
    /// # Errors
    /// If they cannot be written as TOML.
    pub fn shown(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&Self {
            database_url: without_password(&self.database_url),
            ..self.clone()
        })
    }
}

/// A database's address without what gives access to it.
fn without_password(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        return HIDDEN.to_owned();
    };
    // A query may contain a password, too.
    let secret = |name: &str| name.eq_ignore_ascii_case("password");
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| {
            let value = if secret(&name) { HIDDEN.into() } else { value };
            (name.into_owned(), value.into_owned())
        })
        .collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    url.into()
}

/// Where the settings come from.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Sources {
    /// File of settings, as TOML.
    #[arg(long, env = "ENTENTE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What counts before the file.
    #[command(flatten)]
    pub given: Given,
}

impl Sources {
    /// The settings.
    ///
    /// # Errors
    /// As [`Configuration::read`].
    pub fn read(&self) -> Result<Configuration, ConfigError> {
        Configuration::read(self.config.as_deref(), &self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn nothing_given_is_the_default() {
        let read = Configuration::read(None, &Given::default()).unwrap();
        assert_eq!(read, Configuration::default());
        assert_eq!(read.listen, "127.0.0.1:50051".parse().unwrap());
    }

    #[test]
    fn what_was_given_counts_before_the_file() {
        let file = file("listen = '0.0.0.0:1'\nlog_format = 'json'\nmigrate = false\n");
        let given = Given {
            listen: Some("127.0.0.1:2".parse().unwrap()),
            ..Given::default()
        };
        let read = Configuration::read(Some(file.path()), &given).unwrap();
        assert_eq!(read.listen, "127.0.0.1:2".parse().unwrap());
        assert_eq!(read.log_format, LogFormat::Json);
        assert!(!read.migrate);
    }

    #[test]
    fn settings_at_fault_are_named() {
        for (text, named) in [
            ("lissten = 'x'", "lissten"),
            ("listen = 'everywhere'", "listen"),
            ("log_format = 'loud'", "log_format"),
            ("migrate = 'maybe'", "migrate"),
            ("listen", "TOML"),
        ] {
            let error = Configuration::read(Some(file(text).path()), &Given::default());
            let error = error.unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
        let missing = Configuration::read(Some(Path::new("/nowhere.toml")), &Given::default());
        assert!(missing.unwrap_err().to_string().contains("nowhere"));
    }

    #[test]
    fn secrets_are_hidden_and_the_rest_can_be_read_again() {
        let secret = "postgres://me:tiger@db:5432/entente?sslmode=require&password=lion";
        let configuration = Configuration {
            database_url: secret.to_owned(),
            metrics_listen: Some("0.0.0.0:9464".parse().unwrap()),
            ..Configuration::default()
        };
        let shown = configuration.shown().unwrap();
        assert!(
            !shown.contains("tiger") && !shown.contains("lion"),
            "{shown}"
        );
        assert!(shown.contains("sslmode=require"), "{shown}");
        let read = Configuration::read(Some(file(&shown).path()), &Given::default()).unwrap();
        assert_eq!(read.metrics_listen, configuration.metrics_listen);
        assert_eq!(without_password("host=db password=tiger"), HIDDEN);
        assert_eq!(
            without_password("sqlite://entente.db"),
            "sqlite://entente.db"
        );
    }

    #[test]
    fn settings_that_need_each_other() {
        let path = |name: &str| Some(PathBuf::from(name));
        let with = |certificate, key, client_ca| Configuration {
            tls_certificate: certificate,
            tls_key: key,
            tls_client_ca: client_ca,
            ..Configuration::default()
        };
        assert_eq!(with(None, None, None).tls_files(), Ok(None));
        let files = with(path("a"), path("b"), path("c")).tls_files();
        assert_eq!(files.unwrap().unwrap().client_ca, path("c"));
        for wrong in [
            with(path("a"), None, None),
            with(None, path("b"), None),
            with(None, None, path("c")),
        ] {
            assert!(wrong.tls_files().unwrap_err().contains("tls_certificate"));
        }
        let quota = |calls_per_second, calls_burst| {
            let configuration = Configuration {
                calls_per_second,
                calls_burst,
                ..Configuration::default()
            };
            configuration.quota()
        };
        assert_eq!(quota(0, 0), Ok(None));
        assert!(quota(1, 0).unwrap_err().contains("calls_burst"));
        assert_eq!(quota(2, 3).unwrap().unwrap().burst.get(), 3);
        assert!(Configuration::default().quota().unwrap().is_some());
    }

    #[test]
    fn token_issuers_have_an_issuer_and_an_audience() {
        let issuer = "[[token_issuers]]\nissuer = 'https://login.example'\n";
        let read = |text: &str| Configuration::read(Some(file(text).path()), &Given::default());
        let error = read(issuer).unwrap_err().to_string();
        assert!(error.contains("audience"), "{error}");
        let error = read("[[token_issuers]]\naudience = 'entente'\n");
        let error = error.unwrap_err().to_string();
        assert!(error.contains("issuer"), "{error}");
        let good = read(&format!("{issuer}audience = 'entente'\n")).unwrap();
        assert!(good.token_verifier().unwrap().is_some());
        let shown = good.shown().unwrap();
        assert_eq!(read(&shown).unwrap(), good, "{shown}");
        let empty = read(&format!("{issuer}audience = ''\n")).unwrap();
        assert!(empty.token_verifier().is_err());
    }

    #[test]
    fn lists_come_from_everywhere() {
        let file = file("cors_origins = ['https://a.example']\n");
        let read = Configuration::read(Some(file.path()), &Given::default()).unwrap();
        assert_eq!(read.cors_origins, ["https://a.example"]);
        let given = Given {
            cors_origins: Some(vec!["https://b.example".to_owned()]),
            ..Given::default()
        };
        let read = Configuration::read(Some(file.path()), &given).unwrap();
        assert_eq!(read.cors_origins, ["https://b.example"]);
    }
}
