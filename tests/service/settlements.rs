//! Settlement statements: what two firms owe each other, month by month.

use entente::proto::v1::{
    self, Cadence, SettlementLineState, SettlementResolution, SettlementState,
};

use super::calls::{faulty, ok, refuses};
use super::handing_over::listed;
use super::house::House;
use super::sales::{FEBRUARY, MARCH, booking, reversing};
use super::setting::{NORTH, Pair, SOUTH, cents};
use super::trio::Trio;

pub fn drafting(parent: &str, party: &str, period: &str) -> v1::DraftSettlementStatementRequest {
    v1::DraftSettlementStatementRequest {
        parent: parent.to_owned(),
        party_id: party.to_owned(),
        currency: "EUR".to_owned(),
        period: period.to_owned(),
        ..Default::default()
    }
}

pub fn issuing(name: &str) -> v1::IssueSettlementStatementRequest {
    v1::IssueSettlementStatementRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub fn agreeing(name: &str, lines: &[i32]) -> v1::AgreeSettlementLinesRequest {
    v1::AgreeSettlementLinesRequest {
        name: name.to_owned(),
        line_numbers: lines.to_vec(),
        ..Default::default()
    }
}

pub fn disputing(name: &str, line: i32) -> v1::DisputeSettlementLineRequest {
    v1::DisputeSettlementLineRequest {
        name: name.to_owned(),
        line_number: line,
        words: "never delivered".to_owned(),
        ..Default::default()
    }
}

pub fn resolving(
    name: &str,
    line: i32,
    resolution: SettlementResolution,
) -> v1::ResolveSettlementLineRequest {
    v1::ResolveSettlementLineRequest {
        name: name.to_owned(),
        line_number: line,
        resolution: resolution.into(),
        words: "so be it".to_owned(),
        ..Default::default()
    }
}

pub fn settling(name: &str) -> v1::SettleSettlementStatementRequest {
    v1::SettleSettlementStatementRequest {
        name: name.to_owned(),
        words: "by bank on the 5th".to_owned(),
        ..Default::default()
    }
}

impl Pair {
    /// A statement of February: 360.00 once and 33.33 for a month, owed by north to south.
    pub async fn statement(&self) -> (v1::SettlementStatement, v1::JointQuote, String) {
        let (quote, hash) = self.sold().await;
        let mut norths = self.north.connection.sales();
        for cadence in [Cadence::OneTime, Cadence::Monthly] {
            ok(norths.book_period(booking(&quote.name, cadence, 1, FEBRUARY))).await;
        }
        let request = drafting(&self.name, SOUTH, "2026-02");
        let mut norths = self.north.connection.settlements();
        let drafted = ok(norths.draft_settlement_statement(request)).await;
        (drafted, quote, hash)
    }
}

/// Line by line, with a dispute, until it is paid; what comes late is on the next one.
pub async fn from_draft_to_settled(house: House) {
    let pair = Pair::active(&house).await;
    let (drafted, quote, hash) = pair.statement().await;
    let trio = Trio::of(&house, pair).await;
    let pair = &trio.pair;
    assert_eq!(drafted.state(), SettlementState::Draft);
    let dues: Vec<_> = drafted
        .lines
        .iter()
        .map(|line| {
            (
                line.portion_id.as_str(),
                line.payee.as_str(),
                cents(line.due.as_ref()),
            )
        })
        .collect();
    assert_eq!(dues, [("b", SOUTH, 36_000), ("d", SOUTH, 3_333)]);
    assert_eq!(
        (cents(drafted.balance.as_ref()), drafted.payee.as_str()),
        (39_333, SOUTH)
    );
    let name = drafted.name.as_str();
    let mut norths = pair.north.connection.settlements();
    let mut souths = pair.south.connection.settlements();
    let mut wests = trio.west.connection.settlements();
    let foreign = wests.issue_settlement_statement(issuing(name));
    refuses(&house, "NOT_YOUR_STATEMENT", foreign).await;
    let early = souths.agree_settlement_lines(agreeing(name, &[]));
    refuses(&house, "INVALID_STATE", early).await;
    assert_eq!(whose_turn(pair, name).await, [NORTH, SOUTH]);
    ok(norths.issue_settlement_statement(issuing(name))).await;
    assert_eq!(whose_turn(pair, name).await, [SOUTH]);
    let own = norths.agree_settlement_lines(agreeing(name, &[]));
    refuses(&house, "NOT_YOUR_STATEMENT", own).await;
    let disputed = ok(souths.dispute_settlement_line(disputing(name, 2))).await;
    assert_eq!(disputed.state(), SettlementState::Disputed);
    assert_eq!(whose_turn(pair, name).await, [NORTH, SOUTH]);
    let agreed = ok(souths.agree_settlement_lines(agreeing(name, &[1]))).await;
    assert_eq!(agreed.state(), SettlementState::Disputed);
    assert_eq!(whose_turn(pair, name).await, [NORTH]);
    let unsettled = souths.settle_settlement_statement(settling(name));
    refuses(&house, "INVALID_STATE", unsettled).await;
    let removal = resolving(name, 2, SettlementResolution::Removed);
    let call = souths.resolve_settlement_line(removal.clone());
    refuses(&house, "NOT_YOUR_STATEMENT", call).await;
    let resolved = ok(norths.resolve_settlement_line(removal)).await;
    assert_eq!(resolved.state(), SettlementState::Agreed);
    assert_eq!(whose_turn(pair, name).await, [NORTH, SOUTH]);
    let line = &resolved.lines[1];
    assert_eq!(line.state(), SettlementLineState::Removed);
    let dispute = line.dispute.clone().unwrap();
    assert_eq!(
        (dispute.words.as_str(), dispute.resolved_by.as_str()),
        ("never delivered", NORTH)
    );
    assert_eq!(cents(resolved.balance.as_ref()), 36_000);
    let debtor = norths.settle_settlement_statement(settling(name));
    refuses(&house, "NOT_YOUR_STATEMENT", debtor).await;
    let settled = ok(souths.settle_settlement_statement(settling(name))).await;
    assert_eq!(settled.state(), SettlementState::Settled);
    assert!(whose_turn(pair, name).await.is_empty());
    assert_eq!(settled.settle_message, "by bank on the 5th");
    what_comes_late(&house, pair, &quote.name, &hash).await;
    house.stop().await;
}

/// Who has to see to a statement, as the list of what is to be handed over says.
async fn whose_turn(pair: &Pair, statement: &str) -> Vec<String> {
    let items = listed(&pair.north, &pair.name, "", 50).await;
    let mut found = items.into_iter().filter(|item| item.name == statement);
    let Some(item) = found.next() else {
        return Vec::new();
    };
    assert_eq!(item.matter(), v1::OpenMatter::Settlement);
    item.party_ids
}

/// It is on the next one.
async fn what_comes_late(house: &House, pair: &Pair, quote: &str, hash: &str) {
    let mut norths = pair.north.connection.settlements();
    let mut souths = pair.south.connection.settlements();
    // South bears 20.00 less: that is owed to it on top, and belongs to February.
    let mut late = reversing(quote, hash, 5_000);
    late.bill_date = Some(FEBRUARY);
    ok(norths_sales(pair).reverse_concession(late)).await;
    let again = norths.draft_settlement_statement(drafting(&pair.name, SOUTH, "2026-02"));
    refuses(house, "INVALID_STATE", again).await;
    let request = drafting(&pair.name, NORTH, "2026-03");
    let next = ok(souths.draft_settlement_statement(request)).await;
    let line = &next.lines[0];
    assert_eq!(
        (line.corrected_period.as_str(), line.reversal),
        ("2026-02", 1)
    );
    assert_eq!(
        (cents(line.share.as_ref()), cents(line.due.as_ref())),
        (-2_000, 2_000)
    );
    for (state, count) in [
        (SettlementState::Unspecified, 2),
        (SettlementState::Draft, 1),
        (SettlementState::Settled, 1),
        (SettlementState::Issued, 0),
    ] {
        let request = v1::ListSettlementStatementsRequest {
            parent: pair.name.clone(),
            state: state.into(),
            ..Default::default()
        };
        let listed = ok(souths.list_settlement_statements(request)).await;
        assert_eq!(listed.settlement_statements.len(), count, "{state:?}");
    }
}

fn norths_sales(
    pair: &Pair,
) -> v1::sale_service_client::SaleServiceClient<entente::cli::client::ApiChannel> {
    pair.north.connection.sales()
}

/// A credit lowers what a firm absorbed; and amounts of two currencies never meet.
pub async fn p19_p21_credits_and_currencies(house: House) {
    let pair = Pair::active(&house).await;
    let (quote, hash) = pair.sold().await;
    let mut sales = pair.north.connection.sales();
    ok(sales.book_period(booking(&quote.name, Cadence::OneTime, 1, MARCH))).await;
    ok(sales.reverse_concession(reversing(&quote.name, &hash, 9_999))).await;
    let mut souths = pair.south.connection.settlements();
    let mut dollars = drafting(&pair.name, NORTH, "2026-03");
    "USD".clone_into(&mut dollars.currency);
    let nothing = souths.draft_settlement_statement(dollars);
    refuses(&house, "INVALID_STATE", nothing).await;
    let request = drafting(&pair.name, NORTH, "2026-03");
    let drafted = ok(souths.draft_settlement_statement(request)).await;
    assert_eq!(drafted.currency, "EUR");
    let total = drafted.totals.iter().find(|total| total.party_id == SOUTH);
    let total = total.unwrap();
    let numbers = [&total.price_before, &total.absorbed, &total.due];
    assert_eq!(
        numbers.map(|amount| cents(amount.as_ref())),
        [40_000, 0, 40_000]
    );
    house.stop().await;
}

/// Every fault is told, and nothing changes.
pub async fn settlements_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let (drafted, ..) = pair.statement().await;
    let name = drafted.name.as_str();
    let mut norths = pair.north.connection.settlements();
    let mut souths = pair.south.connection.settlements();
    let mut bad = drafting(&pair.name, "", "2026-2");
    "EURO".clone_into(&mut bad.currency);
    let call = norths.draft_settlement_statement(bad);
    faulty(
        &house,
        "INVALID_FIELD",
        &["party_id", "currency", "period"],
        call,
    )
    .await;
    let own = norths.draft_settlement_statement(drafting(&pair.name, NORTH, "2026-02"));
    faulty(&house, "INVALID_FIELD", &["party_id"], own).await;
    let ahead = norths.draft_settlement_statement(drafting(&pair.name, SOUTH, "2026-04"));
    faulty(&house, "INVALID_FIELD", &["period"], ahead).await;
    let earlier = norths.draft_settlement_statement(drafting(&pair.name, SOUTH, "2026-01"));
    faulty(&house, "INVALID_FIELD", &["period"], earlier).await;
    ok(norths.issue_settlement_statement(issuing(name))).await;
    let call = souths.agree_settlement_lines(agreeing(name, &[0, 1, -1]));
    let fields = ["line_numbers[0]", "line_numbers[2]"];
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let call = souths.agree_settlement_lines(agreeing(name, &[1, 9]));
    faulty(&house, "INVALID_FIELD", &["line_numbers[1]"], call).await;
    let mut wordless = disputing(name, 0);
    wordless.words.clear();
    let call = souths.dispute_settlement_line(wordless);
    faulty(&house, "INVALID_FIELD", &["line_number", "words"], call).await;
    let call = souths.dispute_settlement_line(disputing(name, 3));
    faulty(&house, "INVALID_FIELD", &["line_number"], call).await;
    let call =
        souths.resolve_settlement_line(resolving(name, 1, SettlementResolution::Unspecified));
    faulty(&house, "INVALID_FIELD", &["resolution"], call).await;
    let call = souths.resolve_settlement_line(resolving(name, 1, SettlementResolution::Stands));
    refuses(&house, "INVALID_STATE", call).await;
    house.stop().await;
}
