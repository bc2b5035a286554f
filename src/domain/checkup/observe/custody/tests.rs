//! One measure after the other: a partnership that has it, one that has not, and that one more is never
//! better.

use crate::domain::aggregate::By;
use crate::domain::checkup::burden::BurdenTally;
use crate::domain::checkup::observe::{self, Context};
use crate::domain::checkup::{CheckupClauses, Measure, Report, Tally, Value, Window};
use crate::domain::commitment::Commitment;
use crate::domain::contact::{Contact, ContactContent, ContactRole};
use crate::domain::custody::exit_drill::{DrillCounts, ExitDrill, ExitDrillRun};
use crate::domain::custody::item::{
    CustodyItem, CustodyKind, CustodyState, HandOverTest, HandOverTested, Owner,
};
use crate::domain::custody::request::{
    HandOverRequest, HandOverRequested, RequestAnswer, RequestState,
};
use crate::domain::custody::stake::{StakeDisclosed, StakeDisclosure, StakeNature};
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::Partnership;
use crate::domain::record::Record;
use crate::domain::sla::calendar::CivilDate;
use crate::domain::time::{Span, Timestamp};

const DAY: i64 = 24;

fn as_of() -> Timestamp {
    // 2026-03-02T08:00:00Z.
    Timestamp::from_micros(1_772_438_400_000_000)
}

fn ago(days: i64) -> Timestamp {
    let back = Span::from_hours(DAY * days).as_micros();
    Timestamp::from_micros(as_of().as_micros() - back)
}

fn party(number: usize) -> PartyId {
    PartyId::numbered(number)
}

fn by(number: usize, at: Timestamp) -> By {
    By {
        party: party(number),
        firm: FirmId::parse("acme").expect("an identifier"),
        at,
    }
}

fn report(records: &[Record]) -> Report {
    let window = Window::before(as_of());
    let mut tally = Tally::new(vec![party(1), party(2)], as_of(), window);
    let partnership = Partnership::new("Both", Vec::new());
    let context = Context {
        partnership: &partnership,
        as_of: as_of(),
    };
    for (number, record) in records.iter().enumerate() {
        observe::record(&format!("{number:03}"), record, context, &mut tally);
    }
    let clauses = CheckupClauses::default();
    Report::new(&tally, &BurdenTally::new(window), &clauses, ago(1_000))
}

/// What a measure came to for a party.
fn figure(records: &[Record], measure: Measure, number: usize) -> (Option<Value>, Option<u8>) {
    let report = report(records);
    let sides = report.rows.iter().flat_map(|row| &row.sides);
    let own = sides.filter(|side| side.party == party(number));
    let mut figures = own.flat_map(|side| &side.figures);
    let found = figures.find(|figure| figure.measure == measure);
    let found = found.expect("every measure has a figure");
    (found.value, found.intensity)
}

fn share(records: &[Record], measure: Measure, number: usize) -> Option<(u64, u64)> {
    match figure(records, measure, number).0 {
        Some(Value::Share { part, whole }) => Some((part, whole)),
        Some(other) => panic!("{other:?} is no share"),
        None => None,
    }
}

/// One more bad case after the other never makes it better.
fn never_better(measure: Measure, good: &Record, bad: &Record) {
    let mut records = vec![good.clone(); 4];
    let mut before = figure(&records, measure, 2).1.expect("judged");
    assert_eq!(before, 0, "{measure:?} of what is good");
    for _ in 0..12 {
        records.push(bad.clone());
        let after = figure(&records, measure, 2).1.expect("judged");
        assert!(after >= before, "{measure:?}: {after} after {before}");
        before = after;
    }
    assert!(before > 1, "{measure:?} of what is bad");
}

/// Something of a client's that the second party holds, with its last test so many days ago.
fn item(last_test: Option<(i64, bool)>) -> CustodyItem {
    let test = |(days, is_passed)| HandOverTest {
        said: HandOverTested {
            party: party(1),
            at: ago(days),
            is_passed,
            note: None,
            is_asserted: false,
        },
        by: by(1, ago(days)),
    };
    CustodyItem {
        kind: CustodyKind::Dns,
        display_name: "brandt.example".to_owned(),
        holder: party(2),
        owner: Owner::Client("brandt".to_owned()),
        outside_party: None,
        location: None,
        state: CustodyState::Held,
        recorded: by(1, ago(600)),
        is_asserted: false,
        tests: last_test.map(test).into_iter().collect(),
        request: None,
        received: None,
        retired: None,
    }
}

fn held(item: CustodyItem) -> Record {
    Record::CustodyItem(Box::new(item))
}

#[test]
fn items_untested() {
    let measure = Measure::ItemsUntested;
    assert_eq!(figure(&[], measure, 2), (None, None));
    let good = held(item(Some((365, true))));
    let bad = [None, Some((366, true)), Some((1, false))].map(|test| held(item(test)));
    assert_eq!(share(std::slice::from_ref(&good), measure, 2), Some((0, 1)));
    for bad in bad {
        assert_eq!(share(&[good.clone(), bad], measure, 2), Some((1, 2)));
    }
    let mut own = item(None);
    own.owner = Owner::Party(party(2));
    let mut gone = item(None);
    gone.state = CustodyState::HandedOver;
    let others = [held(own), held(gone)];
    assert_eq!(share(&others, measure, 2), None, "nobody waits for these");
    assert_eq!(
        share(std::slice::from_ref(&good), measure, 1),
        None,
        "the other holds it"
    );
    never_better(measure, &good, &held(item(None)));
}

