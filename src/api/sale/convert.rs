//! What became of joint quotes, and bookings, as the contract writes and shows them.

use crate::api::convert::{etag, known_enum, money, to_money, to_timestamp};
use crate::api::dates::{date, to_date};
use crate::api::faults::Faults;
use crate::api::listing::{Shown, Viewer, name_in};
use crate::api::opportunity::convert::to_sale_reason;
use crate::api::pricing::to_cadence;
use crate::api::{Found, required};
use crate::domain::aggregate::By;
use crate::domain::commitment::Commitment;
use crate::domain::pricing::booking::{Booking, BookingLine};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::sale::{
    FinalPrice, LossStatement, Reversal, ReversedCadence, Sale, WinStatement,
};
use crate::domain::pricing::quote::sealed::Amount;
use crate::domain::pricing::quote::{Cadence, JointQuote};
use crate::domain::refusal::Refusal;
use crate::domain::sla::calendar::CivilDate;
use crate::proto::google::r#type as google_type;
use crate::proto::v1;

/// A cadence that must be stated.
///
/// # Errors
/// [`crate::domain::refusal::Reason::InvalidField`], naming `field`.
pub(super) fn cadence(field: &str, value: i32) -> Result<Cadence, Refusal> {
    Ok(match known_enum(field, value)? {
        v1::Cadence::Monthly => Cadence::Monthly,
        v1::Cadence::Quarterly => Cadence::Quarterly,
        v1::Cadence::Yearly => Cadence::Yearly,
        v1::Cadence::OneTime | v1::Cadence::Unspecified => Cadence::OneTime,
    })
}

/// Amounts by cadence; of use only if no fault was noted.
pub(super) fn amounts(
    faults: &mut Faults,
    field: &str,
    given: &[v1::CadenceAmount],
) -> Vec<(Cadence, Money)> {
    let mut amounts = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, given) in given.iter().take(Cadence::ALL.len() + 1).enumerate() {
        let path = format!("{field}[{index}].cadence");
        let cadence = faults.take(cadence(&path, given.cadence).map(Some));
        let path = format!("{field}[{index}].amount");
        let amount = given.amount.as_ref().ok_or_else(|| required(&path));
        let amount = faults.take(amount.and_then(|given| money(&path, given)).map(Some));
        amounts.extend(cadence.zip(amount));
    }
    amounts
}

/// The day on which the client is billed, if stated; of use only if no fault was noted.
pub(super) fn bill_date(
    faults: &mut Faults,
    given: Option<&google_type::Date>,
) -> Option<CivilDate> {
    let date = given.map(|given| date("bill_date", given)).transpose();
    faults.take(date)
}

/// The texts of what became of a quote.
pub(in crate::api) fn commitments(sale: &Sale) -> impl Iterator<Item = Commitment> {
    let words = sale.lost.iter().filter_map(|lost| lost.words.clone());
    let reversals = sale.reversals.iter();
    let reasons = reversals.filter_map(|reversal| reversal.reversed.reason.clone());
    words.chain(reasons).chain(sale.sealed_amounts().cloned())
}

/// What became of a quote; unset before its client decided.
pub(in crate::api) fn to_sale(quote: &JointQuote, viewer: &Viewer<'_>) -> Option<v1::QuoteSale> {
    let sale = &quote.sale;
    let won = sale.won.iter();
    let reversals = sale.reversals.iter();
    (*sale != Sale::default()).then(|| v1::QuoteSale {
        won: won.map(|word| to_win(word, quote.currency)).collect(),
        lost: sale.lost.as_ref().map(|lost| to_loss(lost, viewer)),
        reversals: reversals
            .map(|reversal| to_reversal(reversal, quote.currency, viewer))
            .collect(),
    })
}

fn minor(currency: Currency, minor: i64) -> google_type::Money {
    to_money(&Money::from_minor(currency, minor))
}

/// The commitment to an amount that is not told to all; else empty.
fn commitment(amount: &Amount) -> String {
    let sealed = amount.sealed();
    sealed.map_or_else(String::new, |sealed| sealed.as_str().to_owned())
}

fn firm(by: &By) -> String {
    by.firm.scope().to_string()
}

