//! What becomes of quotes that were divided by sealed costs: each firm its own, and two the sum that one
//! of them owes the other.

use entente::ledger::verify::{Evidence, verify_export, verify_store};
use entente::proto::v1::{self, AllocationBasis, Cadence, ExportFormat, SettlementState};

use super::blind::{consent, costly, proposing, quote_of};
use super::calls::{faulty, ok, refuses};
use super::cosigning::export;
use super::documents::exporting_statement;
use super::house::{Firm, House};
use super::sales::{FEBRUARY, MARCH, amount, booking, monthly, reversing, winning};
use super::setting::{NORTH, Pair, SOUTH, cents, euros};
use super::settlements::{agreeing, disputing, drafting, issuing, resolving, settling};
use super::trio::Trio;

/// What each bears of 9,000.00 by its costs, in cents: north, south and west.
const SHARES: [i64; 3] = [480_000, 300_000, 120_000];

async fn approve(firms: &[&Firm], quote: &str, hash: &str) {
    for firm in firms {
        let request = v1::ApproveConcessionRequest {
            name: quote.to_owned(),
            hash: hash.to_owned(),
            ..Default::default()
        };
        ok(firm.connection.pricing().approve_concession(request)).await;
    }
}

/// A quote of three that was divided by their costs, and won; with its hash.
async fn sold(trio: &Trio) -> (String, String) {
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
    forewarned(trio, &quote).await;
    approve(&[&pair.south, west], &quote, &hash).await;
    let mut souths = pair.south.connection.sales();
    ok(souths.win_quote(winning(&quote, 9_100_000))).await;
    (quote, hash)
}

/// The three firms: north bills the client, since it is the only prime.
fn firms(trio: &Trio) -> [&Firm; 3] {
    [&trio.pair.north, &trio.pair.south, &trio.west]
}

/// What one of the three is told: north of all, the others of their own.
fn told(viewer: usize, all: [i64; 3]) -> Vec<Option<i64>> {
    let all = all.into_iter().enumerate();
    all.map(|(owner, amount)| (viewer == 0 || viewer == owner).then_some(amount))
        .collect()
}

fn some_cents(amount: Option<&entente::proto::google::r#type::Money>) -> Option<i64> {
    amount.map(|amount| cents(Some(amount)))
}

async fn get(firm: &Firm, quote: &str) -> v1::JointQuote {
    let request = v1::GetJointQuoteRequest {
        name: quote.to_owned(),
    };
    ok(firm.connection.pricing().get_joint_quote(request)).await
}

/// Before anybody approves, each is told that who bills learns what the others bear.
async fn forewarned(trio: &Trio, quote: &str) {
    let request = v1::GetDisclosureImpactRequest {
        name: quote.to_owned(),
        ..Default::default()
    };
    let mut souths = trio.pair.south.connection.pricing();
    let impact = ok(souths.get_disclosure_impact(request)).await;
    assert_eq!(impact.disclosures.len(), 6);
    for told in impact.disclosures {
        assert_eq!(told.kind(), v1::DisclosureKind::SumOfOthers);
        let bills = told.observer_party_id == NORTH;
        let expected = if bills {
            v1::DisclosureKind::Exact
        } else {
            v1::DisclosureKind::SumOfOthers
        };
        assert_eq!(told.settlement_kind(), expected, "{told:?}");
        assert_eq!(
            told.sentence.contains("bills the client"),
            bills,
            "{told:?}"
        );
    }
}

