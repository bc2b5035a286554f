//! What firms tell each other beside tickets: notices, claims and needs, and whom to reach.

use entente::domain::claim::{ClaimCommand, Evidence, Support};
use entente::domain::command::Action;
use entente::domain::contact::{Channel, ChannelType, ContactCommand, ContactContent, ContactRole};
use entente::domain::identity::PartyId;
use entente::domain::need::{LimitationAccepted, LimitationReviewed, NeedCommand, Weight};
use entente::domain::notice::{
    ChecklistDraft, NoticeCommand, NoticeDraft, NoticeKind, NoticePart, Plan,
};
use entente::domain::sla::clock::Priority;
use entente::domain::time::Timestamp;

use super::partnerships::reference;
use super::{
    Draw, Hint, calendar_id, claim_id, client_id, contact_id, expectation_id, need_id, notice_id,
};

pub(super) fn notice(draw: &mut Draw, number: u8, hint: &Hint, at: Timestamp) -> Action {
    let id = notice_id(number);
    let sensible = match hint.state.as_str() {
        "" => 0..25,
        "heads_up" => 25..80,
        "confirmed" => 40..90,
        _ => 0..100,
    };
    Action::Notice(match draw.mostly(sensible) {
        0..25 => give(draw, number, at),
        25..40 => NoticeCommand::Confirm {
            id,
            planned_at: draw.chance(60).then(|| draw.around(at)),
        },
        40..60 => NoticeCommand::Update {
            id,
            parts: part(draw, at),
        },
        60..76 => NoticeCommand::MarkItem {
            id,
            number: draw.number(0..4),
            is_done: draw.chance(70),
        },
        76..80 => NoticeCommand::Withdraw {
            id,
            reason: draw.maybe_text("notice.reason"),
        },
        _ => NoticeCommand::Complete {
            id,
            message: draw.maybe_text("notice.message"),
        },
    })
}

fn give(draw: &mut Draw, number: u8, at: Timestamp) -> NoticeCommand {
    let checklist = (0..draw.number(0..4))
        .map(|_| draw.text("notice.checklist.item"))
        .collect();
    NoticeCommand::Create {
        id: draw.chance(90).then(|| notice_id(number)),
        draft: NoticeDraft {
            kind: *draw.one_of(&NoticeKind::ALL),
            title: draw.maybe_text("notice.title"),
            details: draw.maybe_text("notice.details"),
            plan: plan(draw, at),
            client: draw.chance(10).then(|| client_id(draw.number(0..2))),
            checklist,
        },
        is_confirmed: draw.chance(40),
        reference: draw
            .chance(20)
            .then(|| reference("acme", "change", format!("N{number}"))),
    }
}

fn plan(draw: &mut Draw, at: Timestamp) -> Plan {
    Plan {
        earliest: draw.chance(30).then(|| draw.around(at)),
        latest: draw.chance(30).then(|| draw.around(at)),
        planned_at: draw.chance(70).then(|| draw.around(at)),
    }
}

fn part(draw: &mut Draw, at: Timestamp) -> Vec<NoticePart> {
    let part = match draw.number(0..4) {
        0 => NoticePart::Title(draw.maybe_text("notice.title")),
        1 => NoticePart::PlannedAt(draw.chance(90).then(|| draw.around(at))),
        2 => NoticePart::Client(draw.chance(50).then(|| client_id(draw.number(0..2)))),
        _ => {
            let items = 0..draw.number(0..4);
            let item = |number| ChecklistDraft {
                number,
                text: draw.text("notice.checklist.item"),
            };
            NoticePart::Checklist(items.map(item).collect())
        }
    };
    vec![part]
}

pub(super) fn claim(draw: &mut Draw, number: u8, hint: &Hint, at: Timestamp) -> Action {
    let make = hint.state.is_empty() || draw.chance(10);
    Action::Claim(if make {
        ClaimCommand::Make {
            id: draw.chance(90).then(|| claim_id(number)),
            maker: draw.chance(20).then(|| PartyId::numbered(2)),
            statement: draw.text("claim.statement"),
            support: support(draw, at),
            client: draw.chance(10).then(|| client_id(draw.number(0..2))),
        }
    } else {
        ClaimCommand::RecordOutcome {
            id: claim_id(number),
            is_kept: draw.chance(50),
            evidence: Evidence::Expectation(expectation_id(draw.number(0..5))),
            message: draw.maybe_text("claim.message"),
        }
    })
}

fn support(draw: &mut Draw, at: Timestamp) -> Support {
    match draw.number(0..4) {
        0 => Support::Supported,
        1 => Support::Limited {
            how: draw.text("claim.limited"),
        },
        2 => Support::Planned {
            from: draw.around(at),
        },
        _ => Support::NotOffered,
    }
}

pub(super) fn need(draw: &mut Draw, number: u8, hint: &Hint, at: Timestamp) -> Action {
    let id = need_id(number);
    let sensible = if hint.state.is_empty() {
        0..20
    } else {
        20..100
    };
    Action::Need(match draw.mostly(sensible) {
        0..20 => NeedCommand::Ask {
            id: draw.chance(90).then_some(id),
            statement: draw.text("need.statement"),
            weight: *draw.one_of(&[Weight::Must, Weight::Should]),
            client: draw.chance(10).then(|| client_id(draw.number(0..2))),
        },
        20..50 => NeedCommand::Match {
            id,
            claim: draw.chance(80).then(|| claim_id(draw.number(0..3))),
        },
        50..75 => NeedCommand::AcceptLimitation {
            id,
            accepted: LimitationAccepted {
                text: draw.text("need.limitation"),
                review_at: draw.around(at),
            },
        },
        _ => NeedCommand::ReviewLimitation {
            id,
            reviewed: LimitationReviewed {
                review_at: draw.chance(60).then(|| draw.around(at)),
                message: draw.maybe_text("need.message"),
            },
        },
    })
}

pub(super) fn contact(draw: &mut Draw, number: u8, hint: &Hint) -> Action {
    let id = contact_id(number);
    let sensible = match hint.state.as_str() {
        "" => 0..40,
        _ => 40..100,
    };
    Action::Contact(match draw.mostly(sensible) {
        0..40 => ContactCommand::Create {
            id: draw.chance(90).then_some(id),
            party: draw
                .chance(40)
                .then(|| PartyId::numbered(draw.number(1..4))),
            content: content(draw),
        },
        40..85 => ContactCommand::Update {
            id,
            content: content(draw),
        },
        _ => ContactCommand::Delete { id },
    })
}

fn content(draw: &mut Draw) -> ContactContent {
    let channels = 0..draw.number(0..3);
    let channel = |_| Channel {
        channel_type: ChannelType::Phone,
        address: draw.text("contact.channel.address"),
    };
    let channels = channels.map(channel).collect();
    let priorities = if draw.chance(80) {
        vec![Priority::HIGHEST]
    } else {
        vec![Priority::HIGHEST; 2]
    };
    ContactContent {
        role: ContactRole::ServiceDesk,
        person: draw.text("contact.person"),
        channels,
        calendar: calendar_id(draw.number(0..3)),
        calendar_revision: draw.number(0..3),
        priorities,
        position: draw.number(0..=5),
    }
}
