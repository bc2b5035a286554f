//! The secrets of endpoints and subscriptions: derived, shown once, stored nowhere.

use crate::domain::identity::ScopeId;
use crate::ledger::token::TokenKey;

/// Begins the secret of a subscription, as the Standard Webhooks form has it.
const SIGNING_PREFIX: &str = "whsec_";

/// The secret of an endpoint, which its sender sends or signs with.
pub(super) fn of_endpoint(tokens: &TokenKey, scope: &ScopeId, id: &str, generation: u32) -> String {
    let secret = tokens.derive(&format!("webhook-endpoint:{scope}/{id}:{generation}"));
    data_encoding::BASE32_NOPAD.encode(&secret).to_lowercase()
}

/// The key with which posts of a subscription are signed.
pub(super) fn of_subscription(
    tokens: &TokenKey,
    scope: &ScopeId,
    id: &str,
    generation: u32,
) -> [u8; 32] {
    tokens.derive(&format!("subscription:{scope}/{id}:{generation}"))
}

/// The key as its receiver is told it.
pub(super) fn shown(key: &[u8; 32]) -> String {
    format!("{SIGNING_PREFIX}{}", data_encoding::BASE64.encode(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_and_generation_has_its_own() {
        let key = TokenKey::new([1; 32]);
        let north = ScopeId::parse("firms/north").unwrap();
        let south = ScopeId::parse("firms/south").unwrap();
        let secret = of_endpoint(&key, &north, "e1", 1);
        assert_eq!(secret, of_endpoint(&key, &north, "e1", 1));
        assert_eq!(secret.len(), 52);
        for other in [
            of_endpoint(&key, &north, "e1", 2),
            of_endpoint(&key, &north, "e2", 1),
            of_endpoint(&key, &south, "e1", 1),
            of_endpoint(&TokenKey::new([2; 32]), &north, "e1", 1),
        ] {
            assert_ne!(secret, other);
        }
        let signing = of_subscription(&key, &north, "e1", 1);
        assert_ne!(signing, of_subscription(&key, &north, "e1", 2));
        assert!(shown(&signing).starts_with("whsec_"));
    }
}
