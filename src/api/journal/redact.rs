//! `Redact`: a firm has erased what it wrote itself.
//!
//! Who wrote a value is found in the journal: it is the firm of the record's first entry that commits
//! to it. The journal never changes, so this is found out before the command is made.

use std::collections::{BTreeMap, BTreeSet};

use tonic::Request;

use super::{Answer, authorise, scope_of};
use crate::api::convert::{known_enum, to_firm, to_timestamp};
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::text::redactions;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::aggregate::guest_of;
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::guest_link::GuestLink;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::interaction::survey::SurveyEvent;
use crate::domain::journal::Entry;
use crate::domain::pricing::quote::sealed::DIVIDED_LABELS;
use crate::domain::record::{EventBody, Kind, RecordKey, Stored};
use crate::domain::redaction::{REDACTIONS_MAX, RedactCommand, Redaction, RedactionReason};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;
use crate::store::BATCH_KEYS_MAX;

/// Most fields that one request names.
const FIELDS_MAX: usize = 50;
/// What stands for every field.
const EVERY_FIELD: &str = "*";
/// Entries of a record read at a time.
const ENTRIES_AT_A_TIME: usize = 1_000;

/// What a request asks for.
struct Asked<'request> {
    key: RecordKey,
    fields: BTreeSet<&'request str>,
    commitments: BTreeSet<Commitment>,
    reason: RedactionReason,
}

/// A sealed value that a record commits to.
struct Value {
    /// The firm that wrote it, if one did.
    firm: Option<FirmId>,
    label: String,
}

pub(super) async fn redact(
    api: &Api,
    request: &Request<v1::RedactRequest>,
) -> Answer<v1::RedactResponse> {
    let caller = api.caller(request, Permission::Admin).await?;
    let message = request.get_ref();
    let asked = parse(message)?;
    let scope = asked.key.scope.clone();
    authorise(api, &caller, std::slice::from_ref(&scope)).await?;
    let values = values(api, &asked.key).await?;
    let wanted = chosen(&asked, &values, &caller.firm)?;
    let commitments: Vec<Commitment> = wanted.iter().map(|(found, _)| found.clone()).collect();
    let command = RedactCommand {
        wanted,
        reason: asked.reason,
    };
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Redact(command),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "Redact", request, mutation).await?;
    // It is erased by now; what an engine leaves behind is for its upkeep if this does not succeed.
    if let Err(error) = api.ledger.store().scrub().await {
        tracing::warn!(%error, "what was erased may be in the database's files for a while");
    }
    let mut erased = redactions(api, &scope, &commitments).await?;
    erased.sort_by(|one, other| one.id.cmp(&other.id));
    let redactions = erased.iter().map(to_redaction).collect();
    Ok(respond(v1::RedactResponse { redactions }, &receipt))
}

fn parse(message: &v1::RedactRequest) -> Result<Asked<'_>, Refusal> {
    let mut faults = Faults::default();
    let scope = faults.take(scope_of("parent", &message.parent).map(Some));
    let kind = Kind::parse(&message.record_kind);
    faults.require(kind.is_some(), "record_kind", "no such sort of record");
    faults.require(!message.record_id.is_empty(), "record_id", "is required");
    let reason = faults.take(reason("reason", message.reason).map(Some));
    let few = message.fields.len() <= FIELDS_MAX;
    faults.require(few, "fields", &format!("no more than {FIELDS_MAX}"));
    let fields: BTreeSet<&str> = message.fields.iter().map(String::as_str).collect();
    let once = fields.len() == message.fields.len();
    faults.require(once, "fields", "each field once");
    let alone = !fields.contains(EVERY_FIELD) || fields.len() == 1;
    faults.require(alone, "fields", "`*` stands alone");
    let few = message.commitments.len() <= REDACTIONS_MAX;
    let most = format!("no more than {REDACTIONS_MAX}");
    faults.require(few, "commitments", &most);
    let commitments = message.commitments.iter().take(REDACTIONS_MAX);
    let commitments: BTreeSet<_> = commitments.map(|it| Commitment::from_text(it)).collect();
    let once = !few || commitments.len() == message.commitments.len();
    faults.require(once, "commitments", "each commitment once");
    let stated = !fields.is_empty() || !commitments.is_empty();
    faults.require(stated, "fields", "name a field or a commitment");
    faults.finish()?;
    let key = scope.zip(kind).map(|(scope, kind)| {
        let id = message.record_id.as_str();
        RecordKey::new(&scope, kind, id)
    });
    Ok(Asked {
        key: key.ok_or_else(|| required("record_kind"))?,
        fields,
        commitments,
        reason: reason.ok_or_else(|| required("reason"))?,
    })
}

fn reason(field: &str, value: i32) -> Result<RedactionReason, Refusal> {
    match known_enum(field, value)? {
        v1::RedactionReason::PersonAsked => Ok(RedactionReason::PersonAsked),
        v1::RedactionReason::WrittenByMistake => Ok(RedactionReason::WrittenByMistake),
        v1::RedactionReason::NoLongerNeeded => Ok(RedactionReason::NoLongerNeeded),
        v1::RedactionReason::Other => Ok(RedactionReason::Other),
        v1::RedactionReason::Unspecified => Err(required(field)),
    }
}

