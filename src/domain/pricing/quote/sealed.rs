//! What follows from shares that only some may know: periods that are booked, parts of a concession
//! that are taken back.
//!
//! The API may read all openings. It hands those of the shares over with the command, with fresh salts
//! for what comes of them; neither is journalled. The decision checks that each opening is genuine and
//! cites commitments to the amounts that follow. Each amount's opening is for the owner of its portion
//! and for the party that bills the client, since nobody can pay an unknown sum. Both sides call the
//! same functions, so they agree; where they do not, the quote changed in between.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::JointQuote;
use super::agreed::AgreedLine;
use super::blind::{LINE_LABEL, line_of};
use crate::domain::commitment::{Commitment, Opening, Readers, SALT_BYTES};
use crate::domain::identity::PartyId;
use crate::domain::refusal::{Reason, Refusal};

/// Label under which what a portion bears in a period that was booked is sealed.
pub const BOOKING_LABEL: &str = "booking.share";
/// Label under which what is taken back of a portion is sealed.
pub const REVERSAL_LABEL: &str = "reversal.share";
/// The labels of what a division gave each party, or followed from that: nobody wrote it, so nobody
/// erases it.
pub const DIVIDED_LABELS: [&str; 3] = [LINE_LABEL, BOOKING_LABEL, REVERSAL_LABEL];
/// What is said where openings were not read yet, or no longer fit.
const UNREAD: &str =
    "what only some may know has to be read for this, or changed while it was read";

/// An amount in minor units, told to all or to some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Told to all.
    Open(i64),
    /// Known to the owner of the portion and to the party that bills the client: a commitment to the
    /// number.
    Sealed(Commitment),
}

impl Amount {
    /// The amount, if it is told to all.
    #[must_use]
    pub const fn open(&self) -> Option<i64> {
        match self {
            Self::Open(amount) => Some(*amount),
            Self::Sealed(_) => None,
        }
    }

    /// The commitment to it, if it is not.
    #[must_use]
    pub const fn sealed(&self) -> Option<&Commitment> {
        match self {
            Self::Open(_) => None,
            Self::Sealed(commitment) => Some(commitment),
        }
    }

    /// The amount, if it is told to all or `read` finds the text that was sealed.
    #[must_use]
    pub fn known(&self, read: impl Fn(&Commitment) -> Option<String>) -> Option<i64> {
        match self {
            Self::Open(amount) => Some(*amount),
            Self::Sealed(commitment) => read(commitment)?.parse().ok(),
        }
    }
}

/// What the API brings where shares are sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedShares {
    /// The openings of the quote's sealed shares, and of what was taken back of them.
    pub openings: Vec<Opening>,
    /// Fresh salts, one for each portion in the order of their ids; none before anything was read.
    pub salts: Vec<[u8; SALT_BYTES]>,
    /// The commitments whose openings go with the command, in order.
    pub lines: Vec<Commitment>,
}

/// Makes amounts of a command: open where the shares are, else sealed.
pub(in crate::domain::pricing) struct Sealing<'brought> {
    quote: &'brought JointQuote,
    brought: &'brought SealedShares,
    openings: BTreeMap<&'brought Commitment, &'brought Opening>,
    biller: &'brought PartyId,
    /// The openings of what was sealed so far.
    made: Vec<Opening>,
}

impl<'brought> Sealing<'brought> {
    /// Nothing sealed yet.
    pub fn new(
        quote: &'brought JointQuote,
        brought: &'brought SealedShares,
        biller: &'brought PartyId,
    ) -> Self {
        let genuine = brought.openings.iter().filter(|it| it.is_genuine());
        Self {
            quote,
            brought,
            openings: genuine.map(|it| (&it.commitment, it)).collect(),
            biller,
            made: Vec::new(),
        }
    }

    /// What an agreed line's portion bears.
    ///
    /// # Errors
    /// [`Reason::SharesSealed`] if its opening is not there; [`is_unread`] before anything was read.
    pub fn share(&self, line: &AgreedLine) -> Result<i64, Refusal> {
        let Some(commitment) = &line.sealed else {
            return line.share.ok_or_else(|| gone(&line.portion_id));
        };
        let text = self.text(LINE_LABEL, commitment)?;
        let found = text.and_then(line_of).map(|found| found.share);
        found.ok_or_else(|| gone(&line.portion_id))
    }