fn to_win(word: &WinStatement, currency: Currency) -> v1::WinStatement {
    let price = |price: &FinalPrice| v1::FinalPrice {
        cadence: to_cadence(price.cadence).into(),
        price: Some(minor(currency, price.price)),
        agreed: Some(minor(currency, price.agreed)),
        difference_to_agreed: Some(minor(currency, price.difference_to_agreed)),
    };
    v1::WinStatement {
        prices: word.prices.iter().map(price).collect(),
        party_id: word.by.party.to_string(),
        firm: firm(&word.by),
        state_time: Some(to_timestamp(word.by.at)),
    }
}

fn to_loss(lost: &LossStatement, viewer: &Viewer<'_>) -> v1::LossStatement {
    v1::LossStatement {
        reason: to_sale_reason(Some(lost.reason)).into(),
        words: viewer.texts.show(lost.words.as_ref()),
        party_id: lost.by.party.to_string(),
        firm: firm(&lost.by),
        state_time: Some(to_timestamp(lost.by.at)),
    }
}

fn to_reversal(reversal: &Reversal, currency: Currency, viewer: &Viewer<'_>) -> v1::Reversal {
    let reversed = &reversal.reversed;
    let cadence = |of: &ReversedCadence| v1::ReversedCadence {
        cadence: to_cadence(of.cadence).into(),
        amount: Some(minor(currency, of.amount)),
        shares: of
            .lines
            .iter()
            .map(|line| v1::ReversedShare {
                portion_id: line.portion_id.clone(),
                party_id: line.owner.to_string(),
                share: line
                    .amount
                    .known(|sealed| viewer.texts.read(sealed))
                    .map(|amount| minor(currency, amount)),
                commitment: commitment(&line.amount),
            })
            .collect(),
    };
    v1::Reversal {
        number: reversed.number.into(),
        revision: reversed.revision.into(),
        hash: reversed.hash.clone(),
        cadences: reversed.cadences.iter().map(cadence).collect(),
        biller: reversed.biller.to_string(),
        bill_date: Some(to_date(reversed.date)),
        reason: viewer.texts.show(reversed.reason.as_ref()),
        party_id: reversal.by.party.to_string(),
        firm: firm(&reversal.by),
        state_time: Some(to_timestamp(reversal.by.at)),
    }
}

impl Shown for Booking {
    type Message = v1::Booking;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let lines = self.booked.lines.iter();
        lines
            .filter_map(|line| line.share.sealed().cloned())
            .collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Booking {
        let booked = &found.state.booked;
        let scope = viewer.member.scope();
        let local_id = Self::local_id(booked.cadence, booked.period);
        let collection = format!("jointQuotes/{}/bookings", booked.quote);
        let money = |amount| Some(minor(booked.currency, amount));
        let read = |sealed: &Commitment| viewer.texts.read(sealed);
        // Each is a part of what fitted when the quote was made.
        let price_before = booked
            .lines
            .iter()
            .fold(0_i64, |sum, line| sum.saturating_add(line.price_before));
        let concession = booked.concession(read);
        let less = |price: i64, share: Option<i64>| money(price.saturating_sub(share?));
        let line = |line: &BookingLine| {
            let share = line.share.known(read);
            v1::BookingLine {
                portion_id: line.portion_id.clone(),
                party_id: line.owner.to_string(),
                price_before: money(line.price_before),
                share: share.and_then(money),
                price_after: less(line.price_before, share),
                commitment: commitment(&line.share),
            }
        };
        let revision = booked.revision.as_ref();
        v1::Booking {
            name: name_in(&scope, &collection, &local_id),
            cadence: to_cadence(booked.cadence).into(),
            period: booked.period.into(),
            bill_date: Some(to_date(booked.date)),
            biller: booked.biller.to_string(),
            revision: revision.map_or(0, |revision| revision.number.into()),
            hash: revision.map_or_else(String::new, |revision| revision.hash.clone()),
            lines: booked.lines.iter().map(line).collect(),
            price_before: money(price_before),
            concession: concession.and_then(money),
            price_after: less(price_before, concession),
            party_id: found.state.by.party.to_string(),
            firm: firm(&found.state.by),
            create_time: Some(to_timestamp(found.created_at)),
            etag: etag(found.revision),
        }
    }
}
