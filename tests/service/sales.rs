//! What becomes of a joint quote: won or lost, taken back, booked.

use entente::proto::google::r#type::Date;
use entente::proto::v1::{self, AllocationBasis, Cadence, JointQuoteState, SaleReason};

use super::calls::{faulty, ok, refuses};
use super::house::House;
use super::setting::{NORTH, Pair, SOUTH, cents, euros, portion};
use super::trio::Trio;

/// A day in the month in which a house begins.
pub const MARCH: Date = Date {
    year: 2026,
    month: 3,
    day: 1,
};
/// A day in the month before.
pub const FEBRUARY: Date = Date {
    year: 2026,
    month: 2,
    day: 28,
};

/// So many cents in a cadence.
pub fn amount(cadence: Cadence, cents: i64) -> v1::CadenceAmount {
    v1::CadenceAmount {
        cadence: cadence.into(),
        amount: Some(euros(cents)),
    }
}

pub fn winning(name: &str, cents: i64) -> v1::WinQuoteRequest {
    v1::WinQuoteRequest {
        name: name.to_owned(),
        final_client_prices: vec![amount(Cadence::OneTime, cents)],
        ..Default::default()
    }
}

pub fn losing(name: &str) -> v1::LoseQuoteRequest {
    v1::LoseQuoteRequest {
        name: name.to_owned(),
        reason: SaleReason::Competitor.into(),
        words: "somebody was nearer".to_owned(),
        ..Default::default()
    }
}

pub fn reversing(name: &str, hash: &str, cents: i64) -> v1::ReverseConcessionRequest {
    v1::ReverseConcessionRequest {
        name: name.to_owned(),
        hash: hash.to_owned(),
        amounts: vec![amount(Cadence::OneTime, cents)],
        bill_date: Some(MARCH),
        reason: "one desk was sent back".to_owned(),
        ..Default::default()
    }
}

pub fn booking(name: &str, cadence: Cadence, period: i32, date: Date) -> v1::BookPeriodRequest {
    v1::BookPeriodRequest {
        name: name.to_owned(),
        cadence: cadence.into(),
        period,
        bill_date: Some(date),
        ..Default::default()
    }
}

/// Something that is due every month.
pub fn monthly(id: &str, cents: i64, periods: i32) -> v1::Portion {
    v1::Portion {
        recurrence: Some(v1::Recurrence {
            period: v1::RecurrencePeriod::Month.into(),
            periods,
        }),
        ..portion(id, cents)
    }
}

impl Pair {
    /// A quote of 600.00 and 400.00, less 99.99 that both approved; and 33.33 of south for six months.
    /// With it, the hash of the concession.
    pub async fn conceded(&self) -> (v1::JointQuote, String) {
        let quote = self.quote(&[("a", 60_000)], &[("b", 40_000)]).await;
        let request = v1::AddPortionRequest {
            name: quote.name,
            portion: Some(monthly("d", 3_333, 6)),
            ..Default::default()
        };
        let quote = ok(self.south.connection.pricing().add_portion(request)).await;
        let request = v1::ProposeConcessionRequest {
            name: quote.name.clone(),
            concession: Some(euros(9_999)),
            basis: AllocationBasis::Price.into(),
            ..Default::default()
        };
        let mut norths = self.north.connection.pricing();
        let proposed = ok(norths.propose_concession(request)).await;
        let hash = proposed.revisions[0].hash.clone();
        let request = v1::ApproveConcessionRequest {
            name: quote.name,
            hash: hash.clone(),
            ..Default::default()
        };
        let mut souths = self.south.connection.pricing();
        (ok(souths.approve_concession(request)).await, hash)
    }

    /// The same, won at the prices agreed.
    pub async fn sold(&self) -> (v1::JointQuote, String) {
        let (quote, hash) = self.conceded().await;
        let mut request = winning(&quote.name, 90_001);
        let prices = &mut request.final_client_prices;
        prices.push(amount(Cadence::Monthly, 3_333));
        let won = ok(self.north.connection.sales().win_quote(request)).await;
        assert_eq!(won.state(), JointQuoteState::Won);
        (won, hash)
    }
}

