//! Quotes and statements as documents for accounting software.

use entente::proto::v1::{self, AllocationBasis, Cadence, ExportFormat};

use super::blind::{costly, proposing, quote_of};
use super::calls::{faulty, ok, refuses};
use super::house::House;
use super::sales::{FEBRUARY, booking, winning};
use super::setting::{Pair, SOUTH, euros, portion};
use super::settlements::{disputing, drafting, issuing};
use super::traces::Secrets;
use super::trio::Trio;

pub fn exporting_quote(
    name: &str,
    format: ExportFormat,
    cadence: Cadence,
) -> v1::ExportJointQuoteRequest {
    v1::ExportJointQuoteRequest {
        name: name.to_owned(),
        format: format.into(),
        cadence: cadence.into(),
    }
}

pub fn exporting_statement(
    name: &str,
    format: ExportFormat,
) -> v1::ExportSettlementStatementRequest {
    v1::ExportSettlementStatementRequest {
        name: name.to_owned(),
        format: format.into(),
        ..Default::default()
    }
}

fn text(content: Vec<u8>) -> String {
    String::from_utf8(content).expect("text")
}

/// The values of all elements of a name, in order.
fn elements<'xml>(xml: &'xml str, name: &str) -> Vec<&'xml str> {
    let (begins, ends) = (format!("<{name}"), format!("</{name}>"));
    let parts = xml.split(begins.as_str()).skip(1);
    let whole = parts.filter(|part| part.starts_with(['>', ' ']));
    let value = |part: &'xml str| {
        let (inside, _) = part.split_once(ends.as_str())?;
        inside.split_once('>').map(|(_, value)| value)
    };
    whole.filter_map(value).collect()
}

/// A statement: its lines less what its payee bears.
pub async fn p22_a_statement_adds_up_as_a_document(house: House) {
    let pair = Pair::active(&house).await;
    let (drafted, ..) = pair.statement().await;
    let name = drafted.name.as_str();
    let mut norths = pair.north.connection.settlements();
    let mut souths = pair.south.connection.settlements();
    ok(norths.issue_settlement_statement(issuing(name))).await;
    let mut dispute = disputing(name, 2);
    "=HYPERLINK(\"evil\")".clone_into(&mut dispute.words);
    ok(souths.dispute_settlement_line(dispute)).await;
    let request = exporting_statement(name, ExportFormat::Ubl);
    let answer = ok(souths.export_settlement_statement(request)).await;
    assert_eq!(answer.media_type, "application/xml");
    assert!(
        answer.file_name.ends_with("2026-02.xml"),
        "{}",
        answer.file_name
    );
    let xml = text(answer.content);
    for (element, values) in [
        ("cbc:ChargeIndicator", &["false"][..]),
        ("cbc:Amount", &["40.00"]),
        ("cbc:AllowanceTotalAmount", &["40.00"]),
        ("cbc:ChargeTotalAmount", &["0.00"]),
        ("cbc:PayableRoundingAmount", &["0.00"]),
        ("cbc:PayableAmount", &["393.33"]),
        ("cbc:AllowanceChargeReasonCode", &["95"]),
    ] {
        assert_eq!(elements(&xml, element), values, "{element}");
    }
    let request = exporting_statement(name, ExportFormat::Csv);
    let table = text(
        ok(norths.export_settlement_statement(request))
            .await
            .content,
    );
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[1].contains(",400.00,40.00,360.00,EUR,open,"),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].contains("disputed,\"'=HYPERLINK(\"\"evil\"\")\""),
        "{}",
        lines[2]
    );
    let mut other = exporting_statement(name, ExportFormat::Csv);
    "party-9".clone_into(&mut other.payee);
    let call = norths.export_settlement_statement(other);
    faulty(&house, "INVALID_FIELD", &["payee"], call).await;
    let unknown = exporting_statement(name, ExportFormat::Unspecified);
    let call = norths.export_settlement_statement(unknown);
    faulty(&house, "INVALID_FIELD", &["format"], call).await;
    house.stop().await;
}

/// What is due at different times is never added.
pub async fn a_quote_is_a_document_for_each_cadence(house: House) {
    let pair = Pair::active(&house).await;
    let (quote, _) = pair.conceded().await;
    let mut souths = pair.south.connection.sales();
    let both = exporting_quote(&quote.name, ExportFormat::Ubl, Cadence::Unspecified);
    let call = souths.export_joint_quote(both);
    faulty(&house, "INVALID_FIELD", &["cadence"], call).await;
    let none = exporting_quote(&quote.name, ExportFormat::Ubl, Cadence::Yearly);
    refuses(&house, "INVALID_STATE", souths.export_joint_quote(none)).await;
    let once = exporting_quote(&quote.name, ExportFormat::Ubl, Cadence::OneTime);
    let xml = text(ok(souths.export_joint_quote(once)).await.content);
    assert!(xml.contains("<Quotation "));
    assert_eq!(elements(&xml, "cbc:Amount"), ["59.99", "40.00"]);
    assert_eq!(elements(&xml, "cbc:PayableAmount"), ["900.01"]);
    let all = exporting_quote(&quote.name, ExportFormat::Csv, Cadence::Unspecified);
    let table = text(ok(souths.export_joint_quote(all)).await.content);
    let monthly = table.lines().find(|line| line.starts_with("monthly,"));
    let monthly = monthly.expect("it recurs");
    let expected = ",what d is,6,33.33,0.00,33.33,EUR";
    assert!(monthly.ends_with(expected), "{monthly}");
    house.stop().await;
}