/// A request to the second party that was due so many days ago.
fn request(due: i64) -> HandOverRequest {
    HandOverRequest {
        asked: HandOverRequested {
            party: party(1),
            on_behalf_of: None,
            holder: party(2),
            items: Vec::new(),
            reason: None,
            within: Span::from_hours(DAY),
            calendar: None,
            due_at: ago(due),
            is_asserted: false,
        },
        by: by(1, ago(due + 1)),
        state: RequestState::Requested,
        overdue_at: None,
        withheld: None,
        released: None,
        received: None,
        withdrawn: None,
    }
}

fn answer(number: usize, days: i64) -> RequestAnswer {
    RequestAnswer {
        words: None,
        by: by(number, ago(days)),
        is_asserted: false,
    }
}

#[test]
fn hand_overs_late() {
    let measure = Measure::HandOversLate;
    let asked = |request| Record::HandOverRequest(Box::new(request));
    let of = |request: &HandOverRequest| share(&[asked(request.clone())], measure, 2);
    let open = request(-1);
    assert_eq!(of(&open), None, "its time runs");
    let mut taken_back = request(10);
    taken_back.withdrawn = Some(answer(1, 11));
    assert_eq!(of(&taken_back), None, "nobody asks any more");
    let mut in_time = request(10);
    in_time.released = Some(answer(2, 10));
    assert_eq!(of(&in_time), Some((0, 1)));
    let late = request(10);
    assert_eq!(of(&late), Some((1, 1)));
    let mut released_late = request(10);
    released_late.released = Some(answer(2, 9));
    assert_eq!(of(&released_late), Some((1, 1)));
    let mut withheld = request(-1);
    withheld.withheld = Some(answer(2, 0));
    assert_eq!(of(&withheld), None, "just now is not before now");
    withheld.withheld = Some(answer(2, 1));
    assert_eq!(of(&withheld), Some((1, 1)));
    assert_eq!(share(&[asked(late.clone())], measure, 1), None);
    never_better(measure, &asked(in_time), &asked(late));
}

fn drill(number: usize, days: i64, holders: &[usize]) -> Record {
    Record::ExitDrill(Box::new(ExitDrill {
        run: ExitDrillRun {
            party: party(number),
            client: "brandt".to_owned(),
            holders: holders.iter().copied().map(party).collect(),
            counts: DrillCounts::default(),
            gaps: Vec::new(),
            export_digest: String::new(),
        },
        by: by(number, ago(days)),
    }))
}

#[test]
fn the_age_of_the_last_exit_drill() {
    let measure = Measure::ExitDrillAge;
    let level = |records: &[Record], number| figure(records, measure, number).0.map(Value::level);
    assert_eq!(level(&[], 2), None, "there is nothing to leave with");
    let held = held(item(None));
    // Never: since the partnership began.
    assert_eq!(level(std::slice::from_ref(&held), 2), Some(1_000));
    assert_eq!(figure(std::slice::from_ref(&held), measure, 2).1, Some(4));
    let records = [held.clone(), drill(1, 400, &[2]), drill(1, 30, &[2])];
    assert_eq!(level(&records, 2), Some(30), "what it holds was looked at");
    assert_eq!(level(&records, 1), Some(30), "it ran it");
    assert_eq!(figure(&records, measure, 2).1, Some(0));
    let without = [held, drill(1, 30, &[])];
    assert_eq!(level(&without, 2), Some(1_000), "another client's drill");
    // The longer ago, the worse.
    let intensities = [10, 200, 400, 600, 800].map(|days| {
        let records = [drill(2, days, &[2])];
        figure(&records, measure, 2).1.expect("judged")
    });
    assert!(intensities.is_sorted(), "{intensities:?}");
    assert_eq!((intensities[0], intensities[4]), (0, 4));
}

fn told(number: usize, days: i64) -> Record {
    Record::StakeDisclosure(Box::new(StakeDisclosure {
        told: StakeDisclosed {
            party: party(number),
            holder: party(number),
            nature: StakeNature::Commission,
            outside_party: None,
            words: None,
            since: CivilDate::new(2020, 1, 1).expect("a date"),
            is_asserted: false,
        },
        by: by(number, ago(days)),
        end: None,
    }))
}

#[test]
fn stakes_disclosed() {
    let measure = Measure::StakesDisclosed;
    assert_eq!(figure(&[], measure, 1), (None, None));
    let records = [told(1, 10), told(1, 20), told(1, 500), told(2, 5)];
    // It is shown and not judged: to tell is no fault.
    assert_eq!(figure(&records, measure, 1), (Some(Value::Count(2)), None));
    assert_eq!(figure(&records, measure, 2), (Some(Value::Count(1)), None));
}

/// Somebody at the second party, named and gone so many days ago.
fn contact(named: i64, gone: Option<i64>) -> Record {
    Record::Contact(Box::new(Contact {
        party: party(2),
        content: ContactContent {
            role: ContactRole::ServiceDesk,
            person: Commitment::of("test", "Kim", &[0; 16]),
            channels: Vec::new(),
            calendar: "always".to_owned(),
            calendar_revision: 1,
            priorities: Vec::new(),
            position: 1,
        },
        is_deleted: gone.is_some(),
        named_at: ago(named),
        deleted_at: gone.map(ago),
    }))
}

#[test]
fn contacts_gone() {
    let measure = Measure::ContactsGone;
    let of = |record: Record| share(&[record], measure, 2);
    assert_eq!(figure(&[], measure, 2), (None, None));
    assert_eq!(of(contact(10, None)), Some((0, 1)), "still there");
    assert_eq!(of(contact(400, Some(30))), Some((0, 1)), "more than a year");
    assert_eq!(of(contact(100, Some(30))), Some((1, 1)));
    assert_eq!(of(contact(600, Some(500))), None, "before the window");
    never_better(measure, &contact(10, None), &contact(100, Some(30)));
}
