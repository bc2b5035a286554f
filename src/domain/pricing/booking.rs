//! Bookings: what a quote that was won brings in one period, recorded once.
//!
//! A booking is a record beside its quote, so that a quote does not grow with time. Its identifier
//! follows from quote, cadence and period: therefore a period cannot be booked twice, whoever tries.
//! Where shares are sealed, so are its lines.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::money::Currency;
use super::quote::Cadence;
use super::quote::agreed::{AgreedCadence, AgreedLine};
use super::quote::sale::Seller;
use super::quote::sealed::{Amount, BOOKING_LABEL, SealedShares, Sealing, require_brought};
use super::settlement::account::{Item, Source, settle_later};
use super::settlement::month::{require_bookable, today};
use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CivilDate;
use crate::domain::world::{Stop, View};

/// What one portion brings in a period. Amounts are in minor units of the booking's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookingLine {
    /// The portion.
    pub portion_id: String,
    /// The party that it belongs to.
    pub owner: PartyId,
    /// Its price before the concession.
    pub price_before: i64,
    /// What it bears; negative for a surcharge. Its price after that is `price_before` less this.
    pub share: Amount,
}

/// The revision whose shares were booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookedRevision {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: String,
}

/// A period was booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodBooked {
    /// By which party.
    pub party: PartyId,
    /// Of which quote.
    pub quote: String,
    /// What is due at which times.
    pub cadence: Cadence,
    /// Which of them, from 1.
    pub period: u16,
    /// On which day the client is billed.
    pub date: CivilDate,
    /// The party that bills the client.
    pub biller: PartyId,
    /// The currency of every amount.
    pub currency: Currency,
    /// The revision whose shares count; `None` if nothing was conceded.
    pub revision: Option<BookedRevision>,
    /// One line for each portion that is due then, ordered by portion id.
    pub lines: Vec<BookingLine>,
    /// What all of them bear together, where shares are sealed and every portion of the cadence is due:
    /// that is what was agreed. Of a part of them, the sum would tell what the others bear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borne: Option<i64>,
}

impl PeriodBooked {
    /// What all lines bear together; `None` if it is sealed, and `read` does not find each of them.
    #[must_use]
    pub fn concession(&self, read: impl Fn(&Commitment) -> Option<String>) -> Option<i64> {
        self.borne.or_else(|| {
            // Each is a part of what fitted when the quote was made.
            self.lines.iter().try_fold(0_i64, |sum, line| {
                Some(sum.saturating_add(line.share.known(&read)?))
            })
        })
    }
}

events! {
    /// What happens to a booking.
    BookingEvent {
        /// It was made.
        Booked(PeriodBooked) = "booking.made", 1;
    }
}

/// What a quote brings in one period; never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// What was booked.
    pub booked: PeriodBooked,
    /// Who booked it.
    pub by: By,
}

impl Booking {
    /// The part of its name that tells it from the quote's other bookings, such as `monthly-3`.
    #[must_use]
    pub fn local_id(cadence: Cadence, period: u16) -> String {
        format!("{}-{period}", cadence.as_str().replace('_', "-"))
    }

    /// The identifier of the booking of a quote's period.
    #[must_use]
    pub fn id_of(quote: &str, cadence: Cadence, period: u16) -> String {
        format!("{quote}@{}", Self::local_id(cadence, period))
    }

    /// The cadence and the period of a part of a name; `None` for any other text.
    #[must_use]
    pub fn parse_local_id(text: &str) -> Option<(Cadence, u16)> {
        let (_, period) = text.rsplit_once('-')?;
        let period = period.parse().ok()?;
        let mut cadences = Cadence::ALL.into_iter();
        // Only what would be written so, which leaves out such as `monthly-03`.
        let cadence = cadences.find(|cadence| Self::local_id(*cadence, period) == text)?;
        Some((cadence, period))
    }
}

impl Aggregate for Booking {
    type Event = BookingEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &BookingEvent, recorded: &Recorded) -> Option<Self> {
        let BookingEvent::Booked(booked) = event;
        if previous.is_some() {
            return None;
        }
        Some(Self {
            by: By::of(&booked.party, recorded)?,
            booked: booked.clone(),
        })
    }
}

/// Asks to book a period of a quote that was won; for every party that owns a portion of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookPeriod {
    /// Which quote.
    pub quote: String,
    /// What is due at which times.
    pub cadence: Cadence,
    /// Which of them, from 1.
    pub period: u16,
    /// The party that bills the client; if not stated the prime, if exactly one owns a portion, else
    /// the caller's.
    pub biller: Option<PartyId>,
    /// On which day the client is billed; today if not stated.
    pub date: Option<CivilDate>,
    /// What the API brings where shares are sealed.
    pub shares: SealedShares,
}