/// The sealed values of a record's whole history that are there, or were until they were redacted.
async fn values(api: &Api, key: &RecordKey) -> Result<BTreeMap<Commitment, Value>, ApiError> {
    let mut writers: BTreeMap<Commitment, Option<FirmId>> = BTreeMap::new();
    let mut after = 0;
    loop {
        let store = api.ledger.store();
        let entries = store.entries_of(key, after, ENTRIES_AT_A_TIME).await?;
        for entry in &entries {
            after = entry.sequence;
            let body = body(entry)?;
            let cited = body.commitments();
            if cited.is_empty() {
                continue;
            }
            let firm = writer(api, &key.scope, entry).await?;
            for commitment in cited {
                let known = restated(&body, &commitment).and_then(|sealed| writers.get(sealed));
                let firm = known.unwrap_or(&firm).clone();
                writers.entry(commitment).or_insert(firm);
            }
        }
        if entries.len() < ENTRIES_AT_A_TIME {
            break;
        }
    }
    labelled(api, &key.scope, writers).await
}

fn body(entry: &Entry) -> Result<EventBody, Refusal> {
    let fault = || Refusal::new(Reason::Internal, "an entry cannot be read");
    let kind = Kind::parse(&entry.kind).ok_or_else(fault)?;
    let version = entry.event_version;
    let body = EventBody::decode(kind, &entry.event_type, version, &entry.payload);
    body.map_err(|_| fault())
}

/// What a party committed to earlier, where an entry opens the same for others: whoever wrote it did so
/// then, and not the firm with whose answer it was opened.
fn restated<'body>(body: &'body EventBody, commitment: &Commitment) -> Option<&'body Commitment> {
    match body {
        EventBody::Survey(SurveyEvent::MirrorRevealed(revealed)) => revealed.sealed_of(commitment),
        _ => None,
    }
}

/// The firm whose words an entry holds: for a guest in the place of one, the firm that made the link.
async fn writer(api: &Api, scope: &ScopeId, entry: &Entry) -> Result<Option<FirmId>, ApiError> {
    let firm = FirmId::parse(&entry.firm);
    let Some(link) = guest_of(&entry.actor).filter(|_| firm.is_none()) else {
        return Ok(firm);
    };
    let found = api
        .find(&RecordKey::new(scope, Kind::GuestLink, link))
        .await?;
    let link = found.as_ref();
    let link = link.and_then(|versioned| GuestLink::from_record(&versioned.record));
    Ok(link.map(|link| link.made.issuer.clone()))
}

/// With the label of each, which its opening says, or its redaction.
async fn labelled(
    api: &Api,
    scope: &ScopeId,
    mut writers: BTreeMap<Commitment, Option<FirmId>>,
) -> Result<BTreeMap<Commitment, Value>, ApiError> {
    let all: Vec<Commitment> = writers.keys().cloned().collect();
    let mut labels = Vec::new();
    for chunk in all.chunks(BATCH_KEYS_MAX) {
        let openings = api.ledger.store().openings(scope, chunk).await?;
        labels.extend(openings.into_iter().map(|it| (it.commitment, it.label)));
        let erased = redactions(api, scope, chunk).await?.into_iter();
        labels.extend(erased.map(|it| (Commitment::from_text(&it.id), it.state.label)));
    }
    let mut values = BTreeMap::new();
    // Nobody wrote what a division gave each party; it is theirs, whoever proposed it.
    labels.retain(|(_, label)| !DIVIDED_LABELS.contains(&label.as_str()));
    for (commitment, label) in labels {
        if let Some(firm) = writers.remove(&commitment) {
            values.insert(commitment, Value { firm, label });
        }
    }
    Ok(values)
}

/// The values that are asked for, if they are there and the caller's.
fn chosen(
    asked: &Asked<'_>,
    values: &BTreeMap<Commitment, Value>,
    own: &FirmId,
) -> Result<Vec<(Commitment, String)>, Refusal> {
    let absent = || Refusal::not_found("sealed value");
    let is_own = |value: &Value| value.firm.as_ref() == Some(own);
    let mut chosen = BTreeMap::new();
    for commitment in &asked.commitments {
        let value = values.get(commitment).ok_or_else(absent)?;
        if !is_own(value) {
            return Err(written_by_another(value));
        }
        chosen.insert(commitment.clone(), value.label.clone());
    }
    for field in &asked.fields {
        let fits = |value: &Value| *field == EVERY_FIELD || value.label == *field;
        let mut fitting = values.iter().filter(|(_, value)| fits(value)).peekable();
        let (_, first) = fitting.peek().ok_or_else(absent)?;
        let other = written_by_another(first);
        let own: Vec<_> = fitting.filter(|(_, value)| is_own(value)).collect();
        if own.is_empty() {
            return Err(other);
        }
        let own = own.into_iter();
        chosen.extend(own.map(|(commitment, value)| (commitment.clone(), value.label.clone())));
    }
    Ok(chosen.into_iter().collect())
}

fn written_by_another(value: &Value) -> Refusal {
    let message = "what is sealed is redacted by the firm that wrote it";
    Refusal::new(Reason::InvalidState, message)
        .with("state", "sealed")
        .with("action", "Redact")
        .with("firm", to_firm(value.firm.as_ref()))
}

fn to_redaction(found: &Found<Redaction>) -> v1::Redaction {
    let reason = match found.state.reason {
        RedactionReason::PersonAsked => v1::RedactionReason::PersonAsked,
        RedactionReason::WrittenByMistake => v1::RedactionReason::WrittenByMistake,
        RedactionReason::NoLongerNeeded => v1::RedactionReason::NoLongerNeeded,
        RedactionReason::Other => v1::RedactionReason::Other,
    };
    v1::Redaction {
        commitment: found.id.clone(),
        field: found.state.label.clone(),
        reason: reason.into(),
        firm: to_firm(Some(&found.state.firm)),
        redact_time: Some(to_timestamp(found.state.at)),
    }
}
