//! Commands, decisions, and the one function that leads from one to the other.

use std::sync::Arc;

use super::carry::{self, CarryOutcome};
use super::checkup_note::{self, NoteCommand};
use super::claim::{self, ClaimCommand};
use super::commitment::{Commitment, Opening};
use super::contact::{self, ContactCommand};
use super::cosignature::{self, CosignCommand};
use super::custody::exit_drill::{self, RunExitDrill};
use super::custody::item::{self, CustodyCommand};
use super::custody::request::{self, RequestCommand};
use super::custody::stake::{self, StakeCommand};
use super::expectation::{self, ExpectationCommand};
use super::firm::{self, FirmCommand};
use super::follow::follow;
use super::format::{self, Format};
use super::guest_link::{self, GuestLinkCommand, GuestLinkUse};
use super::identity::{ExternalReference, FirmId, ScopeId};
use super::improvement::{self, ImprovementCommand};
use super::interaction::{self, InteractionCommand};
use super::journal::Hash;
use super::need::{self, NeedCommand};
use super::notice::{self, NoticeCommand};
use super::opportunity::{self, OpportunityCommand};
use super::outsiders::{self, OutsiderCommand};
use super::partnership::ending::{self, Closing};
use super::partnership::{self, PartnershipCommand};
use super::pricing::booking::{self, BookPeriod};
use super::pricing::quote::sale::{self, SaleCommand};
use super::pricing::quote::{self, QuoteCommand};
use super::pricing::settlement::{self, SettlementCommand};
use super::progress;
use super::record::{Event, Kind, RecordKey};
use super::redaction::{self, RedactCommand};
use super::reference::{Reference, ReferenceEvent};
use super::refusal::{Reason, Refusal};
use super::remedy_plan::{self, PlanCommand};
use super::restoration;
use super::shared_goal::{self, GoalCommand};
use super::signing::{self, SigningCommand};
use super::sla::agreement::{self, AgreementCommand, Refresh};
use super::sla::combination::{self, CombinationCommand};
use super::sla::link::{self, LinkCommand};
use super::sla::settings::{self, SettingsCommand};
use super::sla::ticket::{self, TicketCommand};
use super::subscription::{self, DisableReason, SubscriptionCommand};
use super::update::{self, PostUpdate};
use super::webhook::{self, WebhookCommand};
use super::world::{Stop, View};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Of a firm's scope.
    Firm(FirmCommand),
    /// To write bodies and events in a newer format.
    ActivateFormat(Format),
    /// Of a firm's signing keys.
    Signing(SigningCommand),
    /// Of a firm's webhook endpoints.
    Webhook(WebhookCommand),
    /// Of a firm's subscriptions.
    Subscription(SubscriptionCommand),
    /// Of a partnership.
    Partnership(PartnershipCommand),
    /// Of what a firm wrote and wants to have erased.
    Redact(RedactCommand),
    /// To keep a firm's signature of a checkpoint.
    Cosign(CosignCommand),
    /// Of its clients and outside parties.
    Outsider(OutsiderCommand),
    /// Of its parties' contacts.
    Contact(ContactCommand),
    /// Of a guest link.
    GuestLink(GuestLinkCommand),
    /// A guest answers by a link; without a firm, if the guest stands in a placeholder's place.
    UseGuestLink(GuestLinkUse),
    /// Of an expectation.
    Expectation(ExpectationCommand),
    /// To tell how something stands.
    Update(Box<PostUpdate>),
    /// Of a notice.
    Notice(NoticeCommand),
    /// Of a claim.
    Claim(ClaimCommand),
    /// Of a need.
    Need(NeedCommand),
    /// Of an opportunity.
    Opportunity(OpportunityCommand),
    /// Of what parties do with each other beside their daily work.
    Interaction(InteractionCommand),
    /// Of a shared goal.
    SharedGoal(GoalCommand),
    /// Of an improvement.
    Improvement(ImprovementCommand),
    /// Of what a party holds for others.
    Custody(CustodyCommand),
    /// Of a request to hand that over.
    HandOver(RequestCommand),
    /// Of what parties tell of their gains.
    Stake(StakeCommand),
    /// To run a drill for a client's leaving.
    ExitDrill(RunExitDrill),
    /// Of a remedy plan.
    RemedyPlan(PlanCommand),
    /// Of a note on the check-up.
    CheckupNote(NoteCommand),
    /// Of calendars, status maps and priority maps.
    Settings(SettingsCommand),
    /// Of calendars that are made of others.
    Combination(CombinationCommand),
    /// Of an agreement.
    Agreement(AgreementCommand),
    /// Of a ticket.
    Ticket(TicketCommand),
    /// Of a link of two tickets.
    TicketLink(LinkCommand),
    /// Of a joint quote.
    Quote(QuoteCommand),
    /// Of what became of a joint quote.
    Sale(SaleCommand),
    /// To book a period of a joint quote that was won.
    BookPeriod(BookPeriod),
    /// Of a settlement statement.
    Settlement(SettlementCommand),
    /// Disables a subscription whose target does not take what is posted.
    DisableSubscription {
        /// Which subscription.
        id: String,
        /// Why.
        reason: DisableReason,
    },
    /// Notes how work carried to another scope went.
    SettleCarry {
        /// Which carry.
        id: String,
        /// How it went.
        outcome: CarryOutcome,
    },
    /// Terms of a ticket have changed: when is it to be looked at next?
    RefreshTicket {
        /// Which ticket.
        id: String,
    },
    /// Notes how far the refresh of open tickets after a repin has come.
    NoteRefresh {
        /// Of which agreement.
        id: String,
        /// How far it had come before; `None` at its beginning.
        before: Option<Refresh>,
        /// How far it has come.
        reached: Refresh,
        /// Whether no ticket is left.
        is_done: bool,
    },
    /// A partnership is over: what becomes of a record of it?
    CloseRecord {
        /// Of what kind.
        kind: Kind,
        /// Which record.
        id: String,
    },
    /// Notes how far the closing of records after the end has come.
    NoteClosing {
        /// How far it had come before.
        before: Closing,
        /// How far it has come.
        reached: Closing,
    },
    /// The database was restored: tells so in the scope's journal.
    TellRestored,
    /// Time has passed: does something happen by itself?
    Tick {
        /// To what kind of record.
        kind: Kind,
        /// To which record.
        id: String,
    },
}

