//! Update intervals that are kept and missed, and times told on whose behalf.

mod times;

use proptest::prelude::*;

use super::*;
use crate::domain::command::Action;
use crate::domain::expectation::{
    CriterionEvidence, ExpectationCommand, FiveW, How, When, WorkShown,
};
use crate::domain::partnership::PartnershipCommand;
use crate::domain::partnership::ending::{CarriedOn, CarriedRecord, EndAsked};
use crate::domain::record::Kind;
use crate::domain::refusal::Reason;
use crate::domain::sla::calendar::{CalendarSpecification, MinuteOfDay, Weekday, WeeklyWindow};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed, start};
use crate::domain::update::{Audience, PostUpdate};

const ID: &str = "rollout";
/// Hours of the interval that is agreed.
const EVERY: i64 = 4;
/// The least length of time.
const INSTANT: Span = Span::from_micros(1);

fn subject() -> Subject {
    Subject::Expectation(ID.to_owned())
}

fn expectation(action: ExpectationCommand) -> Action {
    Action::Expectation(action)
}

fn five_w(interval: Option<Span>) -> FiveW {
    FiveW {
        when: When {
            update_interval: interval,
            ..When::default()
        },
        how: How {
            criteria: vec![sealed("it runs")],
        },
        ..FiveW::default()
    }
}

/// Agreed at the beginning; [`SECOND`] owes the work.
fn agreed(interval: Option<Span>) -> Scene {
    let mut scene = Scene::shared(None);
    let id = || ID.to_owned();
    let create = ExpectationCommand::Create {
        id: Some(id()),
        title: None,
        five_w: five_w(interval),
        obligor: PartyId::numbered(2),
        client: None,
        agreement: None,
        reference: None,
    };
    let offer = ExpectationCommand::Offer {
        id: id(),
        message: None,
        acknowledges_impossible: false,
    };
    let agree = ExpectationCommand::Agree {
        id: id(),
        offer_number: 1,
        acknowledges_impossible: false,
    };
    scene.go(FIRST, expectation(create));
    scene.go(FIRST, expectation(offer));
    scene.go(SECOND, expectation(agree));
    scene
}

fn every_few_hours() -> Scene {
    agreed(Some(Span::from_hours(EVERY)))
}

fn fulfil() -> Action {
    let id = ID.to_owned();
    expectation(ExpectationCommand::Fulfil {
        id,
        message: None,
        shown: WorkShown::default(),
    })
}

fn dispute() -> Action {
    let id = ID.to_owned();
    let reason = Some(sealed("it does not"));
    expectation(ExpectationCommand::DisputeFulfilment {
        id,
        reason,
        criteria: Vec::new(),
    })
}

fn accept() -> Action {
    expectation(ExpectationCommand::AcceptFulfilment {
        id: ID.to_owned(),
        shown: WorkShown {
            criteria: vec![CriterionEvidence {
                index: 0,
                evidence: Vec::new(),
                note: None,
            }],
            ..WorkShown::default()
        },
        on_behalf_of_client: false,
        message: None,
    })
}

fn told(audience: Audience, times: Vec<TimeDraft>) -> Action {
    Action::Update(Box::new(PostUpdate {
        subject: subject(),
        audience,
        text: Some(sealed("half of it is done")),
        times,
    }))
}

fn update() -> Action {
    told(Audience::Partners, Vec::new())
}

fn progress(scene: &Scene) -> &Progress {
    scene.get(&subject().progress_id())
}

fn pace(scene: &Scene) -> Pace {
    progress(scene).pace.clone().expect("it was agreed")
}

/// How often so far, and where the present interval ends.
fn missed(scene: &Scene) -> (u64, Option<Timestamp>) {
    let pace = pace(scene);
    (pace.missed, pace.due_at)
}

fn tick(scene: &mut Scene) -> usize {
    scene.tick(Kind::Progress, &subject().progress_id()).len()
}

