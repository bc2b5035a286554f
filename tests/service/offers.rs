//! Offers: readable for ever, comparable, and at fault.

use entente::proto::v1::{self, OfferChangeType, OfferOutcome};

use super::calls::{faulty, ok, refused, refuses};
use super::house::{HOUR, House, at};
use super::setting::{NORTH, Pair, SOUTH, agreeing, five_w, offering};
use tonic::Code;

fn countering(name: &str, five_w: v1::FiveW) -> v1::CounterExpectationRequest {
    v1::CounterExpectationRequest {
        name: name.to_owned(),
        five_w: Some(five_w),
        ..Default::default()
    }
}

fn comparing(name: &str, from: i32, to: i32) -> v1::GetOfferDifferenceRequest {
    v1::GetOfferDifferenceRequest {
        name: name.to_owned(),
        from_number: from,
        to_number: to,
    }
}

/// South's answer to the offer of `five_w(48)`: cheaper, later, from afar and less certain.
fn second() -> v1::FiveW {
    let mut second = five_w(72);
    second.how.as_mut().unwrap().criteria.truncate(1);
    second.what.as_mut().unwrap().cost_per_hour = None;
    second.r#where.as_mut().unwrap().place = v1::Place::Remote.into();
    "the bank closes later".clone_into(&mut second.when.as_mut().unwrap().reason);
    second
}

