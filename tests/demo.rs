//! The demo is played in-process, on a server of its own, and what it prints is read.

use std::net::Ipv4Addr;

use entente::cli::demo::quarter::LocalTime;
use entente::cli::demo::stage::Stage;
use entente::cli::demo::{Progress, SEED_DEFAULT, play, show};
use entente::cli::page::WIDTH;

struct Silent;

impl Progress for Silent {
    fn step(&self, _words: &str) {}
}

/// What nobody should miss, in the order in which it is printed.
const ESSENTIAL: [&str; 30] = [
    "Entente demo: two firms, one client, one quarter",
    "applied, 3",
    "Payroll server back before the pay run",
    "ACCEPTED",
    "[met] A test payment file is written",
    "offer 2",
    "accepted",
    "Scanners at the warehouse gate lose the network",
    "Charged to",
    "The clock shows 7 h 55 min of 8 h (98.9 %): MET.",
    "The intervals add up to 7 h 55 min: exactly the same.",
    "sealed",
    "rejected: \"We agreed on 60",
    "2,345.67",
    "A discount by margins that nobody shows",
    "Nightdesk can work out what Harbour IT's portions cost together",
    "39.40",
    "Harbour IT tried 3 ways.",
    "Only Nightdesk is told that.",
    "sealed     120.40",
    "State: SETTLED",
    "on 2 quotes that were won",
    "First response",
    "Nightdesk kept",
    "Scheduled",
    "Each firm can check all of this again",
    "The check-up: who pays?",
    "Nightdesk bore nine tenths of the 3,600.00 EUR",
    "3 strong",
    "Nightdesk, concession burden index, EUR: If the others bear more of the next concessions",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_plays_prints_and_verifies() {
    let time = LocalTime::new().unwrap();
    let stage = Stage::open((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let played = play(&stage, &time, SEED_DEFAULT, &Silent).await.unwrap();
    stage.close().await.unwrap();

    assert!(played.proof.holds(), "{:#?}", played.proof);
    let text = show::text(&played, &time, false);
    let mut rest = text.as_str();
    for words in ESSENTIAL {
        let Some((_, after)) = rest.split_once(words) else {
            panic!("{words:?} is missing, or not where it should be, in\n{text}");
        };
        rest = after;
    }
    for wrong in [
        "WRONG",
        "NOT THE SAME",
        "UNSPECIFIED",
        "unknown party",
        "\u{1b}",
    ] {
        assert!(!text.contains(wrong), "{wrong:?} in\n{text}");
    }
    let long: Vec<&str> = text
        .lines()
        .filter(|line| line.chars().count() > WIDTH)
        .collect();
    assert!(long.is_empty(), "wider than {WIDTH}: {long:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_seed_plays() {
    let time = LocalTime::new().unwrap();
    let stage = Stage::open((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let played = play(&stage, &time, u64::MAX, &Silent).await.unwrap();
    stage.close().await.unwrap();
    assert!(played.proof.holds());
    for (sent, parked) in played.quarter.sent.iter().zip([3, 0]) {
        assert_eq!(
            sent.events,
            sent.applied + sent.already_applied + sent.parked
        );
        assert!(sent.already_applied > 100 && sent.tickets > 80, "{sent:?}");
        assert_eq!(sent.parked, parked);
    }
}
