//! What keys and trusted identities have in common: what they may do, until when, and when they were
//! last used.

use std::collections::HashMap;

use super::{find_firm, firm_of, permission, require_keeper};
use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::convert::timestamp;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::domain::firm::{PERMISSIONS_MAX, Permission};
use crate::domain::record::Kind;
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::text::require_display_name;
use crate::domain::time::Timestamp;
use crate::domain::world::Versioned;
use crate::ledger::rows;
use crate::store::ListQuery;

/// What somebody may do, and until when.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) display_name: String,
    pub(super) permissions: Vec<Permission>,
    pub(super) expires_at: Option<Timestamp>,
}

impl Grant {
    /// A grant as a caller describes it below `field`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn asked_for(
        field: &str,
        display_name: &str,
        asked: &[i32],
        expire_time: Option<prost_types::Timestamp>,
    ) -> Result<Self, Refusal> {
        let mut violations = Violations::default();
        require_display_name(
            &mut violations,
            &format!("{field}.display_name"),
            display_name,
        );
        let permissions_field = format!("{field}.permissions");
        let permissions = if (1..=PERMISSIONS_MAX).contains(&asked.len()) {
            permissions(&mut violations, &permissions_field, asked)
        } else {
            violations.add(
                &permissions_field,
                format!("1 to {PERMISSIONS_MAX} permissions"),
            );
            Vec::new()
        };
        let time_field = format!("{field}.expire_time");
        let expires_at = expire_time.and_then(|time| violations.take(timestamp(&time_field, time)));
        violations.require(
            expires_at.is_none_or(Timestamp::is_storable),
            &time_field,
            "must lie before the year 2100",
        );
        violations.finish()?;
        Ok(Self {
            display_name: display_name.to_owned(),
            permissions,
            expires_at,
        })
    }
}

fn permissions(violations: &mut Violations, field: &str, asked: &[i32]) -> Vec<Permission> {
    let mut permissions = Vec::with_capacity(asked.len());
    for (index, value) in asked.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let Some(permission) = violations.take(permission(&field, *value)) else {
            continue;
        };
        violations.require(
            !permissions.contains(&permission),
            &field,
            "each permission once",
        );
        permissions.push(permission);
    }
    permissions.sort();
    permissions
}

/// Credentials of a kind as a page of a list shows them, and where the next page begins.
pub(super) struct Listed {
    /// Each with its id and when it was last used.
    pub(super) items: Vec<(String, Versioned, Option<Timestamp>)>,
    /// Empty on the last page.
    pub(super) next_page_token: String,
}

/// One page of a firm's credentials: `asked` has the list's name, its parent, page size and token.
///
/// # Errors
/// If the firm is not there, or the caller does not keep its credentials.
pub(super) async fn list(
    api: &Api,
    caller: &Caller,
    kind: Kind,
    asked: (&str, &str, i32, &str),
) -> Result<Listed, ApiError> {
    let (name, parent, page_size, page_token) = asked;
    let firm = firm_of("parent", parent)?;
    require_keeper(caller, &firm)?;
    find_firm(api, &firm).await?;
    let purpose = format!("{name}:{}:{parent}", caller.firm);
    let page = Page::parse(api, &purpose, page_size, page_token)?;
    let query = ListQuery {
        scope: firm.scope(),
        kind,
        state: None,
        after_id: page.after.clone(),
        limit: page.limit(),
    };
    let mut rows = api.ledger.store().list_records(&query).await?;
    let next_page_token = page.cut(api, &mut rows, |row| row.key.id.clone());
    let ids = rows.iter().map(|row| row.key.id.clone());
    let uses = last_uses(api, ids.collect()).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let last = uses.get(&row.key.id).copied();
        items.push((row.key.id.clone(), rows::decode_row(row)?, last));
    }
    Ok(Listed {
        items,
        next_page_token,
    })
}

/// When credentials were last used; those that never were are left out.
pub(super) async fn last_uses(
    api: &Api,
    ids: Vec<String>,
) -> Result<HashMap<String, Timestamp>, ApiError> {
    let rows = api.ledger.store().credentials(&ids).await?.into_iter();
    let used = rows.filter_map(|row| Some((row.id, row.last_used_at?)));
    Ok(used.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_grant_is_listed() {
        let refusal = Grant::asked_for("api_key", "", &[1, 1, 0, 99], None).unwrap_err();
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        let expected = [
            "api_key.display_name",
            "api_key.permissions[1]",
            "api_key.permissions[2]",
            "api_key.permissions[3]",
        ];
        assert_eq!(fields, expected);
    }
}
