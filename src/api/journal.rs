//! `JournalService`: the entries of a scope, their stream, and checkpoints.

mod export;
mod position;
mod redact;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::caller::Caller;
use super::convert::{credential_name, to_firm, to_timestamp};
use super::page::Page;
use super::signing::to_cosignature;
use super::status::ApiError;
use super::{Api, Member};
use crate::domain::aggregate::guest_of;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::journal::Entry;
use crate::domain::partnership::{Party, require_present};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::webhook::endpoint_of;
use crate::ledger::history::{cosignatures, head_of};
use crate::ledger::rows;
use crate::proto::v1;
pub use export::ExportAnswers;
pub use watch::WatchAnswers;

/// Most entries looked at for one page. Where few of them fit the filter, a page is shorter than
/// asked, or empty, and its token goes on from there.
const ENTRIES_SCANNED_MAX: usize = 10_000;
/// Entries read at a time while looking for those that fit the filter.
const SCAN_CHUNK: usize = 1_000;

/// What an RPC answers before errors become statuses.
type Answer<T> = Result<Response<T>, ApiError>;

/// Implements the contract's `JournalService`.
#[derive(Clone, Debug)]
pub struct JournalService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::journal_service_server::JournalService for JournalService {
    type WatchStream = WatchAnswers;
    type ExportJournalStream = ExportAnswers;

    async fn list_entries(
        &self,
        request: Request<v1::ListEntriesRequest>,
    ) -> Result<Response<v1::ListEntriesResponse>, Status> {
        Ok(list_entries(&self.0, &request).await?)
    }

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Ok(watch::watch(&self.0, request).await?)
    }

    async fn redact(
        &self,
        request: Request<v1::RedactRequest>,
    ) -> Result<Response<v1::RedactResponse>, Status> {
        Ok(redact::redact(&self.0, &request).await?)
    }

    async fn export_journal(
        &self,
        request: Request<v1::ExportJournalRequest>,
    ) -> Result<Response<Self::ExportJournalStream>, Status> {
        Ok(export::export(&self.0, &request).await?)
    }

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::Checkpoint>, Status> {
        Ok(get_checkpoint(&self.0, &request).await?)
    }
}

/// Which entries of a scope are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Filter {
    Every,
    OfKind(Kind),
    OfRecord(Kind, String),
}

async fn list_entries(
    api: &Api,
    request: &Request<v1::ListEntriesRequest>,
) -> Answer<v1::ListEntriesResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let mut violations = Violations::default();
    let scope = violations.take(scope_of("parent", &message.parent));
    let filter = violations.take(filter_of(message));
    let after = u64::try_from(message.after_sequence).ok();
    violations.require(after.is_some(), "after_sequence", "must not be negative");
    violations.finish()?;
    let (Some(scope), Some(filter), Some(after)) = (scope, filter, after) else {
        return Err(Refusal::new(Reason::Internal, "a violation was lost").into());
    };
    let bounds = authorise(api, &caller, std::slice::from_ref(&scope)).await?;
    let last = bounds.last(&scope);
    let purpose = format!("ListEntries:{}:{scope}:{after}:{filter:?}", caller.firm);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let after = page.after.parse().unwrap_or(after);
    let (entries, next) = match filter {
        Filter::OfKind(kind) => scan(api, &scope, kind, after, page.size, last).await?,
        filter => read(api, &scope, &filter, after, &page, last).await?,
    };
    let next_page_token = next.map(|last| api.tokens.seal(&purpose, last.to_string().as_bytes()));
    Ok(Response::new(v1::ListEntriesResponse {
        entries: entries.into_iter().map(to_entry).collect(),
        next_page_token: next_page_token.unwrap_or_default(),
    }))
}

fn filter_of(message: &v1::ListEntriesRequest) -> Result<Filter, Refusal> {
    let bad = |field, description| Err(Refusal::field(Reason::InvalidField, field, description));
    match (message.record_kind.as_str(), message.record_id.as_str()) {
        ("", "") => Ok(Filter::Every),
        ("", _) => bad("record_id", "needs record_kind"),
        (kind, id) => match Kind::parse(kind) {
            None => bad("record_kind", "no such sort of record"),
            Some(kind) if id.is_empty() => Ok(Filter::OfKind(kind)),
            Some(kind) => Ok(Filter::OfRecord(kind, id.to_owned())),
        },
    }
}

