//! How what a partnership adopted differs from its source.

use tonic::{Request, Response};

use super::source::{self, Source};
use super::{Sort, own_firm, parse_named, parse_revision, to_adopted_from};
use crate::api::caller::Caller;
use crate::api::faults::Faults;
use crate::api::sla::SlaService;
use crate::api::sla::calendar::convert::{to_exception, to_weekly_window};
use crate::api::sla::calendar::{revision_lost, to_combination};
use crate::api::sla::check::whole;
use crate::api::sla::revision::revisions;
use crate::api::sla::word_map::Worded;
use crate::api::sla::words::long;
use crate::api::status::ApiError;
use crate::api::{Api, Found};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, Stored};
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::{Priority, TicketState};
use crate::domain::sla::settings::difference::{
    CalendarContent, CalendarPart, Change, calendars, entries,
};
use crate::domain::sla::settings::{AdoptedFrom, Calendar, CalendarRevision, WordMap};
use crate::proto::v1;
use v1::AdoptionChangeType as Type;
use v1::adoption_value::Value;

/// The difference, and the latest and the compared revision of the source.
type Compared = (AdoptedFrom, u64, u64, Vec<v1::AdoptionChange>);

/// `GetAdoptionDifference`: for the firm alone whose source it is, since nobody else may see that.
pub(in crate::api::sla) async fn difference(
    service: &SlaService,
    request: &Request<v1::GetAdoptionDifferenceRequest>,
) -> Result<Response<v1::AdoptionDifference>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let named = faults.take(parse_named("name", &message.name, false).map(Some));
    let revision = faults.take(parse_revision(message.revision));
    let named = whole(faults, named)?;
    let (partnership, id) = (named.scope.id(), named.id.as_str());
    let (from, latest, compared, changes) = match named.sort {
        Sort::Calendar => of_calendar(api, &caller, partnership, id, revision).await?,
        Sort::StatusMap => {
            of_map::<TicketState>(api, &caller, partnership, id, revision, status_value).await?
        }
        Sort::PriorityMap => {
            of_map::<Priority>(api, &caller, partnership, id, revision, priority_value).await?
        }
    };
    Ok(Response::new(v1::AdoptionDifference {
        name: message.name.clone(),
        adopted_from: Some(to_adopted_from(named.sort.kind(), &from)),
        compared_revision: long(compared),
        latest_revision: long(latest),
        is_current: from.revision == latest,
        changes,
    }))
}

/// Where a record was adopted from, for the firm whose source it is.
fn source_of(
    caller: &Caller,
    kind: Kind,
    adopted_from: Option<&AdoptedFrom>,
) -> Result<AdoptedFrom, Refusal> {
    let not_adopted = || Refusal::invalid_state("not_adopted", "GetAdoptionDifference");
    let from = adopted_from.ok_or_else(not_adopted)?;
    own_firm(caller, &from.firm.scope(), kind)?;
    Ok(from.clone())
}

async fn of_calendar(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    id: &str,
    revision: u64,
) -> Result<Compared, ApiError> {
    let (member, adopted) = api.get::<Calendar>(caller, partnership, id).await?;
    let from = source_of(caller, Kind::Calendar, adopted.state.adopted_from.as_ref())?;
    let found = source::calendar(api, &from.firm.scope(), &from.id, revision).await?;
    let revision_id = CalendarRevision::id_of(id, adopted.state.latest_revision);
    let mut ours = revisions(api, &member.scope(), std::iter::once(revision_id.clone())).await?;
    let ours = ours.remove(&revision_id).ok_or_else(revision_lost)?;
    let before = CalendarContent {
        display_name: &adopted.state.display_name,
        revision: &ours,
    };
    let after = CalendarContent {
        display_name: &found.content.display_name,
        revision: &found.content.revision,
    };
    let scope = from.firm.scope();
    let changes = calendars(before, after).into_iter();
    let changes = changes.map(|change| {
        let field = match part(&change) {
            CalendarPart::DisplayName(_) => "display_name",
            CalendarPart::TimeZone(_) => "time_zone",
            CalendarPart::ZoneDigest(_) => "time_zone_digest",
            CalendarPart::WeeklyWindow(_) => "weekly_windows",
            CalendarPart::Exception(_) => "exceptions",
            CalendarPart::Combination(_) => "combination",
        };
        to_change(field, change, |part| calendar_value(&scope, part))
    });
    let changes = changes.collect();
    Ok((from, found.latest, found.revision, changes))
}

async fn of_map<M: Worded>(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    id: &str,
    revision: u64,
    value: impl Fn(M::Entry) -> Value,
) -> Result<Compared, ApiError>
where
    WordMap<M>: Stored,
{
    let kind = WordMap::<M>::KIND;
    let (_, adopted): (_, Found<WordMap<M>>) = api.get(caller, partnership, id).await?;
    let from = source_of(caller, kind, adopted.state.adopted_from.as_ref())?;
    let found: Source<WordMap<M>> =
        source::map(api, &from.firm.scope(), &from.id, revision).await?;
    let changes = entries(&adopted.state.entries, &found.content.entries).into_iter();
    let changes = changes.map(|change| {
        to_change("entries", change, |(word, meaning)| {
            value(M::entry(&word, meaning))
        })
    });
    let changes = changes.collect();
    Ok((from, found.latest, found.revision, changes))
}

/// The part of a calendar that a change is about.
const fn part(change: &Change<CalendarPart>) -> &CalendarPart {
    match change {
        Change::Added(part) | Change::Removed(part) | Change::Moved(part) => part,
        Change::Changed { before, .. } => before,
    }
}

fn to_change<T: Clone>(
    field: &str,
    change: Change<T>,
    value: impl Fn(T) -> Value,
) -> v1::AdoptionChange {
    let (kind, before, after) = match change {
        Change::Added(after) => (Type::Added, None, Some(after)),
        Change::Removed(before) => (Type::Removed, Some(before), None),
        Change::Changed { before, after } => (Type::Changed, Some(before), Some(after)),
        Change::Moved(item) => (Type::Moved, Some(item.clone()), Some(item)),
    };
    let shown = |item: Option<T>| {
        item.map(|item| v1::AdoptionValue {
            value: Some(value(item)),
        })
    };
    v1::AdoptionChange {
        r#type: kind.into(),
        field: field.to_owned(),
        before: shown(before),
        after: shown(after),
    }
}

/// Part of a calendar; what a combination is made of is of the source's `scope`.
fn calendar_value(scope: &ScopeId, part: CalendarPart) -> Value {
    match part {
        CalendarPart::DisplayName(text)
        | CalendarPart::TimeZone(text)
        | CalendarPart::ZoneDigest(text) => Value::Text(text),
        CalendarPart::WeeklyWindow(window) => Value::WeeklyWindow(to_weekly_window(window)),
        CalendarPart::Exception(exception) => Value::Exception(to_exception(&exception)),
        CalendarPart::Combination(combination) => {
            Value::Combination(to_combination(scope, &combination))
        }
    }
}

const fn status_value(entry: v1::StatusMapEntry) -> Value {
    Value::StatusEntry(entry)
}

const fn priority_value(entry: v1::PriorityMapEntry) -> Value {
    Value::PriorityEntry(entry)
}