/// Every owner sees the price at which it was won, and what differs from what was agreed.
pub async fn a_quote_is_won_and_frozen(house: House) {
    let pair = Pair::active(&house).await;
    let (quote, hash) = pair.conceded().await;
    let (other, _) = pair.conceded().await;
    let trio = Trio::of(&house, pair).await;
    let pair = &trio.pair;
    let mut norths = pair.north.connection.sales();
    let mut souths = pair.south.connection.sales();
    let mut wests = trio.west.connection.sales();
    let mut request = winning(&quote.name, 90_000);
    let call = norths.win_quote(request.clone());
    faulty(&house, "INVALID_FIELD", &["final_client_prices"], call).await;
    let prices = &mut request.final_client_prices;
    prices.push(amount(Cadence::Monthly, 3_333));
    refuses(
        &house,
        "NOT_A_PORTION_OWNER",
        wests.win_quote(request.clone()),
    )
    .await;
    ok(norths.win_quote(request.clone())).await;
    request.final_client_prices[0] = amount(Cadence::OneTime, 90_001);
    let corrected = ok(souths.win_quote(request)).await;
    let sale = corrected.sale.clone().unwrap();
    let told = |word: &v1::WinStatement| {
        let price = &word.prices[0];
        let difference = price.difference_to_agreed.as_ref();
        (
            word.party_id.clone(),
            cents(price.price.as_ref()),
            cents(difference),
        )
    };
    let words: Vec<_> = sale.won.iter().map(told).collect();
    let expected = [
        (NORTH.to_owned(), 90_000, -1),
        (SOUTH.to_owned(), 90_001, 0),
    ];
    assert_eq!(words, expected);
    let read = v1::GetJointQuoteRequest {
        name: quote.name.clone(),
    };
    let read = ok(pair.north.connection.pricing().get_joint_quote(read)).await;
    assert_eq!(read.sale, Some(sale));
    frozen(&house, pair, &quote.name).await;
    refuses(
        &house,
        "INVALID_STATE",
        norths.lose_quote(losing(&quote.name)),
    )
    .await;
    let early = norths.reverse_concession(reversing(&other.name, &hash, 1));
    refuses(&house, "INVALID_STATE", early).await;
    let lost = ok(souths.lose_quote(losing(&other.name))).await;
    assert_eq!(lost.state(), JointQuoteState::Lost);
    let ending = lost.sale.unwrap().lost.unwrap();
    assert_eq!(
        (ending.reason(), ending.words.as_str()),
        (SaleReason::Competitor, "somebody was nearer")
    );
    house.stop().await;
}

/// Nothing is added to it, and nothing conceded.
async fn frozen(house: &House, pair: &Pair, quote: &str) {
    let portion = v1::AddPortionRequest {
        name: quote.to_owned(),
        portion: Some(portion("more", 1)),
        ..Default::default()
    };
    let mut pricing = pair.south.connection.pricing();
    refuses(house, "INVALID_STATE", pricing.add_portion(portion)).await;
    let concession = v1::ProposeConcessionRequest {
        name: quote.to_owned(),
        concession: Some(euros(1)),
        basis: AllocationBasis::Price.into(),
        ..Default::default()
    };
    refuses(
        house,
        "INVALID_STATE",
        pricing.propose_concession(concession),
    )
    .await;
}

