//! Where calendars and maps live: in a partnership, or in a firm's own scope, which nobody else
//! sees.

use std::future::Future;

use prost::Message;

use crate::api::caller::Caller;
use crate::api::listing::PAGE_BYTES_MAX;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::{Api, Found};
use crate::domain::identity::{ScopeId, is_identifier};
use crate::domain::record::{RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};

use super::{all_of, decode};

/// How many records are read at a time.
const RECORDS_AT_A_TIME: usize = 50;

/// The scope that a `parent` names.
///
/// # Errors
/// [`Reason::InvalidField`].
pub(super) fn parse_home(parent: &str) -> Result<ScopeId, Refusal> {
    ScopeId::parse(parent).ok_or_else(|| {
        let rule = "must be of the form partnerships/* or firms/*";
        Refusal::field(Reason::InvalidField, "parent", rule)
    })
}

/// The scope and the id of a record of a `collection`, such as `calendars`.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn parse_setting(
    field: &str,
    name: &str,
    collection: &str,
) -> Result<(ScopeId, String), Refusal> {
    split_name(name)
        .filter(|(_, found, _)| *found == collection)
        .map(|(scope, _, id)| (scope, id.to_owned()))
        .ok_or_else(|| {
            let rule = format!(
                "must be of the form partnerships/*/{collection}/* or firms/*/{collection}/*"
            );
            Refusal::field(Reason::InvalidField, field, rule)
        })
}

/// Scope, collection and id of a name that has these parts.
pub(super) fn split_name(name: &str) -> Option<(ScopeId, &str, &str)> {
    let (rest, id) = name.rsplit_once('/')?;
    let (scope, collection) = rest.rsplit_once('/')?;
    let scope = ScopeId::parse(scope)?;
    is_identifier(id).then_some((scope, collection, id))
}

/// Refuses a firm's own calendar where one of `partnership` is needed; whether there is such a
/// calendar makes no difference.
///
/// # Errors
/// [`Reason::CalendarNotAdopted`], naming `field`.
pub(super) fn require_adopted(field: &str, name: &str, partnership: &str) -> Result<(), Refusal> {
    let named = split_name(name);
    let is_own = named.is_some_and(|(scope, collection, _)| {
        scope.is_firm() && collection == super::calendar::COLLECTION
    });
    if !is_own {
        return Ok(());
    }
    let rule = "is a firm's own: adopt it in the partnership with AdoptRevision, and name that";
    Err(Refusal::field(Reason::CalendarNotAdopted, field, rule)
        .with("source", name)
        .with("parent", ScopeId::partnership(partnership))
        .with("method", "AdoptRevision"))
}

/// Checks that the caller may look into a scope.
///
/// # Errors
/// [`Reason::NotFound`] for strangers, as if there were no such scope.
pub(super) async fn authorise(api: &Api, caller: &Caller, scope: &ScopeId) -> Result<(), ApiError> {
    if scope.is_firm() {
        return Ok(require_own(caller, scope, "firm")?);
    }
    api.member(caller, scope.id()).await?;
    Ok(())
}

/// A firm's scope is open to that firm alone; to others there is no `what` in it.
fn require_own(caller: &Caller, scope: &ScopeId, what: &str) -> Result<(), Refusal> {
    if caller.firm.scope() == *scope {
        return Ok(());
    }
    Err(Refusal::not_found(what))
}

/// A record.
///
/// # Errors
/// [`Reason::NotFound`] if there is none, and for strangers.
pub(super) async fn get<T: Stored + Clone>(
    api: &Api,
    caller: &Caller,
    scope: &ScopeId,
    id: &str,
) -> Result<Found<T>, ApiError> {
    if !scope.is_firm() {
        return Ok(api.get::<T>(caller, scope.id(), id).await?.1);
    }
    let what = T::KIND.as_str();
    require_own(caller, scope, what)?;
    let versioned = api.find(&RecordKey::new(scope, T::KIND, id)).await?;
    let versioned = versioned.ok_or_else(|| Refusal::not_found(what))?;
    let state = T::from_record(&versioned.record).cloned();
    let state = state.ok_or_else(|| Refusal::not_found(what))?;
    Ok(Found::new(id, state, &versioned))
}

/// A sort of record that lives in both.
pub(super) trait Setting: Stored + Clone + Send + Sync {
    /// What the contract calls it.
    type Message: Message;

