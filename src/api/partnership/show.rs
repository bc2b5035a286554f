//! Partnerships as their parties see them.

use std::collections::HashMap;

use tonic::{Request, Response};

use super::Answer;
use super::convert::{commitments, to_partnership};
use crate::api::caller::Caller;
use crate::api::convert as values;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Member, respond};
use crate::domain::firm::Permission;
use crate::domain::identity::{ExternalReference, FirmId, ScopeId};
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::text::require_reference;
use crate::ledger::{Receipt, history, rows};
use crate::proto::v1;
use crate::store::{BATCH_KEYS_MAX, ListQuery};

pub(super) async fn list_partnerships(
    api: &Api,
    request: &Request<v1::ListPartnershipsRequest>,
) -> Answer<v1::ListPartnershipsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let reference = message
        .external_reference
        .as_ref()
        .map(|reference| values::reference(&caller.firm, reference));
    if let Some(reference) = &reference {
        let mut violations = Violations::default();
        require_reference(&mut violations, "external_reference", reference);
        violations.finish()?;
    }
    let purpose = format!("ListPartnerships:{}:{reference:?}", caller.firm);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let mut ids = match &reference {
        Some(reference) => referenced(api, &caller, reference, &page).await?,
        None => memberships(api, &caller, &page).await?,
    };
    let next_page_token = page.cut(api, &mut ids, Clone::clone);
    let partnerships = show_all(api, &caller, &ids).await?;
    Ok(Response::new(v1::ListPartnershipsResponse {
        partnerships,
        next_page_token,
    }))
}

/// The partnerships of the caller's firm, by their ids.
async fn memberships(api: &Api, caller: &Caller, page: &Page) -> Result<Vec<String>, ApiError> {
    let query = ListQuery {
        scope: caller.firm.scope(),
        kind: Kind::Membership,
        state: None,
        after_id: page.after.clone(),
        limit: page.limit(),
    };
    let rows = api.ledger.store().list_records(&query).await?;
    Ok(rows.into_iter().map(|row| row.key.id).collect())
}

/// The partnerships that the caller's own systems know by `reference`.
async fn referenced(
    api: &Api,
    caller: &Caller,
    reference: &ExternalReference,
    page: &Page,
) -> Result<Vec<String>, ApiError> {
    let rows = api
        .ledger
        .store()
        .references_anywhere(reference, BATCH_KEYS_MAX)
        .await?;
    let scope = caller.firm.scope();
    let own = rows
        .into_iter()
        .filter(|row| row.kind == Kind::Membership && row.scope == scope);
    Ok(own
        .map(|row| row.id)
        .filter(|id| *id > page.after)
        .take(page.limit())
        .collect())
}

/// The caller's place in a partnership; for a firm that left, as everything was then.
///
/// # Errors
/// [`Reason::NotFound`] for strangers.
pub(super) async fn member_or_former(
    api: &Api,
    caller: &Caller,
    id: &str,
) -> Result<Member, ApiError> {
    let member = api.member_or_former(caller, id).await?;
    as_it_left(api, member).await
}

async fn as_it_left(api: &Api, member: Member) -> Result<Member, ApiError> {
    let Some(left) = &member.party.left else {
        return Ok(member);
    };
    let id = member.partnership.id.as_str();
    let key = RecordKey::new(&member.scope(), Kind::Partnership, id);
    let store = api.ledger.store().as_ref();
    let found = history::as_of(store, &key, left.sequence).await?;
    let firm = member.party.firm.as_ref();
    let then = found
        .zip(firm)
        .and_then(|(found, firm)| Member::of(firm, id, &found));
    Ok(then.ok_or_else(|| Refusal::not_found("partnership"))?)
}

/// Answers a firm that left with the partnership as it was then.
pub(super) async fn respond_as_left(
    api: &Api,
    caller: &Caller,
    id: &str,
    receipt: &Receipt,
) -> Answer<v1::Partnership> {
    let member = member_or_former(api, caller, id).await?;
    Ok(respond(show(api, caller, &member).await?, receipt))
}

/// A partnership as the caller may see it.
pub(super) async fn show(
    api: &Api,
    caller: &Caller,
    member: &Member,
) -> Result<v1::Partnership, ApiError> {
    let key = RecordKey::new(
        &caller.firm.scope(),
        Kind::Membership,
        member.partnership.id.as_str(),
    );
    let mut references = own_references(api, &caller.firm, &[key]).await?;
    show_with(
        api,
        member,
        references
            .remove(&member.partnership.id)
            .unwrap_or_default(),
    )
    .await
}

async fn show_with(
    api: &Api,
    member: &Member,
    references: Vec<v1::ExternalReference>,
) -> Result<v1::Partnership, ApiError> {
    let commitments = commitments(&member.partnership.state);
    let texts = Texts::load(api, &member.scope(), &member.party.id, commitments).await?;
    let now = match &member.party.left {
        Some(left) => left.at,
        None => api.now(),
    };
    Ok(to_partnership(&member.partnership, references, &texts, now))
}

/// Partnerships by their ids, in that order; those whose scope has not begun yet are left out.
async fn show_all(
    api: &Api,
    caller: &Caller,
    ids: &[String],
) -> Result<Vec<v1::Partnership>, ApiError> {
    let key =
        |id: &String| RecordKey::new(&ScopeId::partnership(id), Kind::Partnership, id.as_str());
    let keys: Vec<_> = ids.iter().map(key).collect();
    let mut members = HashMap::new();
    for row in api.ledger.store().records(&keys).await? {
        if let Some(member) = Member::of(&caller.firm, &row.key.id, &rows::decode_row(&row)?) {
            members.insert(row.key.id, as_it_left(api, member).await?);
        }
    }
    let scope = caller.firm.scope();
    let keys: Vec<_> = ids
        .iter()
        .map(|id| RecordKey::new(&scope, Kind::Membership, id.as_str()))
        .collect();
    let mut references = own_references(api, &caller.firm, &keys).await?;
    let mut shown = Vec::with_capacity(ids.len());
    for member in ids.iter().filter_map(|id| members.get(id)) {
        let references = references
            .remove(&member.partnership.id)
            .unwrap_or_default();
        shown.push(show_with(api, member, references).await?);
    }
    Ok(shown)
}

/// The external references of `firm` for records of one kind, by record id; those of other firms
/// are nobody else's business.
pub(super) async fn own_references(
    api: &Api,
    firm: &FirmId,
    keys: &[RecordKey],
) -> Result<HashMap<String, Vec<v1::ExternalReference>>, ApiError> {
    let mut rows = api.ledger.store().references_of(keys).await?;
    rows.retain(|row| row.reference.firm == *firm);
    rows.sort_by(|one, other| one.reference.cmp(&other.reference));
    let mut references: HashMap<String, Vec<_>> = HashMap::new();
    for row in rows {
        references
            .entry(row.id)
            .or_default()
            .push(values::to_reference(&row.reference));
    }
    Ok(references)
}

/// What people call a firm; its id, should it have no record of its own.
pub(super) async fn firm_display_name(api: &Api, firm: &FirmId) -> Result<String, ApiError> {
    let key = RecordKey::new(&firm.scope(), Kind::Firm, firm.as_str());
    Ok(
        match api.find(&key).await?.map(|versioned| versioned.record) {
            Some(Record::Firm(found)) => found.display_name,
            _ => firm.as_str().to_owned(),
        },
    )
}
