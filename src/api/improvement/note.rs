//! Notes on the check-up: shared ones in a partnership's scope, private ones in the firm's own.

use tonic::{Request, Response};

use super::{Answer, firm};
use crate::api::caller::Caller;
use crate::api::checkup::{symptom, to_symptom};
use crate::api::convert::{chosen_id, etag, parse_name, to_timestamp};
use crate::api::expectation::parse::{Intake, neighbour, stated};
use crate::api::listing::{PAGE_BYTES_MAX, RECORDS_READ_MAX, name_in};
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::checkup_note::{CheckupNote, NoteCommand};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::ListQuery;

/// How the collection is called.
const COLLECTION: &str = "checkupNotes";
/// How many records are read at a time.
const RECORDS_AT_A_TIME: usize = 100;

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateCheckupNoteRequest>,
) -> Answer<v1::CheckupNote> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let scope = home("parent", &asked.parent)?;
    require_own(&caller, &scope)?;
    let given = asked.checkup_note.as_ref();
    let given = given.ok_or_else(|| required("checkup_note"))?;
    let mut intake = Intake::new(api);
    let id = chosen_id("checkup_note_id", &asked.checkup_note_id);
    let id = intake.faults.take(id);
    let partnership = intake.faults.take(partnership(&scope, &given.partnership));
    let symptom = symptom("checkup_note.symptom", given.symptom);
    let symptom = intake.faults.take(symptom.map(Some));
    let text = intake.required_text("checkup_note.text", &given.text);
    let reply_to = reply_to(&scope, &given.reply_to);
    let reply_to = intake.faults.take(reply_to);
    let openings = intake.finish()?;
    let (Some(symptom), Some(text)) = (symptom, text) else {
        return Err(required("checkup_note").into());
    };
    if scope.is_firm() {
        // Whoever left may still write down what it thinks; a stranger learns nothing.
        api.member_or_former(&caller, &partnership).await?;
    }
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&asked.request_id, &asked.origin, ""),
        action: Action::CheckupNote(NoteCommand::Write {
            id,
            partnership,
            symptom,
            text,
            reply_to,
        }),
        openings,
    };
    let method = "CreateCheckupNote";
    let receipt = api.run(&caller, method, request, mutation).await?;
    let shown = read(api, &caller, &scope, &receipt.id).await?;
    Ok(respond(shown, &receipt))
}

/// The scope that a parent names.
fn home(field: &str, parent: &str) -> Result<ScopeId, Refusal> {
    ScopeId::parse(parent).ok_or_else(|| {
        let rule = "must be of the form partnerships/* or firms/*";
        Refusal::field(Reason::InvalidField, field, rule)
    })
}

/// A firm's scope is open to that firm alone; to others there is no such firm.
fn require_own(caller: &Caller, scope: &ScopeId) -> Result<(), Refusal> {
    if scope.is_firm() && caller.firm.scope() != *scope {
        return Err(Refusal::not_found("firm"));
    }
    Ok(())
}

/// The partnership that a note is about.
fn partnership(scope: &ScopeId, given: &str) -> Result<String, Refusal> {
    const FIELD: &str = "checkup_note.partnership";
    if given.is_empty() && !scope.is_firm() {
        return Ok(scope.id().to_owned());
    }
    let [named] = parse_name(FIELD, given, "partnerships/*")?;
    if scope.is_firm() || named == scope.id() {
        return Ok(named);
    }
    let rule = "must be the parent, or be left out";
    Err(Refusal::field(Reason::InvalidField, FIELD, rule))
}

/// The note to which another one replies.
fn reply_to(scope: &ScopeId, given: &str) -> Result<Option<String>, Refusal> {
    const FIELD: &str = "checkup_note.reply_to";
    if scope.is_firm() && !given.is_empty() {
        let rule = "a private note replies to nothing";
        return Err(Refusal::field(Reason::InvalidField, FIELD, rule));
    }
    neighbour(FIELD, scope, given, "partnerships/*/checkupNotes/*")
}

