//! Bookings, reversals and settlement statements worked out again from what they come of, as far as the
//! openings of sealed amounts are there.

use std::collections::BTreeMap;

use super::replay::{RecordName, Replay};
use super::report::{Cause, Report};
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::pricing::allocation::reversal::{Recorded, reverse};
use crate::domain::pricing::booking::{Booking, BookingLine};
use crate::domain::pricing::quote::JointQuote;
use crate::domain::pricing::quote::blind::line_of;
use crate::domain::pricing::quote::sale::ReversedLine;
use crate::domain::pricing::quote::sealed::Amount;
use crate::domain::pricing::quote::{CadenceSplit, Outcome};
use crate::domain::pricing::settlement::account::Source;
use crate::domain::pricing::settlement::{LineContent, SettlementStatement};
use crate::domain::record::{Kind, Record};

/// Openings by what they open.
pub(super) type Openings = BTreeMap<Commitment, Opening>;

/// What was worked out of one record: how many lines, and what is false of it.
#[derive(Default)]
struct Found {
    lines: u64,
    causes: Vec<Cause>,
}

impl Found {
    fn compare(&mut self, is_same: Option<bool>, cause: impl FnOnce() -> Cause) {
        self.lines += u64::from(is_same.is_some());
        if is_same == Some(false) {
            self.causes.push(cause());
        }
    }
}

impl Replay {
    /// Works out every booking, reversal and statement again, after all openings were read.
    pub(super) fn check_sales(&mut self, openings: &Openings, report: &mut Report) {
        let mut false_ones: Vec<(RecordName, Cause)> = Vec::new();
        let mut lines = 0;
        for (name, versioned) in self.records() {
            let found = match &versioned.record {
                Record::Booking(booking) => self.booking(booking, openings),
                Record::JointQuote(quote) => reversals(quote, openings),
                Record::SettlementStatement(statement) => self.statement(statement),
                _ => continue,
            };
            lines += found.lines;
            let causes = found.causes.into_iter();
            false_ones.extend(causes.map(|cause| (name.clone(), cause)));
        }
        self.counts.sales += lines;
        for (name, cause) in false_ones {
            self.report_record(&name, cause, report);
        }
    }

    fn quote(&self, id: &str) -> Option<&JointQuote> {
        match &self.record(&(Kind::JointQuote, id.to_owned()))?.record {
            Record::JointQuote(quote) => Some(quote),
            _ => None,
        }
    }

    fn booking(&self, booking: &Booking, openings: &Openings) -> Found {
        let mut found = Found::default();
        let booked = &booking.booked;
        for line in &booked.lines {
            let is_same = self.is_booked_so(booking, line, openings);
            found.compare(is_same, || Cause::BookingFalse(line.portion_id.clone()));
        }
        let cadence = self.booked_of(booking);
        let borne = cadence.map(CadenceSplit::borne);
        if booked.borne.is_some() && booked.borne != borne {
            found.causes.push(Cause::BookingFalse("all".to_owned()));
        }
        found
    }

    /// What was divided of what a booking is of.
    fn booked_of(&self, booking: &Booking) -> Option<&CadenceSplit> {
        let booked = &booking.booked;
        let number = booked.revision.as_ref()?.number;
        let mut revisions = self.quote(&booked.quote)?.revisions.iter();
        let revision = revisions.find(|revision| revision.split.number == number)?;
        let mut cadences = revision.split.cadences.iter();
        cadences.find(|cadence| cadence.cadence == booked.cadence)
    }

    fn is_booked_so(
        &self,
        booking: &Booking,
        line: &BookingLine,
        openings: &Openings,
    ) -> Option<bool> {
        let cadence = self.booked_of(booking);
        let share = match cadence {
            None => 0,
            Some(cadence) => share_of(cadence, &line.portion_id, openings)?,
        };
        let quote = self.quote(&booking.booked.quote)?;
        let mut portions = quote.portions.iter();
        let portion = portions.find(|portion| portion.id == line.portion_id);
        let is_priced = portion.is_some_and(|portion| portion.price.minor == line.price_before);
        Some(is_priced && line.share.known(|it| text(openings, it))? == share)
    }