/// A request to change something, with all that is needed to decide and to journal it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Where.
    pub scope: ScopeId,
    /// On whose behalf; `None` for what the service does by itself.
    pub firm: Option<FirmId>,
    /// By which credential; empty for the service itself.
    pub actor: String,
    /// In which software the change was made, as the caller says.
    pub origin: String,
    /// The caller's id of the request, or one made for it.
    pub request_id: String,
    /// Keyed digest of the request, to notice another one under the same id.
    pub digest: Hash,
    /// The revision that the caller saw, where it said so.
    pub expected_revision: Option<u64>,
    /// What is asked.
    pub action: Action,
    /// Openings of the commitments in `action`, stored if the command is accepted.
    pub openings: Vec<Opening>,
}

/// What an accepted command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The record that the command was about: what the answer shows.
    pub subject: (Kind, String),
    /// What happened, in order; none where nothing had to change.
    pub events: Vec<Event>,
    /// New external references.
    pub references: Vec<(ExternalReference, Kind, String)>,
    /// Time zone data pinned: digest and `TZif` bytes.
    pub zones: Vec<(String, Arc<[u8]>)>,
    /// Commitments whose openings are erased.
    pub erased: Vec<Commitment>,
    /// What the caller is told beside the record; a word such as `parked`, or nothing.
    pub note: &'static str,
    /// Which of the events the receipt names, by its index; `None` for the last one.
    pub receipt_of: Option<usize>,
    /// Where the same was carried out before, if it was; then nothing happened now.
    pub repeat: Option<Repeat>,
}

/// The entry that carried out a command when it came for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Its sequence in the scope.
    pub sequence: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Decision {
    /// A decision about a record in which nothing has happened yet.
    #[must_use]
    pub fn about(kind: Kind, id: impl Into<String>) -> Self {
        Self {
            subject: (kind, id.into()),
            events: Vec::new(),
            references: Vec::new(),
            zones: Vec::new(),
            erased: Vec::new(),
            note: "",
            receipt_of: None,
            repeat: None,
        }
    }

    /// Adds an event.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Adds an external reference, and the event that journals it.
    #[must_use]
    pub fn reference(mut self, reference: ExternalReference, kind: Kind, id: &str) -> Self {
        let added = Reference {
            reference: reference.clone(),
            kind: kind.as_str().to_owned(),
            id: id.to_owned(),
        };
        let reference_id = Reference::id_of(&reference, kind.as_str());
        self.events
            .push(Event::new(reference_id, ReferenceEvent::Added(added)));
        self.references.push((reference, kind, id.to_owned()));
        self
    }
}

/// Decides a command: the events that it leads to, a refusal, or what has to be loaded first.
///
/// # Errors
/// [`Stop::Refused`] or [`Stop::Missing`]; nothing has changed in either case.
pub fn decide(command: &Command, view: &View<'_>) -> Result<Decision, Stop> {
    let decision = decide_action(command, view)?;
    let decision = follow(decision, (command.firm.as_ref(), &command.actor), view)?;
    check_revision(command, &decision, view)?;
    Ok(decision)
}

