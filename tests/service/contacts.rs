//! Contacts: whom to reach, when nobody is there, and who comes after whom.

use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1::{self, ContactChannelType, ContactRole, ContactState};

use super::adoption::creating;
use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at, lasting};
use super::setting::{NORTH, Pair, SOUTH, always, offering, partnership};

/// 24 hours.
const DAY: i64 = 24 * HOUR;
/// From when every test begins, a Monday at 08:00, until the office opens.
const OPENS: i64 = HOUR;
/// And until it closes.
const CLOSES: i64 = 9 * HOUR;

/// A contact in a calendar of a partnership.
pub fn contact(parent: &str, calendar: &str, position: i32, priorities: &[i32]) -> v1::Contact {
    v1::Contact {
        role: ContactRole::ServiceDesk.into(),
        person: format!("Desk {position}"),
        channels: vec![
            channel(ContactChannelType::Phone, "+49 30 5550100"),
            channel(ContactChannelType::Email, "desk@example.com"),
        ],
        calendar: format!("{parent}/calendars/{calendar}"),
        priorities: priorities.to_vec(),
        escalation_position: position,
        ..Default::default()
    }
}

fn channel(channel_type: ContactChannelType, address: &str) -> v1::ContactChannel {
    v1::ContactChannel {
        r#type: channel_type.into(),
        address: address.to_owned(),
    }
}

/// The request to write a contact down.
pub fn introducing(parent: &str, id: &str, contact: v1::Contact) -> v1::CreateContactRequest {
    v1::CreateContactRequest {
        parent: parent.to_owned(),
        contact_id: id.to_owned(),
        contact: Some(contact),
        ..Default::default()
    }
}

/// The request to replace what a contact says.
pub fn correcting(contact: v1::Contact) -> v1::UpdateContactRequest {
    v1::UpdateContactRequest {
        contact: Some(contact),
        ..Default::default()
    }
}

