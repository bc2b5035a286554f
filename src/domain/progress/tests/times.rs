//! Times are told on behalf of those alone who gave them and allowed it.

use super::*;
use crate::domain::outsiders::{OutsideParty, OutsidePartyType};
use crate::domain::record::Record;
use crate::domain::refusal::Refusal;
use crate::domain::update::Update;

fn own(hour: i64) -> TimeDraft {
    TimeDraft {
        matter: TimeMatter::Resolution,
        at: Some(hours(hour)),
        source: TimeSource::Party(PartyId::numbered(2)),
        may_disclose: true,
        given_in: None,
    }
}

/// The time of [`own`] as another party tells it.
fn cited(hour: i64, update: u32) -> TimeDraft {
    TimeDraft {
        may_disclose: false,
        given_in: Some(update),
        ..own(hour)
    }
}

fn taken_back() -> TimeDraft {
    TimeDraft { at: None, ..own(0) }
}

fn carriers(hour: i64, may_disclose: bool) -> TimeDraft {
    TimeDraft {
        matter: TimeMatter::Arrival,
        source: TimeSource::OutsideParty("carrier".to_owned()),
        may_disclose,
        ..own(hour)
    }
}

fn to_partners(time: TimeDraft) -> Action {
    told(Audience::Partners, vec![time])
}

fn to_client(time: TimeDraft) -> Action {
    told(Audience::Client, vec![time])
}

fn scene() -> Scene {
    let mut scene = agreed(None);
    let carrier = OutsideParty {
        display_name: "Coastal Fibre".to_owned(),
        party_type: OutsidePartyType::Carrier,
    };
    scene.put("carrier", Record::OutsideParty(Box::new(carrier)));
    scene
}

fn refused(scene: &mut Scene, action: Action) -> Refusal {
    scene.ask(FIRST, action).expect_err("refused")
}

#[test]
fn e04_no_time_is_told_on_behalf_of_a_firm_that_did_not_give_it() {
    let mut scene = scene();
    scene.go(SECOND, to_partners(own(8)));
    let bad = [
        // It cites nothing, an update that is not there, one with another time or another matter.
        TimeDraft {
            given_in: None,
            ..own(8)
        },
        cited(8, 2),
        cited(7, 1),
        TimeDraft {
            matter: TimeMatter::Arrival,
            ..cited(8, 1)
        },
    ];
    for draft in bad {
        for action in [to_client(draft.clone()), to_partners(draft)] {
            assert_eq!(scene.reason(FIRST, action), Reason::TimeNotGiven);
        }
    }
    let another = refused(&mut scene, to_client(cited(7, 1)));
    assert!(
        another
            .metadata
            .contains(&("given_time", hours(8).to_string()))
    );
    // Nobody puts words into the mouth of another by an update of one's own.
    scene.go(FIRST, told(Audience::Partners, Vec::new()));
    assert_eq!(
        scene.reason(FIRST, to_client(cited(8, 2))),
        Reason::TimeNotGiven
    );
    assert_eq!(
        progress(&scene).updates,
        2,
        "nothing of what was refused is there"
    );
    scene.go(FIRST, to_client(cited(8, 1)));
    let update: &Update = scene.get(&Update::id_of(&subject(), 3));
    assert!(update.posted.times[0].may_disclose, "as it was given");
}

#[test]
fn e04_no_time_is_told_that_may_not_be_disclosed() {
    let mut scene = scene();
    let kept = TimeDraft {
        may_disclose: false,
        ..own(8)
    };
    scene.go(SECOND, to_partners(kept.clone()));
    let leave = TimeDraft {
        may_disclose: true,
        ..cited(8, 1)
    };
    assert_eq!(
        scene.reason(FIRST, to_client(leave)),
        Reason::TimeNotDisclosable
    );
    scene.go(FIRST, to_partners(cited(8, 1)));
    // Its own time a firm may tell whom it likes.
    scene.go(SECOND, to_client(kept));
    assert_eq!(
        scene.reason(FIRST, to_client(cited(8, 3))),
        Reason::TimeNotDisclosable
    );
    scene.go(SECOND, to_partners(own(8)));
    scene.go(FIRST, to_client(cited(8, 4)));
}