fn decide_action(command: &Command, view: &View<'_>) -> Result<Decision, Stop> {
    if let Some(decided) = decide_unattended(command, view) {
        return decided;
    }
    let Some(firm) = &command.firm else {
        return Err(Refusal::new(Reason::Internal, "a command without a firm").into());
    };
    match &command.action {
        Action::Firm(action) => firm::decide(action, firm, view),
        Action::ActivateFormat(asked) => format::activate(*asked, firm, view),
        Action::Signing(action) => signing::decide(action, firm, view),
        Action::Webhook(action) => webhook::decide(action, view),
        Action::Subscription(action) => subscription::decide(action, view),
        Action::Partnership(action) => partnership::decide(action, firm, view),
        Action::Cosign(action) => cosignature::decide(action, firm, view),
        Action::Redact(action) => redaction::decide(action, firm, view),
        Action::Outsider(action) => outsiders::decide(action, firm, view),
        Action::Contact(action) => contact::decide(action, firm, view),
        Action::GuestLink(action) => guest_link::decide(action, firm, view),
        Action::Expectation(action) => expectation::decide(action, firm, view),
        Action::Update(post) => update::decide(post, firm, view),
        Action::Notice(action) => notice::decide(action, firm, view),
        Action::Claim(action) => claim::decide(action, firm, view),
        Action::Need(action) => need::decide(action, firm, view),
        Action::Opportunity(action) => opportunity::decide(action, firm, view),
        Action::Interaction(action) => interaction::decide(action, firm, view),
        Action::SharedGoal(action) => shared_goal::decide(action, firm, view),
        Action::Improvement(action) => improvement::decide(action, firm, view),
        Action::Custody(action) => item::decide(action, firm, view),
        Action::HandOver(action) => request::decide(action, firm, view),
        Action::Stake(action) => stake::decide(action, firm, view),
        Action::ExitDrill(asked) => exit_drill::decide(asked, firm, view),
        Action::RemedyPlan(action) => remedy_plan::decide(action, firm, view),
        Action::CheckupNote(action) => checkup_note::decide(action, firm, view),
        Action::Settings(action) => settings::decide(action, firm, view),
        Action::Combination(action) => combination::decide(action, firm, view),
        Action::Agreement(action) => agreement::decide(action, firm, view),
        Action::Ticket(action) => ticket::decide(action, firm, view),
        Action::TicketLink(action) => link::decide(action, firm, view),
        Action::Quote(action) => quote::decide(action, firm, view),
        Action::Sale(action) => sale::decide(action, firm, view),
        Action::BookPeriod(asked) => booking::decide(asked, firm, view),
        Action::Settlement(action) => settlement::decide(action, firm, view),
        Action::SettleCarry { .. }
        | Action::DisableSubscription { .. }
        | Action::UseGuestLink(_)
        | Action::RefreshTicket { .. }
        | Action::NoteRefresh { .. }
        | Action::CloseRecord { .. }
        | Action::NoteClosing { .. }
        | Action::TellRestored
        | Action::Tick { .. } => Err(Refusal::new(Reason::Internal, "decided above").into()),
    }
}

/// What the service does by itself, and what a guest does; `None` for what a firm asks for.
fn decide_unattended(command: &Command, view: &View<'_>) -> Option<Result<Decision, Stop>> {
    let decided = match &command.action {
        Action::SettleCarry { id, outcome } => carry::settle(id, outcome, view),
        Action::Tick { kind, id } => tick(*kind, id, view),
        Action::DisableSubscription { id, reason } => subscription::disable(id, *reason, view),
        Action::RefreshTicket { id } => ticket::refresh(id, view),
        Action::TellRestored => restoration::restored(view),
        Action::UseGuestLink(answer) => guest_link::answer(answer, command.firm.as_ref(), view),
        Action::CloseRecord { kind, id } => ending::close_record(*kind, id, view),
        Action::NoteClosing { before, reached } => ending::note_closing(before, reached, view),
        Action::NoteRefresh {
            id,
            before,
            reached,
            is_done,
        } => agreement::note_refresh(id, before.as_ref(), reached, *is_done, view),
        _ => return None,
    };
    Some(decided)
}

fn tick(kind: Kind, id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    match kind {
        Kind::Expectation => expectation::tick(id, view),
        Kind::Progress => progress::tick(id, view),
        Kind::Need => need::tick(id, view),
        Kind::HandOverRequest => request::tick(id, view),
        Kind::Ticket => ticket::tick(id, view),
        Kind::UnmappedWord => ticket::tick_word(id, view),
        Kind::WaitingList => ticket::tick_list(id, view),
        Kind::JointQuote => quote::tick(id, view),
        _ => Ok(Decision::about(kind, id)),
    }
}

/// The caller's etag counts against the record as it was before the command.
fn check_revision(command: &Command, decision: &Decision, view: &View<'_>) -> Result<(), Stop> {
    let Some(expected) = command.expected_revision else {
        return Ok(());
    };
    let (kind, id) = &decision.subject;
    let key = RecordKey::new(view.scope, *kind, id.as_str());
    let current = view
        .world
        .versioned(&key)
        .map(|versioned| versioned.revision);
    if current.is_none_or(|current| current == expected) {
        return Ok(());
    }
    Err(
        Refusal::new(Reason::EtagMismatch, "the record changed since it was read")
            .with("etag", format!("\"{}\"", current.unwrap_or_default()))
            .into(),
    )
}
