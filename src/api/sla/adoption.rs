//! Partnerships adopt revisions of a firm's own calendars and maps.
//!
//! The source is read here, in the caller's own scope, and goes by value into a command on the
//! partnership: no transaction needs both scopes.

mod difference;
mod source;

use tonic::{Request, Response};

pub(super) use self::difference::difference;
use super::SlaService;
use super::check::whole;
use super::home::{self, split_name};
use super::parse_parent;
use super::word_map::{self, Worded};
use super::words::long;
use crate::api::caller::Caller;
use crate::api::convert::chosen_id;
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Mutation, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::{Kind, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::{Priority, TicketState};
use crate::domain::sla::settings::{AdoptedFrom, SettingsCommand, WordMap};
use crate::proto::v1;
use v1::adopt_revision_response::Adopted;

/// What can be adopted, by the collection in which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Calendar,
    StatusMap,
    PriorityMap,
}

impl Sort {
    const ALL: [Self; 3] = [Self::Calendar, Self::StatusMap, Self::PriorityMap];

    const fn collection(self) -> &'static str {
        match self {
            Self::Calendar => super::calendar::COLLECTION,
            Self::StatusMap => TicketState::COLLECTION,
            Self::PriorityMap => Priority::COLLECTION,
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Calendar => Kind::Calendar,
            Self::StatusMap => Kind::StatusMap,
            Self::PriorityMap => Kind::PriorityMap,
        }
    }
}

/// A calendar or map that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    sort: Sort,
    scope: ScopeId,
    id: String,
}

/// A calendar or map of a firm, or else of a partnership.
fn parse_named(field: &str, name: &str, of_firm: bool) -> Result<Named, Refusal> {
    let named = split_name(name).filter(|(scope, _, _)| scope.is_firm() == of_firm);
    let named = named.and_then(|(scope, collection, id)| {
        let mut sorts = Sort::ALL.into_iter();
        Some(Named {
            sort: sorts.find(|sort| sort.collection() == collection)?,
            scope,
            id: id.to_owned(),
        })
    });
    named.ok_or_else(|| {
        let home = if of_firm { "firms" } else { "partnerships" };
        let forms = Sort::ALL.map(|sort| format!("{home}/*/{}/*", sort.collection()));
        let rule = format!("must be of the form {}", forms.join(", "));
        Refusal::field(Reason::InvalidField, field, rule)
    })
}

/// A revision that a request names; 0 for the latest.
fn parse_revision(revision: i64) -> Result<u64, Refusal> {
    u64::try_from(revision).map_err(|_| {
        let rule = "must be a revision's number, or 0 for the latest";
        Refusal::field(Reason::InvalidField, "revision", rule)
    })
}

/// The firm whose own scope this is, if it is the caller's; to others there is no `kind` in it.
fn own_firm(caller: &Caller, scope: &ScopeId, kind: Kind) -> Result<FirmId, Refusal> {
    if caller.firm.scope() == *scope {
        return Ok(caller.firm.clone());
    }
    Err(Refusal::not_found(kind.as_str()))
}

/// `AdoptRevision`.
pub(super) async fn adopt(
    service: &SlaService,
    request: &Request<v1::AdoptRevisionRequest>,
) -> Result<Response<v1::AdoptRevisionResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let parent = faults.take(parse_parent(&message.parent).map(Some));
    let source = faults.take(parse_named("source", &message.source, true).map(Some));
    let revision = faults.take(parse_revision(message.revision));
    let chosen = faults.take(chosen_id("adopted_id", &message.adopted_id));
    let (partnership, source) = whole(faults, parent.zip(source))?;
    let firm = own_firm(&caller, &source.scope, source.sort.kind())?;
    let scope = ScopeId::partnership(&partnership);
    let id = chosen.unwrap_or_else(|| source.id.clone());
    let command = match source.sort {
        Sort::Calendar => source::calendar_command(api, firm, &source.id, revision, id).await?,
        Sort::StatusMap => map_command::<TicketState>(api, firm, &source.id, revision, id).await?,
        Sort::PriorityMap => map_command::<Priority>(api, firm, &source.id, revision, id).await?,
    };
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Settings(command),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "AdoptRevision", request, mutation).await?;
    let adopted = match source.sort {
        Sort::Calendar => {
            let calendar = super::calendar::read(api, &caller, &scope, &receipt.id).await?;
            Adopted::Calendar(calendar)
        }
        Sort::StatusMap => {
            let map = map::<TicketState>(api, &caller, &scope, &receipt.id).await?;
            Adopted::StatusMap(map)
        }
        Sort::PriorityMap => {
            let map = map::<Priority>(api, &caller, &scope, &receipt.id).await?;
            Adopted::PriorityMap(map)
        }
    };
    let response = v1::AdoptRevisionResponse {
        adopted: Some(adopted),
    };
    Ok(respond(response, &receipt))
}

/// The command that makes a partnership's map say what a revision of a firm's own says.
async fn map_command<M: Worded>(
    api: &Api,
    firm: FirmId,
    source: &str,
    revision: u64,
    id: String,
) -> Result<SettingsCommand, ApiError>
where
    WordMap<M>: Stored,
{
    let found = source::map::<M>(api, &firm.scope(), source, revision).await?;
    let from = AdoptedFrom {
        firm,
        id: source.to_owned(),
        revision: found.revision,
    };
    let map = WordMap {
        adopted_from: Some(from),
        ..found.content
    };
    Ok(M::command(id, true, map))
}

async fn map<M: Worded>(
    api: &Api,
    caller: &Caller,
    scope: &ScopeId,
    id: &str,
) -> Result<M::Map, ApiError>
where
    WordMap<M>: Stored,
{
    let map = home::get::<WordMap<M>>(api, caller, scope, id).await?;
    Ok(word_map::to_map(scope, &map))
}

/// The source of a calendar or map as the contract shows it.
pub(super) fn to_adopted_from(kind: Kind, from: &AdoptedFrom) -> v1::AdoptedRevision {
    v1::AdoptedRevision {
        source: from.source(kind),
        revision: long(from.revision),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_what_was_adopted_are_told_apart() {
        for sort in Sort::ALL {
            let collection = sort.collection();
            let own = format!("firms/north/{collection}/desk");
            let shared = format!("partnerships/p/{collection}/desk");
            let named = parse_named("source", &own, true).unwrap();
            assert_eq!((named.sort, named.scope.is_firm()), (sort, true));
            let named = parse_named("name", &shared, false).unwrap();
            assert_eq!((named.sort, named.scope.is_firm()), (sort, false));
            assert!(parse_named("source", &shared, true).is_err());
            assert!(parse_named("name", &own, false).is_err());
            let from = AdoptedFrom {
                firm: FirmId::parse("north").unwrap(),
                id: "desk".to_owned(),
                revision: 1,
            };
            assert_eq!(from.source(sort.kind()), own);
        }
        for bad in [
            "",
            "firms/north",
            "firms/north/tickets/t1",
            "firms/north/calendars/-",
        ] {
            let refusal = parse_named("source", bad, true).unwrap_err();
            assert_eq!(refusal.violations[0].field, "source");
        }
    }

    #[test]
    fn revisions_are_not_negative() {
        assert_eq!(parse_revision(0), Ok(0));
        assert_eq!(parse_revision(i64::MAX), Ok(i64::MAX.unsigned_abs()));
        assert!(parse_revision(-1).is_err());
    }
}
