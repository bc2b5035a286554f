//! What parties do with each other beside their daily work: invitations, what they show to clients,
//! what they think of each other, and what each of them can do.

pub mod activity;
pub mod capability;
pub mod feedback;
pub mod presentation;
pub mod survey;
pub mod topic;

use super::command::Decision;
use super::identity::{FirmId, PartyId};
use super::partnership::{Partnership, Party};
use super::refusal::{Reason, Refusal, Violations};
use super::time::Timestamp;
use super::world::{Stop, View};
use activity::ActivityCommand;
use capability::CapabilityCommand;
use feedback::FeedbackCommand;
use presentation::PresentationCommand;
use survey::SurveyCommand;

/// What can be asked of what parties do with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InteractionCommand {
    /// Of an activity.
    Activity(ActivityCommand),
    /// Of a presentation to a client.
    Presentation(PresentationCommand),
    /// Of a survey.
    Survey(SurveyCommand),
    /// Of feedback.
    Feedback(FeedbackCommand),
    /// Of what a party can do.
    Capability(CapabilityCommand),
}

/// Decides a command.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &InteractionCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    match command {
        InteractionCommand::Activity(action) => activity::decide(action, firm, view),
        InteractionCommand::Presentation(action) => presentation::decide(action, firm, view),
        InteractionCommand::Survey(action) => survey::decide(action, firm, view),
        InteractionCommand::Feedback(action) => feedback::decide(action, firm, view),
        InteractionCommand::Capability(action) => capability::decide(action, firm, view),
    }
}

/// The refusal for a party that is not the one to say something.
fn not_yours(party: &PartyId, message: &str) -> Stop {
    let refusal = Refusal::new(Reason::NotYoursToAnswer, message);
    refusal.with("party_id", party).into()
}

/// Requires a party to be one of the partnership.
fn require_party(
    violations: &mut Violations,
    field: &str,
    party: &PartyId,
    partnership: &Partnership,
) {
    let known = partnership.party(party).is_some();
    violations.require(known, field, "must be a party of the partnership");
}

/// Requires a party to be one for which the caller may speak: its own, or one that no firm has
/// joined as.
fn require_own(
    violations: &mut Violations,
    field: &str,
    party: &PartyId,
    partnership: &Partnership,
    own: &PartyId,
) {
    let may = party == own || partnership.party(party).is_some_and(Party::is_placeholder);
    let rule = "must be the caller's own party, or one that no firm has joined as";
    violations.require(may, field, rule);
}

/// Requires an instant that is over.
fn require_past(violations: &mut Violations, field: &str, at: Timestamp, now: Timestamp) {
    let is_past = at >= Timestamp::EARLIEST && at <= now;
    let rule = "not before the year 2000, and not in the future";
    violations.require(is_past, field, rule);
}
