//! Indices, evenness and the way back to parity.

mod counting;

use proptest::prelude::*;

use super::*;

fn party(name: &str) -> PartyId {
    PartyId::from_text(name)
}

fn euro() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn burdens(parties: &[(&str, i128, i128)]) -> Burdens {
    let burden = |(name, base, absorbed): &(&str, i128, i128)| {
        let burden = Burden {
            base: *base,
            absorbed: *absorbed,
            ..Burden::default()
        };
        (party(name), burden)
    };
    Burdens {
        parties: parties.iter().map(burden).collect(),
        ..Burdens::default()
    }
}

fn indices(burdens: &Burdens) -> Vec<Option<i64>> {
    let standings = burdens.standings().unwrap();
    standings
        .iter()
        .map(|standing| standing.index_bps)
        .collect()
}

#[test]
fn p18_who_always_pays_is_seen() {
    // Both sell the same, and one bears three quarters.
    let uneven = burdens(&[("acme", 5_000, 750), ("bolt", 5_000, 250)]);
    assert_eq!(indices(&uneven), [Some(15_000), Some(5_000)]);
    let standings = uneven.standings().unwrap();
    let to_parity: Vec<_> = standings
        .iter()
        .map(|standing| standing.to_parity)
        .collect();
    assert_eq!(to_parity, [Some(-250), Some(250)]);
    assert_eq!(jain_bps(&standings), Some(8_000));
    let even = burdens(&[("acme", 9_000, 90), ("bolt", 1_000, 10)]);
    assert_eq!(indices(&even), [Some(10_000), Some(10_000)]);
    assert_eq!(jain_bps(&even.standings().unwrap()), Some(10_000));
    let one = burdens(&[("acme", 5_000, 0), ("bolt", 5_000, 10)]);
    assert_eq!(jain_bps(&one.standings().unwrap()), Some(5_000));
}

#[test]
fn what_cannot_be_compared_has_no_index() {
    let nothing = burdens(&[("acme", 5_000, 0), ("bolt", 5_000, 0)]);
    assert_eq!(indices(&nothing), [None, None]);
    assert_eq!(jain_bps(&nothing.standings().unwrap()), None);
    let sells_nothing = burdens(&[("acme", 0, 0), ("bolt", 5_000, 10)]);
    assert_eq!(indices(&sells_nothing), [None, Some(10_000)]);
    let surcharged = burdens(&[("acme", 5_000, -10), ("bolt", 5_000, 30)]);
    assert_eq!(indices(&surcharged), [Some(-10_000), Some(30_000)]);
    assert_eq!(jain_bps(&surcharged.standings().unwrap()), None);
    assert_eq!(burdens(&[]).standings().unwrap(), []);
    let beyond = burdens(&[("acme", i128::from(SUM_MAX) + 1, 0)]);
    assert!(beyond.standings().is_err());
    let most = burdens(&[("acme", i128::from(SUM_MAX), i128::from(SUM_MAX))]);
    assert_eq!(indices(&most), [Some(10_000)]);
}

#[test]
fn the_next_concession_leads_back() {
    let uneven = burdens(&[("acme", 5_000, 750), ("bolt", 5_000, 250)]);
    // Enough to even it out, and some more.
    let parity = uneven.parity(600).unwrap();
    let amounts: Vec<(u32, i64)> = parity
        .shares
        .iter()
        .map(|share| (share.share_bps, share.amount))
        .collect();
    assert_eq!(amounts, [(833, 50), (9_167, 550)]);
    assert!(parity.is_full());
    let words = parity.sentences(euro(), ToString::to_string);
    assert_eq!(
        words[1],
        "bolt bore 2.50 EUR so far and would bear 5.50 EUR of this (9167 basis points); parity is 8.00 EUR."
    );
    // Too little: all of it goes to the one who bore too little.
    let parity = uneven.parity(100).unwrap();
    let amounts: Vec<(u32, i64)> = parity
        .shares
        .iter()
        .map(|share| (share.share_bps, share.amount))
        .collect();
    assert_eq!(amounts, [(0, 0), (10_000, 100)]);
    assert!(!parity.is_full());
    let words = parity.sentences(euro(), ToString::to_string).join(" ");
    assert!(
        words.contains("1.00 EUR is too little to reach parity"),
        "{words}"
    );
    assert_eq!(uneven.parity(0), Err(ParityError::NothingConceded));
    let nothing = burdens(&[("acme", 0, 0)]);
    assert_eq!(nothing.parity(1), Err(ParityError::NothingSold));
}

proptest! {
    #[test]
    fn parity_is_only_ever_neared(
        parties in proptest::collection::vec((0..1_000_000_i128, 0..100_000_i128), 1..6),
        concession in 1..100_000_i64,
    ) {
        let named: Vec<(String, i128, i128)> = parties
            .iter()
            .enumerate()
            .map(|(index, (base, absorbed))| (format!("p{index}"), *base, (*absorbed).min(*base)))
            .collect();
        let borrowed: Vec<(&str, i128, i128)> = named
            .iter()
            .map(|(name, base, absorbed)| (name.as_str(), *base, *absorbed))
            .collect();
        let burdens = burdens(&borrowed);
        let standings = burdens.standings().unwrap();
        let gaps: i64 = standings.iter().filter_map(|standing| standing.to_parity).sum();
        prop_assert_eq!(gaps, 0);
        if let Some(jain) = jain_bps(&standings) {
            prop_assert!((0..=10_000).contains(&jain));
        }
        let Ok(parity) = burdens.parity(concession) else {
            prop_assert!(parties.iter().all(|(base, _)| *base == 0));
            return Ok(());
        };
        let sum: i64 = parity.shares.iter().map(|share| share.amount).sum();
        let bps: u32 = parity.shares.iter().map(|share| share.share_bps).sum();
        prop_assert_eq!((sum, bps), (concession, 10_000));
        for share in &parity.shares {
            prop_assert!(share.amount >= 0);
            // Who bears something of it is not beyond parity afterwards.
            prop_assert!(share.amount == 0 || share.beyond_parity() <= 1);
        }
    }
}
