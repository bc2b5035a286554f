//! Commands to try the ledger with: many kinds, sensible ones and others, on few records, so that
//! they meet.
//!
//! A command is a pure function of its [`Recipe`]. A recipe can be written down, sent to another
//! process, and tried on another engine; wherever it is cooked, it gives the same command.

mod daily;
mod expectations;
mod partnerships;
mod planner;
mod quotes;
mod sales;
mod service_levels;
mod updates;

use std::ops::Range;

use entente::domain::command::{Action, Command};
use entente::domain::commitment::{Commitment, Opening, Readers, SALT_BYTES};
use entente::domain::identity::{FirmId, ScopeId};
use entente::domain::record::Kind;
use entente::domain::time::{Span, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use planner::Planner;

/// When every history begins: 2026-03-02T08:00:00Z, a Monday.
pub const START: Timestamp = Timestamp::from_micros(1_772_438_400_000_000);
/// The firms, beside the operator.
pub const FIRMS: [&str; 3] = ["acme", "borealis", "cargo"];
/// Expectations of each partnership.
const EXPECTATIONS: u8 = 4;
/// Notices, claims, needs and contacts of each partnership, of each sort.
const DAILY: u8 = 3;
/// Joint quotes of each partnership.
const QUOTES: u8 = 3;
/// Agreements of each partnership.
const AGREEMENTS: u8 = 2;
/// Calendars of each partnership.
const CALENDARS: u8 = 2;
/// Clients, and outside parties, of each partnership.
const OUTSIDERS: u8 = 3;
/// Events of each firm's software in each partnership.
const EVENTS: u16 = 60;

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Topic {
    /// The operator registers the firm; `None` for the operator itself.
    Register(Option<u8>),
    /// The firm makes a key, or revokes one.
    ApiKey,
    /// The firm links two tickets, or deletes a link.
    TicketLink,
    /// The firm begins a partnership.
    OpenPartnership,
    /// A partner is invited.
    Invite,
    /// The invitation is taken.
    Join,
    /// Terms are proposed.
    ProposeTerms,
    /// The proposed terms are approved.
    ApproveTerms,
    /// The partnership ends.
    EndPartnership,
    /// A client is recorded.
    Client(u8),
    /// An outside party is recorded.
    OutsideParty(u8),
    /// A calendar is written down.
    Calendar(u8),
    /// A calendar is written down in the firm's own scope.
    OwnCalendar(u8),
    /// The firm's statuses are mapped in its own scope.
    OwnStatusMap,
    /// A firm's own calendar is adopted.
    Adoption,
    /// The firm's statuses are mapped.
    StatusMap,
    /// The firm's priorities are mapped.
    PriorityMap,
    /// An agreement is made, approved or ended.
    Agreement(u8),
    /// An event of a ticket; with `other`, one of other content under the same id.
    Event {
        /// Which event.
        event: u16,
        /// Whether its content is another than usual.
        other: bool,
    },
    /// Something is agreed about a ticket, or answered.
    Ticket,
    /// An expectation moves.
    Expectation(u8),
    /// Somebody tells how an expectation stands.
    Update(u8),
    /// A notice moves.
    Notice(u8),
    /// A claim is made or judged.
    Claim(u8),
    /// A need is asked, matched or put up with.
    Need(u8),
    /// An opportunity moves.
    Opportunity(u8),
    /// Something becomes of a joint quote.
    Sale(u8),
    /// Two parties settle.
    Settlement,
    /// A contact is written down, corrected or deleted.
    Contact(u8),
    /// A joint quote moves.
    Quote(u8),
    /// Time is said to have passed for an expectation.
    TickExpectation(u8),
    /// Time is said to have passed for an update interval.
    TickProgress(u8),
    /// Time is said to have passed for a need.
    TickNeed(u8),
    /// Time is said to have passed for a word that may be unmapped.
    TickWord,
    /// Time is said to have passed for a joint quote.
    TickQuote(u8),
}

/// What a caller has read before it sends a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The hash to approve, or the id to act on.
    pub text: String,
    /// The state; empty where there was no record.
    pub state: String,
    /// Number of the last offer.
    pub offer_number: u32,
    /// How many criteria there are.
    pub criteria: u32,
    /// The revision that was read; 0 where there was no record.
    pub revision: u64,
}

/// All that a command is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Tells recipes of one history apart.
    pub number: u64,
    /// Decides what the topic leaves open.
    pub seed: u64,
    /// What it is about.
    pub topic: Topic,
    /// On whose behalf.
    pub firm: String,
    /// Where.
    pub scope: String,
    /// Under which request id.
    pub request_id: String,
    /// The revision that must still hold.
    pub expected_revision: Option<u64>,
    /// When it was thought of, in microseconds.
    pub at: i64,
    /// What was read before.
    pub hint: Hint,
}

impl Recipe {
    /// What the journal shows as the origin of the command's entries, and of no other's.
    pub fn origin(&self) -> String {
        format!("recipe/{}", self.number)
    }

    /// The command.
    ///
    /// # Panics
    /// If the recipe names no scope.
    pub fn command(&self) -> Command {
        let mut draw = Draw {
            rng: ChaCha8Rng::seed_from_u64(self.seed),
            openings: Vec::new(),
        };
        let action = self.action(&mut draw);
        let digest = Sha256::digest(format!("{action:?} {:?}", self.expected_revision)).into();
        let by_service = matches!(action, Action::Tick { .. });
        Command {
            scope: ScopeId::parse(&self.scope).expect("recipes name scopes"),
            firm: FirmId::parse(&self.firm).filter(|_| !by_service),
            actor: format!("key-of-{}", self.firm),
            // Time passes by itself, any number of times.
            origin: if by_service {
                String::new()
            } else {
                self.origin()
            },
            request_id: self.request_id.clone(),
            digest,
            expected_revision: self.expected_revision,
            action,
            openings: draw.openings,
        }
    }

