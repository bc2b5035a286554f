//! Page tokens and watch cursors: opaque to callers, and bound to what they were made for.
//!
//! A token is `version | content | HMAC-SHA-256 over purpose and content`, in URL-safe base64. The
//! key is the service's own, the same on every replica.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::journal::Hash;

/// First byte of every token.
const VERSION: u8 = 1;
/// Bytes of the HMAC that a token carries.
const MAC_BYTES: usize = 16;
/// Longest token accepted, in characters.
pub const TOKEN_CHARACTERS_MAX: usize = 1_024;

/// The service's secret key for tokens and request digests.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenKey(..)")
    }
}

impl TokenKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    fn mac(&self, purpose: &str, content: &[u8]) -> Hash {
        // HMAC takes keys of any length, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return [0; 32];
        };
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(content);
        mac.finalize().into_bytes().into()
    }

    /// Keyed digest of a request: tells two requests apart without giving away what is in them.
    #[must_use]
    pub fn request_digest(&self, method: &str, request: &[u8]) -> Hash {
        self.mac(&format!("request:{method}"), request)
    }

    /// A secret for `purpose`, always the same one: it need not be stored anywhere.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        self.mac(&format!("secret:{purpose}"), b"")
    }

    /// A token that holds `content` for `purpose`.
    #[must_use]
    pub fn seal(&self, purpose: &str, content: &[u8]) -> String {
        let mac = self.mac(&format!("token:{purpose}"), content);
        let mut bytes = Vec::with_capacity(1 + content.len() + MAC_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(&mac[..MAC_BYTES]);
        data_encoding::BASE64URL_NOPAD.encode(&bytes)
    }

    /// What a token of `purpose` holds; `None` if it is not one of ours, or is for something else.
    #[must_use]
    pub fn open(&self, purpose: &str, token: &str) -> Option<Vec<u8>> {
        use subtle::ConstantTimeEq;
        if token.len() > TOKEN_CHARACTERS_MAX {
            return None;
        }
        let bytes = data_encoding::BASE64URL_NOPAD
            .decode(token.as_bytes())
            .ok()?;
        let (&version, rest) = bytes.split_first()?;
        let (content, mac) = rest.split_at_checked(rest.len().checked_sub(MAC_BYTES)?)?;
        let expected = self.mac(&format!("token:{purpose}"), content);
        let genuine: bool = expected[..MAC_BYTES].ct_eq(mac).into();
        (version == VERSION && genuine).then(|| content.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_bound_to_their_purpose_and_key() {
        let key = TokenKey::new([1; 32]);
        let token = key.seal("tickets", b"t1");
        assert_eq!(key.open("tickets", &token), Some(b"t1".to_vec()));
        assert_eq!(key.open("quotes", &token), None);
        assert_eq!(TokenKey::new([2; 32]).open("tickets", &token), None);
        for bad in [
            "",
            "a",
            "AAAA",
            &token[1..],
            &"A".repeat(TOKEN_CHARACTERS_MAX + 1),
        ] {
            assert_eq!(key.open("tickets", bad), None, "{bad}");
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = TokenKey::new([1; 32]);
        let token = key.seal("tickets", b"t1");
        for index in 0..token.len() {
            let mut changed: Vec<u8> = token.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            if changed != token {
                assert_eq!(key.open("tickets", &changed), None, "{index}");
            }
        }
    }
}
