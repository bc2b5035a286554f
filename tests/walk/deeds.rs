//! What can be done on a walk, and how it is asked.

use entente::domain::checkup::CheckupClauses;
use entente::domain::command::Action;
use entente::domain::commitment::Commitment;
use entente::domain::expectation::{
    CriterionEvidence, ExpectationCommand, FiveW, How, ImpactScope, Severity, What, When, Where,
    Who as Affected, WorkShown,
};
use entente::domain::firm::FirmCommand;
use entente::domain::identity::{FirmId, PartyId, ScopeId};
use entente::domain::notice::{NoticeCommand, NoticeDraft, NoticeKind, NoticePart, Plan};
use entente::domain::partnership::clauses::PricingClauses;
use entente::domain::partnership::ending::EndAsked;
use entente::domain::partnership::terms::{FUTURE_TOLERANCE_DEFAULT, TermsContent, TermsProposed};
use entente::domain::partnership::{PartnershipCommand, PartnershipOpening, Role};
use entente::domain::record::Kind;
use entente::domain::time::{Span, Timestamp};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::expectation::ExpectationLife;
use super::rules::Rules;

/// Most draws for a move that leads on.
const DRAWS: usize = 12;
/// Moves before Borealis may join, so that there is time to assert something.
const ALONE: usize = 60;
/// Moves before it may end.
const TOGETHER: usize = 400;

/// Who walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Begins the partnership; party 1.
    Acme,
    /// May join it; party 2 then.
    Borealis,
    /// Has nothing to do with it.
    Cargo,
}

impl Who {
    pub fn firm(self) -> FirmId {
        let id = match self {
            Self::Acme => "acme",
            Self::Borealis => "borealis",
            Self::Cargo => "cargo",
        };
        FirmId::parse(id).unwrap()
    }
}

/// What somebody does to the partnership.
#[derive(Clone, Copy, Debug)]
pub enum PartnershipDeed {
    /// Invites with the code of that number, for so many hours; none is too few.
    Invite { number: usize, hours: i64 },
    /// Shows the code of that number.
    Join { number: usize },
    /// Proposes that offers stand for so many hours.
    Propose { offer_hours: i64 },
    /// Approves just that.
    Approve { offer_hours: i64 },
    /// Ends it.
    End,
}

/// What somebody does to an expectation.
#[derive(Clone, Copy, Debug)]
pub enum ExpectationDeed {
    Draft { obligor: usize, deadline: Timestamp },
    Update { deadline: Timestamp },
    Offer,
    Counter { deadline: Timestamp },
    Agree { number: usize },
    Decline,
    Contest,
    Withdraw,
    Fulfil,
    Accept,
    Dispute,
}

/// What somebody does to a notice.
#[derive(Clone, Copy, Debug)]
pub enum NoticeDeed {
    Give {
        is_confirmed: bool,
        is_planned: bool,
    },
    Move,
    Confirm,
    Mark,
    Complete,
    Recall,
}

/// What is done, to which record.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    Partnership(PartnershipDeed),
    Expectation(usize, ExpectationDeed),
    Notice(usize, NoticeDeed),
}

/// One move.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    pub who: Who,
    pub deed: Deed,
}

fn text(label: &str) -> Commitment {
    Commitment::of(label, "some words", &[7; 16])
}

fn digest(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text))
}

fn expectation_id(number: usize) -> String {
    format!("expectation-{number}")
}

fn notice_id(number: usize) -> String {
    format!("notice-{number}")
}

/// The operator and the three firms.
pub fn registrations() -> Vec<Action> {
    let firms = [Who::Acme, Who::Borealis, Who::Cargo].map(Who::firm);
    std::iter::once(FirmId::operator())
        .chain(firms)
        .map(|firm| {
            let display_name = format!("The firm {firm}");
            Action::Firm(FirmCommand::Register { firm, display_name })
        })
        .collect()
}