#[test]
fn e05_the_interval_runs_from_the_agreement_and_from_each_update() {
    let mut scene = every_few_hours();
    assert_eq!(missed(&scene), (0, Some(hours(EVERY))));
    scene.wait(EVERY).go(SECOND, update());
    assert_eq!(missed(&scene), (0, Some(hours(2 * EVERY))), "in time");
    assert_eq!(progress(&scene).last_update_at, Some(hours(EVERY)));
    scene.wait(1).go(SECOND, update());
    assert_eq!(missed(&scene), (0, Some(hours(2 * EVERY + 1))));
    assert_eq!(progress(&scene).updates, 2);
    let mut without = agreed(None);
    without.wait(100).go(SECOND, update());
    assert_eq!(progress(&without).pace, None);
}

#[test]
fn e05_an_interval_that_passes_in_silence_is_recorded_once() {
    let mut scene = every_few_hours();
    scene.wait(EVERY);
    assert_eq!(tick(&mut scene), 0, "at its end an update is in time");
    scene.now = scene.now.saturating_add(INSTANT);
    assert_eq!(progress(&scene).due_at(), Some(scene.now), "the hint");
    assert_eq!(tick(&mut scene), 1);
    assert_eq!(tick(&mut scene), 0, "once");
    assert_eq!(missed(&scene), (1, Some(hours(2 * EVERY))));
    assert_eq!(pace(&scene).last_missed_at, Some(hours(EVERY)));
    // An update does not take it back, and begins an interval of its own.
    scene.wait(1).go(SECOND, update());
    let due_at = hours(2 * EVERY + 1).saturating_add(INSTANT);
    assert_eq!(missed(&scene), (1, Some(due_at)));
}

#[test]
fn e05_only_the_obligors_updates_count() {
    let mut scene = every_few_hours();
    scene.wait(1).go(FIRST, update());
    assert_eq!(missed(&scene), (0, Some(hours(EVERY))));
    assert_eq!(progress(&scene).last_update_at, None);
    assert_eq!(progress(&scene).updates, 1);
}

#[test]
fn e05_it_stops_with_the_work_and_goes_on_after_a_dispute() {
    let mut scene = every_few_hours();
    scene.wait(2 * EVERY + 1).go(SECOND, fulfil());
    assert_eq!(missed(&scene), (2, None), "no sweep came by before");
    scene.wait(100 * EVERY);
    assert_eq!(tick(&mut scene), 0);
    scene.go(FIRST, dispute());
    let now = hours(102 * EVERY + 1);
    assert_eq!(
        missed(&scene),
        (2, Some(now.saturating_add(Span::from_hours(EVERY))))
    );
    scene.wait(EVERY + 1);
    assert_eq!(tick(&mut scene), 1);
    scene.go(SECOND, fulfil()).go(FIRST, accept());
    scene.wait(100 * EVERY);
    assert_eq!((tick(&mut scene), missed(&scene)), (0, (3, None)));
    assert_eq!(scene.reason(SECOND, update()), Reason::InvalidState);
}

#[test]
fn e05_nothing_is_owed_after_the_end_of_the_partnership() {
    let mut scene = every_few_hours();
    scene.wait(2 * EVERY + 1).end();
    scene.wait(100 * EVERY);
    let shown = |scene: &Scene| {
        let always = CompiledCalendar::always_open();
        progress(scene).pace_at(&always, scene.get("p"), false, scene.now)
    };
    let before = shown(&scene);
    assert_eq!(tick(&mut scene), 3, "two missed, and then it stops");
    assert_eq!(missed(&scene), (2, None));
    assert_eq!(shown(&scene), before);
    assert_eq!(before.as_ref(), progress(&scene).pace.as_ref());
    assert_eq!(tick(&mut scene), 0);
}

#[test]
fn e05_what_is_carried_on_is_told_of_after_the_end() {
    let mut scene = every_few_hours();
    let carried = CarriedRecord {
        kind: Kind::Expectation,
        id: ID.to_owned(),
        carried: CarriedOn {
            destination: None,
            note: None,
        },
    };
    let asked = EndAsked {
        carried: vec![carried],
        ..EndAsked::default()
    };
    let end = PartnershipCommand::End(asked);
    scene.go(FIRST, Action::Partnership(end));
    scene.wait(EVERY + 1);
    assert_eq!(tick(&mut scene), 1, "silence is missed as before");
    scene.go(SECOND, update());
    assert_eq!(missed(&scene).0, 1);
}

