//! API keys as their holders send them: `entente_{key id}_{secret}`.

use sha2::{Digest, Sha256};

use crate::domain::journal::Hash;

/// Begins every API key.
const KEY_PREFIX: &str = "entente_";
/// Longest key accepted, in characters.
const KEY_CHARACTERS_MAX: usize = 256;
/// Random bytes in a key's secret.
pub const SECRET_BYTES: usize = 32;

/// The identifier and the secret of a key.
pub(super) fn split(key: &str) -> Option<(&str, &str)> {
    if key.len() > KEY_CHARACTERS_MAX {
        return None;
    }
    key.strip_prefix(KEY_PREFIX)?.split_once('_')
}

/// Whether somebody means this as an API key, be it a right one or not.
pub(super) fn is_meant(bearer: &str) -> bool {
    bearer.starts_with(KEY_PREFIX)
}

/// A new secret from random bytes, and its digest in hexadecimal.
#[must_use]
pub fn new_secret(random: &[u8; SECRET_BYTES]) -> (String, String) {
    let secret = data_encoding::BASE32_NOPAD.encode(random).to_lowercase();
    let digest = digest_of(&secret);
    (secret, digest)
}

/// SHA-256 of a secret, in hexadecimal. Secrets are random, so a plain hash is enough.
#[must_use]
pub fn digest_of(secret: &str) -> String {
    data_encoding::HEXLOWER.encode(&hash_of(secret))
}

pub(super) fn hash_of(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// The key that its holder sends.
#[must_use]
pub fn format_key(id: &str, secret: &str) -> String {
    format!("{KEY_PREFIX}{id}_{secret}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_apart_again() {
        let (secret, digest) = new_secret(&[9; SECRET_BYTES]);
        let key = format_key("0199-ab", &secret);
        assert_eq!(split(&key), Some(("0199-ab", secret.as_str())));
        assert_eq!(digest.len(), 64);
        for bad in [
            "",
            "entente_",
            "entente_x",
            "other_x_y",
            &format!("entente_x_{}", "y".repeat(300)),
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
