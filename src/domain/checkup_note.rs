//! Notes on the check-up: what a party has to say to a row of it.
//!
//! A shared note is in the partnership's scope, and every party may reply. A private one is in the scope
//! of the firm that wrote it, where nobody else sees anything: neither list nor journal of the partnership
//! know that it exists. A note never changes; it may be withdrawn.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, By, Recorded, events};
use super::checkup::Symptom;
use super::command::Decision;
use super::commitment::Commitment;
use super::firm::Membership;
use super::identity::{FirmId, PartyId};
use super::outsiders::already_exists;
use super::partnership::as_active_party;
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal};
use super::time::Timestamp;
use super::world::{Stop, View};

/// A note as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteWritten {
    /// The party that writes it.
    pub party: PartyId,
    /// Identifier of the partnership that it is about.
    pub partnership: String,
    /// The row that it is about.
    pub symptom: Symptom,
    /// What it says: a commitment.
    pub text: Commitment,
    /// Identifier of the shared note to which it replies.
    pub reply_to: Option<String>,
}

/// A note was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteWithdrawn {
    /// The party that wrote it.
    pub party: PartyId,
}

events! {
    /// What happens to a note on the check-up.
    NoteEvent {
        /// It was written.
        Written(NoteWritten) = "checkup_note.written", 1;
        /// It was withdrawn.
        Withdrawn(NoteWithdrawn) = "checkup_note.withdrawn", 1;
    }
}

/// What a party has to say to a row of the check-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckupNote {
    /// What was written.
    pub written: NoteWritten,
    /// Who wrote it.
    pub by: By,
    /// When it was withdrawn, if it was.
    pub withdrawn_at: Option<Timestamp>,
}

impl Aggregate for CheckupNote {
    type Event = NoteEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &NoteEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, NoteEvent::Written(written)) => Some(Self {
                by: By::of(&written.party, recorded)?,
                written: written.clone(),
                withdrawn_at: None,
            }),
            (Some(mut note), NoteEvent::Withdrawn(_)) => {
                note.withdrawn_at = Some(recorded.at);
                Some(note)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        match self.withdrawn_at {
            None => "written",
            Some(_) => "withdrawn",
        }
    }
}

/// What can be asked of notes: in a partnership's scope of shared ones, in a firm's of its private ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteCommand {
    /// Writes one.
    Write {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// Identifier of the partnership that it is about.
        partnership: String,
        /// The row that it is about.
        symptom: Symptom,
        /// What it says.
        text: Commitment,
        /// The shared note to which it replies: of the same row, and not withdrawn.
        reply_to: Option<String>,
    },
    /// Withdraws one; for the party that wrote it. To withdraw it again changes nothing.
    Withdraw {
        /// Which note.
        id: String,
    },
}

/// Decides a command on a note.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &NoteCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    match command {
        NoteCommand::Write {
            id,
            partnership,
            symptom,
            text,
            reply_to,
        } => {
            let written = NoteWritten {
                party: writer(partnership, firm, view)?,
                partnership: partnership.clone(),
                symptom: *symptom,
                text: text.clone(),
                reply_to: reply_to.clone(),
            };
            write(id.as_deref(), written, view)
        }
        NoteCommand::Withdraw { id } => withdraw(id, firm, view),
    }
}

/// Which party the firm is: by its list of partnerships where the note is private.
fn writer(partnership: &str, firm: &FirmId, view: &View<'_>) -> Result<PartyId, Stop> {
    if !view.scope.is_firm() {
        return Ok(as_active_party(firm, view)?.1.id.clone());
    }
    if *view.scope != firm.scope() {
        return Err(Refusal::not_found("firm").into());
    }
    let membership = view.find::<Membership>(partnership)?;
    let membership = membership.ok_or_else(|| Refusal::not_found("partnership"))?;
    Ok(membership.party.clone())
}

fn write(chosen_id: Option<&str>, written: NoteWritten, view: &View<'_>) -> Result<Decision, Stop> {
    const REPLY: &str = "checkup_note.reply_to";
    if let Some(reply_to) = &written.reply_to {
        if view.scope.is_firm() {
            let rule = "a private note replies to nothing";
            return Err(Refusal::field(Reason::InvalidField, REPLY, rule).into());
        }
        let first = view.get::<CheckupNote>(reply_to)?;
        if first.withdrawn_at.is_some() {
            return Err(Refusal::invalid_state(first.state(), "CreateCheckupNote").into());
        }
        if first.written.symptom != written.symptom {
            let rule = "must be a note on the same row";
            return Err(Refusal::field(Reason::InvalidField, REPLY, rule).into());
        }
    }
    let id = chosen_id.map_or_else(|| view.new_id(0), str::to_owned);
    if view.find::<CheckupNote>(&id)?.is_some() {
        return Err(already_exists(Kind::CheckupNote, &id).into());
    }
    let event = Event::new(&id, NoteEvent::Written(written));
    Ok(Decision::about(Kind::CheckupNote, &id).event(event))
}

fn withdraw(id: &str, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let party = if view.scope.is_firm() {
        if *view.scope != firm.scope() {
            return Err(Refusal::not_found("firm").into());
        }
        None
    } else {
        Some(as_active_party(firm, view)?.1.id.clone())
    };
    let note = view.get::<CheckupNote>(id)?;
    let own = &note.written.party;
    if party.is_some_and(|party| party != *own) {
        let message = "a note is withdrawn by the party that wrote it";
        let refusal = Refusal::new(Reason::NotTheOwner, message);
        return Err(refusal.with("owner", own).into());
    }
    let decision = Decision::about(Kind::CheckupNote, id);
    if note.withdrawn_at.is_some() {
        return Ok(decision);
    }
    let withdrawn = NoteWithdrawn { party: own.clone() };
    Ok(decision.event(Event::new(id, NoteEvent::Withdrawn(withdrawn))))
}