/// The recorded shares come back, down to zero, and each firm sees its own.
pub async fn p12_p13_sealed_shares_are_taken_back(house: House) {
    let trio = Trio::of(&house, Pair::active(&house).await).await;
    let (quote, hash) = sold(&trio).await;
    let mut souths = trio.pair.south.connection.sales();
    let mut wests = trio.west.connection.sales();
    let other = souths.reverse_concession(reversing(&quote, &"0".repeat(64), 1));
    refuses(&house, "STALE_HASH", other).await;
    let request = v1::ReverseConcessionRequest {
        request_id: "back".to_owned(),
        ..reversing(&quote, &hash, 450_000)
    };
    let reversed = ok(souths.reverse_concession(request.clone())).await;
    // A retry draws no other salts.
    assert_eq!(ok(souths.reverse_concession(request)).await, reversed);
    let more = wests.reverse_concession(reversing(&quote, &hash, 450_001));
    let refused = refuses(&house, "REVERSAL_TOO_LARGE", more).await;
    assert_eq!(refused.metadata["left"], "4,500.00 EUR");
    for part in [149_999, 300_001] {
        ok(wests.reverse_concession(reversing(&quote, &hash, part))).await;
    }
    let nothing = wests.reverse_concession(reversing(&quote, &hash, 1));
    let refused = refuses(&house, "REVERSAL_TOO_LARGE", nothing).await;
    assert_eq!(refused.metadata["left"], "0.00 EUR");
    for (viewer, firm) in firms(&trio).into_iter().enumerate() {
        let reversals = get(firm, &quote).await.sale.unwrap().reversals;
        let halves = reversals[0].cadences[0].shares.iter();
        let halves: Vec<_> = halves.map(|it| some_cents(it.share.as_ref())).collect();
        assert_eq!(halves, told(viewer, SHARES.map(|share| share / 2)));
        for owner in 0..3 {
            let shares = reversals.iter().map(|it| &it.cadences[0].shares[owner]);
            let sum = shares.map(|share| {
                assert_eq!(share.commitment.len(), 64, "{share:?}");
                some_cents(share.share.as_ref())
            });
            // Exactly what was borne.
            let sum: Option<i64> = sum.sum();
            assert_eq!(sum, told(viewer, SHARES)[owner]);
        }
        let amounts = reversals
            .iter()
            .map(|it| cents(it.cadences[0].amount.as_ref()));
        assert_eq!(amounts.collect::<Vec<_>>(), [450_000, 149_999, 300_001]);
    }
    house.stop().await;
}

/// Whoever asks: the client's price is seen by all, what each bears by its owner and by who bills.
pub async fn p24_a_sealed_period_is_booked_once(house: House) {
    let trio = Trio::of(&house, Pair::active(&house).await).await;
    let (quote, _) = sold(&trio).await;
    let mut souths = trio.pair.south.connection.sales();
    // Who bills learns what all bear; nobody makes itself that.
    let mut own = booking(&quote, Cadence::OneTime, 1, FEBRUARY);
    SOUTH.clone_into(&mut own.biller);
    faulty(
        &house,
        "INVALID_FIELD",
        &["biller"],
        souths.book_period(own),
    )
    .await;
    let booked = ok(souths.book_period(booking(&quote, Cadence::OneTime, 1, FEBRUARY))).await;
    assert_eq!(booked.biller, NORTH);
    for (viewer, firm) in firms(&trio).into_iter().enumerate() {
        let mut sales = firm.connection.sales();
        let again = sales.book_period(booking(&quote, Cadence::OneTime, 1, FEBRUARY));
        refuses(&house, "ALREADY_BOOKED", again).await;
        let request = v1::GetBookingRequest {
            name: booked.name.clone(),
        };
        let shown = ok(sales.get_booking(request)).await;
        let lines = shown.lines.iter();
        let shares: Vec<_> = lines
            .map(|line| {
                assert_eq!(line.commitment.len(), 64, "{line:?}");
                assert_eq!(line.share.is_some(), line.price_after.is_some());
                some_cents(line.share.as_ref())
            })
            .collect();
        assert_eq!(shares, told(viewer, SHARES));
        assert_eq!(cents(shown.concession.as_ref()), 900_000);
        assert_eq!(cents(shown.price_after.as_ref()), 9_100_000);
    }
    house.stop().await;
}

