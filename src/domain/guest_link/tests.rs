//! Guests of a firm and guests in the place of one, over expectations and terms.

use super::*;
use crate::domain::checkup::CheckupClauses;
use crate::domain::command::Action;
use crate::domain::expectation::{
    Expectation, ExpectationCommand, ExpectationState, FiveW, How, When, WorkShown,
};
use crate::domain::partnership::clauses::PricingClauses;
use crate::domain::partnership::{Approval, Partnership, PartnershipCommand};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};

/// The expectation that the tests are about.
const ID: &str = "payroll";
/// What opens the links.
const DIGEST: &str = "digest";

fn asked(command: ExpectationCommand) -> Action {
    Action::Expectation(command)
}

/// An offer of the first firm, to be kept by the party of that number.
fn offered(scene: &mut Scene, obligor: usize) {
    let five_w = FiveW {
        when: When {
            deadline: Some(hours(240)),
            reason: None,
            update_interval: None,
        },
        how: How {
            criteria: vec![sealed("printed"), sealed("signed")],
        },
        ..FiveW::default()
    };
    scene.go(
        FIRST,
        asked(ExpectationCommand::Create {
            id: Some(ID.to_owned()),
            title: Some(sealed("Payroll")),
            five_w,
            obligor: PartyId::numbered(obligor),
            client: None,
            agreement: None,
            reference: None,
        }),
    );
    let offer = ExpectationCommand::Offer {
        id: ID.to_owned(),
        message: None,
        acknowledges_impossible: false,
    };
    scene.go(FIRST, asked(offer));
}

fn first_offer() -> GuestMatter {
    GuestMatter::Offer {
        expectation: ID.to_owned(),
        number: 1,
    }
}

fn work() -> GuestMatter {
    GuestMatter::Fulfilment {
        expectation: ID.to_owned(),
        said_at: None,
    }
}

fn creating(party: usize, matter: GuestMatter) -> Action {
    Action::GuestLink(GuestLinkCommand::Create {
        party: Some(PartyId::numbered(party)),
        person: sealed("Jo"),
        matter,
        digest: DIGEST.to_owned(),
        validity: VALIDITY_DEFAULT,
    })
}

/// A link of `firm` for the party of that number.
fn linked(scene: &mut Scene, firm: &str, party: usize, matter: GuestMatter) -> String {
    let id = scene.next_id();
    scene.go(firm, creating(party, matter));
    id
}

fn answering(id: &str, answer: GuestAnswer) -> GuestLinkUse {
    GuestLinkUse {
        id: id.to_owned(),
        digest: DIGEST.to_owned(),
        answer,
        message: None,
        acknowledges_impossible: false,
    }
}

fn accepting(id: &str) -> GuestLinkUse {
    answering(id, GuestAnswer::Accept)
}

fn reason(answer: Result<Vec<&'static str>, Refusal>) -> Reason {
    answer.expect_err("refused").reason
}

#[test]
fn a_guest_of_a_firm_answers_for_it_once() {
    let mut scene = Scene::shared(None);
    offered(&mut scene, 2);
    let link = linked(&mut scene, SECOND, 2, first_offer());
    let events = scene
        .answer(Some(SECOND), accepting(&link))
        .expect("accepted");
    assert_eq!(events, ["guest_link.used", "expectation.agreed"]);
    let found = scene.get::<Expectation>(ID);
    let agreed = found.agreed().expect("agreed");
    assert_eq!(agreed.firm.as_ref().map(FirmId::as_str), Some(SECOND));
    assert_eq!(agreed.guest_link.as_deref(), Some(link.as_str()));
    assert!(!found.awaits_endorsement(), "the firm itself has spoken");
    let again = scene.answer(Some(SECOND), accepting(&link));
    assert_eq!(reason(again), Reason::GuestLinkUsed);
    let revoking = Action::GuestLink(GuestLinkCommand::Revoke { id: link });
    assert_eq!(scene.reason(SECOND, revoking), Reason::GuestLinkUsed);
}