#[test]
fn e05_one_tick_records_no_more_than_it_may_and_the_next_goes_on() {
    let mut scene = every_few_hours();
    scene.wait(250 * EVERY + 1);
    assert_eq!(tick(&mut scene), MISSED_PER_TICK);
    assert_eq!(tick(&mut scene), MISSED_PER_TICK);
    assert_eq!(tick(&mut scene), 50);
    assert_eq!(missed(&scene), (250, Some(hours(251 * EVERY))));
    // A command that finds many records them in one entry.
    let mut other = every_few_hours();
    other.wait(250 * EVERY + 1);
    let events = other.ask(SECOND, update()).expect("accepted");
    assert_eq!(
        events,
        ["progress.update_missed", "update.posted", "progress.told"]
    );
    scene.go(SECOND, update());
    assert_eq!(progress(&scene), progress(&other));
}

#[test]
fn an_update_says_something_about_what_stands() {
    let mut scene = every_few_hours();
    let silent = Action::Update(Box::new(PostUpdate {
        subject: subject(),
        audience: Audience::Client,
        text: None,
        times: Vec::new(),
    }));
    assert_eq!(scene.reason(FIRST, silent), Reason::InvalidField);
    let absent = Action::Update(Box::new(PostUpdate {
        subject: Subject::Ticket("none".to_owned()),
        audience: Audience::Client,
        text: Some(sealed("x")),
        times: Vec::new(),
    }));
    assert_eq!(scene.reason(FIRST, absent), Reason::NotFound);
    scene.end();
    assert_eq!(scene.reason(SECOND, update()), Reason::PartnershipEnded);
}

/// Open from nine to five on weekdays, where clocks are changed.
fn office() -> CompiledCalendar {
    let minute = |text| MinuteOfDay::parse(text).expect("a time of day");
    let days = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
    ];
    let specification = CalendarSpecification {
        time_zone: "Europe/Paris".to_owned(),
        weekly_windows: days
            .into_iter()
            .map(|day| WeeklyWindow {
                day,
                start: minute("09:00"),
                end: minute("17:00"),
            })
            .collect(),
        exceptions: Vec::new(),
    };
    CompiledCalendar::compile_with_bundled_zone(&specification).expect("a calendar")
}

fn begun(interval: Span, calendar: &CompiledCalendar) -> Pace {
    Pace {
        obligor: PartyId::numbered(2),
        interval,
        calendar: None,
        is_running: true,
        from: start(),
        due_at: calendar.add(start(), interval),
        missed: 0,
        last_missed_at: None,
    }
}

proptest! {
    /// However often the sweeper comes by, and however late, the same is recorded in the end; and
    /// what is read without it is what it would record.
    #[test]
    fn e05_late_ticks_record_what_ticks_in_time_do(
        minutes in 5_i64..3_000,
        pauses in proptest::collection::vec(1_i64..20_000, 1..20),
    ) {
        let interval = Span::from_minutes(minutes);
        let (mut often, mut late) = (agreed(Some(interval)), agreed(Some(interval)));
        let always = CompiledCalendar::always_open();
        for pause in pauses {
            let until = often.now.saturating_add(Span::from_minutes(pause));
            while let Some(due_at) = progress(&often).due_at().filter(|due_at| *due_at <= until) {
                often.now = due_at;
                prop_assert_eq!(tick(&mut often), 1);
            }
            often.now = until;
            late.now = until;
            prop_assert_eq!(pace(&late).as_of(&always, until), pace(&often));
        }
        while tick(&mut late) > 0 {}
        prop_assert_eq!(progress(&late), progress(&often));
    }

    /// Counting intervals is the same as walking through them, whatever the hours.
    #[test]
    fn e05_intervals_are_counted_as_they_are_walked(minutes in 5_i64..3_000, until in 0_i64..300_000) {
        let calendar = office();
        let counted = begun(Span::from_minutes(minutes), &calendar);
        let mut walked = counted.clone();
        let now = start().saturating_add(Span::from_minutes(until));
        while let Some(due_at) = walked.due_at.filter(|due_at| *due_at < now) {
            walked.miss(&UpdatesMissed {
                count: 1,
                first_due_at: due_at,
                last_due_at: due_at,
                due_at: calendar.add(due_at, walked.interval),
            });
        }
        prop_assert_eq!(counted.as_of(&calendar, now), walked);
    }
}