/// From draft to settled, with a dispute and what comes late: the two see amounts, the third that there
/// is a statement.
pub async fn a_sealed_statement_is_for_its_two_parties(house: House) {
    let trio = Trio::of(&house, Pair::active(&house).await).await;
    let (quote, hash) = sold(&trio).await;
    let [mut norths, mut souths, mut wests] =
        firms(&trio).map(|firm| firm.connection.settlements());
    let mut sales = trio.west.connection.sales();
    ok(sales.book_period(booking(&quote, Cadence::OneTime, 1, FEBRUARY))).await;
    let drafted = drafting(&trio.pair.name, NORTH, "2026-02");
    let drafted = ok(souths.draft_settlement_statement(drafted)).await;
    let name = drafted.name.as_str();
    let get = || v1::GetSettlementStatementRequest {
        name: name.to_owned(),
    };
    for statement in [
        drafted.clone(),
        ok(norths.get_settlement_statement(get())).await,
    ] {
        let line = &statement.lines[0];
        assert_eq!(statement.lines.len(), 1);
        let amounts = [&line.price_before, &line.share, &line.due];
        let amounts = amounts.map(|amount| cents(amount.as_ref()));
        assert_eq!(amounts, [3_000_000, 300_000, 2_700_000]);
        assert_eq!(cents(statement.balance.as_ref()), 2_700_000);
        assert_eq!(statement.payee, SOUTH);
        assert_eq!(cents(statement.totals[1].absorbed.as_ref()), 300_000);
    }
    let seen = ok(wests.get_settlement_statement(get())).await;
    let line = &seen.lines[0];
    assert_eq!(
        (&line.share, &line.due, &seen.balance),
        (&None, &None, &None)
    );
    assert_eq!((line.commitment.len(), seen.totals.len()), (64, 0));
    let foreign = wests.issue_settlement_statement(issuing(name));
    refuses(&house, "NOT_YOUR_STATEMENT", foreign).await;
    ok(norths.issue_settlement_statement(issuing(name))).await;
    ok(souths.dispute_settlement_line(disputing(name, 1))).await;
    let stands = resolving(name, 1, v1::SettlementResolution::Stands);
    let agreed = ok(souths.resolve_settlement_line(stands)).await;
    assert_eq!(agreed.state(), SettlementState::Agreed);
    let debtor = norths.settle_settlement_statement(settling(name));
    refuses(&house, "NOT_YOUR_STATEMENT", debtor).await;
    let settled = ok(souths.settle_settlement_statement(settling(name))).await;
    assert_eq!(settled.state(), SettlementState::Settled);
    exported(&house, &trio, name).await;
    // Half is taken back of February's: South is owed its half on top.
    let mut late = reversing(&quote, &hash, 450_000);
    late.bill_date = Some(FEBRUARY);
    ok(sales.reverse_concession(late)).await;
    let next = drafting(&trio.pair.name, SOUTH, "2026-03");
    let next = ok(norths.draft_settlement_statement(next)).await;
    let line = &next.lines[0];
    assert_eq!(
        (
            line.corrected_period.as_str(),
            cents(line.share.as_ref()),
            cents(line.due.as_ref())
        ),
        ("2026-02", -150_000, 150_000)
    );
    ok(souths.issue_settlement_statement(issuing(&next.name))).await;
    ok(norths.agree_settlement_lines(agreeing(&next.name, &[]))).await;
    verified(&house, &trio).await;
    house.stop().await;
}

/// A document for the two; the third one's table has no amounts, and its document is refused.
async fn exported(house: &House, trio: &Trio, name: &str) {
    for (firm, is_of_it) in firms(trio).into_iter().zip([true, true, false]) {
        let mut settlements = firm.connection.settlements();
        let table = exporting_statement(name, ExportFormat::Csv);
        let table = ok(settlements.export_settlement_statement(table)).await;
        let table = String::from_utf8(table.content).unwrap();
        let line = table.lines().nth(1).unwrap();
        let amounts = if is_of_it {
            ",30000.00,3000.00,27000.00,EUR,"
        } else {
            ",30000.00,,,EUR,"
        };
        assert!(line.contains(amounts), "{line}");
        let document =
            settlements.export_settlement_statement(exporting_statement(name, ExportFormat::Ubl));
        if is_of_it {
            let xml = String::from_utf8(ok(document).await.content).unwrap();
            assert!(xml.contains(">27000.00</cbc:PayableAmount>"), "{xml}");
        } else {
            refuses(house, "SHARES_SEALED", document).await;
        }
    }
}

/// The database follows all of it again; each firm's export as far as it may read.
async fn verified(house: &House, trio: &Trio) {
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(
        (report.totals.divisions, report.totals.sales),
        (1, 8),
        "{report}"
    );
    for firm in firms(trio) {
        let bytes = export(firm, &trio.pair.name).await;
        let report = verify_export(bytes.as_slice(), &Evidence::default()).unwrap();
        assert!(report.is_clean(), "{report}");
        assert_eq!(report.totals.divisions, 0);
        assert!(report.totals.sealed > 0, "{report}");
        // Its own line of the booking, and that two statements say what these come of.
        assert_eq!(report.totals.sales, 3, "{report}");
    }
}

fn costly_monthly(id: &str, price: i64, cost: i64, periods: i32) -> v1::Portion {
    v1::Portion {
        internal_cost: Some(euros(cost)),
        ..monthly(id, price, periods)
    }
}

