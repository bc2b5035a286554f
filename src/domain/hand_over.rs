//! What is open in a partnership: what somebody would have to take over if a firm left or everything
//! ended now.

use super::custody::item::{CustodyItem, CustodyState, Owner};
use super::custody::request::{HandOverRequest, RequestState};
use super::expectation::{Expectation, ExpectationState};
use super::identity::PartyId;
use super::improvement::{Improvement, ImprovementState};
use super::interaction::activity::{Activity, ActivityState};
use super::need::{Answer, Need};
use super::notice::Notice;
use super::opportunity::{Opportunity, OpportunityState};
use super::partnership::{Approval, Partnership, Party};
use super::pricing::quote::JointQuote;
use super::pricing::settlement::{LineState, SettlementStatement, StatementState};
use super::record::{Kind, Record};
use super::shared_goal::{GoalState, SharedGoal};
use super::sla::agreement::{Agreement, AgreementState};
use super::sla::clock::TicketEvaluation;
use super::sla::ticket::Ticket;
use super::sla::ticket::amendment::AmendmentState;
use super::time::Timestamp;

/// The sorts of records that may be open, in the order in which they are listed.
pub const KINDS: [Kind; 14] = [
    Kind::Expectation,
    Kind::Notice,
    Kind::Need,
    Kind::Opportunity,
    Kind::Ticket,
    Kind::Agreement,
    Kind::JointQuote,
    Kind::SettlementStatement,
    Kind::CustodyItem,
    Kind::HandOverRequest,
    Kind::Activity,
    Kind::SharedGoal,
    Kind::Improvement,
    Kind::Contact,
];

/// What is open about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMatter {
    /// An expectation that is neither accepted nor over.
    Expectation,
    /// A notice of something that is still ahead.
    Notice,
    /// A need that no claim meets.
    Need,
    /// An opportunity that is still ahead.
    Opportunity,
    /// A limitation that is put up with until it is looked at again.
    Limitation,
    /// A ticket with clocks that are to be kept.
    Ticket,
    /// An amendment of a ticket that waits for approval.
    Amendment,
    /// An agreement in force.
    Agreement,
    /// An agreement, or a revision of one, that waits for approval.
    ProposedAgreement,
    /// A quote with a concession that waits for an answer.
    Quote,
    /// A settlement statement that is not settled yet.
    Settlement,
    /// Something that a party holds for a client or another party.
    CustodyItem,
    /// A request to hand such things over.
    HandOverRequest,
    /// Something to which a party invited others, and which is still ahead.
    Activity,
    /// A goal that the parties want to reach, or are asked whether they do.
    SharedGoal,
    /// An improvement that is to be done, or to be looked at by another party.
    Improvement,
    /// Somebody whom a party named to be turned to.
    Contact,
}

/// Something open, who has it, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOverItem {
    /// What is open.
    pub matter: OpenMatter,
    /// The amendment's id within its ticket, for an amendment.
    pub amendment: Option<String>,
    /// Whose turn it is.
    pub parties: Vec<PartyId>,
    /// Until when, if there is an instant.
    pub until: Option<Timestamp>,
}

impl HandOverItem {
    const fn new(matter: OpenMatter, parties: Vec<PartyId>, until: Option<Timestamp>) -> Self {
        Self {
            matter,
            amendment: None,
            parties,
            until,
        }
    }
}

/// What is open about a record at `now`; nothing for a record that is done with. Of a ticket only
/// the amendments: [`of_clocks`] says the rest.
#[must_use]
pub fn of_record(record: &Record, partnership: &Partnership, now: Timestamp) -> Vec<HandOverItem> {
    match record {
        Record::Expectation(expectation) => of_expectation(expectation, now).into_iter().collect(),
        Record::Notice(notice) => of_notice(notice).into_iter().collect(),
        Record::Need(need) => of_need(need),
        Record::Opportunity(opportunity) => of_opportunity(opportunity).into_iter().collect(),
        Record::Ticket(ticket) => of_amendments(ticket, partnership),
        Record::Agreement(agreement) => of_agreement(agreement, partnership),
        Record::JointQuote(quote) => of_quote(quote, partnership, now).into_iter().collect(),
        Record::SettlementStatement(statement) => of_statement(statement).into_iter().collect(),
        Record::Activity(activity) => of_activity(activity).into_iter().collect(),
        Record::SharedGoal(goal) => of_goal(goal, partnership).into_iter().collect(),
        Record::Improvement(improvement) => of_improvement(improvement, partnership)
            .into_iter()
            .collect(),
        Record::CustodyItem(item) => of_custody(item).into_iter().collect(),
        Record::HandOverRequest(request) => of_request(request).into_iter().collect(),
        Record::Contact(contact) if !contact.is_deleted => {
            let parties = vec![contact.party.clone()];
            vec![HandOverItem::new(OpenMatter::Contact, parties, None)]
        }
        _ => Vec::new(),
    }
}

