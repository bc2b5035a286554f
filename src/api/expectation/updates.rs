//! Updates about expectations and tickets, and how these stand.

use std::sync::Arc;

use tonic::{Request, Response};

use super::parse::Intake;
use crate::api::caller::Caller;
use crate::api::convert::{etag, known_enum, parse_name, to_duration, to_timestamp};
use crate::api::listing::{self, Shown, Viewer, name_in};
use crate::api::page::Page;
use crate::api::sla::pinned::calendars;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Member, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::expectation::Expectation;
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::progress::{
    CurrentTime, Pace, Progress, Subject, TIMES_MAX, TimeDraft, TimeMatter, TimeSource, TimeTold,
};
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::ticket::Ticket;
use crate::domain::update::{Audience, PostUpdate, Update};
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::ListQuery;

/// Shape of an outside party's name.
const OUTSIDE_PARTY_SHAPE: &str = "partnerships/*/outsideParties/*";

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

pub(super) async fn post(
    api: &Api,
    request: &Request<v1::PostUpdateRequest>,
) -> Answer<v1::Update> {
    let caller = api.caller(request, Permission::Tickets).await?;
    let asked = request.get_ref();
    let (partnership, subject) = parse_subject("parent", &asked.parent, "")?;
    let given = asked.update.as_ref().ok_or_else(|| required("update"))?;
    let member = api.member(&caller, &partnership).await?;
    let mut intake = Intake::new(api);
    let text = intake.text("update.text", &given.text);
    let audience = known_enum("update.audience", given.audience);
    let audience = audience.map(|audience| match audience {
        v1::UpdateAudience::Unspecified => None,
        v1::UpdateAudience::Partners => Some(Audience::Partners),
        v1::UpdateAudience::Client => Some(Audience::Client),
    });
    let audience = intake.faults.take(audience);
    let mut times = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, time) in given.times.iter().take(TIMES_MAX + 1).enumerate() {
        let field = format!("update.times[{index}]");
        times.extend(time_draft(&mut intake, &member, &subject, &field, time));
    }
    let openings = intake.finish()?;
    let Some(audience) = audience else {
        return Err(required("update.audience").into());
    };
    let post = PostUpdate {
        subject,
        audience,
        text,
        times,
    };
    let mutation = Mutation {
        scope: member.scope(),
        envelope: Envelope::new(&asked.request_id, &asked.origin, ""),
        action: Action::Update(Box::new(post)),
        openings,
    };
    let receipt = api.run(&caller, "PostUpdate", request, mutation).await?;
    let (member, found) = api
        .get::<Update>(&caller, &partnership, &receipt.id)
        .await?;
    Ok(respond(listing::show(api, &member, found).await?, &receipt))
}

/// A time as the caller tells it; `None` if it is at fault, which is noted.
fn time_draft(
    intake: &mut Intake<'_>,
    member: &Member,
    subject: &Subject,
    field: &str,
    given: &v1::ToldTime,
) -> Option<TimeDraft> {
    let matter = known_enum(&format!("{field}.matter"), given.matter);
    let matter = matter.map(|matter| match matter {
        v1::TimeMatter::Unspecified => None,
        v1::TimeMatter::Arrival => Some(TimeMatter::Arrival),
        v1::TimeMatter::NextUpdate => Some(TimeMatter::NextUpdate),
        v1::TimeMatter::Workaround => Some(TimeMatter::Workaround),
        v1::TimeMatter::Resolution => Some(TimeMatter::Resolution),
    });
    let matter = intake.faults.take(matter);
    let at = intake.instant(&format!("{field}.time"), given.time);
    let source = source(&format!("{field}.source"), member, &given.source);
    let source = intake.faults.take(source.map(Some));
    let given_in = cited(
        &format!("{field}.given_in"),
        member,
        subject,
        &given.given_in,
    );
    let given_in = intake.faults.take(given_in);
    Some(TimeDraft {
        matter: matter?,
        at,
        source: source?,
        may_disclose: given.may_disclose,
        given_in,
    })
}