    fn statement(&self, statement: &SettlementStatement) -> Found {
        let mut found = Found::default();
        for line in &statement.lines {
            let amount = self.amount_of(&line.content);
            let is_same = amount.map(|amount| *amount == line.content.amount);
            found.compare(Some(is_same == Some(true)), || {
                Cause::StatementFalse(line.number)
            });
        }
        found
    }

    /// The amount in the booking or the reversal that a line comes of.
    fn amount_of(&self, content: &LineContent) -> Option<&Amount> {
        match &content.source {
            Source::Booking(id) => {
                let Record::Booking(booking) = &self.record(&(Kind::Booking, id.clone()))?.record
                else {
                    return None;
                };
                let mut lines = booking.booked.lines.iter();
                let line = lines.find(|line| line.portion_id == content.portion_id)?;
                (line.price_before == content.price_before).then_some(&line.share)
            }
            Source::Reversal { quote, number } => {
                let reversals = self.quote(quote)?.sale.reversals.iter();
                let mut of_number = reversals.filter(|it| it.reversed.number == *number);
                let cadences = of_number.next()?.reversed.cadences.iter();
                let mut lines = cadences.flat_map(|cadence| &cadence.lines);
                let line = lines.find(|line| line.portion_id == content.portion_id)?;
                Some(&line.amount)
            }
        }
    }
}

fn text(openings: &Openings, commitment: &Commitment) -> Option<String> {
    let found = openings.get(commitment)?;
    Some(found.value.clone())
}

fn share_of(cadence: &CadenceSplit, portion_id: &str, openings: &Openings) -> Option<i64> {
    let mut lines = cadence.lines.iter();
    match lines.find(|line| line.portion_id == portion_id) {
        // It was added since.
        None => Some(0),
        Some(line) => match &line.outcome {
            Outcome::Open(open) => Some(open.share),
            Outcome::Sealed(sealed) => Some(line_of(&openings.get(sealed)?.value)?.share),
        },
    }
}

/// What was taken back, one after the other; of what is not known in full, nothing is said.
fn reversals(quote: &JointQuote, openings: &Openings) -> Found {
    let mut found = Found::default();
    let mut so_far: BTreeMap<&str, Option<i64>> = BTreeMap::new();
    for reversal in &quote.sale.reversals {
        let number = reversal.reversed.number;
        let mut revisions = quote.revisions.iter();
        let of = reversal.reversed.revision;
        let revision = revisions.find(|revision| revision.split.number == of);
        for taken in &reversal.reversed.cadences {
            let cadences = revision.into_iter().flat_map(|it| &it.split.cadences);
            let mut cadences = cadences.filter(|cadence| cadence.cadence == taken.cadence);
            let Some(cadence) = cadences.next() else {
                found.causes.push(Cause::ReversalFalse(number));
                continue;
            };
            let part = |line: &ReversedLine| {
                let mut portions = quote.portions.iter();
                let portion = portions.find(|portion| portion.id == line.portion_id)?;
                let share = share_of(cadence, &line.portion_id, openings)?;
                Some(Recorded {
                    id: line.portion_id.clone(),
                    share: share.checked_mul(i64::from(portion.periods()))?,
                    reversed: so_far
                        .get(line.portion_id.as_str())
                        .copied()
                        .unwrap_or(Some(0))?,
                })
            };
            let amount = |line: &ReversedLine| line.amount.known(|it| text(openings, it));
            let parts: Option<Vec<Recorded>> = taken.lines.iter().map(part).collect();
            let again = parts.map(|parts| reverse(taken.amount, &parts).ok());
            for line in &taken.lines {
                let is_same = again.as_ref().and_then(|again| {
                    let expected = again.as_ref().map(|it| it.share_of(&line.portion_id));
                    Some(expected == Some(amount(line)?))
                });
                found.compare(is_same, || Cause::ReversalFalse(number));
            }
            for line in &taken.lines {
                let before = so_far.entry(line.portion_id.as_str()).or_insert(Some(0));
                *before = before
                    .zip(amount(line))
                    .map(|(sum, it)| sum.saturating_add(it));
            }
        }
    }
    found.causes.dedup();
    found
}