#[test]
fn only_for_ones_own_people_or_for_nobody_elses() {
    let mut scene = Scene::shared(None);
    offered(&mut scene, 2);
    let of_another = scene.reason(FIRST, creating(2, first_offer()));
    assert_eq!(of_another, Reason::InvalidState);
    let of_nobody = scene.reason(FIRST, creating(9, first_offer()));
    assert_eq!(of_nobody, Reason::InvalidField);
    let own_offer = scene.reason(FIRST, creating(1, first_offer()));
    assert_eq!(own_offer, Reason::NotYourOffer);
    let stranger = scene.reason("stranger", creating(2, first_offer()));
    assert_eq!(stranger, Reason::NotFound);
    let nothing_done = scene.reason(FIRST, creating(1, work()));
    assert_eq!(nothing_done, Reason::InvalidState);
}

#[test]
fn links_end_by_time_by_their_maker_and_by_a_wrong_secret() {
    let mut scene = Scene::shared(None);
    offered(&mut scene, 2);
    let link = linked(&mut scene, SECOND, 2, first_offer());
    let wrong = GuestLinkUse {
        digest: "another".to_owned(),
        ..accepting(&link)
    };
    assert_eq!(reason(scene.answer(Some(SECOND), wrong)), Reason::NotFound);
    let elsewhere = accepting("nothing");
    assert_eq!(
        reason(scene.answer(Some(SECOND), elsewhere)),
        Reason::NotFound
    );
    let revoking = || Action::GuestLink(GuestLinkCommand::Revoke { id: link.clone() });
    assert_eq!(scene.reason(FIRST, revoking()), Reason::InvalidState);
    scene.go(SECOND, revoking());
    assert_eq!(scene.ask(SECOND, revoking()), Ok(Vec::new()));
    let revoked = scene.answer(Some(SECOND), accepting(&link));
    assert_eq!(reason(revoked), Reason::GuestLinkRevoked);

    let late = linked(&mut scene, SECOND, 2, first_offer());
    scene.wait(3 * 24);
    let expired = scene.answer(Some(SECOND), accepting(&late));
    assert_eq!(reason(expired), Reason::GuestLinkExpired);
}

#[test]
fn what_has_moved_on_is_not_answered() {
    let mut scene = Scene::shared(None);
    offered(&mut scene, 2);
    let link = linked(&mut scene, SECOND, 2, first_offer());
    let declining = ExpectationCommand::Decline {
        id: ID.to_owned(),
        reason: None,
    };
    scene.go(SECOND, asked(declining));
    let refusal = scene
        .answer(Some(SECOND), accepting(&link))
        .expect_err("it was declined");
    assert_eq!(refusal.reason, Reason::GuestLinkOutdated);
    let inner = ("reason", "INVALID_STATE".to_owned());
    assert!(refusal.metadata.contains(&inner));
}

/// One firm alone gets as far as accepted work; what the guest agreed to waits for the firm.
#[test]
fn a_guest_in_the_place_of_a_firm_is_marked() {
    let mut scene = Scene::alone();
    offered(&mut scene, 1);
    let link = linked(&mut scene, FIRST, 2, first_offer());
    scene.answer(None, accepting(&link)).expect("accepted");
    let found = scene.get::<Expectation>(ID);
    assert_eq!(found.state, ExpectationState::Agreed);
    assert_eq!(found.agreed().map(|it| &it.firm), Some(&None));
    assert!(found.awaits_endorsement());
    let fulfil = ExpectationCommand::Fulfil {
        id: ID.to_owned(),
        shown: WorkShown::default(),
        message: None,
    };
    scene.go(FIRST, asked(fulfil.clone()));
    let disputing = linked(&mut scene, FIRST, 2, work());
    let silent = answering(&disputing, GuestAnswer::Refuse);
    assert_eq!(reason(scene.answer(None, silent)), Reason::InvalidField);
    let older = linked(&mut scene, FIRST, 2, work());
    let telling = GuestLinkUse {
        message: Some(sealed("unsigned")),
        ..answering(&disputing, GuestAnswer::Refuse)
    };
    scene.answer(None, telling).expect("disputed");
    scene.wait(1);
    scene.go(FIRST, asked(fulfil));
    let outdated = scene.answer(None, accepting(&older));
    assert_eq!(
        reason(outdated),
        Reason::GuestLinkOutdated,
        "done anew since"
    );
    let link = linked(&mut scene, FIRST, 2, work());
    scene.answer(None, accepting(&link)).expect("accepted");
    let found = scene.get::<Expectation>(ID);
    let acceptance = found.acceptance().expect("accepted");
    let criteria = acceptance.shown.criteria.iter();
    let criteria: Vec<_> = criteria.map(|criterion| criterion.index).collect();
    assert_eq!(criteria, [0, 1]);
    assert_eq!(acceptance.statement.guest_link.as_ref(), Some(&link));
}