    /// What was taken back of a portion so far.
    ///
    /// # Errors
    /// As [`Self::share`].
    pub fn reversed(&self, portion_id: &str) -> Result<i64, Refusal> {
        self.require_read_of(portion_id)?;
        let read = |commitment: &Commitment| {
            let text = self.text(REVERSAL_LABEL, commitment).ok()?;
            text.map(str::to_owned)
        };
        let found = self.quote.sale.reversed(portion_id, read);
        found.ok_or_else(|| gone(portion_id))
    }

    /// The amount as it is journalled: sealed under `label` where the line's share is.
    ///
    /// # Errors
    /// [`is_unread`] without a salt for it.
    pub fn amount(
        &mut self,
        label: &str,
        line: &AgreedLine,
        amount: i64,
    ) -> Result<Amount, Refusal> {
        if line.sealed.is_none() {
            return Ok(Amount::Open(amount));
        }
        let mut portions = self.quote.portions.iter();
        let index = portions.position(|portion| portion.id == line.portion_id);
        let salt = index.and_then(|index| self.brought.salts.get(index));
        let salt = *salt.ok_or_else(unread)?;
        let readers = BTreeSet::from([&line.owner, self.biller]);
        let readers = Readers::Parties(readers.into_iter().cloned().collect());
        let opening = Opening::seal(label, &amount.to_string(), salt, readers);
        let commitment = opening.commitment.clone();
        self.made.push(opening);
        Ok(Amount::Sealed(commitment))
    }

    /// The openings of what was sealed.
    pub fn finish(self) -> Vec<Opening> {
        self.made
    }

    fn text(&self, label: &str, commitment: &Commitment) -> Result<Option<&'brought str>, Refusal> {
        if self.brought.salts.is_empty() {
            return Err(unread());
        }
        let found = self.openings.get(commitment);
        let found = found.filter(|opening| opening.label == label);
        Ok(found.map(|opening| opening.value.as_str()))
    }

    fn require_read_of(&self, portion_id: &str) -> Result<(), Refusal> {
        let is_sealed = self
            .quote
            .sale
            .lines_of(portion_id)
            .any(|line| line.amount.sealed().is_some());
        if is_sealed && self.brought.salts.is_empty() {
            return Err(unread());
        }
        Ok(())
    }
}

/// Refuses openings that go with a command unless they are those of what it seals.
///
/// # Errors
/// [`is_unread`] if they are not.
pub(in crate::domain::pricing) fn require_brought(
    made: &[Opening],
    brought: &SealedShares,
) -> Result<(), Refusal> {
    let made = made.iter().map(|opening| &opening.commitment);
    if made.eq(&brought.lines) {
        return Ok(());
    }
    Err(unread())
}

/// The refusal where openings have to be read, or read again.
pub(in crate::domain::pricing) fn unread() -> Refusal {
    Refusal::new(Reason::EtagMismatch, UNREAD)
}

/// Whether a refusal says that openings have to be read, or read again.
#[must_use]
pub fn is_unread(refusal: &Refusal) -> bool {
    refusal.reason == Reason::EtagMismatch && refusal.message == UNREAD
}

/// The refusal where the opening of a portion's share is not there any more.
fn gone(portion_id: &str) -> Refusal {
    let message =
        format!("what {portion_id} bears is sealed, and its opening is not there any more");
    Refusal::new(Reason::SharesSealed, message).with("portion_id", portion_id)
}

/// Whether taking back a part would tell parties what single others bear. Everybody knows what all bear
/// each time, and from its own part what all bear over their terms: where the terms differ, these are two
/// sums of the same numbers.
pub(in crate::domain::pricing) fn would_tell_apart(lines: &[AgreedLine]) -> bool {
    let sealed = || lines.iter().filter(|line| line.sealed.is_some());
    let owners: BTreeSet<&PartyId> = sealed().map(|line| &line.owner).collect();
    let terms: BTreeSet<u16> = sealed().map(|line| line.periods).collect();
    owners.len() > 2 && terms.len() > 1
}

impl JointQuote {
    /// Every commitment from which follows what can be booked and taken back: of the shares that count,
    /// and of what was taken back so far.
    #[must_use]
    pub fn sealed_shares(&self) -> Vec<Commitment> {
        let counted = self.counted().into_iter();
        let shares = counted.flat_map(|revision| revision.split.sealed_lines());
        shares.chain(self.sale.sealed_amounts()).cloned().collect()
    }

    /// Whether some may not know what others bear of the concession that counts.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        let mut counted = self.counted().into_iter();
        counted.any(|revision| revision.split.sealed_lines().next().is_some())
    }
}

#[cfg(test)]
mod tests;