/// Acme begins a partnership.
pub fn opening() -> Action {
    Action::Firm(FirmCommand::OpenPartnership(PartnershipOpening {
        display_name: "Together".to_owned(),
        firm_display_name: "Acme".to_owned(),
        role: Role::Prime,
        partner_display_name: "The others".to_owned(),
        partner_role: Role::Sub,
        external_reference: None,
    }))
}

fn terms(offer_hours: i64) -> TermsContent {
    TermsContent {
        text: None,
        shares: Vec::new(),
        offer_validity: Span::from_hours(offer_hours),
        future_tolerance: FUTURE_TOLERANCE_DEFAULT,
        lateness_window: None,
        exclusion_classes: Vec::new(),
        standing_consents: Vec::new(),
        notice_lead_times: Vec::new(),
        pricing_clauses: PricingClauses::default(),
        checkup_clauses: CheckupClauses::default(),
    }
}

fn five_w(deadline: Timestamp) -> FiveW {
    FiveW {
        who: Affected {
            scope: Some(ImpactScope::Team),
            people_count: Some(4),
            description: None,
        },
        what: What {
            severity: Some(Severity::Stopped),
            cost_per_hour: None,
            description: None,
        },
        when: When {
            deadline: Some(deadline),
            reason: None,
            update_interval: None,
        },
        r#where: Where {
            place: None,
            site: None,
        },
        how: How {
            criteria: vec![text("expectation.how.criterion")],
        },
    }
}

/// Draws the next move: of six, two may be anything; three lead on if some of a few draws does, so
/// that walks get somewhere; one is what would lead on if it were the other firm's to do.
pub fn draw(rng: &mut ChaCha8Rng, rules: &Rules, now: Timestamp) -> Move {
    let first = any(rng, rules, now);
    let way = rng.random_range(0..6);
    if way < 2 {
        return first;
    }
    // Invitations, terms and ends come often enough.
    let counts = |step: &Move| match step.deed {
        Deed::Partnership(deed) => matches!(deed, PartnershipDeed::Join { .. }),
        _ => true,
    };
    let leads_on = |step: &Move| counts(step) && rules.clone().take(step, now).is_ok();
    let mut more = (0..DRAWS).map(|_| any(rng, rules, now));
    let step = more.find(leads_on).unwrap_or(first);
    match step.who {
        Who::Acme if way == 5 => Move {
            who: Who::Borealis,
            ..step
        },
        Who::Borealis if way == 5 => Move {
            who: Who::Acme,
            ..step
        },
        _ => step,
    }
}

fn any(rng: &mut ChaCha8Rng, rules: &Rules, now: Timestamp) -> Move {
    let who = match rng.random_range(0..20) {
        0 => Who::Cargo,
        1..11 => Who::Acme,
        _ => Who::Borealis,
    };
    let deed = match rng.random_range(0..20) {
        0..3 => Deed::Partnership(partnership_deed(rng, rules, who)),
        3..15 => {
            let number = rules.any(Kind::Expectation, rng, now);
            Deed::Expectation(number, expectation_deed(rng, rules, number, now))
        }
        _ => Deed::Notice(rules.any(Kind::Notice, rng, now), notice_deed(rng)),
    };
    Move { who, deed }
}

fn partnership_deed(rng: &mut ChaCha8Rng, rules: &Rules, who: Who) -> PartnershipDeed {
    let out = rules.partnership.invitation.map_or(0, |(number, _)| number);
    let proposed = rules.partnership.proposed.map(|terms| terms.offer_hours);
    match rng.random_range(0..200) {
        0..40 => PartnershipDeed::Invite {
            number: out + 1,
            hours: rng.random_range(0..40),
        },
        // A stranger never gets hold of a good code.
        40..90 if who == Who::Cargo || rules.moves < ALONE || rng.random_ratio(1, 3) => {
            PartnershipDeed::Join { number: out + 7 }
        }
        40..90 => PartnershipDeed::Join { number: out },
        90..124 => PartnershipDeed::Propose {
            offer_hours: rng.random_range(12..90),
        },
        124..158 => PartnershipDeed::Approve {
            offer_hours: proposed
                .filter(|_| rng.random_ratio(3, 4))
                .unwrap_or_else(|| rng.random_range(90..99)),
        },
        158..170 if rules.moves > TOGETHER => PartnershipDeed::End,
        _ => PartnershipDeed::Invite {
            number: out + 1,
            hours: 300,
        },
    }
}