    /// Shows records of a scope, in their order.
    fn show_all(
        api: &Api,
        scope: &ScopeId,
        found: &[Found<Self>],
    ) -> impl Future<Output = Result<Vec<Self::Message>, ApiError>> + Send;
}

/// Shows one record.
///
/// # Errors
/// If the store fails.
pub(super) async fn show<T: Setting>(
    api: &Api,
    scope: &ScopeId,
    found: &Found<T>,
) -> Result<T::Message, ApiError> {
    let shown = T::show_all(api, scope, std::slice::from_ref(found)).await?;
    let lost = || Refusal::new(Reason::Internal, "a record was not shown");
    Ok(shown.into_iter().next().ok_or_else(lost)?)
}

/// Which page of a scope's records is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'request> {
    /// The method: page tokens are bound to it, to `parent` and to the caller's firm.
    pub method: &'request str,
    /// `partnerships/{partnership}` or `firms/{firm}`.
    pub parent: &'request str,
    /// How many records at most, as the caller asked.
    pub page_size: i32,
    /// Where to go on, as the caller asked.
    pub page_token: &'request str,
}

/// A page of records in the order of their ids, and the token of the next page. It holds fewer than
/// were asked for only at the end, or where it would exceed [`PAGE_BYTES_MAX`].
///
/// # Errors
/// A parent, a page size or a token that cannot be used; [`Reason::NotFound`] for strangers.
pub(super) async fn list<T: Setting>(
    api: &Api,
    caller: &Caller,
    wanted: Wanted<'_>,
) -> Result<(Vec<T::Message>, String), ApiError> {
    let scope = parse_home(wanted.parent)?;
    let purpose = format!("{}:{}:{scope}", wanted.method, caller.firm);
    let page = Page::parse(api, &purpose, wanted.page_size, wanted.page_token)?;
    authorise(api, caller, &scope).await?;
    let mut query = all_of(&scope, T::KIND, &page.after, RECORDS_AT_A_TIME);
    let (mut messages, mut bytes) = (Vec::new(), 0_usize);
    loop {
        let rows = api.ledger.store().list_records(&query).await?;
        let found: Vec<Found<T>> = rows.iter().map(decode).collect::<Result<_, _>>()?;
        let shown = T::show_all(api, &scope, &found).await?;
        for (message, Found { id, .. }) in shown.into_iter().zip(&found) {
            bytes = bytes.saturating_add(message.encoded_len());
            let is_too_large = bytes > PAGE_BYTES_MAX && !messages.is_empty();
            if messages.len() == page.size || is_too_large {
                let next = api.tokens.seal(&purpose, query.after_id.as_bytes());
                return Ok((messages, next));
            }
            query.after_id.clone_from(id);
            messages.push(message);
        }
        if rows.len() < RECORDS_AT_A_TIME {
            return Ok((messages, String::new()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_homes() {
        let parse = |name: &str| parse_setting("f", name, "calendars");
        for scope in ["partnerships/p", "firms/north"] {
            let found = (ScopeId::parse(scope).unwrap(), "office".to_owned());
            assert_eq!(parse(&format!("{scope}/calendars/office")), Ok(found));
            assert!(parse_home(scope).is_ok());
        }
        for bad in [
            "",
            "firms/north",
            "firms/north/calendars/",
            "firms/north/statusMaps/office",
            "firms//calendars/office",
            "clients/c/calendars/office",
            "partnerships/p/calendars/Office",
            "partnerships/p/calendars/office/x",
        ] {
            let refusal = parse(bad).unwrap_err();
            assert_eq!(refusal.violations[0].field, "f", "{bad}");
            assert_eq!(parse_home(bad).is_ok(), bad == "firms/north");
        }
    }

    #[test]
    fn a_firms_own_calendar_has_to_be_adopted() {
        let check = |name| require_adopted("agreement.calendar", name, "p");
        let refusal = check("firms/north/calendars/office").unwrap_err();
        assert_eq!(refusal.reason, Reason::CalendarNotAdopted);
        assert_eq!(refusal.violations[0].field, "agreement.calendar");
        let metadata = [
            ("source", "firms/north/calendars/office".to_owned()),
            ("parent", "partnerships/p".to_owned()),
            ("method", "AdoptRevision".to_owned()),
        ];
        assert_eq!(refusal.metadata, metadata);
        for other in [
            "partnerships/p/calendars/office",
            "firms/north/statusMaps/x",
            "",
        ] {
            assert_eq!(check(other), Ok(()), "{other}");
        }
    }
}