/// The ticket itself, if the clocks of `obligor` are still to be kept: until the first of their
/// deadlines, also a missed one.
#[must_use]
pub fn of_clocks(obligor: &PartyId, clocks: &TicketEvaluation) -> Option<HandOverItem> {
    let mut alive = clocks
        .clocks
        .iter()
        .filter(|clock| clock.state.is_alive())
        .peekable();
    alive.peek()?;
    let until = alive.filter_map(|clock| clock.due_at).min();
    let parties = vec![obligor.clone()];
    Some(HandOverItem::new(OpenMatter::Ticket, parties, until))
}

fn of_expectation(expectation: &Expectation, now: Timestamp) -> Option<HandOverItem> {
    use ExpectationState as State;
    let last = expectation.offers.last();
    let answered_by = last.map_or(&expectation.obligor, |offer| {
        if offer.party == expectation.requester {
            &expectation.obligor
        } else {
            &expectation.requester
        }
    });
    let (party, until) = match expectation.state_at(now) {
        State::Asserted | State::Offered | State::Countered => {
            (answered_by, last.and_then(|offer| offer.expires_at))
        }
        State::Agreed | State::Missed | State::Disputed => {
            (&expectation.obligor, expectation.deadline())
        }
        State::Draft | State::Fulfilled => (&expectation.requester, expectation.deadline()),
        State::Accepted
        | State::Declined
        | State::Withdrawn
        | State::Expired
        | State::Contested
        | State::Closed => return None,
    };
    let parties = vec![party.clone()];
    Some(HandOverItem::new(OpenMatter::Expectation, parties, until))
}

/// Until everybody answered it is the turn of those who have not, and then of whoever invited.
fn of_activity(activity: &Activity) -> Option<HandOverItem> {
    let invitation = &activity.invitation;
    let parties = match activity.state {
        ActivityState::Invited => {
            let silent =
                |party: &&PartyId| !activity.answers.iter().any(|own| own.invited == **party);
            invitation.invited.iter().filter(silent).cloned().collect()
        }
        ActivityState::Accepted => vec![invitation.inviter.clone()],
        ActivityState::Declined
        | ActivityState::Held
        | ActivityState::Cancelled
        | ActivityState::Closed => return None,
    };
    let until = Some(invitation.planned_at);
    Some(HandOverItem::new(OpenMatter::Activity, parties, until))
}

fn of_goal(goal: &SharedGoal, partnership: &Partnership) -> Option<HandOverItem> {
    let parties = match goal.state {
        GoalState::Proposed => silent(&goal.approvals, partnership),
        GoalState::Agreed => vec![goal.owner.clone()],
        GoalState::Reached | GoalState::Missed | GoalState::Dropped | GoalState::Closed => {
            return None;
        }
    };
    Some(HandOverItem::new(
        OpenMatter::SharedGoal,
        parties,
        Some(goal.due),
    ))
}

/// What is done is for the other firms to look at.
fn of_improvement(improvement: &Improvement, partnership: &Partnership) -> Option<HandOverItem> {
    let created = &improvement.created;
    let (parties, until) = match improvement.state {
        ImprovementState::Open => (vec![created.owner.clone()], Some(created.due)),
        ImprovementState::Done => {
            let others = partnership
                .firms()
                .filter(|party| party.id != created.owner);
            (others.map(|party| party.id.clone()).collect(), None)
        }
        ImprovementState::Verified | ImprovementState::Dropped | ImprovementState::Closed => {
            return None;
        }
    };
    Some(HandOverItem::new(OpenMatter::Improvement, parties, until))
}

fn of_notice(notice: &Notice) -> Option<HandOverItem> {
    let until = notice.plan.planned_at.or(notice.plan.latest);
    let parties = vec![notice.giver.clone()];
    let item = HandOverItem::new(OpenMatter::Notice, parties, until);
    notice.state.is_open().then_some(item)
}

fn of_opportunity(opportunity: &Opportunity) -> Option<HandOverItem> {
    let parties = vec![opportunity.brought_by.clone()];
    let item = HandOverItem::new(OpenMatter::Opportunity, parties, None);
    (opportunity.state == OpportunityState::Open).then_some(item)
}

