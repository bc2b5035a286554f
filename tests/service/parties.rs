//! Three and more parties: who lets them in, and who may answer whom.

use entente::proto::v1::{
    self, AgreementState, AllocationBasis, AmendmentState, ConcessionState, ExpectationState,
    PartnershipState,
};

use super::amendments::{approving as approving_amendment, exclusion, proposing};
use super::calls::{faulty, ok, refuses};
use super::evidence::{an_hour_late, countersigning};
use super::house::{Firm, HOUR, House, lasting};
use super::setting::{
    NORTH, NORTH_PSA, Pair, SOUTH, accepting, agreeing, euros, five_w, fulfilling, invitation,
    joining, offering, opening, partnership, ticket,
};
use super::trio::{Trio, WEST, desk_for, firms, further, inviting, unwelcoming, welcoming};

/// A further party needs the word of every firm; its invitation is for one firm alone, once.
pub async fn a_third_party_needs_every_firm(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.partnerships();
    let mut souths = pair.south.connection.partnerships();
    let proposed = ok(norths.propose_party(further(&pair.name))).await;
    assert_eq!(proposed.parties.len(), 2);
    assert_eq!(proposed.proposed_parties[0].party_id, WEST);
    let early = norths.invite_partner(inviting(&pair.name, WEST));
    faulty(&house, "INVALID_FIELD", &["party_id"], early).await;
    let again = ok(norths.approve_party(welcoming(&pair.name, WEST))).await;
    assert_eq!(again.proposed_parties[0].approvals.len(), 1, "one of two");
    let accepted = ok(souths.approve_party(welcoming(&pair.name, WEST))).await;
    assert_eq!(accepted.state(), PartnershipState::Active, "not solo again");
    assert_eq!(firms(&accepted)[2], (WEST, ""));
    let late = souths.decline_party(unwelcoming(&pair.name, WEST));
    refuses(&house, "INVALID_STATE", late).await;

    let request = v1::InvitePartnerRequest {
        firm: "firms/west".to_owned(),
        ..invitation(&pair.name)
    };
    let invited = ok(norths.invite_partner(request)).await;
    let shown = invited.partnership.unwrap();
    assert_eq!(shown.invitations[0].firm, "firms/west");
    let (east, west) = (house.firm("east").await, house.firm("west").await);
    let mut easts = east.connection.partnerships();
    let wrong = easts.join_partnership(joining(&invited.code));
    let refused = refuses(&house, "INVITATION_FOR_ANOTHER_FIRM", wrong).await;
    assert!(refused.metadata.is_empty(), "who is meant is not told");
    let own = souths.join_partnership(joining(&invited.code));
    refuses(&house, "ALREADY_A_PARTY", own).await;
    let mut wests = west.connection.partnerships();
    let joined = ok(wests.join_partnership(joining(&invited.code))).await;
    assert_eq!(firms(&joined)[2], (WEST, "firms/west"));
    assert!(joined.invitations.is_empty());
    let used = easts.join_partnership(joining(&invited.code));
    refuses(&house, "INVITATION_INVALID", used).await;
    let full = norths.invite_partner(invitation(&pair.name));
    refuses(&house, "INVALID_STATE", full).await;

    // From now on it takes three; what is declined never gives its id to another.
    ok(norths.propose_party(further(&pair.name))).await;
    let two = ok(souths.approve_party(welcoming(&pair.name, "party-4"))).await;
    assert_eq!(two.parties.len(), 3);
    ok(wests.decline_party(unwelcoming(&pair.name, "party-4"))).await;
    let gone = souths.approve_party(welcoming(&pair.name, "party-4"));
    refuses(&house, "NOT_FOUND", gone).await;
    let next = ok(norths.propose_party(further(&pair.name))).await;
    assert_eq!(next.proposed_parties[0].party_id, "party-5");
    parties_at_fault(&house, &pair).await;
    house.stop().await;
}