pub(super) async fn withdraw(
    api: &Api,
    request: &Request<v1::WithdrawCheckupNoteRequest>,
) -> Answer<v1::CheckupNote> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let (scope, id) = named(&caller, &asked.name)?;
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        action: Action::CheckupNote(NoteCommand::Withdraw { id }),
        openings: Vec::new(),
    };
    let method = "WithdrawCheckupNote";
    let receipt = api.run(&caller, method, request, mutation).await?;
    let shown = read(api, &caller, &scope, &receipt.id).await?;
    Ok(respond(shown, &receipt))
}

/// The scope and id of a note; of another firm's there is none.
fn named(caller: &Caller, name: &str) -> Result<(ScopeId, String), Refusal> {
    let malformed = || {
        let rule = "must be of the form partnerships/*/checkupNotes/* or firms/*/checkupNotes/*";
        Refusal::field(Reason::InvalidField, "name", rule)
    };
    let is_firms = name.starts_with("firms/");
    let shape = if is_firms {
        "firms/*/checkupNotes/*"
    } else {
        "partnerships/*/checkupNotes/*"
    };
    let [home, id] = parse_name("name", name, shape).map_err(|_| malformed())?;
    let collection = if is_firms { "firms" } else { "partnerships" };
    let scope = ScopeId::parse(&format!("{collection}/{home}")).ok_or_else(malformed)?;
    if is_firms && caller.firm.scope() != scope {
        return Err(Refusal::not_found(Kind::CheckupNote.as_str()));
    }
    Ok((scope, id))
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetCheckupNoteRequest>,
) -> Answer<v1::CheckupNote> {
    let caller = api.caller(request, Permission::Read).await?;
    let (scope, id) = named(&caller, &request.get_ref().name)?;
    Ok(Response::new(read(api, &caller, &scope, &id).await?))
}

/// A note as its reader sees it.
async fn read(
    api: &Api,
    caller: &Caller,
    scope: &ScopeId,
    id: &str,
) -> Result<v1::CheckupNote, ApiError> {
    let found = if scope.is_firm() {
        require_own(caller, scope)?;
        let key = RecordKey::new(scope, Kind::CheckupNote, id);
        let found = api.find(&key).await?;
        let found = found.as_ref().and_then(|versioned| {
            let state = CheckupNote::from_record(&versioned.record).cloned()?;
            Some(Found::new(id, state, versioned))
        });
        found.ok_or_else(|| Refusal::not_found(Kind::CheckupNote.as_str()))?
    } else {
        api.get::<CheckupNote>(caller, scope.id(), id).await?.1
    };
    let shown = show(api, scope, std::slice::from_ref(&found)).await?;
    Ok(shown.into_iter().next().unwrap_or_default())
}

/// Every reader of a scope may read all notes in it.
async fn show(
    api: &Api,
    scope: &ScopeId,
    found: &[Found<CheckupNote>],
) -> Result<Vec<v1::CheckupNote>, ApiError> {
    let Some(first) = found.first() else {
        return Ok(Vec::new());
    };
    let texts: Vec<Commitment> = found
        .iter()
        .map(|note| note.state.written.text.clone())
        .collect();
    // They are sealed for whoever has a part in the scope.
    let reader = &first.state.written.party;
    let texts = Texts::load(api, scope, reader, texts).await?;
    let notes = found.iter().map(|found| to_note(scope, found, &texts));
    Ok(notes.collect())
}