/// A page, and the sequence after which the next one begins.
type Read = (Vec<Entry>, Option<u64>);

async fn read(
    api: &Api,
    scope: &ScopeId,
    filter: &Filter,
    after: u64,
    page: &Page,
    last: u64,
) -> Result<Read, ApiError> {
    let store = api.ledger.store();
    let mut entries = match filter {
        Filter::OfRecord(kind, id) => {
            let key = RecordKey::new(scope, *kind, id.as_str());
            store.entries_of(&key, after, page.limit()).await?
        }
        Filter::Every | Filter::OfKind(_) => store.entries(scope, after, page.limit()).await?,
    };
    entries.retain(|entry| entry.sequence <= last);
    let more = entries.len() > page.size;
    entries.truncate(page.size);
    let next = entries.last().filter(|_| more).map(|last| last.sequence);
    Ok((entries, next))
}

/// Looks through the entries for those about records of a kind.
async fn scan(
    api: &Api,
    scope: &ScopeId,
    kind: Kind,
    mut after: u64,
    size: usize,
    last: u64,
) -> Result<Read, ApiError> {
    let mut found = Vec::new();
    for _ in 0..ENTRIES_SCANNED_MAX / SCAN_CHUNK {
        let entries = api.ledger.store().entries(scope, after, SCAN_CHUNK).await?;
        let last_chunk = entries.len() < SCAN_CHUNK;
        for entry in entries {
            after = entry.sequence;
            if after > last {
                return Ok((found, None));
            }
            if entry.kind == kind.as_str() {
                found.push(entry);
            }
            if found.len() == size {
                return Ok((found, Some(after)));
            }
        }
        if last_chunk {
            return Ok((found, None));
        }
    }
    Ok((found, Some(after)))
}

/// The first entries about one record, at most `limit`, and whether there are no others.
///
/// # Errors
/// [`Reason::NotFound`] for strangers, and where there are none.
pub async fn history(
    api: &Api,
    caller: &Caller,
    key: &RecordKey,
    limit: usize,
) -> Result<(Vec<v1::JournalEntry>, bool), ApiError> {
    let bounds = authorise(api, caller, std::slice::from_ref(&key.scope)).await?;
    let last = bounds.last(&key.scope);
    let store = api.ledger.store();
    let mut entries = store.entries_of(key, 0, limit.saturating_add(1)).await?;
    entries.retain(|entry| entry.sequence <= last);
    let is_all = entries.len() <= limit;
    entries.truncate(limit);
    if entries.is_empty() {
        return Err(Refusal::not_found(key.kind.as_str()).into());
    }
    Ok((entries.into_iter().map(to_entry).collect(), is_all))
}

async fn get_checkpoint(
    api: &Api,
    request: &Request<v1::GetCheckpointRequest>,
) -> Answer<v1::Checkpoint> {
    let caller = api.caller(request, Permission::Read).await?;
    let scope = scope_of("name", &request.get_ref().name)?;
    let bounds = authorise(api, &caller, std::slice::from_ref(&scope)).await?;
    let store = api.ledger.store().as_ref();
    let head = head_of(store, &scope, bounds.until(&scope)).await?;
    let head = &head.ok_or_else(|| Refusal::not_found("scope"))?;
    let cosignatures = cosignatures(store, &scope, head.sequence).await?;
    let shown = cosignatures.iter();
    let shown = shown.map(|found| to_cosignature(api, &scope, found));
    Ok(Response::new(v1::Checkpoint {
        cosignatures: shown.collect(),
        note: api.signer.sign(head),
        scope: scope.as_str().to_owned(),
        sequence: to_sequence(head.sequence),
        hash: data_encoding::HEXLOWER.encode(&head.hash),
    }))
}

fn scope_of(field: &str, name: &str) -> Result<ScopeId, Refusal> {
    let malformed = "must be of the form partnerships/* or firms/*";
    ScopeId::parse(name).ok_or_else(|| Refusal::field(Reason::InvalidField, field, malformed))
}

/// Up to which entry a caller may read journals: what was recorded after it left a partnership is
/// not for it to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::api) struct Bounds(BTreeMap<ScopeId, Party>);

impl Bounds {
    /// The last entry of a scope that may be read, if not all may.
    fn until(&self, scope: &ScopeId) -> Option<u64> {
        let left = self.0.get(scope).and_then(|party| party.left.as_ref());
        left.map(|left| left.sequence)
    }

