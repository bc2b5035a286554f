//! Adoptions that cannot be, and firms that look where they have no business.

use entente::domain::firm::Permission;
use entente::proto::v1::{self, CalendarOperator};

use super::adoption::{
    OFFICE, adopt, adopting, calendar, comparing, creating, priority_map, revising, status_map,
};
use super::arithmetic::office;
use super::calls::{faulty, ok, refused, refuses};
use super::house::House;
use super::setting::{NORTH_PSA, Pair, always, invitation, joining, partnership};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";

async fn own_office(pair: &Pair) {
    let request = creating(
        "firms/north",
        "office",
        calendar("", office("Europe/Berlin")),
    );
    ok(pair.north.connection.sla().create_calendar(request)).await;
}

/// A union of two calendars, each of which is named whole.
fn union(first: &str, second: &str) -> v1::Calendar {
    let operand = |calendar: &str| v1::CalendarOperand {
        calendar: calendar.to_owned(),
        revision: 0,
    };
    v1::Calendar {
        display_name: "Either".to_owned(),
        combination: Some(v1::CalendarCombination {
            operator: CalendarOperator::Union.into(),
            calendars: vec![operand(first), operand(second)],
        }),
        ..Default::default()
    }
}

/// Names and revisions that are none.
pub async fn sources_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    own_office(&pair).await;
    let mut sla = pair.north.connection.sla();
    let of = |source: &str| adopting(&pair.name, source);
    let bad = v1::AdoptRevisionRequest {
        parent: "firms/north".to_owned(),
        source: format!("{}/calendars/office", pair.name),
        revision: -1,
        adopted_id: "2office".to_owned(),
        ..Default::default()
    };
    let fields = ["parent", "source", "revision", "adopted_id"];
    faulty(&house, BAD, &fields, sla.adopt_revision(bad)).await;
    for source in ["", "firms/north", "firms/north/agreements/desk", "office"] {
        faulty(&house, BAD, &["source"], sla.adopt_revision(of(source))).await;
    }
    for (revision, source) in [(2, OFFICE), (i64::MAX, OFFICE)] {
        let absent = v1::AdoptRevisionRequest {
            revision,
            ..of(source)
        };
        faulty(
            &house,
            "NOT_FOUND",
            &["revision"],
            sla.adopt_revision(absent),
        )
        .await;
    }
    for collection in ["calendars", "statusMaps", "priorityMaps"] {
        let absent = of(&format!("firms/north/{collection}/absent"));
        refuses(&house, "NOT_FOUND", sla.adopt_revision(absent)).await;
    }
    let bad = comparing(OFFICE, -1);
    let fields = ["name", "revision"];
    faulty(&house, BAD, &fields, sla.get_adoption_difference(bad)).await;
    let reader = house.firm_with("north", &[Permission::Read]).await;
    let answer = refused(reader.connection.sla().adopt_revision(of(OFFICE))).await;
    assert_eq!(answer.reason, "PERMISSION_MISSING");

    let mut request = of(OFFICE);
    "once".clone_into(&mut request.request_id);
    let first = ok(sla.adopt_revision(request.clone())).await;
    ok(sla.update_calendar(revising(calendar(OFFICE, office("UTC"))))).await;
    let again = ok(sla.adopt_revision(request.clone())).await;
    assert_eq!(again, first, "a retry does not adopt what came later");
    "other".clone_into(&mut request.adopted_id);
    refuses(&house, "REQUEST_ID_REUSED", sla.adopt_revision(request)).await;
    let end = v1::EndPartnershipRequest {
        name: pair.name.clone(),
        ..Default::default()
    };
    ok(pair.south.connection.partnerships().end_partnership(end)).await;
    refuses(&house, "PARTNERSHIP_ENDED", sla.adopt_revision(of(OFFICE))).await;
    house.stop().await;
}

