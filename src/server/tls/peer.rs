//! What a client certificate proves.

use std::sync::Arc;

use rustls::ServerConnection;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::api::sign_in::{CERTIFICATE_NAMES_MAX, Peer};
use crate::domain::firm::Identity;

/// Who is at the other end. TLS has checked by now that the certificate is of a believed authority,
/// valid, and the client's own.
pub(super) fn of(connection: &ServerConnection) -> Peer {
    let leaf = connection.peer_certificates().and_then(<[_]>::first);
    let identities = leaf.map(|leaf| identities(leaf)).unwrap_or_default();
    Peer {
        identities: Arc::from(identities),
    }
}

/// The names for which a certificate is: DNS names and URIs among its subject alternative names. Its
/// subject counts for nothing, as for every other program by now.
pub(super) fn identities(der: &[u8]) -> Vec<Identity> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Vec::new();
    };
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let names = names.value.general_names.iter();
    let identities = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(Identity::CertificateDns(name.to_ascii_lowercase())),
        GeneralName::URI(uri) => Some(Identity::CertificateUri((*uri).to_owned())),
        _ => None,
    });
    identities.take(CERTIFICATE_NAMES_MAX).collect()
}