    pub(in crate::api) fn last(&self, scope: &ScopeId) -> u64 {
        self.until(scope).unwrap_or(u64::MAX)
    }

    /// Refuses to go on after the last entry that may be read.
    fn require_after(&self, scope: &ScopeId, sequence: u64) -> Result<(), Refusal> {
        match self.0.get(scope) {
            Some(party) if sequence >= self.last(scope) => require_present(party),
            _ => Ok(()),
        }
    }
}

/// Checks that the caller may read the journals of `scopes`: its own firm's, and those of the
/// partnerships that it is a party of. The operator may read no others either. Returns how far.
///
/// # Errors
/// [`Reason::NotFound`] if there is any other among them, or one that does not exist.
pub(in crate::api) async fn authorise(
    api: &Api,
    caller: &Caller,
    scopes: &[ScopeId],
) -> Result<Bounds, ApiError> {
    let mut bounds = Bounds::default();
    let own = caller.firm.scope();
    let partnerships: Vec<_> = scopes.iter().filter(|scope| **scope != own).collect();
    if partnerships.iter().any(|scope| scope.is_firm()) {
        return Err(Refusal::not_found("scope").into());
    }
    if partnerships.is_empty() {
        return Ok(bounds);
    }
    let key = |scope: &&ScopeId| RecordKey::new(scope, Kind::Partnership, scope.id());
    let keys: Vec<_> = partnerships.iter().map(key).collect();
    let mut memberships = 0;
    for row in api.ledger.store().records(&keys).await? {
        let member = Member::of(&caller.firm, &row.key.id, &rows::decode_row(&row)?);
        memberships += usize::from(member.is_some());
        let left = member.filter(|member| member.party.left.is_some());
        bounds
            .0
            .extend(left.map(|member| (row.key.scope.clone(), member.party)));
    }
    if memberships < keys.len() {
        return Err(Refusal::not_found("scope").into());
    }
    Ok(bounds)
}

/// A sequence as the contract shows it.
fn to_sequence(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// An entry as the contract shows it.
pub(in crate::api) fn to_entry(entry: Entry) -> v1::JournalEntry {
    let (firm, actor) = match (entry.firm.as_str(), entry.actor.as_str()) {
        (_, actor) if guest_of(actor).is_some() => (
            to_firm(FirmId::parse(&entry.firm).as_ref()),
            actor.to_owned(),
        ),
        (firm, actor) if endpoint_of(actor).is_some() => {
            let endpoint = endpoint_of(actor).unwrap_or_default();
            let name = format!("firms/{firm}/webhookEndpoints/{endpoint}");
            (format!("firms/{firm}"), name)
        }
        ("", _) => (String::new(), String::new()),
        (firm, "") => (format!("firms/{firm}"), String::new()),
        (firm, actor) => (
            format!("firms/{firm}"),
            credential_name(&format!("firms/{firm}"), actor),
        ),
    };
    v1::JournalEntry {
        scope: entry.scope.as_str().to_owned(),
        sequence: to_sequence(entry.sequence),
        record_time: Some(to_timestamp(entry.recorded_at)),
        firm,
        actor,
        origin: entry.origin,
        record_kind: entry.kind,
        record_id: entry.id,
        r#type: entry.event_type,
        type_version: i32::try_from(entry.event_version).unwrap_or(i32::MAX),
        payload: entry.payload,
        previous_hash: data_encoding::HEXLOWER.encode(&entry.previous_hash),
        hash: data_encoding::HEXLOWER.encode(&entry.hash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(kind: &str, id: &str) -> Result<Filter, Refusal> {
        filter_of(&v1::ListEntriesRequest {
            record_kind: kind.to_owned(),
            record_id: id.to_owned(),
            ..v1::ListEntriesRequest::default()
        })
    }

    #[test]
    fn filters_are_checked() {
        assert_eq!(filter("", ""), Ok(Filter::Every));
        assert_eq!(filter("ticket", ""), Ok(Filter::OfKind(Kind::Ticket)));
        assert_eq!(
            filter("ticket", "t1"),
            Ok(Filter::OfRecord(Kind::Ticket, "t1".to_owned()))
        );
        assert_eq!(
            filter("", "t1").unwrap_err().violations[0].field,
            "record_id"
        );
        assert_eq!(
            filter("nonsense", "").unwrap_err().violations[0].field,
            "record_kind"
        );
    }
}