/// No document, booking or statement tells a firm what the other one's portions cost it.
pub async fn p20_nothing_after_a_sale_tells_a_cost(house: House) {
    const PRICE: i64 = 918_273_645;
    const COST: i64 = 765_432_109;
    let secrets = Secrets::of([COST, PRICE - COST]);
    let pair = Pair::active(&house).await;
    let quote = pair.quote(&[("a", 500)], &[]).await;
    let request = v1::AddPortionRequest {
        name: quote.name.clone(),
        portion: Some(v1::Portion {
            internal_cost: Some(euros(COST)),
            ..portion("b", PRICE)
        }),
        ..Default::default()
    };
    ok(pair.south.connection.pricing().add_portion(request)).await;
    let request = v1::ProposeConcessionRequest {
        name: quote.name.clone(),
        concession: Some(euros(12_345)),
        basis: AllocationBasis::Price.into(),
        ..Default::default()
    };
    let mut pricing = pair.north.connection.pricing();
    let proposed = ok(pricing.propose_concession(request)).await;
    let request = v1::ApproveConcessionRequest {
        name: quote.name.clone(),
        hash: proposed.revisions[0].hash.clone(),
        ..Default::default()
    };
    ok(pair.south.connection.pricing().approve_concession(request)).await;
    let mut sales = pair.north.connection.sales();
    let mut settlements = pair.north.connection.settlements();
    let won = winning(&quote.name, PRICE + 500 - 12_345);
    let mut seen = vec![prost::Message::encode_to_vec(
        &ok(sales.win_quote(won)).await,
    )];
    let booked = booking(&quote.name, Cadence::OneTime, 1, FEBRUARY);
    let booked = ok(sales.book_period(booked)).await;
    seen.push(prost::Message::encode_to_vec(&booked));
    let request = drafting(&pair.name, SOUTH, "2026-02");
    let drafted = ok(settlements.draft_settlement_statement(request)).await;
    seen.push(prost::Message::encode_to_vec(&drafted));
    for format in [ExportFormat::Csv, ExportFormat::Ubl] {
        let request = exporting_quote(&quote.name, format, Cadence::OneTime);
        seen.push(ok(sales.export_joint_quote(request)).await.content);
        let request = exporting_statement(&drafted.name, format);
        let answer = ok(settlements.export_settlement_statement(request)).await;
        seen.push(answer.content);
    }
    for bytes in &seen {
        let found = secrets.found_in(bytes).map(String::from_utf8_lossy);
        assert_eq!(found, None);
    }
    house.stop().await;
}

/// With a division by costs, a document has the caller's own share, and one sum for all others.
pub async fn p20_what_others_know_is_one_sum(house: House) {
    let trio = Trio::of(&house, Pair::active(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let own = [costly("a", 5_000_000, 4_000_000)];
    let others = [
        (&pair.south, costly("b", 3_000_000, 2_500_000)),
        (west, costly("c", 2_000_000, 1_000_000)),
    ];
    let quote = quote_of(pair, &own, &others).await;
    let request = proposing(&quote, 900_000, AllocationBasis::Cost);
    let mut norths = pair.north.connection.pricing();
    let proposed = ok(norths.propose_concession(request)).await;
    let hash = proposed.revisions[0].hash.clone();
    for firm in [&pair.south, west] {
        let request = v1::ApproveConcessionRequest {
            name: quote.clone(),
            hash: hash.clone(),
            ..Default::default()
        };
        ok(firm.connection.pricing().approve_concession(request)).await;
    }
    let mut souths = pair.south.connection.sales();
    let request = exporting_quote(&quote, ExportFormat::Ubl, Cadence::OneTime);
    let xml = text(ok(souths.export_joint_quote(request)).await.content);
    assert_eq!(elements(&xml, "cbc:Amount"), ["3000.00", "6000.00"]);
    assert_eq!(elements(&xml, "cbc:PayableAmount"), ["91000.00"]);
    let request = exporting_quote(&quote, ExportFormat::Csv, Cadence::OneTime);
    let table = text(ok(souths.export_joint_quote(request)).await.content);
    for (portion, shown) in [
        ("a", ",,EUR"),
        ("b", ",3000.00,27000.00,EUR"),
        ("c", ",,EUR"),
    ] {
        let begins = format!("one_time,{portion},");
        let line = table.lines().find(|line| line.starts_with(&begins));
        assert!(line.unwrap().ends_with(shown), "{line:?}");
    }
    house.stop().await;
}