/// What was written by hand stays so, and what was adopted is adopted from the same source.
pub async fn nothing_is_replaced_silently(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    own_office(&pair).await;
    let mut norths = pair.north.connection.sla();
    let conflict = |request| refuses(&house, "ADOPTION_CONFLICT", request);
    let under = |source: &str, id: &str| v1::AdoptRevisionRequest {
        adopted_id: id.to_owned(),
        ..adopting(&pair.name, source)
    };
    let by_hand = conflict(norths.adopt_revision(under(OFFICE, "always"))).await;
    assert_eq!(by_hand.metadata["adopted_from"], "");
    adopt(&pair.north, under(OFFICE, "office")).await;

    let name = format!("{}/calendars/office", pair.name);
    let mut souths = pair.south.connection.sla();
    let request = revising(calendar(&name, office("UTC")));
    let adopted = refuses(&house, "ADOPTION_CONFLICT", souths.update_calendar(request)).await;
    assert_eq!(adopted.metadata["adopted_from"], OFFICE);
    let combined = v1::Calendar {
        name: name.clone(),
        ..union(&name, &name)
    };
    let combined = souths.update_calendar(revising(combined));
    refuses(&house, "ADOPTION_CONFLICT", combined).await;
    let other = creating("firms/north", "second", always());
    ok(norths.create_calendar(other)).await;
    let other = under("firms/north/calendars/second", "office");
    let mut norths = pair.north.connection.sla();
    refuses(&house, "ADOPTION_CONFLICT", norths.adopt_revision(other)).await;
    let souths_own = creating("firms/south", "office", always());
    ok(souths.create_calendar(souths_own)).await;
    let theirs = souths.adopt_revision(under("firms/south/calendars/office", "office"));
    refuses(&house, "ADOPTION_CONFLICT", theirs).await;
    adopt(&pair.south, under("firms/south/calendars/office", "souths")).await;

    let hands = format!("{}/statusMaps/{NORTH_PSA}", pair.name);
    let words = "firms/north/statusMaps/words";
    ok(norths.update_status_map(status_map(words, &["Open"]))).await;
    let over = norths.adopt_revision(under(words, NORTH_PSA));
    refuses(&house, "ADOPTION_CONFLICT", over).await;
    // There is one map for each software.
    let beside = norths.adopt_revision(under(words, "words"));
    refuses(&house, "ALREADY_EXISTS", beside).await;
    let words = "firms/north/priorityMaps/words";
    ok(norths.update_priority_map(priority_map(words, &[("P1", 1)]))).await;
    adopt(&pair.north, under(words, "words")).await;
    let name = format!("{}/priorityMaps/words", pair.name);
    let hand = norths.update_priority_map(priority_map(&name, &[("P1", 2)]));
    refuses(&house, "ADOPTION_CONFLICT", hand).await;
    let not_adopted = norths.get_adoption_difference(comparing(&hands, 0));
    refuses(&house, "INVALID_STATE", not_adopted).await;
    house.stop().await;
}

/// A firm combines its own calendars; partnerships adopt those, and combine them anew.
pub async fn combinations_are_not_adopted(house: House) {
    let pair = Pair::active(&house).await;
    own_office(&pair).await;
    let mut sla = pair.north.connection.sla();
    ok(sla.create_calendar(creating("firms/north", "night", always()))).await;
    let night = "firms/north/calendars/night";
    let either = creating("firms/north", "either", union(OFFICE, night));
    let either = ok(sla.create_calendar(either)).await;
    let operands = either.combination.unwrap().calendars;
    assert_eq!(
        (operands[0].calendar.as_str(), operands[0].revision),
        (OFFICE, 1)
    );
    let adoption = adopting(&pair.name, "firms/north/calendars/either");
    let reason = "COMBINATION_NOT_ADOPTABLE";
    let refused = faulty(&house, reason, &["source"], sla.adopt_revision(adoption)).await;
    assert_eq!(refused.metadata["first"], format!("{OFFICE}@1"));
    assert_eq!(refused.metadata["second"], format!("{night}@1"));

    // What was adopted as windows may become a combination at its source.
    let once = v1::AdoptRevisionRequest {
        request_id: "once".to_owned(),
        ..adopting(&pair.name, OFFICE)
    };
    let first = adopt(&pair.north, once.clone()).await;
    let combined = v1::Calendar {
        name: OFFICE.to_owned(),
        ..union(OFFICE, night)
    };
    ok(sla.update_calendar(revising(combined))).await;
    assert_eq!(
        adopt(&pair.north, once).await,
        first,
        "a retry succeeds again"
    );
    let name = format!("{}/calendars/office", pair.name);
    let found = ok(sla.get_adoption_difference(comparing(&name, 0))).await;
    let fields: Vec<&str> = found
        .changes
        .iter()
        .map(|change| change.field.as_str())
        .collect();
    let mut expected = vec!["display_name", "time_zone", "time_zone_digest"];
    expected.extend(["weekly_windows"; 5]);
    expected.push("combination");
    assert_eq!(fields, expected);

    let operand = "calendar.combination.calendars[0].calendar";
    let mixed = creating("firms/north", "", union(&name, night));
    faulty(&house, BAD, &[operand], sla.create_calendar(mixed)).await;
    let foreign = creating("firms/north", "", union("firms/south/calendars/x", night));
    faulty(&house, BAD, &[operand], sla.create_calendar(foreign)).await;
    let absent = creating("firms/north", "", union("firms/north/calendars/x", night));
    faulty(&house, "NOT_FOUND", &[operand], sla.create_calendar(absent)).await;
    house.stop().await;
}