fn to_note(scope: &ScopeId, found: &Found<CheckupNote>, texts: &Texts) -> v1::CheckupNote {
    let note = &found.state;
    let written = &note.written;
    let reply_to = written.reply_to.as_ref();
    v1::CheckupNote {
        name: name_in(scope, COLLECTION, &found.id),
        partnership: ScopeId::partnership(&written.partnership).to_string(),
        symptom: to_symptom(written.symptom).into(),
        text: texts.show(Some(&written.text)),
        reply_to: reply_to.map_or_else(String::new, |id| name_in(scope, COLLECTION, id)),
        private: scope.is_firm(),
        party_id: written.party.to_string(),
        firm: firm(&note.by),
        write_time: Some(to_timestamp(note.by.at)),
        withdraw_time: note.withdrawn_at.map(to_timestamp),
        create_time: Some(to_timestamp(found.created_at)),
        update_time: Some(to_timestamp(found.updated_at)),
        etag: etag(found.revision),
        redacted_fields: texts.redacted_fields([written.text.clone()]),
    }
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListCheckupNotesRequest>,
) -> Answer<v1::ListCheckupNotesResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let scope = home("parent", &asked.parent)?;
    let wanted = stated::<v1::Symptom>("symptom", asked.symptom)?;
    let about = match asked.partnership.as_str() {
        "" => None,
        given => Some(parse_name::<1>("partnership", given, "partnerships/*")?),
    };
    require_own(&caller, &scope)?;
    if !scope.is_firm() {
        api.member(&caller, scope.id()).await?;
    }
    let purpose = format!(
        "ListCheckupNotes:{}:{scope}:{}:{}",
        caller.firm, asked.symptom, asked.partnership
    );
    let page = Page::parse(api, &purpose, asked.page_size, &asked.page_token)?;
    let keep = |note: &CheckupNote| {
        let written = &note.written;
        wanted.is_none_or(|wanted| wanted == to_symptom(written.symptom))
            && about
                .as_ref()
                .is_none_or(|[about]| *about == written.partnership)
    };
    let mut found = kept(api, &scope, &page, keep).await?;
    let next_page_token = page.cut(api, &mut found, |found| found.id.clone());
    let checkup_notes = show(api, &scope, &found).await?;
    Ok(Response::new(v1::ListCheckupNotesResponse {
        checkup_notes,
        next_page_token,
    }))
}

/// The notes of a page, and one more if there are more.
async fn kept(
    api: &Api,
    scope: &ScopeId,
    page: &Page,
    keep: impl Fn(&CheckupNote) -> bool,
) -> Result<Vec<Found<CheckupNote>>, ApiError> {
    let mut query = ListQuery {
        scope: scope.clone(),
        kind: Kind::CheckupNote,
        state: None,
        after_id: page.after.clone(),
        limit: RECORDS_AT_A_TIME,
    };
    let (mut found, mut read) = (Vec::new(), 0);
    while found.len() < page.limit() && read < RECORDS_READ_MAX {
        let rows = api.ledger.store().list_records(&query).await?;
        read += rows.len();
        for row in &rows {
            let versioned = rows::decode_row(row)?;
            let state = CheckupNote::from_record(&versioned.record).cloned();
            let state = state.filter(|note| keep(note));
            found.extend(state.map(|state| Found::new(&row.key.id, state, &versioned)));
        }
        match rows.last() {
            Some(last) if rows.len() == RECORDS_AT_A_TIME => {
                query.after_id.clone_from(&last.key.id);
            }
            _ => break,
        }
    }
    found.truncate(page.limit());
    Ok(found)
}

// A page of the largest notes is far from being too large for a client.
const _: () = assert!(
    crate::api::page::PAGE_SIZE_MAX * (crate::domain::text::FREE_TEXT_BYTES_MAX + 1_024)
        <= PAGE_BYTES_MAX
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_about_its_partnership() {
        let (shared, own) = (
            ScopeId::partnership("p"),
            ScopeId::parse("firms/acme").unwrap(),
        );
        assert_eq!(partnership(&shared, ""), Ok("p".to_owned()));
        for scope in [&shared, &own] {
            assert_eq!(partnership(scope, "partnerships/p"), Ok("p".to_owned()));
        }
        assert!(partnership(&shared, "partnerships/q").is_err());
        assert!(partnership(&own, "").is_err());
        assert!(reply_to(&own, "partnerships/p/checkupNotes/n").is_err());
        assert_eq!(reply_to(&own, ""), Ok(None));
    }
}
