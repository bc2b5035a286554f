//! Decisions on presentations.

use std::collections::BTreeSet;

use super::{
    ClientPresentation, OwnerPresence, PresentationConfirmed, PresentationContested,
    PresentationEvent, PresentationRecorded,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::interaction::{not_yours, require_party, require_past};
use crate::domain::opportunity::Opportunity;
use crate::domain::outsiders::Client;
use crate::domain::partnership::{PARTIES_MAX, Partnership, as_active_party};
use crate::domain::pricing::quote::JointQuote;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// A presentation as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentationDraft {
    /// The party that presented; the caller's own if not stated.
    pub presenter: Option<PartyId>,
    /// When; not in the future.
    pub presented_at: Timestamp,
    /// The opportunity that it was about, which must exist.
    pub opportunity: Option<String>,
    /// The joint quote that was shown, which must exist.
    pub quote: Option<String>,
    /// The client, which must exist.
    pub client: Option<String>,
    /// The parties whose portions were shown, each once.
    pub owners: Vec<OwnerPresence>,
    /// What is worth noting.
    pub note: Option<Commitment>,
}

/// What can be asked of presentations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresentationCommand {
    /// Records one.
    Record(PresentationDraft),
    /// Confirms what another party recorded.
    Confirm {
        /// Which presentation.
        id: String,
    },
    /// Says that it was otherwise.
    Contest {
        /// Which presentation.
        id: String,
        /// Whose portions were shown, and whether they were there.
        owners: Vec<OwnerPresence>,
        /// What to say to it.
        note: Option<Commitment>,
    },
}

/// Decides a command on a presentation.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &PresentationCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        PresentationCommand::Record(draft) => record(draft, &party.id, partnership, view),
        PresentationCommand::Confirm { id } => confirm(id, &party.id, view),
        PresentationCommand::Contest { id, owners, note } => {
            let contested = PresentationContested {
                party: party.id.clone(),
                owners: owners.clone(),
                note: note.clone(),
            };
            contest(id, contested, partnership, view)
        }
    }
}

fn record(
    draft: &PresentationDraft,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let presenter = draft.presenter.as_ref().unwrap_or(party);
    let mut violations = Violations::default();
    let field = "client_presentation.presenter";
    require_party(&mut violations, field, presenter, partnership);
    let field = "client_presentation.present_time";
    require_past(&mut violations, field, draft.presented_at, view.now);
    let field = "client_presentation.portion_owners";
    require_owners(&mut violations, field, &draft.owners, partnership);
    violations.finish()?;
    if let Some(opportunity) = &draft.opportunity {
        view.get::<Opportunity>(opportunity)?;
    }
    if let Some(quote) = &draft.quote {
        view.get::<JointQuote>(quote)?;
    }
    if let Some(client) = &draft.client {
        view.get::<Client>(client)?;
    }
    let recorded = PresentationRecorded {
        party: party.clone(),
        presenter: presenter.clone(),
        presented_at: draft.presented_at,
        opportunity: draft.opportunity.clone(),
        quote: draft.quote.clone(),
        client: draft.client.clone(),
        owners: draft.owners.clone(),
        note: draft.note.clone(),
        is_asserted: partnership.is_alone(),
    };
    Ok(changed(
        &view.new_id(0),
        PresentationEvent::Recorded(recorded),
    ))
}

fn require_owners(
    violations: &mut Violations,
    field: &str,
    owners: &[OwnerPresence],
    partnership: &Partnership,
) {
    let sensible = (1..=PARTIES_MAX).contains(&owners.len());
    let rule = format!("1 to {PARTIES_MAX} parties");
    violations.require(sensible, field, &rule);
    let mut seen = BTreeSet::new();
    for (index, owner) in owners.iter().take(PARTIES_MAX).enumerate() {
        let field = format!("{field}[{index}].party_id");
        let once = seen.insert(&owner.party);
        violations.require(once, &field, "each party once");
        require_party(violations, &field, &owner.party, partnership);
    }
}

fn changed(id: &str, event: PresentationEvent) -> Decision {
    Decision::about(Kind::ClientPresentation, id).event(Event::new(id, event))
}

/// The presentation, and whether the party contested it, if it has answered.
fn answered<'world>(
    id: &str,
    party: &PartyId,
    view: &View<'world>,
) -> Result<(&'world ClientPresentation, Option<bool>), Stop> {
    let presentation = view.get::<ClientPresentation>(id)?;
    if presentation.recorded.party == *party {
        let message = "a presentation is confirmed or contested by another party than recorded it";
        return Err(not_yours(party, message));
    }
    let mut answers = presentation.answers.iter();
    let answer = answers.find(|answer| answer.by.party == *party);
    Ok((presentation, answer.map(|answer| answer.contest.is_some())))
}

fn confirm(id: &str, party: &PartyId, view: &View<'_>) -> Result<Decision, Stop> {
    match answered(id, party, view)? {
        (_, Some(false)) => Ok(Decision::about(Kind::ClientPresentation, id)),
        (_, Some(true)) => {
            let action = "ConfirmClientPresentation";
            Err(Refusal::invalid_state("contested", action).into())
        }
        (_, None) => {
            let party = party.clone();
            let confirmed = PresentationConfirmed { party };
            Ok(changed(id, PresentationEvent::Confirmed(confirmed)))
        }
    }
}

fn contest(
    id: &str,
    contested: PresentationContested,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (_, answer) = answered(id, &contested.party, view)?;
    if let Some(is_contested) = answer {
        let state = if is_contested {
            "contested"
        } else {
            "confirmed"
        };
        return Err(Refusal::invalid_state(state, "ContestClientPresentation").into());
    }
    let mut violations = Violations::default();
    let (field, owners) = ("portion_owners", &contested.owners);
    require_owners(&mut violations, field, owners, partnership);
    violations.finish()?;
    Ok(changed(id, PresentationEvent::Contested(contested)))
}
