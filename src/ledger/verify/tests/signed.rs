//! What firms signed: checkpoints that they cosigned or kept, and signatures that the journal holds.

use ed25519_dalek::{Signer, SigningKey};

use super::*;
use crate::domain::cosignature::{CheckpointCosigned, CosignatureEvent, checkpoint_text};
use crate::domain::journal::Hash;
use crate::domain::signing::{PublicKey, Signature, SignatureBytes};

/// How far the checkpoint goes that is cosigned.
const COVERED: u64 = 3;
/// The name under which the firm signs.
const FIRM: &str = "firms/acme";

fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(secret: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap()
}

fn firm_key(seed: u8) -> String {
    checkpoint::verifier_key(FIRM, &public(&secret(seed)))
}

fn scope() -> ScopeId {
    ScopeId::partnership("p")
}

/// What happened, and what an operator says that happened instead.
fn told(otherwise: bool) -> Vec<Event> {
    let mut events = events(None);
    let again = PartnershipCreated {
        display_name: "Another story".to_owned(),
        parties: vec![],
    };
    if otherwise {
        events[0] = Event::new("p", PartnershipEvent::Created(again));
    }
    events
}

fn hash_of(events: &[Event], sequence: u64) -> Hash {
    let entries = entries(&scope(), events);
    let mut found = entries.iter();
    found.find(|entry| entry.sequence == sequence).unwrap().hash
}

fn sign(seed: u8, sequence: u64, hash: &Hash) -> SignatureBytes {
    let text = checkpoint_text(&scope(), sequence, hash);
    let bytes = secret(seed).sign(text.as_bytes()).to_bytes();
    SignatureBytes::from_bytes(&bytes).unwrap()
}

/// That the firm cosigned what really happened, at the end of what is told.
fn cosigned(mut events: Vec<Event>, seed: u8, signed_sequence: u64) -> Vec<Event> {
    let hash = hash_of(&told(false), COVERED);
    let public_key = public(&secret(seed));
    let cosigned = CheckpointCosigned {
        party: PartyId::numbered(1),
        sequence: COVERED,
        hash: data_encoding::HEXLOWER.encode(&hash),
        signature: Signature {
            key_id: public_key.id(),
            public_key,
            signature: sign(seed, signed_sequence, &hash),
        },
    };
    events.push(Event::new("party-1", CosignatureEvent::Cosigned(cosigned)));
    events
}

/// What the firm kept of what really happened, with its own signature alone.
fn kept(seed: u8) -> String {
    let hash = hash_of(&told(false), COVERED);
    let text = checkpoint_text(&scope(), COVERED, &hash);
    let digits = firm_key(seed).split('+').nth(1).unwrap().to_owned();
    let mut line = data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap();
    line.extend_from_slice(sign(seed, COVERED, &hash).as_bytes());
    let line = data_encoding::BASE64.encode(&line);
    format!("{text}\n\u{2014} {FIRM} {line}\n")
}

/// Evidence of a firm that trusts nobody's key but its own.
fn own(seed: u8) -> Evidence {
    Evidence {
        checkpoints: vec![kept(seed)],
        ..Evidence::with_keys([firm_key(seed)])
    }
}

fn found(events: &[Event], evidence: &Evidence) -> Vec<Cause> {
    let report = verify(&export_of(&scope(), events), evidence);
    report.faults.into_iter().map(|fault| fault.cause).collect()
}

#[test]
fn a_kept_checkpoint_tells_another_story_from_what_happened() {
    let report = verify(&export_of(&scope(), &told(false)), &own(1));
    assert!(report.is_clean(), "{report}");
    // The server's own checkpoint says nothing to whoever trusts only the firm's key.
    assert_eq!(report.checkpoints_unchecked, 1);
    assert_eq!(report.totals.checkpoints, 1);
    // The server's key signs any story.
    assert_eq!(found(&told(true), &evidence()), []);
    let contradicted = [Cause::CheckpointContradicted(COVERED)];
    assert_eq!(found(&told(true), &own(1)), contradicted);
    let shorter = &told(false)[..2];
    let ahead = [Cause::CheckpointAhead {
        sequence: COVERED,
        last: 2,
    }];
    assert_eq!(found(shorter, &own(1)), ahead);
    // Nor is it enough to leave the checkpoint out.
    let missing = Evidence::with_keys([firm_key(1)]);
    assert_eq!(found(&told(false), &missing), [Cause::CheckpointMissing]);
}

#[test]
fn a_cosigned_checkpoint_within_the_journal_holds_it_to_its_story() {
    let report = verify(
        &export_of(&scope(), &cosigned(told(false), 1, COVERED)),
        &evidence(),
    );
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.totals.signatures, 1);
    assert!(report.to_string().contains("1 signatures"), "{report}");
    let told = cosigned(told(true), 1, COVERED);
    assert_eq!(
        found(&told, &evidence()),
        [Cause::CheckpointContradicted(COVERED)]
    );
}

#[test]
fn signatures_are_checked_and_so_are_their_keys() {
    let of_another_entry = cosigned(told(false), 1, COVERED + 1);
    assert_eq!(
        found(&of_another_entry, &evidence()),
        [Cause::SignatureFalse]
    );
    let by_another_key = cosigned(told(false), 2, COVERED);
    assert_eq!(found(&by_another_key, &evidence()), []);
    let foreign = [Cause::SignatureForeign(public(&secret(2)).id())];
    assert_eq!(found(&by_another_key, &own(1)), foreign);
    let both = Evidence {
        checkpoints: vec![kept(1), kept(2)],
        ..Evidence::with_keys([firm_key(1), firm_key(2)])
    };
    assert_eq!(found(&by_another_key, &both), []);
}

#[test]
fn a_note_needs_one_signature_and_no_wrong_one() {
    let hash = hash_of(&told(false), COVERED);
    let mut head = Head::new(scope());
    (head.sequence, head.hash) = (COVERED, hash);
    let firms = kept(1);
    let line = firms.rsplit_once("\n\n").unwrap().1;
    let both = format!("{}{line}", signer().sign(&head));
    let service = signer().verifier_key();
    for keys in [
        vec![service.clone()],
        vec![firm_key(1)],
        vec![service.clone(), firm_key(1)],
        vec![firm_key(2), firm_key(1)],
    ] {
        assert!(checkpoint::verify(&both, &keys).is_ok(), "{keys:?}");
    }
    let refused = |note: &str, key: &str| checkpoint::verify(note, &[key]).unwrap_err();
    assert_eq!(refused(&firms, &service), CheckpointFault::NotSigned);
    assert_eq!(refused(&both, &firm_key(2)), CheckpointFault::NotSigned);
    // A wrong signature is not made up for by a right one.
    let forged = both.replace(
        line,
        &line.replacen(&line[line.len() - 9..line.len() - 5], "AAAA", 1),
    );
    assert_ne!(forged, both);
    assert!(checkpoint::verify(&forged, std::slice::from_ref(&service)).is_ok());
    let keys = [service, firm_key(1)];
    assert_eq!(
        checkpoint::verify(&forged, &keys),
        Err(CheckpointFault::SignatureWrong)
    );
}