async fn parties_at_fault(house: &House, pair: &Pair) {
    let mut norths = pair.north.connection.partnerships();
    let nameless = v1::ProposePartyRequest {
        role: 0,
        ..further("partnerships/")
    };
    let fields = ["name", "role"];
    faulty(
        house,
        "INVALID_FIELD",
        &fields,
        norths.propose_party(nameless),
    )
    .await;
    let wordless = v1::ProposePartyRequest {
        display_name: String::new(),
        ..further(&pair.name)
    };
    let fields = ["display_name"];
    faulty(
        house,
        "INVALID_FIELD",
        &fields,
        norths.propose_party(wordless),
    )
    .await;
    let nobody = norths.approve_party(welcoming(&pair.name, ""));
    faulty(house, "INVALID_FIELD", &["party_id"], nobody).await;
    let malformed = v1::InvitePartnerRequest {
        validity: Some(prost_types::Duration {
            seconds: 1,
            nanos: -1,
        }),
        firm: "west".to_owned(),
        ..invitation(&pair.name)
    };
    let fields = ["validity", "firm"];
    faulty(
        house,
        "INVALID_FIELD",
        &fields,
        norths.invite_partner(malformed),
    )
    .await;
}

/// One invitation for each placeholder; what two firms agree meanwhile is agreed, what concerns a
/// placeholder is asserted.
pub async fn placeholders_are_filled_one_by_one(house: House) {
    let (north, south) = (house.firm("north").await, house.firm("south").await);
    let mut norths = north.connection.partnerships();
    let name = ok(norths.create_partnership(partnership("Several")))
        .await
        .name;
    let pair = Pair { north, south, name };
    let alone = ok(norths.propose_party(further(&pair.name))).await;
    assert_eq!(alone.state(), PartnershipState::Solo);
    assert_eq!(alone.parties.len(), 3, "alone it is at once");
    let which = norths.invite_partner(invitation(&pair.name));
    faulty(&house, "INVALID_FIELD", &["party_id"], which).await;
    let second = ok(norths.invite_partner(inviting(&pair.name, SOUTH))).await;
    let brief = v1::InvitePartnerRequest {
        validity: Some(lasting(HOUR)),
        ..inviting(&pair.name, WEST)
    };
    let third = ok(norths.invite_partner(brief)).await;
    let shown = third.partnership.unwrap();
    assert_eq!(shown.state(), PartnershipState::Invited);
    assert_eq!(shown.invitations.len(), 2);
    let mut souths = pair.south.connection.partnerships();
    let joined = ok(souths.join_partnership(joining(&second.code))).await;
    assert_eq!(joined.state(), PartnershipState::Active);
    assert_eq!(joined.invitations.len(), 1, "the other one is out still");
    house.pass(HOUR);
    let west = house.firm("west").await;
    let mut wests = west.connection.partnerships();
    let expired = wests.join_partnership(joining(&third.code));
    refuses(&house, "INVITATION_INVALID", expired).await;

    agreed_meanwhile(&house, &pair, &west).await;
    house.stop().await;
}