/// Whose time it is; the caller's own if nobody is named.
fn source(field: &str, member: &Member, named: &str) -> Result<TimeSource, Refusal> {
    if named.is_empty() {
        return Ok(TimeSource::Party(member.party.id.clone()));
    }
    if !named.contains('/') {
        return Ok(TimeSource::Party(PartyId::from_text(named)));
    }
    let [partnership, id] = parse_name(field, named, OUTSIDE_PARTY_SHAPE)?;
    same_partnership(field, member, &partnership)?;
    Ok(TimeSource::OutsideParty(id))
}

/// The number of the update that is cited, about the same thing.
fn cited(
    field: &str,
    member: &Member,
    subject: &Subject,
    name: &str,
) -> Result<Option<u32>, Refusal> {
    if name.is_empty() {
        return Ok(None);
    }
    let (partnership, about, number) = parse_update(field, name)?;
    same_partnership(field, member, &partnership)?;
    if about == *subject {
        return Ok(Some(number));
    }
    let why = "must be about the same expectation or ticket";
    Err(Refusal::field(Reason::InvalidField, field, why))
}

fn same_partnership(field: &str, member: &Member, partnership: &str) -> Result<(), Refusal> {
    if member.partnership.id == partnership {
        return Ok(());
    }
    let why = "must be of the same partnership";
    Err(Refusal::field(Reason::InvalidField, field, why))
}

/// A partnership and what `name` is about, with `below` behind the expectation or the ticket.
fn parse_subject(field: &str, name: &str, below: &str) -> Result<(String, Subject), Refusal> {
    let shape = |collection: &str| format!("partnerships/*/{collection}/*{below}");
    let (expectations, tickets) = (shape("expectations"), shape("tickets"));
    if let Ok([partnership, id]) = parse_name(field, name, &expectations) {
        return Ok((partnership, Subject::Expectation(id)));
    }
    if let Ok([partnership, id]) = parse_name(field, name, &tickets) {
        return Ok((partnership, Subject::Ticket(id)));
    }
    let why = format!("must be of the form {expectations} or {tickets}");
    Err(Refusal::field(Reason::InvalidField, field, why))
}

/// A partnership, what an update is about, and its number.
fn parse_update(field: &str, name: &str) -> Result<(String, Subject, u32), Refusal> {
    const FORMS: &str = "must be of the form partnerships/*/expectations/*/updates/* or \
                         partnerships/*/tickets/*/updates/*";
    let malformed = || Refusal::field(Reason::InvalidField, field, FORMS);
    let (parent, id) = name.rsplit_once("/updates/").ok_or_else(malformed)?;
    let (partnership, subject) = parse_subject(field, parent, "").map_err(|_| malformed())?;
    // What is no number, or is not written as one is, names no update, but is well-formed.
    let number = id.parse().unwrap_or_default();
    let number = if id == u32::to_string(&number) {
        number
    } else {
        0
    };
    let is_one = !id.is_empty() && !id.contains('/');
    if is_one {
        Ok((partnership, subject, number))
    } else {
        Err(malformed())
    }
}

pub(super) async fn get(api: &Api, request: &Request<v1::GetUpdateRequest>) -> Answer<v1::Update> {
    let caller = api.caller(request, Permission::Read).await?;
    let (partnership, subject, number) = parse_update("name", &request.get_ref().name)?;
    let id = Update::id_of(&subject, number);
    let (member, found) = api.get::<Update>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListUpdatesRequest>,
) -> Answer<v1::ListUpdatesResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let (partnership, subject) = parse_subject("parent", &asked.parent, "")?;
    let purpose = format!("ListUpdates:{}:{}", caller.firm, asked.parent);
    let page = Page::parse(api, &purpose, asked.page_size, &asked.page_token)?;
    let (member, _) = about(api, &caller, &partnership, &subject).await?;
    let begin = Update::ids_of(&subject);
    let query = ListQuery {
        scope: member.scope(),
        kind: Kind::Update,
        state: None,
        after_id: page.after.clone().max(begin.clone()),
        limit: page.limit(),
    };
    let mut found = Vec::new();
    for row in api.ledger.store().list_records(&query).await? {
        if row.key.id.starts_with(&begin) {
            found.push(decoded::<Update>(&row)?);
        }
    }
    let next_page_token = page.cut(api, &mut found, |last| last.id.clone());
    let updates = listing::show_all(api, &member, &found).await?;
    Ok(Response::new(v1::ListUpdatesResponse {
        updates,
        next_page_token,
    }))
}

