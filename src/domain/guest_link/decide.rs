//! Decisions on guest links.

use super::matter::{Said, Seat};
use super::{
    GuestAnswer, GuestLink, GuestLinkCreated, GuestLinkEvent, GuestLinkRevoked, GuestLinkState,
    GuestLinkUsed, GuestMatter, VALIDITY_MAX, VALIDITY_MIN,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::{Partnership, as_active_party, as_party, require_active};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::{Stop, View};

/// What a firm can ask of guest links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestLinkCommand {
    /// Makes a link; for somebody of the caller's own, or in the place of a placeholder.
    Create {
        /// For which party the guest answers; `None` for the caller's own.
        party: Option<PartyId>,
        /// The guest's name.
        person: Commitment,
        /// What is asked.
        matter: GuestMatter,
        /// SHA-256 of the code's secret, hexadecimal.
        digest: String,
        /// How long it is valid.
        validity: Span,
    },
    /// Takes a link back; for the firm that made it. Taking it back again changes nothing.
    Revoke {
        /// Which link.
        id: String,
    },
}

/// A guest's answer by a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestLinkUse {
    /// Which link.
    pub id: String,
    /// SHA-256 of the secret that was shown, hexadecimal.
    pub digest: String,
    /// What the guest says.
    pub answer: GuestAnswer,
    /// In which words.
    pub message: Option<Commitment>,
    /// Whether the guest knows that the deadline of an offer may be impossible.
    pub acknowledges_impossible: bool,
}

/// Decides a firm's command on guest links.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &GuestLinkCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    match command {
        GuestLinkCommand::Create {
            party,
            person,
            matter,
            digest,
            validity,
        } => {
            let (partnership, own) = as_active_party(firm, view)?;
            let party = party.as_ref().unwrap_or(&own.id);
            let seat = seat(party, &own.id, partnership, view)?;
            require_validity(*validity)?;
            let matter = matter.pinned(view)?;
            require_answerable(&matter, seat)?;
            let id = view.new_id(0);
            let created = GuestLinkCreated {
                party: party.clone(),
                firm: seat.party.firm.clone(),
                issuer: firm.clone(),
                person: person.clone(),
                matter,
                digest: digest.clone(),
                expires_at: view.now.saturating_add(*validity),
            };
            let created = Event::new(&id, GuestLinkEvent::Created(created));
            Ok(Decision::about(Kind::GuestLink, &id).event(created))
        }
        GuestLinkCommand::Revoke { id } => revoke(id, firm, view),
    }
}

/// The party that a link of `own`'s firm may be for.
fn seat<'world>(
    party: &PartyId,
    own: &PartyId,
    partnership: &'world Partnership,
    view: &View<'world>,
) -> Result<Seat<'world>, Refusal> {
    let no_such = || Refusal::field(Reason::InvalidField, "guest_link.party", "no such party");
    let found = partnership.party(party).ok_or_else(no_such)?;
    if *party != *own && found.firm.is_some() {
        let message = format!("only {party} itself makes links for its people");
        return Err(Refusal::new(Reason::InvalidState, message)
            .with("state", "joined")
            .with("action", "CreateGuestLink")
            .with("party_id", party));
    }
    Ok(Seat {
        partnership,
        party: found,
        view: *view,
    })
}

fn require_validity(validity: Span) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    let valid = (VALIDITY_MIN..=VALIDITY_MAX).contains(&validity);
    violations.require(valid, "validity", "between 5 minutes and 14 days");
    violations.finish()
}

/// A link asks for something that its guest could answer now.
fn require_answerable(matter: &GuestMatter, seat: Seat<'_>) -> Result<(), Stop> {
    let said = Said {
        answer: GuestAnswer::Accept,
        message: None,
        acknowledges_impossible: true,
    };
    // What is impossible may have to be acknowledged by the other side first; the guest is told.
    match matter.decide(said, seat) {
        Err(Stop::Refused(refusal)) if refusal.reason == Reason::DeadlineImpossible => Ok(()),
        Err(stop) => Err(stop),
        Ok(_) => Ok(()),
    }
}

