//! The words that no map explains.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tonic::{Request, Response};

use super::words::long;
use super::{SlaService, all_of, decode, parse_parent};
use crate::api::Api;
use crate::api::convert::{to_reference, to_timestamp};
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::settings::{UnmappedWord, WordKind};
use crate::proto::v1;
use crate::store::ListQuery;

/// State of the unmapped words that are listed.
const OPEN: &str = "open";
/// How many unmapped words are read at a time.
const UNMAPPED_READ_AT_A_TIME: usize = 1_000;
/// Most unmapped words of a partnership that are gone through for one page.
const UNMAPPED_READ_MAX: usize = 100_000;

/// `ListUnmapped`: of the caller's firm, the one that can map them.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListUnmappedRequest>,
) -> Result<Response<v1::ListUnmappedResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let partnership = parse_parent(&message.parent)?;
    let purpose = format!("ListUnmapped:{}:{partnership}", caller.firm);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let member = api.member(&caller, &partnership).await?;
    let mut found = open_words(api, &member.scope(), &caller.firm, &page).await?;
    let next_page_token = page.cut(api, &mut found, |(position, _)| position.clone());
    let found: Vec<UnmappedWord> = found.into_iter().map(|(_, unmapped)| unmapped).collect();
    let unmapped_words = show_unmapped(api, &member.scope(), &caller.firm, &found).await?;
    Ok(Response::new(v1::ListUnmappedResponse {
        unmapped_words,
        next_page_token,
    }))
}

/// The page's words by position. Their ids are hashes and say nothing of the order, so all of
/// them are gone through, and only what may be on the page is kept.
async fn open_words(
    api: &Api,
    scope: &ScopeId,
    firm: &FirmId,
    page: &Page,
) -> Result<Vec<(String, UnmappedWord)>, ApiError> {
    let mut query = ListQuery {
        state: Some(OPEN.to_owned()),
        ..all_of(scope, Kind::UnmappedWord, "", UNMAPPED_READ_AT_A_TIME)
    };
    let mut kept: BTreeMap<String, UnmappedWord> = BTreeMap::new();
    for _ in 0..UNMAPPED_READ_MAX / UNMAPPED_READ_AT_A_TIME {
        let rows = api.ledger.store().list_records(&query).await?;
        for row in &rows {
            let unmapped = decode::<UnmappedWord>(row)?.state;
            let position = position(&unmapped);
            if unmapped.word.firm == *firm && position > page.after {
                kept.insert(position, unmapped);
            }
            if kept.len() > page.limit() {
                kept.pop_last();
            }
        }
        let Some(last) = rows
            .last()
            .filter(|_| rows.len() == UNMAPPED_READ_AT_A_TIME)
        else {
            return Ok(kept.into_iter().collect());
        };
        query.after_id.clone_from(&last.key.id);
    }
    let refusal = Refusal::new(
        Reason::ResultTooLarge,
        format!("more than {UNMAPPED_READ_MAX} words are unmapped"),
    );
    Err(refusal
        .with("limit", "unmapped_words")
        .with("maximum", UNMAPPED_READ_MAX)
        .into())
}

/// Orders by system, instance, kind and word: none of them has control characters.
fn position(unmapped: &UnmappedWord) -> String {
    let word = &unmapped.word;
    let kind: i32 = to_word_kind(word.kind).into();
    format!("{}\0{}\0{kind}\0{}", word.system, word.instance, word.text)
}

const fn to_word_kind(kind: WordKind) -> v1::WordKind {
    match kind {
        WordKind::Status => v1::WordKind::Status,
        WordKind::Priority => v1::WordKind::Priority,
    }
}

async fn show_unmapped(
    api: &Api,
    scope: &ScopeId,
    firm: &FirmId,
    found: &[UnmappedWord],
) -> Result<Vec<v1::UnmappedWord>, ApiError> {
    let tickets: BTreeSet<&String> = found
        .iter()
        .flat_map(|unmapped| &unmapped.example_tickets)
        .collect();
    let keys: Vec<RecordKey> = tickets
        .into_iter()
        .map(|id| RecordKey::new(scope, Kind::Ticket, id.as_str()))
        .collect();
    let mut references: HashMap<String, v1::ExternalReference> = HashMap::new();
    if !keys.is_empty() {
        let rows = api.ledger.store().references_of(&keys).await?;
        let own = rows.into_iter().filter(|row| row.reference.firm == *firm);
        references.extend(own.map(|row| (row.id, to_reference(&row.reference))));
    }
    Ok(found
        .iter()
        .map(|unmapped| to_unmapped(unmapped, &references))
        .collect())
}

/// An unmapped word as the contract shows it; `references` by ticket.
fn to_unmapped(
    unmapped: &UnmappedWord,
    references: &HashMap<String, v1::ExternalReference>,
) -> v1::UnmappedWord {
    let examples = unmapped
        .example_tickets
        .iter()
        .filter_map(|ticket| references.get(ticket));
    v1::UnmappedWord {
        firm: unmapped.word.firm.scope().as_str().to_owned(),
        system: unmapped.word.system.clone(),
        instance: unmapped.word.instance.clone(),
        kind: to_word_kind(unmapped.word.kind).into(),
        word: unmapped.word.text.clone(),
        parked_count: long(unmapped.parked_events),
        first_seen_time: Some(to_timestamp(unmapped.first_seen_at)),
        last_seen_time: Some(to_timestamp(unmapped.last_seen_at)),
        example_tickets: examples.cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sla::settings::Word;
    use crate::domain::time::Timestamp;

    #[test]
    fn only_the_firms_own_references_are_examples() {
        let at = Timestamp::EARLIEST;
        let unmapped = UnmappedWord {
            word: Word {
                firm: FirmId::parse("north").unwrap(),
                system: "halopsa".into(),
                instance: String::new(),
                kind: WordKind::Status,
                text: "Zombie".into(),
            },
            parked_events: 3,
            first_seen_at: at,
            last_seen_at: at,
            example_tickets: vec!["t1".into(), "t2".into()],
            waiting: Vec::new(),
            lists_filed: 0,
            lists_explained: 0,
            meaning: None,
            due_at: None,
        };
        let own = v1::ExternalReference {
            id: "4711".into(),
            ..v1::ExternalReference::default()
        };
        let shown = to_unmapped(&unmapped, &HashMap::from([("t2".to_owned(), own.clone())]));
        assert_eq!((shown.parked_count, shown.example_tickets), (3, vec![own]));
    }
}