/// A firm's own calendar is never named in a partnership, whether or not it exists.
pub async fn a_firms_own_calendar_has_to_be_adopted(house: House) {
    let pair = Pair::active(&house).await;
    own_office(&pair).await;
    let mut sla = pair.north.connection.sla();
    let reason = "CALENDAR_NOT_ADOPTED";
    let mut answers = Vec::new();
    for source in [
        OFFICE,
        "firms/north/calendars/absent",
        "firms/south/calendars/office",
    ] {
        let agreement = v1::Agreement {
            calendar: source.to_owned(),
            ..pair.desk()
        };
        let request = pair.agreement_request("desk", agreement);
        let fields = ["agreement.calendar"];
        let mut answer = faulty(&house, reason, &fields, sla.create_agreement(request)).await;
        assert_eq!(answer.metadata.remove("source").as_deref(), Some(source));
        assert_eq!(answer.metadata["parent"], pair.name);
        assert_eq!(answer.metadata["method"], "AdoptRevision");
        answers.push(answer);
        let request = creating(&pair.name, "", union(source, source));
        let list = "calendar.combination.calendars";
        let fields = [format!("{list}[0].calendar"), format!("{list}[1].calendar")];
        let fields = fields.each_ref().map(String::as_str);
        faulty(&house, reason, &fields, sla.create_calendar(request)).await;
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    house.stop().await;
}

/// To partners and strangers a firm's own scope is empty.
pub async fn nobody_else_sees_a_firms_own(house: House) {
    let pair = Pair::active(&house).await;
    own_office(&pair).await;
    adopt(&pair.north, adopting(&pair.name, OFFICE)).await;
    let adopted = format!("{}/calendars/office", pair.name);
    let stranger = house.firm("stranger").await;
    for firm in [&pair.south, &stranger] {
        let mut sla = firm.connection.sla();
        let mut answers = Vec::new();
        for home in ["firms/north", "firms/absent"] {
            let name = format!("{home}/calendars/office");
            let adoption = refuses(
                &house,
                "NOT_FOUND",
                sla.adopt_revision(adopting(&pair.name, &name)),
            );
            let adoption = adoption.await;
            let create = creating(home, "", always());
            let create = refuses(&house, "NOT_FOUND", sla.create_calendar(create)).await;
            let update = revising(calendar(&name, office("UTC")));
            let update = refuses(&house, "NOT_FOUND", sla.update_calendar(update)).await;
            let read = v1::GetCalendarRequest { name };
            let read = refuses(&house, "NOT_FOUND", sla.get_calendar(read)).await;
            let list = v1::ListCalendarsRequest {
                parent: home.to_owned(),
                ..Default::default()
            };
            let list = refuses(&house, "NOT_FOUND", sla.list_calendars(list)).await;
            answers.push([adoption, create, update, read, list]);
        }
        assert_eq!(answers[0], answers[1]);
        // The partner sees what was adopted, and where from; not what became of the source.
        let compare = sla.get_adoption_difference(comparing(&adopted, 0));
        refuses(&house, "NOT_FOUND", compare).await;
    }
    let mut norths = pair.north.connection.sla();
    let list = v1::ListCalendarsRequest {
        parent: "firms/north".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    ok(norths.create_calendar(creating("firms/north", "second", always()))).await;
    let first = ok(norths.list_calendars(list.clone())).await;
    assert_eq!(first.calendars[0].name, OFFICE);
    let next = v1::ListCalendarsRequest {
        page_token: first.next_page_token.clone(),
        ..list
    };
    let next = ok(norths.list_calendars(next)).await;
    assert_eq!(next.calendars[0].name, "firms/north/calendars/second");
    assert_eq!(
        (next.calendars.len(), next.next_page_token.as_str()),
        (1, "")
    );
    let misplaced = v1::ListCalendarsRequest {
        parent: pair.name.clone(),
        page_token: first.next_page_token,
        ..Default::default()
    };
    refuses(
        &house,
        "PAGE_TOKEN_INVALID",
        norths.list_calendars(misplaced),
    )
    .await;
    left_out(&house, &pair).await;
    house.stop().await;
}

/// A firm adopts nothing in a partnership of others.
async fn left_out(house: &House, pair: &Pair) {
    let mut partnerships = pair.north.connection.partnerships();
    let theirs = ok(partnerships.create_partnership(partnership("Others"))).await;
    let invited = ok(partnerships.invite_partner(invitation(&theirs.name))).await;
    let stranger = house.firm("stranger").await;
    let mut strangers = stranger.connection.partnerships();
    ok(strangers.join_partnership(joining(&invited.code))).await;
    let mut souths = pair.south.connection.sla();
    let own = creating("firms/south", "office", always());
    ok(souths.create_calendar(own)).await;
    let adoption = adopting(&theirs.name, "firms/south/calendars/office");
    refuses(house, "NOT_FOUND", souths.adopt_revision(adoption)).await;
}