/// Counter-offers keep every earlier offer readable, with who and when, and how it differs (E07).
pub async fn e07_every_offer_with_its_difference(house: House) {
    let pair = Pair::active(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let name = pair.offer().await.name;
    let alone = norths.get_offer_difference(comparing(&name, 0, 0));
    refuses(&house, "NOT_FOUND", alone).await;
    house.pass(60);
    ok(souths.counter_expectation(countering(&name, second()))).await;
    house.pass(60);
    ok(norths.counter_expectation(countering(&name, five_w(60)))).await;
    let agreed = ok(souths.agree_expectation(agreeing(&name, 3))).await;
    let by: Vec<_> = agreed
        .offers
        .iter()
        .map(|offer| (offer.number, offer.party_id.as_str(), offer.firm.as_str()))
        .collect();
    let expected = [
        (1, NORTH, "firms/north"),
        (2, SOUTH, "firms/south"),
        (3, NORTH, "firms/north"),
    ];
    assert_eq!(by, expected);
    let when: Vec<_> = agreed
        .offers
        .iter()
        .map(|offer| (offer.offer_time, offer.end_time, offer.outcome()))
        .collect();
    let expected = [
        (Some(at(0)), Some(at(60)), OfferOutcome::Superseded),
        (Some(at(60)), Some(at(120)), OfferOutcome::Superseded),
        (Some(at(120)), Some(at(120)), OfferOutcome::Agreed),
    ];
    assert_eq!(when, expected);
    assert_eq!(agreed.offers[1].five_w, Some(second()));
    differences(&house, &pair, &name).await;
    house.stop().await;
}

/// Type, field, from and to.
type Told = (OfferChangeType, String, String, String);

fn told_of(found: &v1::OfferDifference) -> Vec<Told> {
    let changes = found.changes.iter();
    let told = changes.map(|it| {
        (
            it.r#type(),
            it.field.clone(),
            it.from.clone(),
            it.to.clone(),
        )
    });
    told.collect()
}

fn change(what: OfferChangeType, field: &str, from: &str, to: &str) -> Told {
    let field = format!("five_w.{field}");
    (what, field, from.to_owned(), to.to_owned())
}

/// What the three offers of [`e07_every_offer_with_its_difference`] say otherwise.
async fn differences(house: &House, pair: &Pair, name: &str) {
    use OfferChangeType::{Added, Changed, Removed};
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let found = ok(souths.get_offer_difference(comparing(name, 1, 2))).await;
    // Words that stayed the same were sealed anew, and are no change.
    let (wednesday, thursday) = ("2026-03-04T08:00:00Z", "2026-03-05T08:00:00Z");
    let later = "the bank closes later";
    let expected = [
        change(Removed, "what.cost_per_hour", "EUR 400.50", ""),
        change(Changed, "when.deadline", wednesday, thursday),
        change(Changed, "when.reason", "the bank closes", later),
        change(Changed, "where.place", "ON_SITE", "REMOTE"),
        change(Removed, "how.criteria[1]", "it is logged", ""),
    ];
    assert_eq!(told_of(&found), expected);
    let last = ok(norths.get_offer_difference(comparing(name, 0, 0))).await;
    assert_eq!((last.from_number, last.to_number), (2, 3));
    let cost = change(Added, "what.cost_per_hour", "", "EUR 400.50");
    assert_eq!(told_of(&last)[0], cost);
    let whole = ok(norths.get_offer_difference(comparing(name, 1, 3))).await;
    let evening = "2026-03-04T20:00:00Z";
    assert_eq!(
        told_of(&whole),
        [change(Changed, "when.deadline", wednesday, evening)]
    );
    let same = ok(norths.get_offer_difference(comparing(name, 2, 2))).await;
    assert_eq!(told_of(&same), []);
    for (from, to) in [(0, 1), (1, 4), (4, 1)] {
        let absent = norths.get_offer_difference(comparing(name, from, to));
        refuses(house, "NOT_FOUND", absent).await;
    }
    let negative = norths.get_offer_difference(comparing(name, -1, -2));
    let fields = ["from_number", "to_number"];
    faulty(house, "INVALID_FIELD", &fields, negative).await;
}

/// Each fault has its reason, says what happened, and changes nothing.
pub async fn offers_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let offered = pair.offer().await;
    let name = offered.name.as_str();
    let own = norths.counter_expectation(countering(name, five_w(72)));
    let own = refuses(&house, "NOT_YOUR_OFFER", own).await;
    assert_eq!(own.metadata["offer_number"], "1");
    assert_eq!(own.metadata["state"], "offered");
    assert_eq!(own.metadata["etag"], offered.etag);
    let past = souths.counter_expectation(countering(name, five_w(0)));
    faulty(&house, "INVALID_FIELD", &["five_w.when.deadline"], past).await;
    let mut words = five_w(72);
    "bell\u{7}".clone_into(&mut words.when.as_mut().unwrap().reason);
    words.how.as_mut().unwrap().criteria[1] = "x".repeat(5_001);
    let fields = ["five_w.when.reason", "five_w.how.criteria[1]"];
    let broken = souths.counter_expectation(countering(name, words));
    faulty(&house, "INVALID_FIELD", &fields, broken).await;
    let negative = v1::CounterExpectationRequest {
        offer_number: -1,
        ..countering(name, five_w(72))
    };
    let negative = souths.counter_expectation(negative);
    faulty(&house, "INVALID_FIELD", &["offer_number"], negative).await;
    let before = house.heads().await;
    let mut flood = five_w(72);
    flood.when.as_mut().unwrap().reason = "x".repeat(5 * 1024 * 1024);
    let mut flood = tonic::Request::new(countering(name, flood));
    let bearer = format!("Bearer {}", pair.south.api_key).parse().unwrap();
    flood.metadata_mut().insert("authorization", bearer);
    let channel = house.channel().await;
    let mut plain = v1::expectation_service_client::ExpectationServiceClient::new(channel);
    let flood = refused(plain.counter_expectation(flood)).await;
    let too_large = [Code::OutOfRange, Code::ResourceExhausted];
    assert!(too_large.contains(&flood.code), "{flood:?}");
    assert_eq!(house.heads().await, before);

    stale_offers(&house, &pair, name).await;
    house.stop().await;
}

/// A superseded offer is not agreed to, nor one that ran out.
async fn stale_offers(house: &House, pair: &Pair, name: &str) {
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    ok(souths.counter_expectation(countering(name, five_w(72)))).await;
    let superseded = souths.agree_expectation(agreeing(name, 1));
    let superseded = refuses(house, "INVALID_STATE", superseded).await;
    for (key, value) in [
        ("state", "countered"),
        ("action", "AgreeExpectation"),
        ("offer_number", "2"),
        ("offer_outcome", "superseded"),
        ("last_offer_number", "2"),
        ("last_offer_outcome", "open"),
    ] {
        assert_eq!(superseded.metadata[key], value, "{superseded:?}");
    }
    house.pass(72 * HOUR);
    for _ in 0..2 {
        let expired = norths.agree_expectation(agreeing(name, 2));
        let expired = refuses(house, "OFFER_EXPIRED", expired).await;
        assert_eq!(expired.metadata["expire_time"], "2026-03-05T08:00:00Z");
        assert_eq!(expired.metadata["last_offer_outcome"], "expired");
        assert_eq!(expired.metadata["state"], "expired");
        house.sweep().await;
    }
    let gone = offering(name);
    refuses(house, "INVALID_STATE", norths.offer_expectation(gone)).await;
}