/// The request to delete a contact.
pub fn deleting(name: &str) -> v1::DeleteContactRequest {
    v1::DeleteContactRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

/// The request for the gaps of a party in the coming week.
pub fn uncovered(parent: &str, party: &str, priorities: &[i32]) -> v1::GetCoverageGapsRequest {
    v1::GetCoverageGapsRequest {
        parent: parent.to_owned(),
        party: party.to_owned(),
        priorities: priorities.to_vec(),
        ..Default::default()
    }
}

/// The request for an escalation path, as of now.
pub fn escalating(parent: &str, party: &str, priority: i32) -> v1::GetEscalationPathRequest {
    v1::GetEscalationPathRequest {
        parent: parent.to_owned(),
        party: party.to_owned(),
        priority,
        as_of_time: None,
    }
}

fn listing(parent: &str, party: &str) -> v1::ListContactsRequest {
    v1::ListContactsRequest {
        parent: parent.to_owned(),
        party: party.to_owned(),
        ..Default::default()
    }
}

fn names(listed: &v1::ListContactsResponse) -> Vec<String> {
    let short = |contact: &v1::Contact| {
        contact
            .name
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    listed.contacts.iter().map(short).collect()
}

/// Open on working days from nine to five.
fn office() -> v1::Calendar {
    let days = DayOfWeek::Monday.into()..=DayOfWeek::Friday.into();
    let windows = days.map(|day| v1::WeeklyWindow {
        day,
        start: "09:00".to_owned(),
        end: "17:00".to_owned(),
    });
    v1::Calendar {
        display_name: "Office hours".to_owned(),
        weekly_windows: windows.collect(),
        ..always()
    }
}

/// With the calendars `always` and `office`.
async fn pair(house: &House) -> Pair {
    let pair = Pair::active(house).await;
    pair.calendar().await;
    let mut norths = pair.north.connection.sla();
    ok(norths.create_calendar(creating(&pair.name, "office", office()))).await;
    pair
}

/// A firm writes its own contacts, the other one reads them, names and addresses included, and the
/// journal has neither.
pub async fn a_firm_writes_its_own_contacts(house: House) {
    let pair = pair(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.partnerships(),
        pair.south.connection.partnerships(),
    );
    let written = contact(&pair.name, "office", 1, &[1, 2]);
    let created = ok(norths.create_contact(introducing(&pair.name, "desk", written.clone()))).await;
    let expected = v1::Contact {
        name: format!("{}/contacts/desk", pair.name),
        party: NORTH.to_owned(),
        calendar_revision: 1,
        state: ContactState::Active.into(),
        create_time: Some(at(0)),
        update_time: Some(at(0)),
        etag: "\"1\"".to_owned(),
        ..written.clone()
    };
    assert_eq!(created, expected);
    let reading = v1::GetContactRequest {
        name: created.name.clone(),
    };
    assert_eq!(ok(souths.get_contact(reading.clone())).await, expected);
    let again = norths.create_contact(introducing(&pair.name, "desk", written.clone()));
    refuses(&house, "ALREADY_EXISTS", again).await;

    // The other firm changes nothing of it, nor speaks for the party.
    let theirs = souths.update_contact(correcting(created.clone()));
    refuses(&house, "INVALID_STATE", theirs).await;
    refuses(
        &house,
        "INVALID_STATE",
        souths.delete_contact(deleting(&created.name)),
    )
    .await;
    let for_north = v1::Contact {
        party: NORTH.to_owned(),
        ..written.clone()
    };
    let theirs = souths.create_contact(introducing(&pair.name, "", for_north));
    refuses(&house, "INVALID_STATE", theirs).await;

    corrected_and_deleted(&house, &pair, created, written).await;
    sealed(&pair).await;
    house.stop().await;
}

/// The contact of north that was written down, and what becomes of it.
async fn corrected_and_deleted(
    house: &House,
    pair: &Pair,
    created: v1::Contact,
    written: v1::Contact,
) {
    let (mut norths, mut souths) = (
        pair.north.connection.partnerships(),
        pair.south.connection.partnerships(),
    );
    house.pass(60);
    let corrected = v1::Contact {
        person: "Night desk".to_owned(),
        calendar: format!("{}/calendars/always", pair.name),
        ..created.clone()
    };
    let updated = ok(norths.update_contact(correcting(corrected))).await;
    assert_eq!(
        (updated.person.as_str(), updated.etag.as_str()),
        ("Night desk", "\"2\"")
    );
    assert_eq!(updated.update_time, Some(at(60)));
    let stale = norths.update_contact(correcting(created.clone()));
    refuses(house, "ETAG_MISMATCH", stale).await;

    ok(souths.create_contact(introducing(&pair.name, "pager", written))).await;
    let all = ok(souths.list_contacts(listing(&pair.name, ""))).await;
    assert_eq!(names(&all), ["desk", "pager"]);
    let deleted = ok(norths.delete_contact(deleting(&created.name))).await;
    assert_eq!(deleted.state(), ContactState::Deleted);
    assert_eq!(
        ok(norths.delete_contact(deleting(&created.name))).await,
        deleted
    );
    refuses(
        house,
        "INVALID_STATE",
        norths.update_contact(correcting(v1::Contact {
            etag: String::new(),
            ..updated
        })),
    )
    .await;
    let left = ok(norths.list_contacts(listing(&pair.name, ""))).await;
    assert_eq!(names(&left), ["pager"]);
    let of_south = ok(norths.list_contacts(listing(&pair.name, SOUTH))).await;
    assert_eq!(of_south, left);
    let with_deleted = v1::ListContactsRequest {
        show_deleted: true,
        ..listing(&pair.name, NORTH)
    };
    assert_eq!(
        ok(souths.list_contacts(with_deleted)).await.contacts,
        [deleted]
    );
}

/// What the journal has of the contacts of a pair.
async fn sealed(pair: &Pair) {
    let request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        page_size: 500,
        ..Default::default()
    };
    let entries = ok(pair.south.connection.journal().list_entries(request)).await;
    let text = format!("{entries:?}");
    assert!(text.contains("contact.updated"), "{text}");
    for secret in ["Desk 1", "Night desk", "5550100", "desk@example.com"] {
        assert!(!text.contains(secret), "{secret} is in the journal");
    }
}

/// There is nobody for priority 2 outside office hours, always somebody for 1, and nobody at all
/// for 3; the path begins with whoever stands first, there or not.
pub async fn gaps_and_paths_of_a_party(house: House) {
    let pair = pair(&house).await;
    let mut souths = pair.south.connection.partnerships();
    let desk = contact(&pair.name, "office", 1, &[1, 2]);
    let duty = v1::Contact {
        role: ContactRole::DutyManager.into(),
        ..contact(&pair.name, "always", 2, &[1])
    };
    ok(souths.create_contact(introducing(&pair.name, "duty", duty))).await;
    let desk = ok(souths.create_contact(introducing(&pair.name, "z-desk", desk))).await;

    let mut norths = pair.north.connection.partnerships();
    let found = ok(norths.get_coverage_gaps(uncovered(&pair.name, SOUTH, &[]))).await;
    assert_eq!(
        (found.start_time, found.end_time),
        (Some(at(0)), Some(at(7 * DAY)))
    );
    let gaps = |priority: i32| -> Vec<_> {
        let gaps = found.gaps.iter().filter(|gap| gap.priority == priority);
        gaps.map(|gap| (gap.start_time.unwrap(), gap.end_time.unwrap()))
            .collect()
    };
    assert_eq!(gaps(1), []);
    let mut nights = vec![(at(0), at(OPENS))];
    nights.extend((0..4).map(|day| (at(day * DAY + CLOSES), at((day + 1) * DAY + OPENS))));
    nights.push((at(4 * DAY + CLOSES), at(7 * DAY)));
    assert_eq!(gaps(2), nights);
    for priority in 3..=5 {
        assert_eq!(
            gaps(priority),
            [(at(0), at(7 * DAY))],
            "priority {priority}"
        );
    }
    let of_north = ok(norths.get_coverage_gaps(uncovered(&pair.name, NORTH, &[1]))).await;
    assert_eq!(of_north.gaps.len(), 1, "north has written nobody down");

    let path = ok(norths.get_escalation_path(escalating(&pair.name, SOUTH, 1))).await;
    let steps = |path: &v1::EscalationPath| -> Vec<_> {
        let steps = path.steps.iter();
        steps
            .map(|step| {
                let position = step.contact.as_ref().unwrap().escalation_position;
                (position, step.is_open, step.next_open_time)
            })
            .collect()
    };
    assert_eq!(steps(&path), [(1, false, Some(at(OPENS))), (2, true, None)]);
    assert_eq!(path.steps[0].contact, Some(desk.clone()));
    let at_ten = v1::GetEscalationPathRequest {
        as_of_time: Some(at(2 * HOUR)),
        ..escalating(&pair.name, SOUTH, 1)
    };
    let path = ok(norths.get_escalation_path(at_ten)).await;
    assert_eq!(steps(&path), [(1, true, None), (2, true, None)]);
    let path = ok(norths.get_escalation_path(escalating(&pair.name, SOUTH, 3))).await;
    assert_eq!(path.steps, []);

    // Whoever was deleted covers nothing any more.
    ok(souths.delete_contact(deleting(&desk.name))).await;
    let found = ok(norths.get_coverage_gaps(uncovered(&pair.name, SOUTH, &[2]))).await;
    assert_eq!(found.gaps.len(), 1);
    house.stop().await;
}

/// A firm that is alone writes down whom to reach at the other; once that has joined, it does.
pub async fn a_placeholder_has_contacts_until_a_firm_joins(house: House) {
    let (north, south) = (house.firm("north").await, house.firm("south").await);
    let (mut norths, mut souths) = (
        north.connection.partnerships(),
        south.connection.partnerships(),
    );
    let alone = ok(norths.create_partnership(partnership("Alone")))
        .await
        .name;
    ok(north
        .connection
        .sla()
        .create_calendar(creating(&alone, "always", always())))
    .await;
    let theirs = v1::Contact {
        party: SOUTH.to_owned(),
        ..contact(&alone, "always", 1, &[1])
    };
    let created = ok(norths.create_contact(introducing(&alone, "theirs", theirs))).await;
    assert_eq!(created.party, SOUTH);
    let invited = ok(norths.invite_partner(super::setting::invitation(&alone))).await;
    ok(souths.join_partnership(super::setting::joining(&invited.code))).await;
    refuses(
        &house,
        "INVALID_STATE",
        norths.update_contact(correcting(created.clone())),
    )
    .await;
    ok(souths.update_contact(correcting(created))).await;
    house.stop().await;
}

/// Every fault of a contact is listed; questions have bounds.
pub async fn contacts_at_fault(house: House) {
    let pair = pair(&house).await;
    let mut norths = pair.north.connection.partnerships();
    let bad = v1::Contact {
        person: "a\nb".to_owned(),
        channels: vec![channel(ContactChannelType::Unspecified, "")],
        calendar: "firms/north/calendars/office".to_owned(),
        priorities: vec![2, 1, 6],
        escalation_position: 101,
        ..Default::default()
    };
    let fields = [
        "contact.role",
        "contact.channels[0].type",
        "contact.calendar",
        "contact.priorities[1]",
        "contact.priorities[2]",
        "contact.escalation_position",
        "contact.person",
        "contact.channels[0].address",
    ];
    let call = norths.create_contact(introducing(&pair.name, "", bad));
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let own = contact("firms/north", "office", 1, &[1]);
    let call = norths.create_contact(introducing(&pair.name, "", own));
    faulty(&house, "CALENDAR_NOT_ADOPTED", &["contact.calendar"], call).await;
    let absent = contact(&pair.name, "absent", 1, &[1]);
    let call = norths.create_contact(introducing(&pair.name, "", absent));
    faulty(&house, "NOT_FOUND", &["contact.calendar"], call).await;
    let nobody = v1::Contact {
        party: "party-9".to_owned(),
        ..contact(&pair.name, "office", 1, &[1])
    };
    let call = norths.create_contact(introducing(&pair.name, "", nobody));
    faulty(&house, "INVALID_FIELD", &["contact.party"], call).await;

    let too_long = v1::GetCoverageGapsRequest {
        priorities: vec![1, 1],
        end_time: Some(at(4 * 7 * DAY + 1)),
        ..uncovered(&pair.name, SOUTH, &[])
    };
    let call = norths.get_coverage_gaps(too_long);
    faulty(
        &house,
        "INVALID_FIELD",
        &["priorities[1]", "end_time"],
        call,
    )
    .await;
    let call = norths.get_coverage_gaps(uncovered(&pair.name, "party-9", &[]));
    faulty(&house, "INVALID_FIELD", &["party"], call).await;
    let call = norths.get_escalation_path(escalating(&pair.name, "", 0));
    faulty(&house, "INVALID_FIELD", &["party", "priority"], call).await;
    house.stop().await;
}

/// What an expectation tells of its obligor's contacts: nothing while there are none, then whether
/// somebody is there until the deadline, for its priority, as they are now.
pub async fn an_expectation_tells_when_its_obligor_can_be_reached(house: House) {
    let pair = pair(&house).await;
    let mut souths = pair.south.connection.partnerships();
    let mut norths = pair.north.connection.expectations();
    let draft = pair.draft().await;
    assert_eq!(draft.obligor_coverage, None);
    let get = v1::GetExpectationRequest {
        name: draft.name.clone(),
    };
    let other = if draft.priority == 5 { 4 } else { 5 };
    let nobody = contact(&pair.name, "office", 1, &[other]);
    ok(souths.create_contact(introducing(&pair.name, "other", nobody))).await;
    let expected = |level: v1::CoverageLevel, hours: i64, next: Option<i64>| v1::ObligorCoverage {
        level: level.into(),
        covered: Some(lasting(hours * HOUR)),
        next_covered_time: next.map(at),
        until_time: Some(at(48 * HOUR)),
    };
    let shown = ok(norths.get_expectation(get.clone())).await;
    let nobody = expected(v1::CoverageLevel::Nobody, 0, None);
    assert_eq!(shown.obligor_coverage, Some(nobody));
    let desk = contact(&pair.name, "office", 2, &[draft.priority]);
    ok(souths.create_contact(introducing(&pair.name, "desk", desk))).await;
    let offered = ok(norths.offer_expectation(offering(&draft.name))).await;
    // From Monday at eight to Wednesday at eight: two days of eight hours.
    let partly = expected(v1::CoverageLevel::Partly, 16, Some(OPENS));
    assert_eq!(offered.obligor_coverage, Some(partly));
    let standby = contact(&pair.name, "always", 3, &[draft.priority]);
    ok(souths.create_contact(introducing(&pair.name, "standby", standby))).await;
    let shown = ok(norths.get_expectation(get.clone())).await;
    let covered = expected(v1::CoverageLevel::Covered, 48, Some(0));
    assert_eq!(shown.obligor_coverage, Some(covered));
    house.pass(48 * HOUR);
    let shown = ok(norths.get_expectation(get)).await;
    assert_eq!(shown.obligor_coverage, None, "nothing is ahead");
    house.stop().await;
}
