//! Shows records to a party: with the texts that it may read, one by one or in pages.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response};

use super::caller::Caller;
use super::page::Page;
use super::sla::pinned::{self, Pin};
use super::status::ApiError;
use super::text::Texts;
use super::{Api, Found, Member, Mutation, convert, respond};
use crate::domain::commitment::Commitment;
use crate::domain::identity::ScopeId;
use crate::domain::record::{RecordKey, Stored};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::time::Timestamp;
use crate::ledger::{Receipt, rows};
use crate::proto::v1;
use crate::store::{ListQuery, RecordRow};

/// Most bytes of a page, unless its first record alone is larger. Clients refuse answers above
/// 4 MiB unless they are told otherwise.
pub const PAGE_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Records read at once.
const RECORDS_READ_TOGETHER: usize = 50;
/// Most records read for one page; if so many were left out, the page ends where the reading does.
pub const RECORDS_READ_MAX: usize = 20_000;
/// Texts loaded at once, unless one record alone has more.
const TEXTS_LOADED_TOGETHER: usize = 2_000;

/// A sort of record that callers see.
pub trait Shown: Stored + Clone + Send + Sync {
    /// What the contract calls it.
    type Message: Message + Default;

    /// Whether the contract shows the caller's own external references to it.
    const REFERENCED: bool;

    /// The commitments whose texts are shown; may have some twice.
    fn commitments(&self) -> Vec<Commitment>;

    /// The calendars by whose hours something of it is counted; may have some twice.
    fn calendars(&self) -> Vec<Pin> {
        Vec::new()
    }

    /// The record as `viewer` sees it.
    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> Self::Message;
}

/// Who looks at records, when, and what may be read in them.
#[derive(Debug)]
pub struct Viewer<'page> {
    /// The caller's place in the partnership.
    pub member: &'page Member,
    /// The present instant.
    pub now: Timestamp,
    /// The texts that the caller's party may read.
    pub texts: Texts,
    /// The calendars that the records name.
    pub calendars: HashMap<Pin, Arc<CompiledCalendar>>,
    references: HashMap<String, Vec<v1::ExternalReference>>,
}

impl<'page> Viewer<'page> {
    /// A viewer of records without texts or references.
    #[must_use]
    pub fn new(member: &'page Member, now: Timestamp) -> Self {
        Self {
            member,
            now,
            texts: Texts::default(),
            calendars: HashMap::new(),
            references: HashMap::new(),
        }
    }

    /// The caller's own references to the record `id`.
    #[must_use]
    pub fn references(&self, id: &str) -> Vec<v1::ExternalReference> {
        self.references.get(id).cloned().unwrap_or_default()
    }
}

/// Shows records.
///
/// # Errors
/// If the store fails.
pub async fn show_all<T: Shown>(
    api: &Api,
    member: &Member,
    found: &[Found<T>],
) -> Result<Vec<T::Message>, ApiError> {
    let scope = member.scope();
    let texts: BTreeSet<Commitment> = found
        .iter()
        .flat_map(|found| found.state.commitments())
        .collect();
    let mut viewer = Viewer::new(member, api.now());
    let texts = texts.into_iter().collect();
    viewer.texts = Texts::load(api, &scope, &member.party.id, texts).await?;
    let calendars = found.iter().flat_map(|found| found.state.calendars());
    let calendars: BTreeSet<Pin> = calendars.collect();
    let calendars: Vec<Pin> = calendars.into_iter().collect();
    viewer.calendars = pinned::calendars(api, &scope, &calendars).await?;
    if T::REFERENCED {
        let ids = found.iter().map(|found| found.id.as_str());
        let keys = ids.map(|id| RecordKey::new(&scope, T::KIND, id)).collect();
        viewer.references = own_references(api, member, keys).await?;
    }
    Ok(found.iter().map(|found| T::shown(found, &viewer)).collect())
}

/// Shows one record.
///
/// # Errors
/// If the store fails.
pub async fn show<T: Shown>(
    api: &Api,
    member: &Member,
    found: Found<T>,
) -> Result<T::Message, ApiError> {
    let shown = show_all(api, member, &[found]).await?;
    Ok(shown.into_iter().next().unwrap_or_default())
}

