//! Bookings: making, reading and listing them.

use tonic::Request;

use super::convert::{bill_date, cadence};
use super::{Answer, SHAPE, named_party};
use crate::api::convert::parse_name;
use crate::api::faults::Faults;
use crate::api::listing;
use crate::api::page::Page;
use crate::api::{Api, Envelope, Found, sealed};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::pricing::booking::{BookPeriod, Booking};
use crate::domain::pricing::quote::JointQuote;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::ledger::rows;
use crate::proto::v1;
use tonic::Response;

/// Shape of a booking's name.
const BOOKING: &str = "partnerships/*/jointQuotes/*/bookings/*";

pub(super) async fn book(
    api: &Api,
    request: &Request<v1::BookPeriodRequest>,
) -> Answer<v1::Booking> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, quote] = parse_name("name", &asked.name, SHAPE)?;
    let mut faults = Faults::default();
    let cadence = faults.take(cadence("cadence", asked.cadence).map(Some));
    let period = u16::try_from(asked.period)
        .ok()
        .filter(|period| *period > 0);
    let rule = "counts from 1, and no term is that long";
    faults.require(period.is_some(), "period", rule);
    let date = bill_date(&mut faults, asked.bill_date.as_ref());
    faults.finish()?;
    let internal = || Refusal::new(Reason::Internal, "a fault was not noted");
    let cadence = cadence.ok_or_else(internal)?;
    let period = period.ok_or_else(internal)?;
    let command = |shares| {
        Action::BookPeriod(BookPeriod {
            quote: quote.clone(),
            cadence,
            period,
            biller: named_party(&asked.biller),
            date,
            shares,
        })
    };
    let selling = sealed::Asked {
        method: "BookPeriod",
        scope: ScopeId::partnership(&partnership),
        id: &quote,
        envelope: Envelope::new(&asked.request_id, &asked.origin, ""),
        openings: Vec::new(),
    };
    let receipt = sealed::sell(api, &caller, request, selling, command).await?;
    listing::changed::<Booking>(api, &caller, &partnership, &receipt).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetBookingRequest>,
) -> Answer<v1::Booking> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, quote, local_id] = parse_name("name", &request.get_ref().name, BOOKING)?;
    let id = match Booking::parse_local_id(&local_id) {
        Some((cadence, period)) => Booking::id_of(&quote, cadence, period),
        // No record has such an identifier.
        None => format!("{quote}@"),
    };
    let (member, found) = api.get::<Booking>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

/// Which bookings a quote can have follows from its portions, so they are read by their keys.
pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListBookingsRequest>,
) -> Answer<v1::ListBookingsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership, quote] = parse_name("parent", &asked.parent, SHAPE)?;
    let (member, found) = api.get::<JointQuote>(&caller, &partnership, &quote).await?;
    let purpose = format!("ListBookings:{}:{}", caller.firm, asked.parent);
    let page = Page::parse(api, &purpose, asked.page_size, &asked.page_token)?;
    let scope = member.scope();
    let mut ids = Vec::new();
    for cadence in found.state.agreed() {
        let last = cadence.lines.iter().map(|line| line.periods).max();
        let periods = 1..=last.unwrap_or(0);
        ids.extend(periods.map(|period| Booking::id_of(&quote, cadence.cadence, period)));
    }
    let before = ids.iter().position(|id| *id == page.after);
    let rest = before.map_or(ids.as_slice(), |before| &ids[before + 1..]);
    let keys: Vec<RecordKey> = rest
        .iter()
        .map(|id| RecordKey::new(&scope, Kind::Booking, id.as_str()))
        .collect();
    let mut by_id = std::collections::HashMap::new();
    for row in api.ledger.store().records(&keys).await? {
        let versioned = rows::decode_row(&row)?;
        if let Some(state) = Booking::from_record(&versioned.record).cloned() {
            let found = Found::new(&row.key.id, state, &versioned);
            by_id.insert(row.key.id, found);
        }
    }
    let mut bookings: Vec<Found<Booking>> = rest.iter().filter_map(|id| by_id.remove(id)).collect();
    bookings.truncate(page.limit());
    let next_page_token = page.cut(api, &mut bookings, |booking| booking.id.clone());
    Ok(Response::new(v1::ListBookingsResponse {
        bookings: listing::show_all(api, &member, &bookings).await?,
        next_page_token,
    }))
}