fn decoded<T: Stored + Clone>(row: &crate::store::RecordRow) -> Result<Found<T>, ApiError> {
    let versioned = rows::decode_row(row)?;
    let state = T::from_record(&versioned.record).cloned();
    let state = state.ok_or_else(|| Refusal::not_found(T::KIND.as_str()))?;
    Ok(Found::new(&row.key.id, state, &versioned))
}

/// The caller's place in the partnership, if the subject is there, and whether that outlives it.
async fn about(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    subject: &Subject,
) -> Result<(Member, bool), ApiError> {
    Ok(match subject {
        Subject::Expectation(id) => {
            let (member, found) = api.get::<Expectation>(caller, partnership, id).await?;
            (member, found.state.carried.is_some())
        }
        Subject::Ticket(id) => {
            let (member, found) = api.get::<Ticket>(caller, partnership, id).await?;
            (member, found.state.carried.is_some())
        }
    })
}

pub(super) async fn progress(
    api: &Api,
    request: &Request<v1::GetProgressRequest>,
) -> Answer<v1::Progress> {
    let caller = api.caller(request, Permission::Read).await?;
    let name = &request.get_ref().name;
    let (partnership, subject) = parse_subject("name", name, "/progress")?;
    let (member, is_carried_on) = about(api, &caller, &partnership, &subject).await?;
    let scope = member.scope();
    let key = RecordKey::new(&scope, Kind::Progress, subject.progress_id());
    let found = api.find(&key).await?;
    let revision = found.as_ref().map_or(0, |found| found.revision);
    let progress = found.as_ref();
    let progress = progress.and_then(|found| Progress::from_record(&found.record));
    let mut shown = v1::Progress {
        name: format!("{scope}/{}/progress", subject.progress_id()),
        etag: etag(revision),
        ..v1::Progress::default()
    };
    if let Some(progress) = progress {
        let calendar = calendar_of(api, &scope, progress).await?;
        let now = api.now();
        let partnership = &member.partnership.state;
        let pace = progress.pace_at(&calendar, partnership, is_carried_on, now);
        shown.update_count = count(progress.updates);
        shown.last_update_time = progress.last_update_at.map(to_timestamp);
        shown.pace = pace.map(|pace| to_pace(&scope, &pace));
        let told = progress.told.iter();
        shown.told_times = told
            .map(|time| to_current(&scope, &subject, time))
            .collect();
    }
    Ok(Response::new(shown))
}

/// In whose hours the interval runs; around the clock where none does.
async fn calendar_of(
    api: &Api,
    scope: &ScopeId,
    progress: &Progress,
) -> Result<Arc<CompiledCalendar>, ApiError> {
    let pinned = progress
        .pace
        .as_ref()
        .and_then(|pace| pace.calendar.as_ref());
    let Some(pinned) = pinned else {
        return Ok(Arc::new(CompiledCalendar::always_open()));
    };
    let pin = (pinned.calendar.clone(), pinned.revision);
    let found = calendars(api, scope, std::slice::from_ref(&pin)).await?;
    let lost = || Refusal::new(Reason::Internal, "a calendar's revision is missing");
    Ok(found.get(&pin).cloned().ok_or_else(lost)?)
}