    fn action(&self, draw: &mut Draw) -> Action {
        let at = Timestamp::from_micros(self.at);
        match self.topic {
            Topic::Register(firm) => partnerships::register(firm),
            Topic::ApiKey => partnerships::api_key(draw, &self.hint, at),
            Topic::TicketLink => service_levels::ticket_link(draw, &self.hint),
            Topic::OpenPartnership => partnerships::open(draw, &self.firm),
            Topic::Invite => partnerships::invite(draw, &self.scope),
            Topic::Join => partnerships::join(draw, &self.scope, &self.firm),
            Topic::ProposeTerms => partnerships::propose_terms(draw),
            Topic::ApproveTerms => partnerships::approve_terms(&self.hint),
            Topic::EndPartnership => partnerships::end(draw),
            Topic::Client(number) => partnerships::client(draw, number, &self.firm),
            Topic::OutsideParty(number) => partnerships::outside_party(draw, number),
            Topic::Calendar(number) | Topic::OwnCalendar(number) => {
                service_levels::calendar(draw, number, &self.hint)
            }
            Topic::Adoption => service_levels::adoption(draw, &self.firm),
            Topic::StatusMap | Topic::OwnStatusMap => service_levels::status_map(draw, &self.firm),
            Topic::PriorityMap => service_levels::priority_map(draw, &self.firm),
            Topic::Agreement(number) => service_levels::agreement(draw, number, &self.hint, at),
            Topic::Event { event, other } => {
                service_levels::event(draw, event, other, &self.scope, &self.firm)
            }
            Topic::Ticket => service_levels::ticket(draw, &self.firm, &self.hint, at),
            Topic::Expectation(number) => expectations::action(draw, number, &self.hint, at),
            Topic::Update(number) => updates::action(draw, number, at),
            Topic::Notice(number) => daily::notice(draw, number, &self.hint, at),
            Topic::Claim(number) => daily::claim(draw, number, &self.hint, at),
            Topic::Need(number) => daily::need(draw, number, &self.hint, at),
            Topic::Opportunity(number) => sales::opportunity(draw, number, &self.hint, at),
            Topic::Sale(number) => sales::sale(draw, number, &self.hint),
            Topic::Settlement => sales::settlement(draw, at),
            Topic::Contact(number) => daily::contact(draw, number, &self.hint),
            Topic::Quote(number) => quotes::action(draw, number, &self.hint, at),
            Topic::TickExpectation(number) => Action::Tick {
                kind: Kind::Expectation,
                id: expectation_id(number),
            },
            Topic::TickProgress(number) => Action::Tick {
                kind: Kind::Progress,
                id: updates::subject(number).progress_id(),
            },
            Topic::TickNeed(number) => Action::Tick {
                kind: Kind::Need,
                id: need_id(number),
            },
            Topic::TickWord => service_levels::tick_word(draw, &self.firm),
            Topic::TickQuote(number) => Action::Tick {
                kind: Kind::JointQuote,
                id: quote_id(number),
            },
        }
    }
}

fn opportunity_id(number: u8) -> String {
    format!("opportunity-{number}")
}

fn expectation_id(number: u8) -> String {
    format!("expectation-{number}")
}

fn notice_id(number: u8) -> String {
    format!("notice-{number}")
}

fn claim_id(number: u8) -> String {
    format!("claim-{number}")
}

fn need_id(number: u8) -> String {
    format!("need-{number}")
}

fn contact_id(number: u8) -> String {
    format!("contact-{number}")
}

fn quote_id(number: u8) -> String {
    format!("quote-{number}")
}

fn agreement_id(number: u8) -> String {
    format!("agreement-{number}")
}

fn calendar_id(number: u8) -> String {
    format!("calendar-{number}")
}

fn client_id(number: u8) -> String {
    format!("client-{number}")
}

/// Decides what is left open, and keeps the openings of what it commits to.
struct Draw {
    rng: ChaCha8Rng,
    openings: Vec<Opening>,
}

impl Draw {
    /// Whether something of that probability happens.
    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    fn number<T, R>(&mut self, range: R) -> T
    where
        T: rand::distr::uniform::SampleUniform,
        R: rand::distr::uniform::SampleRange<T>,
    {
        self.rng.random_range(range)
    }

    /// A number within `sensible`, and now and then any number below 100.
    fn mostly(&mut self, sensible: Range<u32>) -> u32 {
        let range = if self.chance(80) { sensible } else { 0..100 };
        self.number(range)
    }

    fn one_of<'choices, T>(&mut self, choices: &'choices [T]) -> &'choices T {
        &choices[self.number(0..choices.len())]
    }

    /// A commitment to some free text.
    fn text(&mut self, label: &str) -> Commitment {
        let mut salt = [0; SALT_BYTES];
        self.rng.fill(&mut salt);
        let value = format!("free text {}", self.number(0..1_000_000));
        let opening = Opening::seal(label, &value, salt, Readers::EveryParty);
        let commitment = opening.commitment.clone();
        self.openings.push(opening);
        commitment
    }

    fn maybe_text(&mut self, label: &str) -> Option<Commitment> {
        self.chance(40).then(|| self.text(label))
    }

    /// An instant from an hour before `at` to two days after it, and mostly after it.
    fn around(&mut self, at: Timestamp) -> Timestamp {
        let earliest = if self.chance(10) { -60 } else { 1 };
        at.saturating_add(Span::from_minutes(self.number(earliest..48 * 60)))
    }
}
