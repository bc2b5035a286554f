//! What recurs, beside what is due once.

use entente::proto::v1::{self, Cadence, RecurrencePeriod};

use super::calls::faulty;
use super::concessions::{
    add, assert_adds_up, conceding, create, explain, monthly, propose, shares,
};
use super::house::House;
use super::setting::{Pair, cents, euros, portion};

/// What recurs is divided apart from what is due once, and totals over the term follow.
pub async fn what_recurs_is_divided_apart(house: House) {
    let pair = Pair::active(&house).await;
    let care = v1::Portion {
        recurrence: monthly(36),
        ..portion("care", 300)
    };
    let quote = create(&pair.north, &pair, vec![portion("setup", 1_000), care]).await;
    let line = v1::Portion {
        recurrence: monthly(24),
        ..portion("line", 100)
    };
    let quote = add(&pair.south, &quote, line).await;
    let prices: Vec<_> = quote
        .prices
        .iter()
        .map(|price| (price.cadence(), cents(price.price.as_ref())))
        .collect();
    assert_eq!(prices, [(Cadence::OneTime, 1_000), (Cadence::Monthly, 400)]);
    let total = 1_000 + 300 * 36 + 100 * 24;
    assert_eq!(cents(quote.total_price.as_ref()), total);
    let request = v1::ProposeConcessionRequest {
        recurring_concessions: vec![v1::RecurringConcession {
            period: RecurrencePeriod::Month.into(),
            amount: Some(euros(7)),
        }],
        ..conceding(&quote, 100)
    };
    let revision = propose(&pair.south, request.clone()).await;
    assert_adds_up(&revision);
    let expected = [("setup", 100), ("care", 5), ("line", 2)];
    assert_eq!(shares(&revision), expected);
    let conceded = 100 + 5 * 36 + 2 * 24;
    assert_eq!(cents(revision.total_concession.as_ref()), conceded);
    let after = cents(revision.total_price_after.as_ref());
    assert_eq!(after, total - conceded);
    let lines = explain(&pair.north, &quote).await;
    let cadences: Vec<_> = lines.iter().map(v1::AllocationLine::cadence).collect();
    let expected = [Cadence::OneTime, Cadence::Monthly, Cadence::Monthly];
    assert_eq!(cadences, expected);
    let mut yearly = request;
    yearly.recurring_concessions[0].period = RecurrencePeriod::Year.into();
    let mut pricing = pair.north.connection.pricing();
    let field = ["recurring_concessions[0].amount"];
    let call = pricing.propose_concession(yearly);
    faulty(&house, "INVALID_FIELD", &field, call).await;
    house.stop().await;
}
