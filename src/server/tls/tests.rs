//! Certificates that are exchanged, and what client certificates prove.

use std::sync::atomic::{AtomicI64, Ordering};

use rcgen::{CertificateParams, KeyPair, SanType};

use super::*;
use crate::domain::firm::Identity;
use crate::domain::time::Timestamp;

struct Fixed(AtomicI64);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(Fixed(AtomicI64::new(1_772_438_400_000_000)))
}

/// A certificate of its own authority, and its key.
fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
        client_ca: None,
    }
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let ((first, first_key), (second, second_key)) = (pair(), pair());
    std::fs::write(&files.certificate, &first).unwrap();
    std::fs::write(&files.key, &first_key).unwrap();
    let tls = Tls::load(files.clone(), clock()).unwrap();
    let before = tls.current();
    tls.reload();
    assert!(Arc::ptr_eq(&before, &tls.current()), "nothing changed");

    // The certificate is exchanged before its key is.
    std::fs::write(&files.certificate, &second).unwrap();
    tls.reload();
    assert!(Arc::ptr_eq(&before, &tls.current()), "it does not match");
    for broken in ["", "-----BEGIN CERTIFICATE-----\nMIIB", "nonsense"] {
        std::fs::write(&files.certificate, broken).unwrap();
        tls.reload();
        assert!(Arc::ptr_eq(&before, &tls.current()), "{broken:?}");
    }
    std::fs::remove_file(&files.certificate).unwrap();
    tls.reload();
    assert!(Arc::ptr_eq(&before, &tls.current()), "it is not there");

    std::fs::write(&files.certificate, &second).unwrap();
    std::fs::write(&files.key, &second_key).unwrap();
    tls.reload();
    assert!(!Arc::ptr_eq(&before, &tls.current()), "it fits");
}

#[test]
fn files_at_fault_are_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let named = |files: &TlsFiles| {
        let error = Tls::load(files.clone(), clock()).unwrap_err();
        error.to_string()
    };
    assert!(named(&files).contains("tls.crt"));
    let ((certificate, key), (_, other_key)) = (pair(), pair());
    std::fs::write(&files.certificate, &certificate).unwrap();
    assert!(named(&files).contains("tls.key"));
    std::fs::write(&files.key, &other_key).unwrap();
    assert!(named(&files).contains("certificate and key"));
    std::fs::write(&files.key, &key).unwrap();
    let with_client_ca = TlsFiles {
        client_ca: Some(folder.path().join("ca.crt")),
        ..files.clone()
    };
    assert!(named(&with_client_ca).contains("ca.crt"));
    std::fs::write(folder.path().join("ca.crt"), "").unwrap();
    assert!(named(&with_client_ca).contains("client authorities"));
    std::fs::write(folder.path().join("ca.crt"), &certificate).unwrap();
    assert!(Tls::load(with_client_ca, clock()).is_ok());
    let large = vec![b'\n'; 2 * 1024 * 1024];
    std::fs::write(&files.certificate, large).unwrap();
    assert!(named(&files).contains("tls.crt"));
}

#[test]
fn a_certificate_proves_its_names() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["PSA.North.example".to_owned()]).unwrap();
    let uri = "spiffe://north.example/psa".try_into().unwrap();
    params.subject_alt_names.push(SanType::URI(uri));
    let address = std::net::IpAddr::from([127, 0, 0, 1]);
    params.subject_alt_names.push(SanType::IpAddress(address));
    let certificate = params.self_signed(&key).unwrap();
    let expected = [
        Identity::CertificateDns("psa.north.example".to_owned()),
        Identity::CertificateUri("spiffe://north.example/psa".to_owned()),
    ];
    assert_eq!(peer::identities(certificate.der()), expected);
    assert_eq!(peer::identities(b"nonsense"), []);
    let unnamed = CertificateParams::new(vec![])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    assert_eq!(peer::identities(unnamed.der()), []);
    let names: Vec<String> = (0..20).map(|number| format!("n{number}.example")).collect();
    let many = CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    assert_eq!(peer::identities(many.der()).len(), 8);
}
