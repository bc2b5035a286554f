//! TLS to `PostgreSQL`, as the database URL asks for it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use entente::store::{self, StoreError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use sqlx::Connection as _;

use crate::postgres_cluster::{Cluster, Settings};

/// An authority, as PEM, and a certificate of it for a name, with its key.
fn certificate(name: &str) -> (String, String, String) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    (authority.pem(), certificate.pem(), key.serialize_pem())
}

/// Opens the database with these parameters of the URL.
async fn open(url: &str, parameters: &str) -> Result<(), StoreError> {
    let store = store::open(&format!("{url}?{parameters}")).await?;
    store.ping().await?;
    store.close().await;
    Ok(())
}

fn written(folder: &Path, name: &str, pem: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, pem).unwrap();
    path.display().to_string()
}

/// A port that nobody listens on just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn postgres_by_tls() {
    let cluster = Cluster::start_with(Settings { fsync: false });
    let database = cluster.create_database().await;
    let database = database.rsplit_once('/').unwrap().1.to_owned();
    let (authority, certificate, key) = certificate("localhost");
    let (other_authority, _, _) = self::certificate("localhost");
    let certificate = cluster.give_file("server.crt", &certificate);
    let key = cluster.give_file("server.key", &key);
    let port = free_port();
    cluster.stop_immediate();
    cluster.start_again_with(&format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on -c ssl_cert_file={} -c ssl_key_file={}",
        certificate.display(),
        key.display()
    ));
    let folder = tempfile::tempdir().unwrap();
    let authority = written(folder.path(), "authority.pem", &authority);
    let other_authority = written(folder.path(), "other.pem", &other_authority);
    let by_name = format!("postgres://entente@localhost:{port}/{database}");
    let by_address = format!("postgres://entente@127.0.0.1:{port}/{database}");

    for good in [
        "sslmode=require".to_owned(),
        format!("sslmode=verify-ca&sslrootcert={authority}"),
        format!("sslmode=verify-full&sslrootcert={authority}"),
    ] {
        open(&by_name, &good).await.unwrap();
    }
    // The certificate is for a name, not for the address.
    let full = format!("sslmode=verify-full&sslrootcert={authority}");
    let chain_alone = format!("sslmode=verify-ca&sslrootcert={authority}");
    open(&by_address, &chain_alone).await.unwrap();
    open(&by_address, &full).await.unwrap_err();
    for mode in ["verify-ca", "verify-full"] {
        let unknown = format!("sslmode={mode}&sslrootcert={other_authority}");
        open(&by_name, &unknown).await.unwrap_err();
        // Authorities that the system knows do not know this one.
        open(&by_name, &format!("sslmode={mode}"))
            .await
            .unwrap_err();
    }
    let shown = sqlx::PgConnection::connect(&format!("{by_name}?sslmode=require")).await;
    let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let is_secure: bool = sqlx::query_scalar(query)
        .fetch_one(&mut shown.unwrap())
        .await
        .unwrap();
    assert!(is_secure);

    // Whoever asks for TLS does without it on no account.
    cluster.stop_immediate();
    cluster.start_again_with(&format!("-c listen_addresses=127.0.0.1 -c port={port}"));
    open(&by_name, "sslmode=disable").await.unwrap();
    open(&by_name, "sslmode=require").await.unwrap_err();
}
