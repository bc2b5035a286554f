//! A quote of two firms whose shares are sealed, each for its owner.

use super::*;
use crate::domain::command::Action;
use crate::domain::pricing::booking::Booking;
use crate::domain::pricing::quote::sale::SaleCommand;
use crate::domain::pricing::quote::{Cadence, Outcome};
use crate::domain::pricing::tests::{QUOTE, book, quote, reverse, sold};
use crate::domain::record::Record;
use crate::domain::tests::{FIRST, SECOND, Scene};

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

/// The same, where commands are decided; with its first two lines, which are due once.
fn scene() -> (Scene, SealedShares, Vec<AgreedLine>) {
    let (quote, shares) = sealed();
    let lines = quote.agreed()[0].lines.clone();
    let mut scene = sold();
    scene.put(QUOTE, Record::JointQuote(Box::new(quote)));
    (scene, shares, lines)
}

/// What a command seals of these amounts, if the first party bills the client.
fn made(label: &str, lines: &[AgreedLine], amounts: [i64; 2], salt: u8) -> Vec<Opening> {
    let made = lines.iter().zip(amounts).map(|(line, amount)| {
        let readers = BTreeSet::from([PartyId::numbered(1), line.owner.clone()]);
        let readers = Readers::Parties(readers.into_iter().collect());
        Opening::seal(label, &amount.to_string(), [salt; SALT_BYTES], readers)
    });
    made.collect()
}

/// The action with what was read of shares, and what comes of them.
fn bringing(mut action: Action, shares: &SealedShares, made: &[Opening], salt: u8) -> Action {
    let brought = match &mut action {
        Action::Sale(SaleCommand::Reverse(asked)) => &mut asked.shares,
        Action::BookPeriod(asked) => &mut asked.shares,
        other => panic!("{other:?} takes none"),
    };
    brought.openings.clone_from(&shares.openings);
    brought.salts = vec![[salt; SALT_BYTES]; shares.salts.len()];
    brought.lines = made.iter().map(|it| it.commitment.clone()).collect();
    action
}

#[test]
fn p12_p13_sealed_shares_come_back_to_exactly_zero() {
    let (mut scene, mut shares, lines) = scene();
    // 99.99 was borne as 59.99 and 40.00.
    for (round, (amount, parts)) in [(5_000, [3_000, 2_000]), (4_999, [2_999, 2_000])]
        .into_iter()
        .enumerate()
    {
        let salt = u8::try_from(round).unwrap();
        let asked = || reverse(&scene, Cadence::OneTime, amount, "2000-01-02");
        let expected = made(REVERSAL_LABEL, &lines, parts, salt);
        let others = made(REVERSAL_LABEL, &lines, [parts[0] + 1, parts[1] - 1], salt);
        let plain = asked();
        let wrong = bringing(asked(), &shares, &others, salt);
        let right = bringing(asked(), &shares, &expected, salt);
        for unread in [plain, wrong] {
            let refusal = scene.ask(FIRST, unread).expect_err("not what it seals");
            assert!(is_unread(&refusal), "{refusal:?}");
        }
        scene.go(FIRST, right);
        let recorded = quote(&scene).sale.reversals[round].reversed.cadences[0].clone();
        let sealed = recorded.lines.iter().map(|line| line.amount.sealed());
        let expected_ones = expected.iter().map(|it| Some(&it.commitment));
        assert!(sealed.eq(expected_ones));
        assert_eq!(recorded.amount, amount);
        shares.openings.extend(expected);
    }
    let more = reverse(&scene, Cadence::OneTime, 1, "2000-01-02");
    let more = bringing(more, &shares, &[], 9);
    assert_eq!(scene.reason(SECOND, more), Reason::ReversalTooLarge);
}

#[test]
fn p24_a_sealed_period_is_booked_once_whoever_tries() {
    let (mut scene, shares, lines) = scene();
    let asked = || book(Cadence::OneTime, 1, "2000-01-31");
    let expected = made(BOOKING_LABEL, &lines, [5_999, 4_000], 3);
    let wrong = made(BOOKING_LABEL, &lines, [6_000, 3_999], 3);
    for unread in [asked(), bringing(asked(), &shares, &wrong, 3)] {
        let refusal = scene.ask(FIRST, unread).expect_err("not what it seals");
        assert!(is_unread(&refusal), "{refusal:?}");
    }
    scene.go(FIRST, bringing(asked(), &shares, &expected, 3));
    let booking: &Booking = scene.get(&Booking::id_of(QUOTE, Cadence::OneTime, 1));
    assert_eq!(booking.booked.borne, Some(9_999));
    let sealed = booking.booked.lines.iter().map(|line| line.share.sealed());
    assert!(sealed.eq(expected.iter().map(|it| Some(&it.commitment))));
    for firm in [FIRST, SECOND] {
        let again = bringing(asked(), &shares, &expected, 3);
        assert_eq!(scene.reason(firm, again), Reason::AlreadyBooked);
    }
}
