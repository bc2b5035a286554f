//! Offers that a standing consent covers are agreed at once; all others are asked about.

use super::*;
use crate::domain::checkup::CheckupClauses;
use crate::domain::partnership::Approval;
use crate::domain::partnership::clauses::PricingClauses;
use crate::domain::partnership::standing::{ConsentSubject, StandingConsent};
use crate::domain::partnership::terms::{FUTURE_TOLERANCE_DEFAULT, Terms, TermsContent};

fn euros(minor: i64) -> Money {
    Money {
        currency: Currency::from_code("EUR").expect("a currency"),
        minor,
    }
}

/// Until the deadline of [`answers`], remote work with two days' notice, up to 500 euros an hour.
fn consent() -> StandingConsent {
    StandingConsent {
        id: "small-jobs".to_owned(),
        subject: ConsentSubject::Expectation,
        party: PartyId::numbered(2),
        shortest_notice: Span::from_hours(48),
        largest_cost_per_hour: Some(euros(50_000)),
        allows_on_site: false,
        until: deadline(),
        concession: None,
    }
}

/// An offer that leaves no question open, at the very edge of [`consent`].
fn covered() -> FiveW {
    FiveW {
        who: Who {
            scope: Some(ImpactScope::Team),
            ..Who::default()
        },
        what: What {
            severity: Some(Severity::Degraded),
            cost_per_hour: Some(euros(50_000)),
            description: None,
        },
        when: When {
            deadline: Some(start().saturating_add(Span::from_hours(48))),
            reason: None,
            update_interval: None,
        },
        r#where: Where {
            place: Some(Place::Remote),
            site: None,
        },
        ..answers()
    }
}

/// A partnership of both firms with terms in its seventh revision, approved by the `approvers`.
fn with_terms(consents: Vec<StandingConsent>, approvers: &[(usize, &str)]) -> Scene {
    let mut scene = Scene::shared();
    let key = RecordKey::new(&scope(), Kind::Partnership, "p");
    let found = scene.world.versioned(&key).map(|found| &found.record);
    let Some(Record::Partnership(partnership)) = found else {
        panic!("no partnership but {found:?}");
    };
    let mut partnership = partnership.clone();
    partnership.terms = Some(Terms {
        revision: 7,
        content: TermsContent {
            notice_lead_times: Vec::new(),
            pricing_clauses: PricingClauses::default(),
            checkup_clauses: CheckupClauses::default(),
            text: None,
            shares: Vec::new(),
            offer_validity: OFFER_VALIDITY_DEFAULT,
            future_tolerance: FUTURE_TOLERANCE_DEFAULT,
            lateness_window: None,
            exclusion_classes: Vec::new(),
            standing_consents: consents,
        },
        hash: String::new(),
        approvals: approvers
            .iter()
            .map(|(number, firm)| Approval {
                party: PartyId::numbered(*number),
                firm: Some(firm_id(firm)),
                at: start(),
                actor: "key".to_owned(),
            })
            .collect(),
    });
    scene.put("p", Record::Partnership(partnership));
    scene
}

fn scope() -> ScopeId {
    ScopeId::partnership("p")
}

fn consenting(consent: StandingConsent) -> Scene {
    with_terms(vec![consent], &[(1, ASKS), (2, OWES)])
}

/// What an offer of these answers leads to.
fn offered_under(mut scene: Scene, five_w: FiveW) -> Vec<&'static str> {
    scene.go(ASKS, &create(five_w));
    scene.ask(ASKS, &offer()).expect("it is offered")
}

/// What makes an offer another one; it is told of an instant that is too soon.
type Change = fn(&mut FiveW, Timestamp);

const AGREED: [&str; 2] = ["expectation.offered", "expectation.agreed"];
const ASKED: [&str; 1] = ["expectation.offered"];

#[test]
fn e01_what_is_covered_is_agreed_at_once_and_says_by_what() {
    let mut scene = consenting(consent());
    scene.go(ASKS, &create(covered())).go(ASKS, &offer());
    assert_eq!(scene.state(), ExpectationState::Agreed);
    let agreed = scene.expectation().agreed().cloned().expect("agreed");
    assert_eq!(
        (agreed.party.as_str(), agreed.firm, agreed.offer_number),
        ("party-2", Some(firm_id(OWES)), 1),
        "the firm that consented, not the one that offered"
    );
    let cited = agreed.standing_consent.expect("it cites the consent");
    assert_eq!((cited.id.as_str(), cited.terms_revision), ("small-jobs", 7));
    scene.go(OWES, &fulfil());
}

#[test]
fn e01_what_is_not_covered_waits_for_an_answer() {
    let instant_less = start().saturating_add(Span::from_micros(48 * 3_600_000_000 - 1));
    let changes: [(&str, Change); 7] = [
        ("too soon", |five_w, soon| five_w.when.deadline = Some(soon)),
        ("no deadline", |five_w, _| five_w.when.deadline = None),
        ("too dear", |five_w, _| {
            five_w.what.cost_per_hour = Some(euros(50_001));
        }),
        ("nobody counted", |five_w, _| {
            five_w.what.cost_per_hour = None;
        }),
        ("in francs", |five_w, _| {
            five_w.what.cost_per_hour = Some(Money {
                currency: Currency::from_code("CHF").expect("a currency"),
                minor: 1,
            });
        }),
        ("on site", |five_w, _| {
            five_w.r#where.place = Some(Place::OnSite);
        }),
        ("a question open", |five_w, _| five_w.how.criteria.clear()),
    ];
    assert_eq!(offered_under(consenting(consent()), covered()), AGREED);
    for (what, change) in changes {
        let mut five_w = covered();
        change(&mut five_w, instant_less);
        assert_eq!(
            offered_under(consenting(consent()), five_w),
            ASKED,
            "{what}"
        );
    }
}

#[test]
fn a_consent_says_how_far_it_goes() {
    let mut on_site = covered();
    on_site.r#where.place = Some(Place::OnSite);
    on_site.what.cost_per_hour = None;
    let wide = StandingConsent {
        allows_on_site: true,
        largest_cost_per_hour: None,
        ..consent()
    };
    assert_eq!(offered_under(consenting(wide), on_site), AGREED);
    let over = StandingConsent {
        until: start(),
        ..consent()
    };
    assert_eq!(offered_under(consenting(over), covered()), ASKED);
    // A consent of the asking firm binds nobody else.
    let asks = StandingConsent {
        party: PartyId::numbered(1),
        ..consent()
    };
    assert_eq!(offered_under(consenting(asks), covered()), ASKED);
    // Terms that the party has not approved hold no consent of its.
    let unapproved = with_terms(vec![consent()], &[(1, ASKS)]);
    assert_eq!(offered_under(unapproved, covered()), ASKED);
}

#[test]
fn counter_offers_are_never_covered() {
    let mut scene = consenting(consent());
    let mut first = covered();
    first.r#where.place = Some(Place::OnSite);
    scene.go(ASKS, &create(first)).go(ASKS, &offer());
    scene.go(OWES, &counter(covered()));
    let events = scene.ask(ASKS, &counter(covered())).expect("countered");
    assert_eq!(events, ["expectation.countered"]);
}