impl Shown for Update {
    type Message = v1::Update;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        self.posted.text.iter().cloned().collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Update {
        let posted = &found.state.posted;
        let scope = viewer.member.scope();
        let audience = match posted.audience {
            Audience::Partners => v1::UpdateAudience::Partners,
            Audience::Client => v1::UpdateAudience::Client,
        };
        let times = posted.times.iter();
        v1::Update {
            name: update_name(&scope, &posted.subject, posted.number),
            text: viewer.texts.show(posted.text.as_ref()),
            audience: audience.into(),
            times: times
                .map(|time| to_told(&scope, &posted.subject, time))
                .collect(),
            party_id: posted.party.to_string(),
            firm: found.state.firm.scope().to_string(),
            by_obligor: posted.is_obligors,
            post_time: Some(to_timestamp(found.state.at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
        }
    }
}

fn update_name(scope: &ScopeId, subject: &Subject, number: u32) -> String {
    format!("{scope}/{}/updates/{number}", subject.progress_id())
}

fn to_told(scope: &ScopeId, subject: &Subject, told: &TimeTold) -> v1::ToldTime {
    let given_in = told.given_in;
    v1::ToldTime {
        matter: to_matter(told.matter).into(),
        time: told.at.map(to_timestamp),
        source: to_source(scope, &told.source),
        may_disclose: told.may_disclose,
        given_in: given_in
            .map(|number| update_name(scope, subject, number))
            .unwrap_or_default(),
    }
}

fn to_current(scope: &ScopeId, subject: &Subject, current: &CurrentTime) -> v1::CurrentTime {
    v1::CurrentTime {
        matter: to_matter(current.matter).into(),
        time: current.at.map(to_timestamp),
        source: to_source(scope, &current.source),
        may_disclose: current.may_disclose,
        given_in: update_name(scope, subject, current.given_in),
        party_id: current.giver.to_string(),
    }
}

const fn to_matter(matter: TimeMatter) -> v1::TimeMatter {
    match matter {
        TimeMatter::Arrival => v1::TimeMatter::Arrival,
        TimeMatter::NextUpdate => v1::TimeMatter::NextUpdate,
        TimeMatter::Workaround => v1::TimeMatter::Workaround,
        TimeMatter::Resolution => v1::TimeMatter::Resolution,
    }
}

fn to_source(scope: &ScopeId, source: &TimeSource) -> String {
    match source {
        TimeSource::Party(party) => party.to_string(),
        TimeSource::OutsideParty(id) => name_in(scope, "outsideParties", id),
    }
}

fn to_pace(scope: &ScopeId, pace: &Pace) -> v1::UpdatePace {
    let calendar = pace.calendar.as_ref();
    let from = pace.is_running.then(|| to_timestamp(pace.from));
    v1::UpdatePace {
        obligor: pace.obligor.to_string(),
        interval: Some(to_duration(pace.interval)),
        calendar: calendar
            .map(|pinned| name_in(scope, "calendars", &pinned.calendar))
            .unwrap_or_default(),
        calendar_revision: calendar.map_or(0, |pinned| i64::from(pinned.revision)),
        running: pace.is_running,
        interval_start_time: from,
        update_due_time: pace.due_at.map(to_timestamp),
        missed_update_count: i64::try_from(pace.missed).unwrap_or(i64::MAX),
        last_missed_time: pace.last_missed_at.map(to_timestamp),
    }
}

/// Counts here are far below what 32 bits hold.
fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_an_update_is_about() {
        let expectation = Subject::Expectation("e1".to_owned());
        let name = "partnerships/p/expectations/e1/updates/7";
        let read = parse_update("f", name).unwrap();
        assert_eq!(read, ("p".to_owned(), expectation.clone(), 7));
        assert_eq!(
            update_name(&ScopeId::partnership("p"), &expectation, 7),
            name
        );
        for bad in [
            "",
            "partnerships/p/updates/7",
            "partnerships/p/tickets/t/updates/",
            "partnerships/p/tickets/t/updates/7/8",
            "partnerships/p/clients/c/updates/7",
        ] {
            assert_eq!(parse_update("f", bad).unwrap_err().violations[0].field, "f");
        }
        for absent in ["x", "07", "+7", "0", "4294967296"] {
            let name = format!("partnerships/p/tickets/t/updates/{absent}");
            let (_, _, number) = parse_update("f", &name).unwrap();
            assert_eq!(number, 0, "no update has it");
        }
        assert!(parse_subject("f", "partnerships/p/tickets/t/progress", "/progress").is_ok());
        assert!(parse_subject("f", "partnerships/p/tickets/t", "/progress").is_err());
    }

    #[test]
    fn records_of_one_subject_are_together_and_in_order() {
        let ticket = Subject::Ticket("t".to_owned());
        let begin = Update::ids_of(&ticket);
        assert!(Update::id_of(&ticket, 9) < Update::id_of(&ticket, 10));
        assert!(Update::id_of(&ticket, 9_999) < Update::id_of(&ticket, 10_000));
        let other = Update::id_of(&Subject::Ticket("t0".to_owned()), 1);
        assert!(!other.starts_with(&begin));
    }
}
