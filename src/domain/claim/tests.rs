//! Claims in a partnership of two firms, or of one.

use super::*;
use crate::domain::command::Action;
use crate::domain::expectation::{ExpectationCommand, FiveW};
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};

const ID: &str = "backup";
/// The expectation that is the evidence.
const EVIDENCE: &str = "restored";

fn make_for(maker: Option<usize>, support: Support) -> Action {
    Action::Claim(ClaimCommand::Make {
        id: Some(ID.to_owned()),
        maker: maker.map(PartyId::numbered),
        statement: sealed("we restore within a day"),
        support,
        client: None,
    })
}

fn make() -> Action {
    make_for(None, Support::Supported)
}

fn judge(is_kept: bool, evidence: Evidence) -> Action {
    Action::Claim(ClaimCommand::RecordOutcome {
        id: ID.to_owned(),
        is_kept,
        evidence,
        message: None,
    })
}

fn shown(is_kept: bool) -> Action {
    judge(is_kept, Evidence::Expectation(EVIDENCE.to_owned()))
}

fn expecting() -> Action {
    Action::Expectation(ExpectationCommand::Create {
        agreement: None,
        id: Some(EVIDENCE.to_owned()),
        title: None,
        five_w: FiveW::default(),
        obligor: PartyId::numbered(1),
        client: None,
        reference: None,
    })
}

fn claim(scene: &Scene) -> &Claim {
    scene.get(ID)
}

#[test]
fn another_party_judges_a_claim() {
    for (maker, other) in [(FIRST, SECOND), (SECOND, FIRST)] {
        let mut scene = Scene::shared(None);
        scene.go(FIRST, expecting()).go(maker, make());
        assert_eq!(claim(&scene).claim_state(), ClaimState::Open);
        let own = scene.reason(maker, shown(true));
        assert_eq!(own, Reason::SameFirmMayNotAccept);
        scene.go(other, shown(true));
        assert_eq!(claim(&scene).claim_state(), ClaimState::Kept);
        assert_eq!(scene.ask(other, shown(true)), Ok(Vec::new()));
        scene.wait(1).go(other, shown(false));
        let outcome = claim(&scene).outcome.as_ref().expect("judged");
        assert_eq!((outcome.at, outcome.firm.as_str()), (hours(1), other));
        assert!(!outcome.said.is_kept && !outcome.said.is_asserted);
    }
}

#[test]
fn evidence_must_exist() {
    let mut scene = Scene::shared(None);
    scene.go(FIRST, make());
    let ticket = Evidence::Ticket("none".to_owned());
    for action in [shown(true), judge(true, ticket)] {
        assert_eq!(scene.reason(SECOND, action), Reason::NotFound);
    }
}

#[test]
fn one_firm_alone_asserts_and_whoever_joins_judges_anew() {
    let mut scene = Scene::alone();
    scene.go(FIRST, expecting()).go(FIRST, make());
    scene.go(FIRST, shown(true));
    let said = |scene: &Scene| {
        claim(scene)
            .outcome
            .as_ref()
            .map(|found| found.said.is_asserted)
    };
    assert_eq!(said(&scene), Some(true));
    scene.join();
    assert_eq!(
        scene.reason(FIRST, shown(true)),
        Reason::SameFirmMayNotAccept
    );
    scene.go(SECOND, shown(false));
    assert_eq!(said(&scene), Some(false));
    assert_eq!(claim(&scene).claim_state(), ClaimState::NotKept);
}

#[test]
fn nobody_claims_for_a_firm_that_is_there() {
    let supported = || Support::Supported;
    let mut alone = Scene::alone();
    assert_eq!(
        alone.reason(FIRST, make_for(Some(3), supported())),
        Reason::InvalidField
    );
    alone.go(FIRST, make_for(Some(2), supported()));
    assert_eq!(claim(&alone).made.maker, PartyId::numbered(2));
    let mut shared = Scene::shared(None);
    assert_eq!(
        shared.reason(FIRST, make_for(Some(2), supported())),
        Reason::InvalidField
    );
    shared.go(FIRST, make_for(Some(1), supported()));
    assert_eq!(shared.reason(SECOND, make()), Reason::AlreadyExists);
}

#[test]
fn plans_lie_in_time() {
    let mut scene = Scene::shared(None);
    let from = Timestamp::LATEST;
    let never = make_for(None, Support::Planned { from });
    assert_eq!(scene.reason(FIRST, never), Reason::InvalidField);
}
