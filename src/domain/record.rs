//! The list of all aggregates: their kinds, and one enum each over their states and events.

use super::aggregate::{Aggregate, DecodeFault, Recorded};
use super::format::Format;
use super::identity::ScopeId;
use super::time::Timestamp;

/// Key of a record within its scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The chain that it belongs to.
    pub scope: ScopeId,
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub id: String,
}

impl RecordKey {
    /// Puts a key together.
    #[must_use]
    pub fn new(scope: &ScopeId, kind: Kind, id: impl Into<String>) -> Self {
        Self {
            scope: scope.clone(),
            kind,
            id: id.into(),
        }
    }
}

macro_rules! records {
    ($($(#[$meta:meta])* $variant:ident($state:ty, $event:ty) = $name:literal;)*) => {
        /// What a record is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$meta])* $variant,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The kind as it is stored.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }

        /// The state of any aggregate.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Record { $($(#[$meta])* $variant(Box<$state>),)* }

        /// An event of any aggregate.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum EventBody { $($(#[$meta])* $variant($event),)* }

        impl Record {
            /// What it is.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$variant(_) => Kind::$variant,)* }
            }

            /// The body as it is stored.
            ///
            /// # Errors
            /// Only if the state cannot be written as JSON, which its type rules out.
            pub fn body(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$variant(state) => serde_json::to_string(state),)* }
            }

            /// Version of the body.
            #[must_use]
            pub const fn body_version(&self) -> u32 {
                match self { $(Self::$variant(_) => <$state as Aggregate>::BODY_VERSION,)* }
            }

            /// Version and body as they are stored while `format` is the active one.
            ///
            /// # Errors
            /// Only if the state cannot be written as JSON, which its type rules out.
            pub fn written(&self, format: Format) -> Result<(u32, String), serde_json::Error> {
                match self {
                    $(Self::$variant(state) => {
                        let version = <$state as Aggregate>::version_in(format);
                        Ok((version, state.write(version)?))
                    })*
                }
            }

            /// What lists filter by.
            #[must_use]
            pub fn state(&self) -> &'static str {
                match self { $(Self::$variant(state) => state.state(),)* }
            }

            /// Closes it with its partnership, if it is open and was not carried on.
            pub fn close(&mut self, at: Timestamp) {
                match self { $(Self::$variant(state) => Aggregate::close(state.as_mut(), at),)* }
            }

            /// When something will happen by itself.
            #[must_use]
            pub fn due_at(&self) -> Option<Timestamp> {
                match self { $(Self::$variant(state) => state.due_at(),)* }
            }

            /// Reads a stored body.
            ///
            /// # Errors
            /// A body of another version, or with fields that this program does not know, is not
            /// read: it may have been written by a newer one.
            pub fn decode(kind: Kind, body_version: u32, body: &str) -> Result<Self, DecodeFault> {
                match kind {
                    $(Kind::$variant => {
                        let Some(read) = <$state as Aggregate>::read(body_version, body) else {
                            return Err(DecodeFault::UnknownVersion { name: $name.to_owned(), version: body_version });
                        };
                        read.map(|state| Self::$variant(Box::new(state)))
                            .map_err(|source| DecodeFault::Malformed { name: $name.to_owned(), source })
                    })*
                }
            }

            /// The state after `event`.
            ///
            /// # Errors
            /// [`DecodeFault::Misplaced`] if the event does not fit the state before it.
            pub fn apply(previous: Option<Self>, event: &EventBody, recorded: &Recorded) -> Result<Self, DecodeFault> {
                match (previous, event) {
                    $(
                        (None, EventBody::$variant(event)) => <$state as Aggregate>::apply(None, event, recorded)
                            .map(|state| Self::$variant(Box::new(state)))
                            .ok_or_else(|| DecodeFault::Misplaced(event.event_type().to_owned())),
                        (Some(Self::$variant(state)), EventBody::$variant(event)) => <$state as Aggregate>::apply(Some(*state), event, recorded)
                            .map(|state| Self::$variant(Box::new(state)))
                            .ok_or_else(|| DecodeFault::Misplaced(event.event_type().to_owned())),
                    )*
                    (Some(_), event) => Err(DecodeFault::Misplaced(event.event_type().to_owned())),
                }
            }
        }

        impl EventBody {
            /// The kind of record that it changes.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$variant(_) => Kind::$variant,)* }
            }

            /// The event's type.
            #[must_use]
            pub const fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.event_type(),)* }
            }

            /// Version of the payload.
            #[must_use]
            pub const fn event_version(&self) -> u32 {
                match self { $(Self::$variant(event) => event.event_version(),)* }
            }

            /// The payload as JSON.
            ///
            /// # Errors
            /// Only if the payload cannot be written as JSON, which its type rules out.
            pub fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
                match self { $(Self::$variant(event) => event.payload(),)* }
            }

            /// The commitments in the payload.
            #[must_use]
            pub fn commitments(&self) -> Vec<super::commitment::Commitment> {
                match self { $(Self::$variant(event) => event.commitments(),)* }
            }

            /// Reads an event back from the journal.
            ///
            /// # Errors
            /// An unknown type or version, or a payload of another shape.
            pub fn decode(kind: Kind, event_type: &str, version: u32, payload: &[u8]) -> Result<Self, DecodeFault> {
                match kind {
                    $(Kind::$variant => <$event>::decode(event_type, version, payload).map(Self::$variant),)*
                }
            }
        }

        $(
            impl From<$event> for EventBody {
                fn from(event: $event) -> Self {
                    Self::$variant(event)
                }
            }

            impl Stored for $state {
                const KIND: Kind = Kind::$variant;

                fn from_record(record: &Record) -> Option<&Self> {
                    match record { Record::$variant(state) => Some(state), _ => None }
                }
            }
        )*
    };
}