/// Runs a change of a partnership's record; answers with the record after it.
///
/// # Errors
/// What the change is refused for, or if the store fails.
pub async fn change<T: Shown, M: Message>(
    api: &Api,
    caller: &Caller,
    method: &str,
    request: &Request<M>,
    mutation: Mutation,
) -> Result<Response<T::Message>, ApiError> {
    let scope = mutation.scope.clone();
    let receipt = api.run(caller, method, request, mutation).await?;
    changed::<T>(api, caller, scope.id(), &receipt).await
}

/// A partnership's record after a change.
///
/// # Errors
/// If the store fails.
pub async fn changed<T: Shown>(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    receipt: &Receipt,
) -> Result<Response<T::Message>, ApiError> {
    let (member, found) = api.get::<T>(caller, partnership, &receipt.id).await?;
    Ok(respond(show(api, &member, found).await?, receipt))
}

async fn own_references(
    api: &Api,
    member: &Member,
    keys: Vec<RecordKey>,
) -> Result<HashMap<String, Vec<v1::ExternalReference>>, ApiError> {
    let mut own: HashMap<String, Vec<v1::ExternalReference>> = HashMap::new();
    let mut rows = api.ledger.store().references_of(&keys).await?;
    rows.sort_by(|left, right| left.reference.cmp(&right.reference));
    for row in rows {
        if member.party.firm.as_ref() == Some(&row.reference.firm) {
            let reference = convert::to_reference(&row.reference);
            own.entry(row.id).or_default().push(reference);
        }
    }
    Ok(own)
}

/// Which page of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'request> {
    /// Method, parent and filters: what page tokens are bound to, beside the caller's firm.
    pub purpose: &'request str,
    /// How many records at most, as the caller asked.
    pub page_size: i32,
    /// Where to go on, as the caller asked.
    pub page_token: &'request str,
    /// Only records last recorded in this state.
    pub recorded_state: Option<&'request str>,
}

/// A page of records that the caller may know of and for which `keep` holds, and the token of the
/// next page. A page holds fewer than were asked for only at the end of the list, where it would
/// exceed [`PAGE_BYTES_MAX`], or where very many records in a row were left out.
///
/// # Errors
/// A page size or token that cannot be used, or if the store fails.
pub async fn list<T: Shown>(
    api: &Api,
    member: &Member,
    wanted: Wanted<'_>,
    keep: impl Fn(&T) -> bool + Send,
) -> Result<(Vec<T::Message>, String), ApiError> {
    let firm = member.party.firm.as_ref().map_or("", |firm| firm.as_str());
    let purpose = format!("{}:{firm}", wanted.purpose);
    let page = Page::parse(api, &purpose, wanted.page_size, wanted.page_token)?;
    let token = |last: &str| api.tokens.seal(&purpose, last.as_bytes());
    let mut filled = Filled::new(page.size);
    let mut read_until = page.after;
    let mut records_read = 0;
    while records_read < RECORDS_READ_MAX {
        let rows = read(api, member, T::KIND, wanted.recorded_state, &read_until).await?;
        records_read += rows.len();
        let is_last = rows.len() < RECORDS_READ_TOGETHER;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            kept.extend(kept_of(&row, member, api.now(), &keep)?);
            read_until = row.key.id;
        }
        kept.truncate(filled.room() + 1);
        if !filled.fill(api, member, &kept).await? {
            let next = token(&filled.last_id);
            return Ok((filled.messages, next));
        }
        if is_last {
            return Ok((filled.messages, String::new()));
        }
    }
    Ok((filled.messages, token(&read_until)))
}

async fn read(
    api: &Api,
    member: &Member,
    kind: crate::domain::record::Kind,
    state: Option<&str>,
    after_id: &str,
) -> Result<Vec<RecordRow>, ApiError> {
    let query = ListQuery {
        scope: member.scope(),
        kind,
        state: state.map(str::to_owned),
        after_id: after_id.to_owned(),
        limit: RECORDS_READ_TOGETHER,
    };
    Ok(api.ledger.store().list_records(&query).await?)
}