/// What a party has of its own it need not hand over.
fn of_custody(item: &CustodyItem) -> Option<HandOverItem> {
    let is_own = item.owner == Owner::Party(item.holder.clone());
    let is_open = item.state == CustodyState::Held && !is_own;
    let parties = vec![item.holder.clone()];
    is_open.then(|| HandOverItem::new(OpenMatter::CustodyItem, parties, None))
}

fn of_request(request: &HandOverRequest) -> Option<HandOverItem> {
    let asked = &request.asked;
    let (party, until) = match request.state {
        RequestState::Requested | RequestState::Withheld => (&asked.holder, Some(asked.due_at)),
        RequestState::Released => (&asked.party, None),
        RequestState::Received | RequestState::Withdrawn => return None,
    };
    let parties = vec![party.clone()];
    Some(HandOverItem::new(
        OpenMatter::HandOverRequest,
        parties,
        until,
    ))
}

fn of_need(need: &Need) -> Vec<HandOverItem> {
    if need.closed_at.is_some() {
        return Vec::new();
    }
    let asker = || vec![need.asked.asker.clone()];
    let mut items = Vec::new();
    if need.answer() != Answer::MetByClaim {
        items.push(HandOverItem::new(OpenMatter::Need, asker(), None));
    }
    let limitation = need.limitation.as_ref();
    if let Some(standing) = limitation.filter(|limitation| limitation.ended_at.is_none()) {
        let until = Some(standing.review_at);
        items.push(HandOverItem::new(OpenMatter::Limitation, asker(), until));
    }
    items
}

/// The firms whose approval is missing.
fn silent(approvals: &[Approval], partnership: &Partnership) -> Vec<PartyId> {
    let silent = |party: &&Party| !Approval::is_among(approvals, &party.id);
    let firms = partnership.firms().filter(silent);
    firms.map(|party| party.id.clone()).collect()
}

fn of_amendments(ticket: &Ticket, partnership: &Partnership) -> Vec<HandOverItem> {
    if ticket.closed_at.is_some() {
        return Vec::new();
    }
    let waiting = ticket
        .amendments
        .iter()
        .filter(|amendment| amendment.state() == AmendmentState::Proposed);
    let item = |parties| HandOverItem::new(OpenMatter::Amendment, parties, None);
    waiting
        .map(|amendment| HandOverItem {
            amendment: Some(amendment.id.clone()),
            ..item(silent(&amendment.approvals, partnership))
        })
        .collect()
}

fn of_agreement(agreement: &Agreement, partnership: &Partnership) -> Vec<HandOverItem> {
    let mut items = Vec::new();
    if agreement.state.is_in_force() {
        let parties = vec![agreement.content.obligor.clone()];
        items.push(HandOverItem::new(OpenMatter::Agreement, parties, None));
    }
    let proposed = match (agreement.state, &agreement.proposed) {
        (AgreementState::Proposed, _) => Some(&agreement.approvals),
        (state, Some(proposed)) if state.is_in_force() => Some(&proposed.approvals),
        _ => None,
    };
    let item = |parties| HandOverItem::new(OpenMatter::ProposedAgreement, parties, None);
    items.extend(proposed.map(|approvals| item(silent(approvals, partnership))));
    items
}

fn of_quote(quote: &JointQuote, partnership: &Partnership, now: Timestamp) -> Option<HandOverItem> {
    let open = quote.open_at(now)?;
    let parties = silent(&open.approvals, partnership);
    let until = Some(open.expires_at);
    Some(HandOverItem::new(OpenMatter::Quote, parties, until))
}

/// A statement outlives the partnership, since what is owed is owed. Drawing it up and paying it concern
/// both of its parties; in between whoever did not issue it answers, and the issuer resolves disputes.
fn of_statement(statement: &SettlementStatement) -> Option<HandOverItem> {
    let both = statement.pair.both().into_iter();
    let parties: Vec<PartyId> = match statement.state {
        StatementState::Settled => return None,
        StatementState::Draft | StatementState::Agreed => both.cloned().collect(),
        StatementState::Issued | StatementState::Disputed => {
            let issuer = statement.issued.as_ref().map(|issued| &issued.party);
            let has = |state| statement.lines.iter().any(|line| line.state == state);
            let is_turn = |party: &&PartyId| match issuer {
                Some(issuer) if *party == issuer => has(LineState::Disputed),
                _ => has(LineState::Open),
            };
            both.filter(is_turn).cloned().collect()
        }
    };
    Some(HandOverItem::new(OpenMatter::Settlement, parties, None))
}