/// What a booking seals, with what the API brought for it: the openings to send with the command.
///
/// # Errors
/// What the command would be refused for, or what has to be loaded first.
pub fn sealed_openings(
    asked: &BookPeriod,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Vec<Opening>, Stop> {
    let (_, openings) = booked(asked, firm, view)?;
    Ok(openings)
}

/// Decides to book a period.
///
/// # Errors
/// [`Reason::AlreadyBooked`] for the second time, [`Reason::OutOfRange`] for a period in which
/// nothing is due; another refusal, or what has to be loaded first.
pub fn decide(asked: &BookPeriod, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (booked, openings) = booked(asked, firm, view)?;
    require_brought(&openings, &asked.shares)?;
    let id = Booking::id_of(&asked.quote, asked.cadence, asked.period);
    let item = Item {
        source: Source::Booking(id.clone()),
        date: booked.date,
    };
    let owners = booked.lines.iter().map(|line| &line.owner);
    let later = settle_later(&booked.biller, owners, booked.currency, &item, view)?;
    let mut decision = Decision::about(Kind::Booking, &id);
    decision = decision.event(Event::new(&id, BookingEvent::Booked(booked)));
    decision.receipt_of = Some(0);
    decision.events.extend(later);
    Ok(decision)
}

/// What is booked, and the openings of what is sealed of it.
fn booked(
    asked: &BookPeriod,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<(PeriodBooked, Vec<Opening>), Stop> {
    let seller = Seller::of(&asked.quote, firm, view)?;
    let agreed = seller.won("BookPeriod")?;
    let id = Booking::id_of(&asked.quote, asked.cadence, asked.period);
    if let Some(known) = view.find::<Booking>(&id)? {
        return Err(already_booked(asked, known).into());
    }
    let mut cadences = agreed.iter();
    let found = cadences.find(|cadence| cadence.cadence == asked.cadence);
    let all = found.map(|cadence| cadence.lines.as_slice());
    let all = all.unwrap_or_default();
    let due = all.iter().filter(|line| line.periods >= asked.period);
    let due: Vec<&AgreedLine> = due.collect();
    if due.is_empty() || asked.period == 0 {
        let last = all.iter().map(|line| line.periods).max().unwrap_or(0);
        let rule = format!("nothing is due then: the last period is {last}");
        let refusal = Refusal::field(Reason::OutOfRange, "period", rule);
        return Err(refusal.with("last_period", last).into());
    }
    let biller = seller.biller(asked.biller.as_ref())?;
    let mut sealing = Sealing::new(seller.quote, &asked.shares, &biller);
    let mut lines = Vec::with_capacity(due.len());
    for line in &due {
        lines.push(booked_line(line, &mut sealing)?);
    }
    let openings = sealing.finish();
    let date = asked.date.unwrap_or_else(|| today(view.now));
    require_bookable(date, view.now)?;
    let revision = seller.quote.counted().map(|revision| BookedRevision {
        number: revision.split.number,
        hash: revision.split.hash.clone(),
    });
    let is_told = !openings.is_empty() && due.len() == all.len();
    let borne = found.filter(|_| is_told).map(AgreedCadence::borne);
    let booked = PeriodBooked {
        party: seller.party.clone(),
        quote: asked.quote.clone(),
        cadence: asked.cadence,
        period: asked.period,
        date,
        biller,
        currency: seller.quote.currency,
        revision,
        lines,
        borne,
    };
    Ok((booked, openings))
}

fn booked_line(line: &AgreedLine, sealing: &mut Sealing<'_>) -> Result<BookingLine, Refusal> {
    let share = sealing.share(line)?;
    let fits = line.price_before.checked_sub(share).is_some();
    if !fits {
        return Err(Refusal::new(Reason::OutOfRange, "price_after"));
    }
    Ok(BookingLine {
        portion_id: line.portion_id.clone(),
        owner: line.owner.clone(),
        price_before: line.price_before,
        share: sealing.amount(BOOKING_LABEL, line, share)?,
    })
}

fn already_booked(asked: &BookPeriod, known: &Booking) -> Refusal {
    let (cadence, period) = (asked.cadence.as_str(), asked.period);
    let message = format!("period {period} of what is due {cadence} is booked already");
    Refusal::new(Reason::AlreadyBooked, message)
        .with("cadence", cadence)
        .with("period", period)
        .with("book_time", known.by.at)
}