fn kept_of<T: Shown>(
    row: &RecordRow,
    member: &Member,
    now: Timestamp,
    keep: impl Fn(&T) -> bool,
) -> Result<Option<Found<T>>, ApiError> {
    let versioned = rows::decode_row(row)?;
    let mut state = T::from_record(&versioned.record).cloned();
    if let Some(state) = &mut state {
        member.partnership.state.close(state, now);
    }
    let state = state.filter(|state| keep(state));
    Ok(state.map(|state| Found::new(&row.key.id, state, &versioned)))
}

/// A page that is being filled.
struct Filled<M> {
    size: usize,
    messages: Vec<M>,
    /// Id of the last record on the page.
    last_id: String,
    bytes: usize,
}

impl<M: Message + Default> Filled<M> {
    fn new(size: usize) -> Self {
        Self {
            size,
            messages: Vec::new(),
            last_id: String::new(),
            bytes: 0,
        }
    }

    fn room(&self) -> usize {
        self.size.saturating_sub(self.messages.len())
    }

    /// Puts records on the page; returns whether all of them had room.
    async fn fill<T: Shown<Message = M>>(
        &mut self,
        api: &Api,
        member: &Member,
        found: &[Found<T>],
    ) -> Result<bool, ApiError> {
        let mut rest = found;
        while !rest.is_empty() {
            if self.room() == 0 {
                return Ok(false);
            }
            let texts = rest.iter().map(|found| found.state.commitments().len());
            let (group, later) = rest.split_at(group_length(texts));
            let shown = show_all(api, member, group).await?;
            for (record, message) in group.iter().zip(shown) {
                if !self.put(&record.id, message) {
                    return Ok(false);
                }
            }
            rest = later;
        }
        Ok(true)
    }

    /// Puts one record on the page unless that is full.
    fn put(&mut self, id: &str, message: M) -> bool {
        let bytes = self.bytes.saturating_add(message.encoded_len());
        let is_too_large = bytes > PAGE_BYTES_MAX && !self.messages.is_empty();
        if self.room() == 0 || is_too_large {
            return false;
        }
        self.bytes = bytes;
        id.clone_into(&mut self.last_id);
        self.messages.push(message);
        true
    }
}

/// How many records, from the first on, to show together: at least one.
fn group_length(texts: impl Iterator<Item = usize>) -> usize {
    let mut sum = 0_usize;
    let fitting = texts.take_while(|texts| {
        sum = sum.saturating_add(*texts);
        sum <= TEXTS_LOADED_TOGETHER
    });
    fitting.count().max(1)
}

/// The name of a record of a partnership, such as `partnerships/p1/clients/c1`.
#[must_use]
pub fn name_in(scope: &ScopeId, collection: &str, id: &str) -> String {
    format!("{scope}/{collection}/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled(bytes: usize) -> v1::Expectation {
        v1::Expectation {
            title: "x".repeat(bytes),
            ..v1::Expectation::default()
        }
    }

    #[test]
    fn a_page_ends_when_it_has_as_many_as_wanted() {
        let mut page = Filled::new(2);
        assert!(page.put("a", titled(1)) && page.put("b", titled(1)));
        assert!(!page.put("c", titled(1)));
        assert_eq!((page.messages.len(), page.last_id.as_str()), (2, "b"));
    }

    #[test]
    fn a_page_ends_before_it_is_too_large_but_holds_something() {
        let mut page = Filled::new(500);
        assert!(page.put("a", titled(PAGE_BYTES_MAX)));
        assert!(!page.put("b", titled(1)));
        assert_eq!(page.last_id, "a");
    }

    #[test]
    fn texts_are_loaded_in_bounded_groups() {
        let length = |texts: &[usize]| group_length(texts.iter().copied());
        assert_eq!(length(&[1, 1, 1]), 3);
        assert_eq!(length(&[TEXTS_LOADED_TOGETHER, 1]), 1);
        assert_eq!(length(&[TEXTS_LOADED_TOGETHER + 1, 1]), 1);
        assert_eq!(length(&[1, TEXTS_LOADED_TOGETHER - 1, 1]), 2);
    }
}
