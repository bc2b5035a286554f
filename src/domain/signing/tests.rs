use ed25519_dalek::{Signer, SigningKey as SecretKey};

use super::*;
use crate::domain::command::Action;
use crate::domain::identity::ScopeId;
use crate::domain::record::Record;
use crate::domain::tests::{FIRST, SECOND, Scene};

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_bytes(&[seed; 32])
}

fn public(secret: &SecretKey) -> PublicKey {
    PublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap()
}

fn sign(secret: &SecretKey, message: &str) -> SignatureBytes {
    SignatureBytes::from_bytes(&secret.sign(message.as_bytes()).to_bytes()).unwrap()
}

fn registered(secret: &SecretKey, proven_for: &str) -> SigningKeyRegistered {
    let public_key = public(secret);
    let message = proof_message(&FirmId::parse(proven_for).unwrap(), &public_key);
    SigningKeyRegistered {
        display_name: "board".to_owned(),
        public_key,
        proof: sign(secret, &message),
    }
}

fn registering(seed: u8) -> Action {
    Action::Signing(SigningCommand::Register(registered(&secret(seed), FIRST)))
}

fn revoking(seed: u8) -> Action {
    let id = public(&secret(seed)).id();
    Action::Signing(SigningCommand::Revoke { id })
}

/// The first firm's own scope.
fn scene() -> Scene {
    let mut scene = Scene::shared(None);
    scene.scope = ScopeId::parse(&format!("firms/{FIRST}")).unwrap();
    let firm = Firm {
        display_name: "First".to_owned(),
    };
    scene.put(FIRST, Record::Firm(Box::new(firm)));
    scene
}

#[test]
fn a_key_is_registered_once_and_revoked_once() {
    let mut scene = scene();
    scene.go(FIRST, registering(1)).go(FIRST, registering(2));
    assert_eq!(scene.reason(FIRST, registering(1)), Reason::AlreadyExists);
    scene.wait(1).go(FIRST, revoking(1));
    assert_eq!(scene.ask(FIRST, revoking(1)), Ok(vec![]));
    let keys = scene.get::<SigningKeys>(FIRST);
    let revoked: Vec<_> = keys
        .keys
        .iter()
        .map(|key| key.revoked_at.is_some())
        .collect();
    assert_eq!(revoked, [true, false]);
    assert!(keys.keys[0].revoked_at > Some(keys.keys[0].registered_at));
    // What was revoked does not come back.
    assert_eq!(scene.reason(FIRST, registering(1)), Reason::AlreadyExists);
    assert_eq!(scene.reason(FIRST, revoking(3)), Reason::NotFound);
}

#[test]
fn whoever_registers_a_key_has_its_secret_half() {
    let mut scene = scene();
    let of_another_firm = registered(&secret(1), SECOND);
    let by_another_key = SigningKeyRegistered {
        proof: registered(&secret(2), FIRST).proof,
        ..registered(&secret(1), FIRST)
    };
    for wrong in [of_another_firm, by_another_key] {
        let action = Action::Signing(SigningCommand::Register(wrong));
        assert_eq!(scene.reason(FIRST, action), Reason::SignatureInvalid);
    }
    let nameless = SigningKeyRegistered {
        display_name: String::new(),
        ..registered(&secret(1), FIRST)
    };
    let action = Action::Signing(SigningCommand::Register(nameless));
    assert_eq!(scene.reason(FIRST, action), Reason::InvalidField);
    assert_eq!(scene.reason(SECOND, registering(1)), Reason::NotFound);
    assert_eq!(scene.reason(SECOND, revoking(1)), Reason::NotFound);
}

#[test]
fn keys_are_limited() {
    let mut scene = scene();
    let most = u8::try_from(SIGNING_KEYS_MAX).unwrap();
    for seed in 1..=most {
        scene.go(FIRST, registering(seed));
    }
    assert_eq!(
        scene.reason(FIRST, registering(most + 1)),
        Reason::LimitReached
    );
}

#[test]
fn forms_never_change() {
    let firm = FirmId::parse("acme").unwrap();
    let key = public(&secret(7));
    let digits = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
    assert_eq!(
        proof_message(&firm, &key),
        format!("entente.signing-key.v1\nfirms/acme\n{digits}\n")
    );
    assert_eq!(key.id(), "276726a1e15b6d5a7ae7c47446e703a0");
}

#[test]
fn what_is_no_key_is_not_taken() {
    // A point of small order: one signature fits every message.
    let mut weak = [0; KEY_BYTES];
    weak[0] = 1;
    assert_eq!(PublicKey::from_bytes(&weak), None);
    assert_eq!(PublicKey::from_bytes(&[1; 31]), None);
    assert!(serde_json::from_str::<PublicKey>("\"00\"").is_err());
    let key = public(&secret(1));
    let text = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<PublicKey>(&text).unwrap(), key);
}

#[test]
fn a_signature_is_checked_with_its_key() {
    let secret = secret(1);
    let signed = Signed {
        signature: Signature {
            key_id: public(&secret).id(),
            public_key: public(&secret),
            signature: sign(&secret, "message"),
        },
        revoked_at: None,
    };
    assert!(signed.checked("signature", "message").is_ok());
    let refusal = signed.checked("signature", "another").unwrap_err();
    assert_eq!(refusal.reason, Reason::SignatureInvalid);
    let revoked = Signed {
        revoked_at: Some(Timestamp::EARLIEST),
        ..signed
    };
    let refusal = revoked.checked("signature", "message").unwrap_err();
    assert_eq!(refusal.reason, Reason::SigningKeyRevoked);
}