fn expectation_deed(
    rng: &mut ChaCha8Rng,
    rules: &Rules,
    number: usize,
    now: Timestamp,
) -> ExpectationDeed {
    let life = rules.expectations.get(number).and_then(Option::as_ref);
    let offers = life.map_or(0, ExpectationLife::offers);
    let earliest = if rng.random_ratio(1, 10) { -60 } else { 1 };
    let deadline = now.saturating_add(Span::from_minutes(rng.random_range(earliest..4_000)));
    match rng.random_range(0..100) {
        0..10 => ExpectationDeed::Draft {
            obligor: rng.random_range(1..=2),
            deadline,
        },
        10..18 => ExpectationDeed::Update { deadline },
        18..37 => ExpectationDeed::Offer,
        37..43 => ExpectationDeed::Withdraw,
        43..56 => ExpectationDeed::Counter { deadline },
        56..67 => ExpectationDeed::Agree {
            number: if rng.random_ratio(1, 3) {
                offers + 1
            } else {
                offers
            },
        },
        67..72 => ExpectationDeed::Decline,
        72..78 => ExpectationDeed::Contest,
        78..85 => ExpectationDeed::Fulfil,
        85..93 => ExpectationDeed::Accept,
        _ => ExpectationDeed::Dispute,
    }
}

fn notice_deed(rng: &mut ChaCha8Rng) -> NoticeDeed {
    match rng.random_range(0..30) {
        0..10 => NoticeDeed::Give {
            is_confirmed: rng.random_ratio(1, 3),
            is_planned: rng.random_ratio(2, 3),
        },
        10..15 => NoticeDeed::Move,
        15..19 => NoticeDeed::Confirm,
        19..24 => NoticeDeed::Mark,
        24..27 => NoticeDeed::Complete,
        _ => NoticeDeed::Recall,
    }
}

impl Move {
    /// The deed's name, as the answers that must be seen call it.
    pub fn deed_name(&self) -> String {
        let shown = match self.deed {
            Deed::Partnership(deed) => format!("{deed:?}"),
            Deed::Expectation(_, deed) => format!("{deed:?}"),
            Deed::Notice(_, deed) => format!("{deed:?}"),
        };
        let name = shown.split([' ', '{']).next();
        name.unwrap_or_default().to_owned()
    }

    /// The record that it is about; `None` for the partnership.
    pub fn record(&self) -> Option<(Kind, String)> {
        match self.deed {
            Deed::Partnership(_) => None,
            Deed::Expectation(number, _) => Some((Kind::Expectation, expectation_id(number))),
            Deed::Notice(number, _) => Some((Kind::Notice, notice_id(number))),
        }
    }

    /// What the ledger is asked.
    pub fn action(&self, scope: &ScopeId, now: Timestamp) -> Action {
        match self.deed {
            Deed::Partnership(deed) => Action::Partnership(partnership_action(deed, scope)),
            Deed::Expectation(number, deed) => {
                Action::Expectation(expectation_action(expectation_id(number), deed))
            }
            Deed::Notice(number, deed) => {
                Action::Notice(notice_action(notice_id(number), deed, now))
            }
        }
    }
}

