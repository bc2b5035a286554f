//! The journal, exported to whoever may read it, and checked offline.

use entente::ledger::verify::{Evidence, verify_export};
use entente::proto::v1;
use serde_json::Value;

use super::calls::{ok, refused, refuses};
use super::house::{Firm, House};
use super::leaving::leaving;
use super::setting::{Pair, euros, portion};
use super::trio::Trio;

/// What a firm is given of a scope: the lines, and what verification says.
pub async fn export(firm: &Firm, scope: &str) -> Vec<Value> {
    let info = v1::GetServiceInfoRequest {};
    let info = ok(firm.connection.partnerships().get_service_info(info)).await;
    let request = v1::ExportJournalRequest {
        name: scope.to_owned(),
    };
    let mut stream = ok(firm.connection.journal().export_journal(request)).await;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.message().await.unwrap() {
        assert!((1..=65_536).contains(&chunk.data.len()));
        bytes.extend(chunk.data);
    }
    let evidence = Evidence {
        verifier_key: Some(info.checkpoint_public_key),
        firm_keys: Vec::new(),
        checkpoints: Vec::new(),
    };
    let report = verify_export(bytes.as_slice(), &evidence).unwrap();
    assert!(report.is_clean(), "{report}");
    let cut = &bytes[..bytes.len() / 2];
    let cut = &cut[..=cut.iter().rposition(|byte| *byte == b'\n').unwrap()];
    let report = verify_export(cut, &evidence).unwrap();
    assert!(!report.is_clean(), "an export that was cut off verifies");
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// The values of the openings with a label.
fn opened(lines: &[Value], label: &str) -> Vec<String> {
    let openings = lines
        .iter()
        .filter(|line| line["type"] == "opening" && line["label"] == label);
    openings
        .map(|line| line["value"].as_str().unwrap().to_owned())
        .collect()
}

/// Each firm gets what it may read and no more, also after the end; a stranger gets nothing.
pub async fn each_firm_has_its_own_export(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let costly = |id: &str, cents| v1::Portion {
        internal_cost: Some(euros(cents)),
        ..portion(id, 1_000)
    };
    let request = v1::CreateJointQuoteRequest {
        joint_quote: Some(v1::JointQuote {
            portions: vec![costly("a", 711)],
            ..pair.quote_request(&[]).joint_quote.unwrap()
        }),
        ..pair.quote_request(&[])
    };
    let mut pricing = pair.north.connection.pricing();
    let quote = ok(pricing.create_joint_quote(request)).await;
    let request = v1::AddPortionRequest {
        name: quote.name,
        portion: Some(costly("b", 722)),
        ..Default::default()
    };
    ok(pair.south.connection.pricing().add_portion(request)).await;
    let request = v1::EndPartnershipRequest {
        name: pair.name.clone(),
        reason: "moved away".to_owned(),
        ..Default::default()
    };
    ok(pair
        .south
        .connection
        .partnerships()
        .end_partnership(request))
    .await;

    let norths = export(&pair.north, &pair.name).await;
    let souths = export(&pair.south, &pair.name).await;
    assert_eq!(opened(&norths, "reason"), ["moved away"]);
    assert_eq!(opened(&souths, "reason"), ["moved away"]);
    let costs = |lines: &[Value]| {
        let openings = lines.iter().filter(|line| line["type"] == "opening");
        let costs = openings.filter(|line| line["label"].as_str().unwrap().contains("cost"));
        costs.count()
    };
    assert_eq!((costs(&norths), costs(&souths)), (1, 1));
    let sealed = |lines: &[Value]| serde_json::to_string(lines).unwrap();
    assert!(!sealed(&norths).contains("7.22") && !sealed(&souths).contains("7.11"));
    let entries = |lines: &[Value]| {
        let entries = lines.iter().filter(|line| line["type"] == "entry");
        entries.cloned().collect::<Vec<_>>()
    };
    assert_eq!(entries(&norths), entries(&souths), "one journal");

    let own = export(&pair.north, "firms/north").await;
    assert!(own.iter().any(|line| line["kind"] == "membership"));
    let mut stranger = house.firm("stranger").await.connection.journal();
    for scope in [&pair.name, "firms/north", "partnerships/absent"] {
        let request = v1::ExportJournalRequest {
            name: scope.to_owned(),
        };
        refuses(&house, "NOT_FOUND", stranger.export_journal(request)).await;
    }
    let request = v1::ExportJournalRequest {
        name: "nonsense".to_owned(),
    };
    let answer = refused(stranger.export_journal(request)).await;
    assert_eq!(answer.fields, ["name"]);
    house.stop().await;
}

/// A firm that left gets everything as it was then.
pub async fn whoever_left_exports_what_was(house: House) {
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let name = pair.opened("1", 0).await;
    let mut wests = west.connection.partnerships();
    ok(wests.leave_partnership(leaving(&pair.name))).await;
    let last = house.head(&pair.name).await.sequence;
    let ticket = |lines: &[Value]| {
        let id = name.rsplit('/').next().unwrap();
        let mut records = lines.iter().filter(|line| line["type"] == "record");
        let found = records.find(|line| line["id"] == id);
        found.unwrap()["body"]["state"].clone()
    };
    let before = export(west, &pair.name).await;
    assert_eq!(ticket(&before), "new");
    assert_eq!(opened(&before, "reason"), ["we part as friends"]);

    // What happens later is not for it: neither entries, nor records, nor words.
    let id = super::setting::ticket(super::setting::NORTH_PSA, "1");
    let done = super::setting::status("e2", &id, 60, "Done");
    house.pass(60);
    pair.ingest(&pair.north, vec![done]).await;
    pair.to_south().await;
    let after = export(west, &pair.name).await;
    assert_eq!(after, before);
    assert_eq!(after[0]["sequence"], last);
    let theirs = export(&pair.north, &pair.name).await;
    assert_eq!(ticket(&theirs), "resolved");
    assert!(!opened(&theirs, "expectation.title").is_empty());
    house.stop().await;
}