/// Two of two are enough although a placeholder waits.
async fn agreed_meanwhile(house: &House, pair: &Pair, west: &Firm) {
    pair.calendar().await;
    pair.agreement("desk", pair.desk()).await;
    let request = pair.agreement_request("for-west", desk_for(pair, WEST));
    let proposed = ok(pair.north.connection.sla().create_agreement(request)).await;
    assert_eq!(proposed.state(), AgreementState::Proposed);
    let approving = v1::ApproveAgreementRequest {
        name: proposed.name.clone(),
        hash: proposed.hash.clone(),
        ..Default::default()
    };
    let mut souths = pair.south.connection.sla();
    let asserted = ok(souths.approve_agreement(approving.clone())).await;
    assert_eq!(asserted.state(), AgreementState::Asserted);
    let promised = v1::CreateExpectationRequest {
        parent: pair.name.clone(),
        expectation: Some(v1::Expectation {
            obligor: WEST.to_owned(),
            five_w: Some(five_w(48)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut expectations = pair.north.connection.expectations();
    let draft = ok(expectations.create_expectation(promised)).await;
    let offered = ok(expectations.offer_expectation(offering(&draft.name))).await;
    assert_eq!(offered.state(), ExpectationState::Asserted);
    let mut theirs = pair.south.connection.expectations();
    let third = theirs.agree_expectation(agreeing(&draft.name, 1));
    refuses(house, "NOT_YOUR_OFFER", third).await;

    pair.admit(west).await;
    let request = v1::GetAgreementRequest {
        name: format!("{}/agreements/desk", pair.name),
        ..Default::default()
    };
    let kept = ok(west.connection.sla().get_agreement(request)).await;
    assert_eq!(kept.state(), AgreementState::Active);
    let request = v1::AnswerAssertionsRequest {
        name: pair.name.clone(),
        endorse_all: true,
        ..Default::default()
    };
    let mut wests = west.connection.partnerships();
    let answered = ok(wests.answer_assertions(request)).await;
    let names: Vec<_> = (answered.results.iter())
        .map(|result| (result.name.as_str(), result.outcome()))
        .collect();
    let endorsed = v1::AssertionOutcome::Endorsed;
    assert_eq!(
        names,
        [
            (proposed.name.as_str(), endorsed),
            (draft.name.as_str(), endorsed)
        ]
    );
    let approved = ok(souths.approve_agreement(approving)).await;
    assert_eq!(approved.state(), AgreementState::Active);
}

/// Agreements, their revisions, amendments, terms and concessions take all three.
pub async fn two_of_three_is_not_enough(house: House) {
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let pair = &trio.pair;
    let (mut souths, mut wests) = (pair.south.connection.sla(), trio.west.connection.sla());
    let request = pair.agreement_request("new", desk_for(pair, WEST));
    let proposed = ok(pair.north.connection.sla().create_agreement(request)).await;
    let approving = v1::ApproveAgreementRequest {
        name: proposed.name,
        hash: proposed.hash,
        ..Default::default()
    };
    let two = ok(souths.approve_agreement(approving.clone())).await;
    assert_eq!(two.state(), AgreementState::Proposed);
    let three = ok(wests.approve_agreement(approving)).await;
    assert_eq!(three.state(), AgreementState::Active);

    let revised = v1::Agreement {
        name: format!("{}/agreements/desk", pair.name),
        display_name: "Another desk".to_owned(),
        ..pair.desk()
    };
    let request = v1::ReviseAgreementRequest {
        name: format!("{}/agreements/desk", pair.name),
        agreement: Some(revised),
        ..Default::default()
    };
    let proposed = ok(pair.north.connection.sla().revise_agreement(request)).await;
    let approving = v1::ApproveAgreementRequest {
        name: proposed.name.clone(),
        hash: proposed.proposed_revision.unwrap().hash,
        ..Default::default()
    };
    let two = ok(souths.approve_agreement(approving.clone())).await;
    assert_eq!(two.revision, 1);
    let three = ok(wests.approve_agreement(approving)).await;
    assert_eq!(three.revision, 2);

    let name = pair
        .opened_under("1", &format!("{}/agreements/desk", pair.name))
        .await;
    let request = proposing(&name, exclusion(0, HOUR, ""));
    ok(pair.north.connection.sla().propose_amendment(request)).await;
    let two = ok(souths.approve_amendment(approving_amendment(&name, "1"))).await;
    assert_eq!(two.amendments[0].state(), AmendmentState::Proposed);
    let three = ok(wests.approve_amendment(approving_amendment(&name, "1"))).await;
    assert_eq!(three.amendments[0].state(), AmendmentState::Agreed);
    terms_and_concessions(&trio).await;
    house.stop().await;
}

async fn terms_and_concessions(trio: &Trio) {
    let pair = &trio.pair;
    let request = v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(v1::Terms::default()),
        ..Default::default()
    };
    let proposed = ok(pair.north.connection.partnerships().propose_terms(request)).await;
    let approving = v1::ApproveTermsRequest {
        name: pair.name.clone(),
        hash: proposed.proposed_terms.unwrap().hash,
        ..Default::default()
    };
    let mut souths = pair.south.connection.partnerships();
    let two = ok(souths.approve_terms(approving.clone())).await;
    assert!(two.terms.is_none());
    let mut wests = trio.west.connection.partnerships();
    let three = ok(wests.approve_terms(approving)).await;
    assert_eq!(three.terms.unwrap().approvals.len(), 3);

    let quote = pair.quote(&[("a", 500)], &[("b", 500)]).await;
    let request = v1::ProposeConcessionRequest {
        name: quote.name.clone(),
        concession: Some(euros(100)),
        basis: AllocationBasis::Price.into(),
        ..Default::default()
    };
    let proposed = ok(pair.north.connection.pricing().propose_concession(request)).await;
    let approving = v1::ApproveConcessionRequest {
        name: quote.name,
        hash: proposed.revisions[0].hash.clone(),
        ..Default::default()
    };
    let mut souths = pair.south.connection.pricing();
    let two = ok(souths.approve_concession(approving.clone())).await;
    assert_eq!(two.revisions[0].state(), ConcessionState::Proposed);
    let mut wests = trio.west.connection.pricing();
    let three = ok(wests.approve_concession(approving)).await;
    assert_eq!(three.revisions[0].state(), ConcessionState::Approved);
}

/// What is between two of three is theirs: a third firm reads it and answers nothing.
pub async fn a_third_firm_does_not_answer_for_the_two(house: House) {
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let pair = &trio.pair;
    let draft = pair.to_south().await;
    let mut norths = pair.north.connection.expectations();
    ok(norths.offer_expectation(offering(&draft))).await;
    let mut wests = trio.west.connection.expectations();
    let agreed = wests.agree_expectation(agreeing(&draft, 1));
    refuses(&house, "NOT_YOUR_OFFER", agreed).await;
    let countering = v1::CounterExpectationRequest {
        name: draft.clone(),
        five_w: Some(five_w(50)),
        ..Default::default()
    };
    let countered = wests.counter_expectation(countering);
    refuses(&house, "NOT_YOUR_OFFER", countered).await;
    let declining = v1::DeclineExpectationRequest {
        name: draft.clone(),
        ..Default::default()
    };
    refuses(
        &house,
        "NOT_YOUR_OFFER",
        wests.decline_expectation(declining),
    )
    .await;
    let mut souths = pair.south.connection.expectations();
    ok(souths.agree_expectation(agreeing(&draft, 1))).await;
    ok(souths.fulfil_expectation(fulfilling(&draft))).await;
    let judged = wests.accept_fulfilment(accepting(&draft, &[0, 1]));
    refuses(&house, "SAME_FIRM_MAY_NOT_ACCEPT", judged).await;
    let accepted = ok(norths.accept_fulfilment(accepting(&draft, &[0, 1]))).await;
    assert_eq!(accepted.state(), ExpectationState::Accepted);

    trio.terms(an_hour_late()).await;
    let name = pair.opened("late", 0).await;
    house.pass(2 * HOUR);
    let id = ticket(NORTH_PSA, "late");
    let late = vec![opening("late-1", &id, -2 * HOUR, 1)];
    let taken = pair.ingest(&pair.north, late).await;
    assert_eq!(
        taken[0].outcome(),
        v1::IngestOutcome::AwaitingCountersignature
    );
    let mut wests = trio.west.connection.sla();
    let third = wests.countersign_event(countersigning(&name, "late-1"));
    refuses(&house, "NOT_YOUR_OFFER", third).await;
    let mut souths = pair.south.connection.sla();
    ok(souths.countersign_event(countersigning(&name, "late-1"))).await;
    house.stop().await;
}

/// Terms of two firms go on when a third one comes, between the two; it finds them as a proposal.
pub async fn terms_hold_between_those_who_agreed(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let terms = v1::Terms {
        exclusion_classes: vec![v1::ExclusionClass {
            class_id: "maintenance".to_owned(),
            display_name: "Planned maintenance".to_owned(),
            longest: Some(lasting(8 * HOUR)),
        }],
        ..Default::default()
    };
    pair.terms(terms).await;
    let before = pair.shown_to(&pair.north).await.terms.unwrap();
    let trio = Trio::of(&house, pair).await;
    let pair = &trio.pair;
    let shown = pair.shown_to(&trio.west).await;
    assert_eq!(shown.terms.as_ref(), Some(&before), "they go on");
    assert_eq!(shown.proposed_terms.as_ref(), Some(&before));

    let mut norths = pair.north.connection.sla();
    let request = pair.agreement_request("for-west", desk_for(pair, WEST));
    let proposed = ok(norths.create_agreement(request)).await;
    let approving = v1::ApproveAgreementRequest {
        name: proposed.name.clone(),
        hash: proposed.hash,
        ..Default::default()
    };
    for firm in [&pair.south, &trio.west] {
        ok(firm.connection.sla().approve_agreement(approving.clone())).await;
    }
    let excluding = async |id: &str, agreement: &str| {
        let name = pair.opened_under(id, agreement).await;
        let request = proposing(&name, exclusion(0, HOUR, "maintenance"));
        let shown = ok(pair.south.connection.sla().propose_amendment(request)).await;
        shown.amendments[0].state()
    };
    let own = format!("{}/agreements/desk", pair.name);
    let agreed = AmendmentState::Agreed;
    assert_eq!(excluding("1", &own).await, agreed);
    let waits = AmendmentState::Proposed;
    assert_eq!(
        excluding("2", &proposed.name).await,
        waits,
        "not against west"
    );
    let request = v1::ApproveTermsRequest {
        name: pair.name.clone(),
        hash: before.hash.clone(),
        ..Default::default()
    };
    let approved = ok(trio.west.connection.partnerships().approve_terms(request)).await;
    let terms = approved.terms.unwrap();
    let parties: Vec<_> = (terms.approvals.iter())
        .map(|approval| approval.party_id.as_str())
        .collect();
    assert_eq!(parties, [NORTH, SOUTH, WEST]);
    assert_eq!((terms.revision, &terms.hash), (1, &before.hash));
    assert!(approved.proposed_terms.is_none());
    assert_eq!(excluding("3", &proposed.name).await, agreed);
    house.stop().await;
}

impl Pair {
    /// A draft of north, to be kept by south, by name.
    pub async fn to_south(&self) -> String {
        let mut request = self.draft_request(five_w(48));
        if let Some(expectation) = &mut request.expectation {
            SOUTH.clone_into(&mut expectation.obligor);
        }
        let mut expectations = self.north.connection.expectations();
        ok(expectations.create_expectation(request)).await.name
    }

    /// A ticket of north under an agreement, open since the beginning.
    pub async fn opened_under(&self, id: &str, agreement: &str) -> String {
        let event = v1::TicketEvent {
            agreement: agreement.to_owned(),
            ..opening("e1", &ticket(NORTH_PSA, id), 0, 1)
        };
        let results = self.ingest(&self.north, vec![event]).await;
        assert_eq!(results[0].error, None);
        results[0].ticket.clone()
    }
}

impl Trio {
    /// Terms that all three approved.
    pub async fn terms(&self, terms: v1::Terms) {
        let request = v1::ProposeTermsRequest {
            name: self.pair.name.clone(),
            terms: Some(terms),
            ..Default::default()
        };
        let (north, south) = (&self.pair.north, &self.pair.south);
        let proposed = ok(north.connection.partnerships().propose_terms(request)).await;
        let hash = proposed.proposed_terms.unwrap().hash;
        let others: [&Firm; 2] = [south, &self.west];
        for firm in others {
            let request = v1::ApproveTermsRequest {
                name: self.pair.name.clone(),
                hash: hash.clone(),
                ..Default::default()
            };
            ok(firm.connection.partnerships().approve_terms(request)).await;
        }
    }
}
