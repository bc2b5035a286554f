//! The life of a partnership of two.

use entente::domain::refusal::Reason;
use entente::domain::time::{Span, Timestamp};

use super::deeds::{PartnershipDeed, Who};
use super::rules::Answer;

/// What must have been seen.
pub const ANSWERS: &[(&str, &str)] = &[
    ("Invite from solo", "ok"),
    ("Invite from invited", "ok"),
    ("Invite from active", "INVALID_STATE"),
    ("Invite from solo", "NOT_FOUND"),
    ("Join from solo", "INVITATION_INVALID"),
    ("Join from invited", "ok"),
    ("Join from invited", "INVITATION_INVALID"),
    ("Join from invited", "ALREADY_A_PARTY"),
    ("Join from active", "INVITATION_INVALID"),
    ("Propose from active", "ok"),
    ("Propose from active", "NOT_FOUND"),
    ("Approve from active", "ok"),
    ("Approve from active", "STALE_HASH"),
    ("Approve from active", "INVALID_STATE"),
    ("End from active", "ok"),
    ("End from ended", "ok"),
    ("Invite from ended", "PARTNERSHIP_ENDED"),
    ("Propose from ended", "PARTNERSHIP_ENDED"),
];

/// Terms as far as they matter here: how long an offer stands, and who approved them.
#[derive(Clone, Copy, Debug)]
pub struct TermsLife {
    pub offer_hours: i64,
    approved: [bool; 2],
}

/// A partnership as the rules tell it.
#[derive(Clone, Debug, Default)]
pub struct PartnershipLife {
    /// Number of the invitation that is out, and when it runs out.
    pub invitation: Option<(usize, Timestamp)>,
    pub has_borealis: bool,
    pub is_ended: bool,
    pub terms: Option<TermsLife>,
    pub proposed: Option<TermsLife>,
}

impl PartnershipLife {
    pub fn state(&self) -> &'static str {
        match (self.is_ended, self.has_borealis, self.invitation) {
            (true, ..) => "ended",
            (_, true, _) => "active",
            (_, _, Some(_)) => "invited",
            _ => "solo",
        }
    }

    /// How long an offer stands.
    pub fn offer_validity(&self) -> Span {
        let hours = self.terms.map_or(7 * 24, |terms| terms.offer_hours);
        Span::from_hours(hours)
    }

    fn party(&self, who: Who) -> Result<usize, Reason> {
        match who {
            Who::Acme => Ok(1),
            Who::Borealis if self.has_borealis => Ok(2),
            _ => Err(Reason::NotFound),
        }
    }

    /// The party that somebody is, if it may still do something.
    pub fn admit(&self, who: Who) -> Result<usize, Reason> {
        let party = self.party(who)?;
        if self.is_ended {
            return Err(Reason::PartnershipEnded);
        }
        Ok(party)
    }

    pub fn take(&mut self, who: Who, deed: PartnershipDeed, now: Timestamp) -> Answer {
        match deed {
            PartnershipDeed::Invite { number, hours } => {
                self.admit(who)?;
                if self.has_borealis {
                    return Err(Reason::InvalidState);
                }
                if hours == 0 {
                    return Err(Reason::InvalidField);
                }
                let expires_at = now.saturating_add(Span::from_hours(hours));
                self.invitation = Some((number, expires_at));
                Ok(())
            }
            PartnershipDeed::Join { number } => {
                let good = self
                    .invitation
                    .is_some_and(|(known, expires_at)| known == number && now < expires_at);
                if !good {
                    return Err(Reason::InvitationInvalid);
                }
                if who == Who::Acme {
                    return Err(Reason::AlreadyAParty);
                }
                // Cargo would take borealis' place; the walk does not let it have a good code.
                self.has_borealis = true;
                self.invitation = None;
                // What one firm laid down alone is a proposal to the other.
                if self.proposed.is_none() {
                    self.proposed = self.terms.take();
                }
                Ok(())
            }
            PartnershipDeed::Propose { offer_hours } => {
                let party = self.admit(who)?;
                self.proposed = Some(TermsLife {
                    offer_hours,
                    approved: [false; 2],
                });
                self.approve(party);
                Ok(())
            }
            PartnershipDeed::Approve { offer_hours } => {
                let party = self.admit(who)?;
                let proposed = self.proposed.ok_or(Reason::InvalidState)?;
                if proposed.offer_hours != offer_hours {
                    return Err(Reason::StaleHash);
                }
                self.approve(party);
                Ok(())
            }
            PartnershipDeed::End => {
                self.party(who)?;
                self.is_ended = true;
                self.invitation = None;
                Ok(())
            }
        }
    }

    fn approve(&mut self, party: usize) {
        let Some(proposed) = &mut self.proposed else {
            return;
        };
        proposed.approved[usize::from(party == 2)] = true;
        let everyone = proposed.approved[0] && (proposed.approved[1] || !self.has_borealis);
        if everyone {
            self.terms = self.proposed.take();
        }
    }
}