/// Without the revision it is an error; with it, the recorded shares come back, down to zero.
pub async fn p12_p13_what_was_conceded_is_taken_back(house: House) {
    let pair = Pair::active(&house).await;
    let (quote, hash) = pair.sold().await;
    let mut norths = pair.north.connection.sales();
    let mut souths = pair.south.connection.sales();
    let unnamed = norths.reverse_concession(reversing(&quote.name, "", 5_000));
    faulty(&house, "INVALID_FIELD", &["hash"], unnamed).await;
    let other = norths.reverse_concession(reversing(&quote.name, &"0".repeat(64), 5_000));
    refuses(&house, "STALE_HASH", other).await;
    let reversed = ok(norths.reverse_concession(reversing(&quote.name, &hash, 5_000))).await;
    let reversal = reversed.sale.unwrap().reversals[0].clone();
    let shares = reversal.cadences[0].shares.iter();
    let shares: Vec<_> = shares.map(|share| cents(share.share.as_ref())).collect();
    assert_eq!(shares, [3_000, 2_000]);
    assert_eq!(
        (reversal.hash.as_str(), reversal.reason.as_str()),
        (hash.as_str(), "one desk was sent back")
    );
    let more = souths.reverse_concession(reversing(&quote.name, &hash, 5_000));
    let refused = refuses(&house, "REVERSAL_TOO_LARGE", more).await;
    assert_eq!(refused.metadata["left"], "49.99 EUR");
    let rest = ok(souths.reverse_concession(reversing(&quote.name, &hash, 4_999))).await;
    let sale = rest.sale.unwrap();
    let taken = |portion: &str| -> i64 {
        let cadences = sale
            .reversals
            .iter()
            .flat_map(|reversal| &reversal.cadences);
        let shares = cadences.flat_map(|cadence| &cadence.shares);
        let of_portion = shares.filter(|share| share.portion_id == portion);
        of_portion.map(|share| cents(share.share.as_ref())).sum()
    };
    // Exactly what was borne.
    assert_eq!((taken("a"), taken("b")), (5_999, 4_000));
    let nothing = souths.reverse_concession(reversing(&quote.name, &hash, 1));
    let refused = refuses(&house, "REVERSAL_TOO_LARGE", nothing).await;
    assert_eq!(refused.metadata["left"], "0.00 EUR");
    house.stop().await;
}

/// Whoever asks, and however often.
pub async fn p24_a_period_is_booked_once(house: House) {
    let pair = Pair::active(&house).await;
    let (quote, hash) = pair.sold().await;
    let mut norths = pair.north.connection.sales();
    let mut souths = pair.south.connection.sales();
    let mut first = booking(&quote.name, Cadence::Monthly, 1, MARCH);
    "book-1".clone_into(&mut first.request_id);
    let booked = ok(norths.book_period(first.clone())).await;
    // The same request has the same outcome; another one is told that it was done.
    assert_eq!(ok(norths.book_period(first)).await, booked);
    let again = souths.book_period(booking(&quote.name, Cadence::Monthly, 1, MARCH));
    refuses(&house, "ALREADY_BOOKED", again).await;
    assert_eq!(booked.name, format!("{}/bookings/monthly-1", quote.name));
    assert_eq!(
        (booked.hash.as_str(), booked.biller.as_str()),
        (hash.as_str(), NORTH)
    );
    let all = ok(souths.book_period(booking(&quote.name, Cadence::OneTime, 1, FEBRUARY))).await;
    let numbers = all.lines.iter().map(|line| {
        let before = cents(line.price_before.as_ref());
        let (share, after) = (cents(line.share.as_ref()), cents(line.price_after.as_ref()));
        assert_eq!(before - share, after);
        (line.portion_id.as_str(), share, after)
    });
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        [("a", 5_999, 54_001), ("b", 4_000, 36_000)]
    );
    assert_eq!(cents(all.concession.as_ref()), 9_999);
    for (cadence, period) in [
        (Cadence::Monthly, 7),
        (Cadence::OneTime, 2),
        (Cadence::Yearly, 1),
    ] {
        let call = norths.book_period(booking(&quote.name, cadence, period, MARCH));
        faulty(&house, "OUT_OF_RANGE", &["period"], call).await;
    }
    let call = norths.book_period(booking(&quote.name, Cadence::Unspecified, 0, MARCH));
    faulty(&house, "INVALID_FIELD", &["cadence", "period"], call).await;
    let read = v1::GetBookingRequest {
        name: booked.name.clone(),
    };
    assert_eq!(ok(souths.get_booking(read)).await, booked);
    let unknown = v1::GetBookingRequest {
        name: format!("{}/bookings/daily-1", quote.name),
    };
    refuses(&house, "NOT_FOUND", souths.get_booking(unknown)).await;
    let mut list = v1::ListBookingsRequest {
        parent: quote.name.clone(),
        page_size: 1,
        ..Default::default()
    };
    let page = ok(norths.list_bookings(list.clone())).await;
    assert_eq!(page.bookings, [all]);
    list.page_token = page.next_page_token;
    let page = ok(norths.list_bookings(list)).await;
    assert_eq!(
        (page.bookings, page.next_page_token.as_str()),
        (vec![booked], "")
    );
    house.stop().await;
}