fn partnership_action(deed: PartnershipDeed, scope: &ScopeId) -> PartnershipCommand {
    match deed {
        PartnershipDeed::Invite { number, hours } => PartnershipCommand::Invite {
            party: None,
            invited: None,
            digest: digest(&format!("{scope} {number}")),
            validity: Span::from_hours(hours),
        },
        PartnershipDeed::Join { number } => PartnershipCommand::Join {
            digest: digest(&format!("{scope} {number}")),
            display_name: "Borealis".to_owned(),
        },
        PartnershipDeed::Propose { offer_hours } => {
            PartnershipCommand::ProposeTerms(terms(offer_hours))
        }
        PartnershipDeed::Approve { offer_hours } => PartnershipCommand::ApproveTerms {
            hash: TermsProposed::new(PartyId::numbered(1), terms(offer_hours)).hash,
        },
        PartnershipDeed::End => PartnershipCommand::End(EndAsked::default()),
    }
}

fn expectation_action(id: String, deed: ExpectationDeed) -> ExpectationCommand {
    match deed {
        ExpectationDeed::Draft { obligor, deadline } => ExpectationCommand::Create {
            id: Some(id),
            title: None,
            five_w: five_w(deadline),
            obligor: PartyId::numbered(obligor),
            client: None,
            agreement: None,
            reference: None,
        },
        ExpectationDeed::Update { deadline } => ExpectationCommand::Update {
            id,
            title: None,
            five_w: five_w(deadline),
        },
        ExpectationDeed::Offer => ExpectationCommand::Offer {
            id,
            message: None,
            acknowledges_impossible: false,
        },
        ExpectationDeed::Counter { deadline } => ExpectationCommand::Counter {
            id,
            offer_number: None,
            five_w: five_w(deadline),
            message: None,
            acknowledges_impossible: false,
        },
        ExpectationDeed::Agree { number } => ExpectationCommand::Agree {
            id,
            offer_number: number.try_into().unwrap(),
            acknowledges_impossible: false,
        },
        ExpectationDeed::Decline => ExpectationCommand::Decline { id, reason: None },
        ExpectationDeed::Contest => ExpectationCommand::Contest {
            id,
            reason: Some(text("expectation.reason")),
        },
        ExpectationDeed::Withdraw => ExpectationCommand::Withdraw { id, reason: None },
        ExpectationDeed::Fulfil => ExpectationCommand::Fulfil {
            id,
            message: None,
            shown: WorkShown::default(),
        },
        ExpectationDeed::Accept => ExpectationCommand::AcceptFulfilment {
            id,
            shown: WorkShown {
                evidence: Vec::new(),
                criteria: vec![CriterionEvidence {
                    index: 0,
                    evidence: Vec::new(),
                    note: None,
                }],
            },
            on_behalf_of_client: false,
            message: None,
        },
        ExpectationDeed::Dispute => ExpectationCommand::DisputeFulfilment {
            id,
            reason: Some(text("expectation.reason")),
            criteria: Vec::new(),
        },
    }
}

fn notice_action(id: String, deed: NoticeDeed, now: Timestamp) -> NoticeCommand {
    let later = now.saturating_add(Span::from_hours(48));
    match deed {
        NoticeDeed::Give {
            is_confirmed,
            is_planned,
        } => NoticeCommand::Create {
            id: Some(id),
            draft: NoticeDraft {
                kind: NoticeKind::GoLive,
                title: None,
                details: None,
                plan: Plan {
                    planned_at: is_planned.then_some(later),
                    ..Plan::default()
                },
                client: None,
                checklist: vec![text("notice.checklist")],
            },
            is_confirmed,
            reference: None,
        },
        NoticeDeed::Move => NoticeCommand::Update {
            id,
            parts: vec![NoticePart::PlannedAt(Some(later))],
        },
        NoticeDeed::Confirm => NoticeCommand::Confirm {
            id,
            planned_at: Some(later),
        },
        NoticeDeed::Mark => NoticeCommand::MarkItem {
            id,
            number: 1,
            is_done: true,
        },
        NoticeDeed::Complete => NoticeCommand::Complete { id, message: None },
        NoticeDeed::Recall => NoticeCommand::Withdraw { id, reason: None },
    }
}