#[test]
fn a_firm_that_joins_endorses_or_contests_what_its_guest_agreed_to() {
    for contests in [false, true] {
        let mut scene = Scene::alone();
        offered(&mut scene, 2);
        let link = linked(&mut scene, FIRST, 2, first_offer());
        let unused = scene.next_id();
        scene.answer(None, accepting(&link)).expect("accepted");
        assert_ne!(link, unused);
        scene.join();
        let command = if contests {
            ExpectationCommand::Contest {
                id: ID.to_owned(),
                reason: Some(sealed("never heard of it")),
            }
        } else {
            ExpectationCommand::Agree {
                id: ID.to_owned(),
                offer_number: 1,
                acknowledges_impossible: false,
            }
        };
        scene.go(SECOND, asked(command.clone()));
        let found = scene.get::<Expectation>(ID);
        let state = if contests {
            ExpectationState::Contested
        } else {
            ExpectationState::Agreed
        };
        assert_eq!(found.state, state);
        assert!(!found.awaits_endorsement());
        if !contests {
            assert_eq!(scene.reason(SECOND, asked(command)), Reason::InvalidState);
        }
    }
}

#[test]
fn a_link_for_a_placeholder_ends_when_a_firm_joins() {
    let mut scene = Scene::alone();
    offered(&mut scene, 2);
    let link = linked(&mut scene, FIRST, 2, first_offer());
    scene.join();
    let joined = scene.answer(None, accepting(&link));
    assert_eq!(reason(joined), Reason::GuestLinkRevoked);
    let by_the_firm = scene.answer(Some(SECOND), accepting(&link));
    assert_eq!(reason(by_the_firm), Reason::NotFound, "no such guest of it");
}

#[test]
fn a_placeholders_approval_of_terms_binds_no_firm() {
    let mut scene = Scene::alone();
    let content = crate::domain::partnership::terms::TermsContent {
        text: None,
        shares: Vec::new(),
        offer_validity: Span::from_hours(24),
        future_tolerance: Span::ZERO,
        lateness_window: None,
        exclusion_classes: Vec::new(),
        standing_consents: Vec::new(),
        notice_lead_times: Vec::new(),
        pricing_clauses: PricingClauses::default(),
        checkup_clauses: CheckupClauses::default(),
    };
    let proposing = PartnershipCommand::ProposeTerms(content);
    scene.go(FIRST, Action::Partnership(proposing));
    let terms = |scene: &Scene| scene.get::<Partnership>("p").terms.clone();
    let hash = terms(&scene).expect("in force").hash;
    let matter = GuestMatter::Terms { hash };
    let link = linked(&mut scene, FIRST, 2, matter.clone());
    let other = linked(&mut scene, FIRST, 2, matter.clone());
    let refusing = answering(&link, GuestAnswer::Refuse);
    assert_eq!(reason(scene.answer(None, refusing)), Reason::InvalidField);
    let events = scene.answer(None, accepting(&link)).expect("approved");
    let expected = [
        "guest_link.used",
        "terms_revision.approved",
        "partnership.terms_approved",
    ];
    assert_eq!(events, expected);
    let approvals = terms(&scene).expect("still in force").approvals;
    assert_eq!(approvals.len(), 2);
    assert!(!Approval::is_among(&approvals, &PartyId::numbered(2)));
    let twice = scene.answer(None, accepting(&other));
    assert_eq!(reason(twice), Reason::GuestLinkOutdated);
    assert_eq!(
        scene.reason(FIRST, creating(2, matter)),
        Reason::InvalidState
    );
}