/// Where terms differ, sums of a part of the portions would tell single shares, and are not told.
pub async fn sealed_shares_of_different_terms(house: House) {
    let trio = Trio::of(&house, Pair::active(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let own = [costly_monthly("a", 5_000_000, 4_000_000, 12)];
    let others = [
        (&pair.south, costly_monthly("b", 3_000_000, 2_500_000, 12)),
        (west, costly_monthly("c", 2_000_000, 1_000_000, 6)),
    ];
    let quote = quote_of(pair, &own, &others).await;
    let request = v1::ProposeConcessionRequest {
        concession: None,
        recurring_concessions: vec![v1::RecurringConcession {
            period: v1::RecurrencePeriod::Month.into(),
            amount: Some(euros(900_000)),
        }],
        ..proposing(&quote, 0, AllocationBasis::Cost)
    };
    let proposed = ok(pair.north.connection.pricing().propose_concession(request)).await;
    let hash = proposed.revisions[0].hash.clone();
    approve(&[&pair.south, west], &quote, &hash).await;
    let mut souths = pair.south.connection.sales();
    let mut won = winning(&quote, 0);
    won.final_client_prices = vec![amount(Cadence::Monthly, 9_100_000)];
    ok(souths.win_quote(won)).await;
    let mut back = reversing(&quote, &hash, 0);
    back.amounts = vec![amount(Cadence::Monthly, 100)];
    let refused = refuses(&house, "SHARES_SEALED", souths.reverse_concession(back)).await;
    assert_eq!(refused.metadata["cadence"], "monthly");
    for (period, of_south, of_north) in [(6, Some(900_000), 900_000), (7, None, 780_000)] {
        let request = booking(&quote, Cadence::Monthly, period, MARCH);
        let shown = ok(souths.book_period(request)).await;
        assert_eq!(some_cents(shown.concession.as_ref()), of_south);
        assert_eq!(shown.price_after.is_some(), of_south.is_some());
        let request = v1::GetBookingRequest { name: shown.name };
        let shown = ok(pair.north.connection.sales().get_booking(request)).await;
        assert_eq!(cents(shown.concession.as_ref()), of_north);
    }
    house.stop().await;
}

async fn burdens(firm: &Firm, pair: &Pair) -> v1::BurdenGroup {
    let request = v1::GetBurdenIndexRequest {
        name: pair.name.clone(),
        ..Default::default()
    };
    let found = ok(firm.connection.fairness().get_burden_index(request)).await;
    found.groups[0].clone()
}

/// With two owners each knows both; with three its own and the sum of the others.
pub async fn two_firms_see_the_whole_burden_and_three_a_sum(house: House) {
    let trio = Trio::of(&house, Pair::active(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let own = [costly("a", 5_000_000, 4_000_000)];
    let theirs = (&pair.south, costly("b", 7_000_000, 6_000_000));
    let quote = quote_of(pair, &own, &[theirs]).await;
    consent(&pair.north, &quote).await;
    consent(&pair.south, &quote).await;
    let request = proposing(&quote, 500_000, AllocationBasis::Cost);
    let proposed = ok(pair.north.connection.pricing().propose_concession(request)).await;
    let hash = proposed.revisions[0].hash.clone();
    approve(&[&pair.south, west], &quote, &hash).await;
    for firm in [&pair.north, &pair.south] {
        let group = burdens(firm, pair).await;
        assert_eq!((group.quote_count, group.sealed_quote_count), (1, 0));
        let absorbed = group.parties.iter().map(|it| cents(it.absorbed.as_ref()));
        assert_eq!(absorbed.collect::<Vec<_>>(), [200_000, 300_000]);
        assert_eq!(group.others_together, None);
    }
    let group = burdens(west, pair).await;
    assert_eq!((group.quote_count, group.sealed_quote_count), (0, 1));
    assert_eq!((group.parties.len(), group.others_together), (0, None));
    let (sold, hash) = sold(&trio).await;
    let mut sales = pair.north.connection.sales();
    ok(sales.reverse_concession(reversing(&sold, &hash, 450_000))).await;
    for (index, firm) in firms(&trio).into_iter().enumerate() {
        let request = v1::GetBurdenIndexRequest {
            name: pair.name.clone(),
            ..Default::default()
        };
        let groups = ok(firm.connection.fairness().get_burden_index(request))
            .await
            .groups;
        let won = groups.into_iter().find(|group| group.won).unwrap();
        assert_eq!((won.quote_count, won.sealed_quote_count), (0, 0));
        assert!(won.parties.is_empty());
        let together = won.others_together.unwrap();
        let own = SHARES[index] / 2;
        assert_eq!(cents(together.own_absorbed.as_ref()), own);
        assert_eq!(cents(together.others_absorbed.as_ref()), 450_000 - own);
    }
    house.stop().await;
}
