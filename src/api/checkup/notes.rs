//! What the parties have to say to the rows of a check-up, as of its instant.

use crate::api::Member;
use crate::api::collections::record_name;
use crate::api::convert::to_timestamp;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, checkup::to_symptom};
use crate::domain::checkup_note::CheckupNote;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::{Kind, Stored};
use crate::domain::time::Timestamp;
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::ListQuery;

/// Most notes on one row that a report has: the latest ones. `ListCheckupNotes` has all of them.
pub(super) const NOTES_MAX: usize = 20;
/// Most notes of a scope that are gone through.
const NOTES_READ_MAX: usize = 20_000;
/// How many are read at a time.
const NOTES_AT_A_TIME: usize = 500;

/// A note, and where it is kept.
struct Kept {
    scope: ScopeId,
    id: String,
    note: CheckupNote,
}

/// Adds to each row the shared notes on it and the private ones of the member's own firm, oldest first:
/// those that were written by an instant and not withdrawn by then.
///
/// # Errors
/// If the store fails.
pub(super) async fn add(
    api: &Api,
    member: &Member,
    as_of: Timestamp,
    report: &mut v1::Checkup,
) -> Result<(), ApiError> {
    let own = member.party.firm.as_ref().map(FirmId::scope);
    let scopes = std::iter::once(member.scope()).chain(own);
    let mut kept = Vec::new();
    for scope in scopes {
        kept.extend(notes_of(api, &scope, member, as_of).await?);
    }
    kept.sort_by(|one, other| (one.note.by.at, &one.id).cmp(&(other.note.by.at, &other.id)));
    for row in &mut report.rows {
        let on_row = |kept: &&Kept| to_symptom(kept.note.written.symptom) == row.symptom();
        let on_row: Vec<&Kept> = kept.iter().filter(on_row).collect();
        let first = on_row.len().saturating_sub(NOTES_MAX);
        row.notes = remarks(api, member, &on_row[first..]).await?;
    }
    Ok(())
}

/// The notes of a scope on the member's partnership that stood at an instant.
async fn notes_of(
    api: &Api,
    scope: &ScopeId,
    member: &Member,
    as_of: Timestamp,
) -> Result<Vec<Kept>, ApiError> {
    let mut query = ListQuery {
        scope: scope.clone(),
        kind: Kind::CheckupNote,
        state: None,
        after_id: String::new(),
        limit: NOTES_AT_A_TIME,
    };
    let (mut found, mut read) = (Vec::new(), 0);
    while read < NOTES_READ_MAX {
        let rows = api.ledger.store().list_records(&query).await?;
        read += rows.len();
        for row in &rows {
            let record = rows::decode_row(row)?.record;
            let note = CheckupNote::from_record(&record).cloned();
            let note = note.filter(|note| {
                let stands = note.withdrawn_at.is_none_or(|at| at > as_of);
                let is_here = note.written.partnership == member.partnership.id;
                is_here && stands && note.by.at <= as_of
            });
            found.extend(note.map(|note| Kept {
                scope: scope.clone(),
                id: row.key.id.clone(),
                note,
            }));
        }
        match rows.last() {
            Some(last) if rows.len() == NOTES_AT_A_TIME => {
                query.after_id.clone_from(&last.key.id);
            }
            _ => break,
        }
    }
    Ok(found)
}

/// Notes of one row as the contract shows them. One whose text was erased is empty.
async fn remarks(
    api: &Api,
    member: &Member,
    kept: &[&Kept],
) -> Result<Vec<v1::CheckupRemark>, ApiError> {
    let mut remarks = Vec::with_capacity(kept.len());
    for Kept { scope, id, note } in kept {
        let text = &note.written.text;
        let texts = Texts::load(api, scope, &member.party.id, vec![text.clone()]).await?;
        let reply_to = note.written.reply_to.as_ref();
        remarks.push(v1::CheckupRemark {
            name: record_name(scope, Kind::CheckupNote, id),
            party_id: note.written.party.to_string(),
            text: texts.show(Some(text)),
            reply_to: reply_to
                .map(|id| record_name(scope, Kind::CheckupNote, id))
                .unwrap_or_default(),
            private: scope.is_firm(),
            write_time: Some(to_timestamp(note.by.at)),
        });
    }
    Ok(remarks)
}