/// An aggregate that [`Record`] holds.
pub trait Stored: Aggregate {
    /// Its kind.
    const KIND: Kind;

    /// The state within `record`, if it is of this kind.
    fn from_record(record: &Record) -> Option<&Self>;
}

records! {
    /// A firm, in its own scope.
    Firm(super::firm::Firm, super::firm::FirmEvent) = "firm";
    /// A firm in the operator's register.
    FirmRegistration(super::firm::FirmRegistration, super::firm::FirmRegistrationEvent) = "firm_registration";
    /// An API key, in its firm's scope.
    ApiKey(super::firm::ApiKey, super::firm::ApiKeyEvent) = "api_key";
    /// Somebody trusted to act for a firm, in the firm's scope.
    TrustedIdentity(super::firm::TrustedIdentity, super::firm::TrustedIdentityEvent) = "trusted_identity";
    /// The format that is written, in the operator's scope.
    ActiveFormat(super::format::ActiveFormat, super::format::ActiveFormatEvent) = "active_format";
    /// The keys with which a firm signs, in the firm's scope.
    SigningKeys(super::signing::SigningKeys, super::signing::SigningKeysEvent) = "signing_keys";
    /// An address at which a firm's own software reports, in the firm's scope.
    WebhookEndpoint(super::webhook::WebhookEndpoint, super::webhook::WebhookEndpointEvent) = "webhook_endpoint";
    /// An address to which journal entries are posted, in the firm's scope.
    Subscription(super::subscription::Subscription, super::subscription::SubscriptionEvent) = "subscription";
    /// A partnership that a firm belongs to, in the firm's scope.
    Membership(super::firm::Membership, super::firm::MembershipEvent) = "membership";
    /// Work for another scope that still has to be carried there.
    Carry(super::carry::Carry, super::carry::CarryEvent) = "carry";
    /// A partnership.
    Partnership(super::partnership::Partnership, super::partnership::PartnershipEvent) = "partnership";
    /// The latest checkpoint that a party cosigned.
    Cosignature(super::cosignature::Cosignature, super::cosignature::CosignatureEvent) = "cosignature";
    /// What the firm that wrote it has erased.
    Redaction(super::redaction::Redaction, super::redaction::RedactionEvent) = "redaction";
    /// Where the epochs of a journal that was restored begin.
    Restoration(super::restoration::Restoration, super::restoration::RestorationEvent) = "restoration";
    /// One revision of a partnership's terms.
    TermsRevision(super::partnership::revisions::TermsRevision, super::partnership::revisions::TermsRevisionEvent) = "terms_revision";
    /// What an external reference stands for.
    Reference(super::reference::Reference, super::reference::ReferenceEvent) = "reference";
    /// A client that the parties serve.
    Client(super::outsiders::Client, super::outsiders::ClientEvent) = "client";
    /// A vendor, carrier or registrar.
    OutsideParty(super::outsiders::OutsideParty, super::outsiders::OutsidePartyEvent) = "outside_party";
    /// Whom to reach at a party.
    Contact(super::contact::Contact, super::contact::ContactEvent) = "contact";
    /// A link by which one person answers one thing.
    GuestLink(super::guest_link::GuestLink, super::guest_link::GuestLinkEvent) = "guest_link";
    /// An expectation.
    Expectation(super::expectation::Expectation, super::expectation::ExpectationEvent) = "expectation";
    /// How something stands, and how often the other side hears of it.
    Progress(super::progress::Progress, super::progress::ProgressEvent) = "progress";
    /// What was told about how something stands.
    Update(super::update::Update, super::update::UpdateEvent) = "update";
    /// Advance warning of something planned.
    Notice(super::notice::Notice, super::notice::NoticeEvent) = "notice";
    /// What was promised in a sale.
    Claim(super::claim::Claim, super::claim::ClaimEvent) = "claim";
    /// What was asked for in a sale.
    Need(super::need::Need, super::need::NeedEvent) = "need";
    /// A sale that the parties may win together.
    Opportunity(super::opportunity::Opportunity, super::opportunity::OpportunityEvent) = "opportunity";
    /// Something that the parties do with each other beside their daily work.
    Activity(super::interaction::activity::Activity, super::interaction::activity::ActivityEvent) = "activity";
    /// A presentation to a client.
    ClientPresentation(super::interaction::presentation::ClientPresentation, super::interaction::presentation::PresentationEvent) = "client_presentation";
    /// What people think of a party.
    Survey(super::interaction::survey::Survey, super::interaction::survey::SurveyEvent) = "survey";
    /// What one party tells another.
    Feedback(super::interaction::feedback::Feedback, super::interaction::feedback::FeedbackEvent) = "feedback";
    /// What a party can do.
    Capability(super::interaction::capability::Capability, super::interaction::capability::CapabilityEvent) = "capability";
    /// What the parties want to reach together.
    SharedGoal(super::shared_goal::SharedGoal, super::shared_goal::GoalEvent) = "shared_goal";
    /// What is to be better from now on.
    Improvement(super::improvement::Improvement, super::improvement::ImprovementEvent) = "improvement";
    /// Something that a party holds for others.
    CustodyItem(super::custody::item::CustodyItem, super::custody::item::CustodyItemEvent) = "custody_item";
    /// A request to hand over what a party holds.
    HandOverRequest(super::custody::request::HandOverRequest, super::custody::request::HandOverRequestEvent) = "hand_over_request";
    /// What a party told of its gains.
    StakeDisclosure(super::custody::stake::StakeDisclosure, super::custody::stake::StakeDisclosureEvent) = "stake_disclosure";
    /// A drill for a client's leaving.
    ExitDrill(super::custody::exit_drill::ExitDrill, super::custody::exit_drill::ExitDrillEvent) = "exit_drill";
    /// What the parties do about a row of the check-up.
    RemedyPlan(super::remedy_plan::RemedyPlan, super::remedy_plan::PlanEvent) = "remedy_plan";
    /// What a party has to say to a row of the check-up; a private one is in the firm's scope.
    CheckupNote(super::checkup_note::CheckupNote, super::checkup_note::NoteEvent) = "checkup_note";
    /// Time zone data that calendars pin.
    Zone(super::sla::settings::Zone, super::sla::settings::ZoneEvent) = "zone";
    /// A calendar: which revision is the latest.
    Calendar(super::sla::settings::Calendar, super::sla::settings::CalendarEvent) = "calendar";
    /// One revision of a calendar, never changed.
    CalendarRevision(super::sla::settings::CalendarRevision, super::sla::settings::CalendarRevisionEvent) = "calendar_revision";
    /// One revision of a calendar that is made of two others, never changed.
    CalendarCombination(super::sla::combination::CalendarCombination, super::sla::combination::CalendarCombinationEvent) = "calendar_combination";
    /// An agreement.
    Agreement(super::sla::agreement::Agreement, super::sla::agreement::AgreementEvent) = "agreement";
    /// What one revision of an agreement says, never changed.
    AgreementRevision(super::sla::agreement::AgreementRevision, super::sla::agreement::AgreementRevisionEvent) = "agreement_revision";
    /// What a firm's own statuses mean.
    StatusMap(super::sla::settings::StatusMap, super::sla::settings::StatusMapEvent) = "status_map";
    /// What a firm's own priorities mean.
    PriorityMap(super::sla::settings::PriorityMap, super::sla::settings::PriorityMapEvent) = "priority_map";
    /// A word that no map knows yet.
    UnmappedWord(super::sla::settings::UnmappedWord, super::sla::settings::UnmappedWordEvent) = "unmapped_word";
    /// Tickets that wait for a word.
    WaitingList(super::sla::settings::WaitingList, super::sla::settings::WaitingListEvent) = "waiting_list";
    /// A ticket.
    Ticket(super::sla::ticket::Ticket, super::sla::ticket::TicketEvent) = "ticket";
    /// A link of two tickets, in the scope of the firm that opened one because of the other.
    TicketLink(super::sla::link::TicketLink, super::sla::link::TicketLinkEvent) = "ticket_link";
    /// What a ticket is linked to, in the firm's scope.
    LinkedTicket(super::sla::link::LinkedTicket, super::sla::link::LinkedTicketEvent) = "linked_ticket";
    /// Fractions of minor units that concessions owe the parties.
    CarriedFractions(super::pricing::quote::fractions::CarriedFractions, super::pricing::quote::fractions::CarriedFractionsEvent) = "carried_fractions";
    /// A joint quote.
    JointQuote(super::pricing::quote::JointQuote, super::pricing::quote::JointQuoteEvent) = "joint_quote";
    /// What a quote that was won brings in one period.
    Booking(super::pricing::booking::Booking, super::pricing::booking::BookingEvent) = "booking";
    /// What two parties still have to settle in one currency.
    SettlementAccount(super::pricing::settlement::account::SettlementAccount, super::pricing::settlement::account::SettlementAccountEvent) = "settlement_account";
    /// What two parties owe each other for one month.
    SettlementStatement(super::pricing::settlement::SettlementStatement, super::pricing::settlement::SettlementStatementEvent) = "settlement_statement";
}

/// Something that happened to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which record of the scope.
    pub id: String,
    /// What happened.
    pub body: EventBody,
}

impl Event {
    /// Puts an event together.
    #[must_use]
    pub fn new(id: impl Into<String>, body: impl Into<EventBody>) -> Self {
        Self {
            id: id.into(),
            body: body.into(),
        }
    }
}