#[test]
fn e04_no_time_is_told_that_its_source_replaced_or_took_back() {
    let mut scene = scene();
    scene.go(SECOND, to_partners(own(8)));
    scene.go(SECOND, to_partners(own(9)));
    let stale = refused(&mut scene, to_client(cited(8, 1)));
    assert_eq!(stale.reason, Reason::TimeSuperseded);
    assert!(stale.metadata.contains(&("superseded_by", "2".to_owned())));
    scene.go(FIRST, to_client(cited(9, 2)));
    // Who repeats a time does not make it fresh.
    assert_eq!(
        scene.reason(FIRST, to_client(cited(9, 3))),
        Reason::TimeNotGiven
    );
    let not_yours = TimeDraft {
        at: None,
        ..cited(9, 2)
    };
    assert_eq!(
        scene.reason(FIRST, to_client(not_yours)),
        Reason::InvalidField
    );
    scene.go(SECOND, to_partners(taken_back()));
    assert_eq!(
        scene.reason(FIRST, to_client(cited(9, 2))),
        Reason::TimeSuperseded
    );
    assert_eq!(
        scene.reason(SECOND, to_partners(taken_back())),
        Reason::InvalidField
    );
    assert_eq!(progress(&scene).told.len(), 1);
    assert_eq!(progress(&scene).told[0].at, None);
}

#[test]
fn e04_an_outside_partys_time_is_told_with_its_leave() {
    let mut scene = scene();
    // The firm that has it from the carrier answers for the carrier's leave.
    assert_eq!(
        scene.reason(FIRST, to_client(carriers(8, false))),
        Reason::TimeNotDisclosable
    );
    scene.go(FIRST, to_client(carriers(8, true)));
    scene.go(SECOND, to_partners(carriers(9, false)));
    // What the other firm may not tell is not told over its head.
    assert_eq!(
        scene.reason(FIRST, to_client(carriers(9, true))),
        Reason::TimeNotDisclosable
    );
    let cites = TimeDraft {
        given_in: Some(2),
        ..carriers(9, false)
    };
    assert_eq!(
        scene.reason(FIRST, to_client(cites.clone())),
        Reason::TimeNotDisclosable
    );
    scene.go(FIRST, to_partners(cites));
    // It may say to the other firm that it has leave, and then tell the client.
    scene.go(FIRST, to_partners(carriers(9, true)));
    scene.go(FIRST, to_client(carriers(9, true)));
    let unknown = TimeDraft {
        source: TimeSource::OutsideParty("nobody".to_owned()),
        ..carriers(9, true)
    };
    assert_eq!(
        scene.reason(FIRST, to_partners(unknown)),
        Reason::InvalidField
    );
}

#[test]
fn times_of_one_update_are_few_and_sensible() {
    let mut scene = scene();
    let faults = [
        vec![own(8), own(9)],
        vec![cited(8, 1)],
        vec![TimeDraft {
            at: Some(Timestamp::from_micros(0)),
            ..own(8)
        }],
        vec![TimeDraft {
            source: TimeSource::Party(PartyId::numbered(3)),
            ..own(8)
        }],
        vec![own(8); TIMES_MAX + 1],
    ];
    for times in faults {
        assert_eq!(
            scene.reason(SECOND, told(Audience::Partners, times)),
            Reason::InvalidField
        );
    }
    let three = [
        TimeMatter::Arrival,
        TimeMatter::NextUpdate,
        TimeMatter::Workaround,
    ];
    let three = three.map(|matter| TimeDraft { matter, ..own(8) });
    scene.go(SECOND, told(Audience::Partners, three.to_vec()));
    assert_eq!(progress(&scene).told.len(), 3);
}
