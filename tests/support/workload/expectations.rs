//! What is asked of expectations.

use entente::domain::command::Action;
use entente::domain::evidence::Evidence;
use entente::domain::expectation::{
    CriterionEvidence, CriterionReason, ExpectationCommand, FiveW, How, ImpactScope, Links,
    NoticeItem, Place, Severity, What, When, Where, Who, WorkShown,
};
use entente::domain::identity::PartyId;
use entente::domain::pricing::money::{Currency, Money};
use entente::domain::time::{Span, Timestamp};

use super::partnerships::reference;
use super::{Draw, Hint, agreement_id, client_id, expectation_id, notice_id};

pub(super) fn action(draw: &mut Draw, number: u8, hint: &Hint, at: Timestamp) -> Action {
    let id = expectation_id(number);
    let sensible = match hint.state.as_str() {
        "" => 0..22,
        "draft" => 22..43,
        "asserted" | "offered" | "countered" => 43..76,
        "agreed" | "missed" => 76..88,
        // Done again, accepted after all, or offered anew.
        "disputed" if draw.chance(40) => 43..55,
        "disputed" => 76..95,
        "fulfilled" => 88..100,
        _ => 0..100,
    };
    Action::Expectation(match draw.mostly(sensible) {
        0..22 if draw.chance(15) => linked(draw, number, at),
        0..22 => create(draw, number, at),
        22..28 => ExpectationCommand::Update {
            id,
            title: draw.maybe_text("expectation.title"),
            five_w: five_w(draw, at),
        },
        28..43 => ExpectationCommand::Offer {
            id,
            message: draw.maybe_text("expectation.message"),
            acknowledges_impossible: draw.chance(70),
        },
        43..55 => {
            let five_w = five_w(draw, at);
            ExpectationCommand::Counter {
                id,
                offer_number: draw.chance(30).then_some(hint.offer_number),
                five_w,
                message: draw.maybe_text("expectation.message"),
                acknowledges_impossible: draw.chance(70),
            }
        }
        55..70 => agree(draw, id, hint),
        70..73 => ExpectationCommand::Decline {
            id,
            reason: draw.maybe_text("expectation.reason"),
        },
        73..76 => ExpectationCommand::Withdraw {
            id,
            reason: draw.maybe_text("expectation.reason"),
        },
        76..88 => ExpectationCommand::Fulfil {
            id,
            message: draw.maybe_text("expectation.message"),
            shown: shown(draw, hint.criteria),
        },
        88..95 => {
            let met = if draw.chance(10) {
                hint.criteria + 1
            } else {
                hint.criteria
            };
            let message = draw.maybe_text("expectation.message");
            ExpectationCommand::AcceptFulfilment {
                id,
                shown: shown(draw, met),
                on_behalf_of_client: draw.chance(10),
                message,
            }
        }
        _ => dispute(draw, id, hint),
    })
}

fn dispute(draw: &mut Draw, id: String, hint: &Hint) -> ExpectationCommand {
    let criteria = hint.criteria.min(draw.number(0..2));
    ExpectationCommand::DisputeFulfilment {
        id,
        reason: draw.maybe_text("expectation.reason"),
        criteria: (0..criteria)
            .map(|index| CriterionReason {
                index,
                reason: draw.text("expectation.criteria_not_met.reason"),
            })
            .collect(),
    }
}

/// What is shown for the first criteria, so many of them.
fn shown(draw: &mut Draw, criteria: u32) -> WorkShown {
    let evidence = |draw: &mut Draw| match draw.number(0..10) {
        0 => vec![Evidence::Expectation(expectation_id(draw.number(0..3)))],
        1..4 => vec![Evidence::External(reference(
            "acme",
            "mail",
            "M1".to_owned(),
        ))],
        _ => Vec::new(),
    };
    WorkShown {
        evidence: evidence(draw),
        criteria: (0..criteria)
            .map(|index| CriterionEvidence {
                index,
                evidence: evidence(draw),
                note: draw.maybe_text("expectation.criteria.note"),
            })
            .collect(),
    }
}

fn agree(draw: &mut Draw, id: String, hint: &Hint) -> ExpectationCommand {
    let offer_number = if draw.chance(10) {
        7
    } else {
        hint.offer_number
    };
    ExpectationCommand::Agree {
        id,
        offer_number,
        acknowledges_impossible: draw.chance(70),
    }
}

/// A draft that came of an item of a notice.
fn linked(draw: &mut Draw, number: u8, at: Timestamp) -> ExpectationCommand {
    ExpectationCommand::CreateLinked {
        create: Box::new(create(draw, number, at)),
        links: Links {
            ticket: None,
            notice_item: Some(NoticeItem {
                notice: notice_id(draw.number(0..3)),
                number: draw.number(1..4),
            }),
        },
    }
}

fn create(draw: &mut Draw, number: u8, at: Timestamp) -> ExpectationCommand {
    ExpectationCommand::Create {
        id: draw.chance(90).then(|| expectation_id(number)),
        title: draw.maybe_text("expectation.title"),
        five_w: five_w(draw, at),
        obligor: PartyId::numbered(draw.number(1..=2)),
        client: draw.chance(10).then(|| client_id(draw.number(0..2))),
        agreement: draw.chance(10).then(|| agreement_id(draw.number(0..2))),
        reference: draw
            .chance(20)
            .then(|| reference("acme", "issue", format!("E{number}"))),
    }
}

fn five_w(draw: &mut Draw, at: Timestamp) -> FiveW {
    let currency = Currency::from_code("EUR").expect("a currency");
    let criteria = (0..draw.number(0..3))
        .map(|_| draw.text("expectation.how.criterion"))
        .collect();
    FiveW {
        who: Who {
            scope: draw
                .chance(70)
                .then(|| *draw.one_of(&[ImpactScope::Team, ImpactScope::Everyone])),
            people_count: draw.chance(50).then(|| draw.number(0..50)),
            description: draw.maybe_text("expectation.who.description"),
        },
        what: What {
            severity: draw
                .chance(70)
                .then(|| *draw.one_of(&[Severity::Stopped, Severity::Degraded])),
            cost_per_hour: draw
                .chance(50)
                .then(|| Money::from_minor(currency, draw.number(-500..100_000))),
            description: draw.maybe_text("expectation.what.description"),
        },
        when: When {
            deadline: draw.chance(60).then(|| draw.around(at)),
            reason: draw.maybe_text("expectation.when.reason"),
            update_interval: draw.chance(30).then(|| Span::from_minutes(90)),
        },
        r#where: Where {
            place: draw.chance(50).then_some(Place::Remote),
            site: draw.maybe_text("expectation.where.site"),
        },
        how: How { criteria },
    }
}