fn revoke(id: &str, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    as_party(firm, view)?;
    let link = view.get::<GuestLink>(id)?;
    let action = "RevokeGuestLink";
    if link.made.issuer != *firm {
        let message = "a link is taken back by the firm that made it";
        return Err(Refusal::new(Reason::InvalidState, message)
            .with("state", link.state_at(view.now).as_str())
            .with("action", action)
            .into());
    }
    let decision = Decision::about(Kind::GuestLink, id);
    match link.state_at(view.now) {
        GuestLinkState::Revoked => Ok(decision),
        GuestLinkState::Used => Err(used(link).into()),
        GuestLinkState::Open | GuestLinkState::Expired => {
            let revoked = GuestLinkEvent::Revoked(GuestLinkRevoked {});
            Ok(decision.event(Event::new(id, revoked)))
        }
    }
}

/// Decides a guest's answer: it uses the link up, and does what the answer does.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn answer(
    given: &GuestLinkUse,
    firm: Option<&FirmId>,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let absent = || Refusal::not_found("guest link");
    let id = &given.id;
    let link = view.find::<GuestLink>(id)?.ok_or_else(absent)?;
    let partnership = view.find::<Partnership>(view.scope.id())?;
    let partnership = partnership.ok_or_else(absent)?;
    // Whoever puts the command together read the same link; another firm would be a fault of ours.
    if !link.is_opened_by(&given.digest) || link.made.firm.as_ref() != firm {
        return Err(absent().into());
    }
    link.require_usable(partnership, view.now)?;
    let party = partnership.party(&link.made.party).ok_or_else(absent)?;
    let seat = Seat {
        partnership,
        party,
        view: *view,
    };
    let said = Said {
        answer: given.answer,
        message: given.message.as_ref(),
        acknowledges_impossible: given.acknowledges_impossible,
    };
    let done = link.made.matter.decide(said, seat).map_err(outdated)?;
    let used = GuestLinkUsed {
        answer: given.answer,
        message: given.message.clone(),
    };
    let used = Event::new(id, GuestLinkEvent::Used(used));
    let decision = Decision::about(Kind::GuestLink, id).event(used);
    Ok(done.events.into_iter().fold(decision, Decision::event))
}

impl GuestLink {
    /// Refuses a link that cannot be used any more.
    ///
    /// # Errors
    /// [`Reason::GuestLinkUsed`], [`Reason::GuestLinkRevoked`], [`Reason::GuestLinkExpired`] or
    /// [`Reason::PartnershipEnded`].
    pub fn require_usable(&self, partnership: &Partnership, now: Timestamp) -> Result<(), Refusal> {
        match self.state_at(now) {
            GuestLinkState::Used => return Err(used(self)),
            GuestLinkState::Revoked => {
                return Err(Refusal::new(
                    Reason::GuestLinkRevoked,
                    "the link was taken back",
                ));
            }
            GuestLinkState::Expired => {
                let expired_at = self.made.expires_at;
                let message = format!("the link expired at {expired_at}");
                return Err(
                    Refusal::new(Reason::GuestLinkExpired, message).with("expire_time", expired_at)
                );
            }
            GuestLinkState::Open => {}
        }
        require_active(partnership, now)?;
        let party = partnership.party(&self.made.party);
        if party.is_none_or(|party| party.firm != self.made.firm) {
            let message = "a firm has joined, and answers for itself";
            return Err(Refusal::new(Reason::GuestLinkRevoked, message));
        }
        if party.is_some_and(|party| party.left.is_some()) {
            let message = "the firm has left the partnership";
            return Err(Refusal::new(Reason::GuestLinkRevoked, message));
        }
        Ok(())
    }
}

fn used(link: &GuestLink) -> Refusal {
    let refusal = Refusal::new(Reason::GuestLinkUsed, "the link was used");
    match link.used_at {
        Some(used_at) => refusal.with("use_time", used_at),
        None => refusal,
    }
}

/// Whatever stands against the answer itself, other than what the guest can change, means that the
/// matter has moved on since the link was made.
fn outdated(stop: Stop) -> Stop {
    let Stop::Refused(refusal) = stop else {
        return stop;
    };
    let has_moved = matches!(
        refusal.reason,
        Reason::InvalidState
            | Reason::StaleHash
            | Reason::OfferExpired
            | Reason::NotYourOffer
            | Reason::SameFirmMayNotAccept
            | Reason::NotFound
    );
    if !has_moved {
        return Stop::Refused(refusal);
    }
    let message = format!("what the link asks has moved on: {}", refusal.message);
    Stop::Refused(
        Refusal::new(Reason::GuestLinkOutdated, message).with("reason", refusal.reason.as_str()),
    )
}
