//! A quote of two firms whose shares are sealed, each for its owner.

use super::*;
use crate::domain::pricing::quote::Outcome;
use crate::domain::pricing::tests::{quote, sold};
use crate::domain::tests::Scene;

const FRESH: [u8; SALT_BYTES] = [9; SALT_BYTES];

/// What was sold, with every line sealed; and the openings of these.
fn sealed() -> (JointQuote, SealedShares) {
    let scene: Scene = sold();
    let mut quote = quote(&scene).clone();
    let mut openings = Vec::new();
    let cadences = &mut quote.revisions[0].split.cadences;
    for line in cadences.iter_mut().flat_map(|cadence| &mut cadence.lines) {
        let text = serde_json::to_string(line.open().expect("told")).expect("written");
        let readers = Readers::Parties(vec![line.owner.clone()]);
        let opening = Opening::seal(LINE_LABEL, &text, [1; SALT_BYTES], readers);
        line.outcome = Outcome::Sealed(opening.commitment.clone());
        openings.push(opening);
    }
    let shares = SealedShares {
        openings,
        salts: vec![FRESH; quote.portions.len()],
        lines: Vec::new(),
    };
    (quote, shares)
}

fn first(quote: &JointQuote) -> AgreedLine {
    quote.agreed()[0].lines[0].clone()
}

#[test]
fn shares_come_of_genuine_openings_alone() {
    let (quote, shares) = sealed();
    let biller = PartyId::numbered(2);
    let line = first(&quote);
    let asked = |shares: &SealedShares| Sealing::new(&quote, shares, &biller).share(&line);
    assert_eq!(asked(&shares), Ok(5_999));
    // Nothing was read yet, so it is asked for.
    let unread = asked(&SealedShares::default()).expect_err("nothing is there");
    assert!(is_unread(&unread));
    let mut forged = shares.clone();
    forged.openings[0].value = forged.openings[0].value.replace("5999", "5998");
    let mut other_label = shares.clone();
    other_label.openings[0].label = "reason".to_owned();
    let mut lost = shares;
    lost.openings.remove(0);
    for wrong in [forged, other_label, lost] {
        let refusal = asked(&wrong).expect_err("it is not there");
        assert_eq!(refusal.reason, Reason::SharesSealed);
        assert_eq!(refusal.metadata, [("portion_id", "a".to_owned())]);
    }
}

#[test]
fn amounts_are_sealed_for_owner_and_biller() {
    let (quote, shares) = sealed();
    let line = first(&quote);
    let both = [PartyId::numbered(1), PartyId::numbered(2)];
    for (biller, readers) in [(&both[0], &both[..1]), (&both[1], &both[..])] {
        let mut sealing = Sealing::new(&quote, &shares, biller);
        let amount = sealing.amount(BOOKING_LABEL, &line, -7).expect("sealed");
        let made = sealing.finish();
        assert_eq!(made[0].readers, Readers::Parties(readers.to_vec()));
        assert_eq!(amount.sealed(), Some(&made[0].commitment));
        assert_eq!(amount.open(), None);
        assert_eq!(amount.known(|_| Some(made[0].value.clone())), Some(-7));
        assert_eq!(amount.known(|_| None), None);
        assert!(is_unread(
            &require_brought(&made, &shares).expect_err("unread")
        ));
        let brought = SealedShares {
            lines: vec![made[0].commitment.clone()],
            ..SealedShares::default()
        };
        assert_eq!(require_brought(&made, &brought), Ok(()));
    }
    let open = AgreedLine {
        share: Some(1),
        sealed: None,
        ..line
    };
    let mut sealing = Sealing::new(&quote, &shares, &both[0]);
    let amount = sealing.amount(BOOKING_LABEL, &open, 1);
    assert_eq!(amount, Ok(Amount::Open(1)));
}

#[test]
fn what_is_needed_is_listed() {
    let (quote, shares) = sealed();
    let listed = shares.openings.iter().map(|it| it.commitment.clone());
    assert_eq!(quote.sealed_shares(), listed.collect::<Vec<_>>());
    assert!(quote.is_sealed());
    let scene = sold();
    let plain = crate::domain::pricing::tests::quote(&scene);
    assert!(!plain.is_sealed() && plain.sealed_shares().is_empty());
}

#[test]
fn different_terms_of_three_owners_would_tell_them_apart() {
    let (quote, _) = sealed();
    let line = first(&quote);
    let of = |party: usize, periods: u16| AgreedLine {
        owner: PartyId::numbered(party),
        periods,
        ..line.clone()
    };
    assert!(would_tell_apart(&[of(1, 12), of(2, 12), of(3, 6)]));
    assert!(!would_tell_apart(&[of(1, 12), of(2, 12), of(3, 12)]));
    assert!(!would_tell_apart(&[of(1, 12), of(2, 6)]));
}
