//! Every revision of terms, and how two of them differ.

use std::collections::BTreeMap;

use tonic::{Request, Response};

use super::{Answer, NAME, to_terms};
use crate::api::convert::{parse_name, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::{self, Shown, Viewer, Wanted};
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Found, Member};
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::partnership::Partnership;
use crate::domain::partnership::revisions::{TermsRevision, fields};
use crate::domain::partnership::terms::Terms;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::Refusal;
use crate::domain::sla::settings::difference::{Change, entries};
use crate::proto::v1;

/// Shape of a revision's name.
const SHAPE: &str = "partnerships/*/termsRevisions/*";

/// The revision that a caller names by its number; `None` for one that cannot be.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetTermsRevisionRequest>,
) -> Answer<v1::TermsRevision> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, revision] = parse_name("name", &request.get_ref().name, SHAPE)?;
    // A number that cannot be is looked for like one that is not there.
    let id = number(&revision).map_or(revision, TermsRevision::id_of);
    let (member, found) = api.get::<TermsRevision>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListTermsRevisionsRequest>,
) -> Answer<v1::ListTermsRevisionsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("parent", &message.parent, NAME)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListTermsRevisions:{partnership}"),
        page_size: message.page_size,
        page_token: &message.page_token,
        recorded_state: None,
    };
    let every = |_: &TermsRevision| true;
    let (terms_revisions, next_page_token) = listing::list(api, &member, wanted, every).await?;
    Ok(Response::new(v1::ListTermsRevisionsResponse {
        terms_revisions,
        next_page_token,
    }))
}

impl Shown for TermsRevision {
    type Message = v1::TermsRevision;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        self.content.text.iter().cloned().collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::TermsRevision {
        let revision = &found.state;
        let terms = Terms {
            revision: revision.revision,
            content: revision.content.clone(),
            hash: revision.hash.clone(),
            approvals: revision.approvals.clone(),
        };
        let partnership = &viewer.member.partnership.state;
        let scope = viewer.member.scope();
        v1::TermsRevision {
            name: format!("{scope}/termsRevisions/{}", revision.revision),
            terms: Some(to_terms(&terms, &viewer.texts)),
            state: state(revision.revision, partnership).into(),
            proposer: revision.proposer.to_string(),
            propose_time: Some(to_timestamp(revision.proposed_at)),
            effect_time: revision.in_force_from.map(to_timestamp),
            etag: found.etag(),
        }
    }
}

fn state(revision: u32, partnership: &Partnership) -> v1::TermsRevisionState {
    let is = |terms: &Option<Terms>| terms.as_ref().is_some_and(|it| it.revision == revision);
    if is(&partnership.terms) {
        v1::TermsRevisionState::InForce
    } else if is(&partnership.proposed_terms) {
        v1::TermsRevisionState::Proposed
    } else {
        v1::TermsRevisionState::Replaced
    }
}

pub(super) async fn difference(
    api: &Api,
    request: &Request<v1::GetTermsDifferenceRequest>,
) -> Answer<v1::TermsDifference> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let name = faults.take(parse_name::<1>("name", &message.name, NAME).map(Some));
    let rule = "must not be negative";
    faults.require(message.from_revision >= 0, "from_revision", rule);
    faults.require(message.to_revision >= 0, "to_revision", rule);
    faults.finish()?;
    let [id] = name.unwrap_or_default();
    let member = api.member(&caller, &id).await?;
    let partnership = &member.partnership.state;
    let number_of = |terms: &Option<Terms>| terms.as_ref().map(|terms| terms.revision);
    let from = match message.from_revision {
        0 => number_of(&partnership.terms),
        given => Some(u32::try_from(given).map_err(|_| absent())?),
    };
    let to = match message.to_revision {
        0 => number_of(&partnership.proposed_terms)
            .ok_or_else(|| Refusal::invalid_state("no terms proposed", "GetTermsDifference"))?,
        given => u32::try_from(given).map_err(|_| absent())?,
    };
    let before = match from {
        Some(from) => Some(find(api, &member, from).await?),
        None => None,
    };
    let after = find(api, &member, to).await?;
    let commitments = before.iter().chain([&after]);
    let commitments = commitments.filter_map(|it| it.content.text.clone());
    let texts = commitments.collect();
    let texts = Texts::load(api, &member.scope(), &member.party.id, texts).await?;
    Ok(Response::new(v1::TermsDifference {
        from_revision: from.map_or(0, i64::from),
        to_revision: i64::from(to),
        changes: changes(before.as_ref(), &after, &texts),
        to_hash: after.hash,
    }))
}

fn changes(
    before: Option<&TermsRevision>,
    after: &TermsRevision,
    texts: &Texts,
) -> Vec<v1::TermsChange> {
    let fields = |it: &TermsRevision| fields(&it.content, &texts.show(it.content.text.as_ref()));
    let before = before.map(fields).unwrap_or_default();
    let after = fields(after);
    let changes = entries(&borrowed(&before), &borrowed(&after));
    changes.into_iter().map(to_change).collect()
}

fn borrowed(fields: &BTreeMap<String, String>) -> BTreeMap<String, &str> {
    let fields = fields.iter();
    fields
        .map(|(path, value)| (path.clone(), value.as_str()))
        .collect()
}

fn to_change(change: Change<(String, &str)>) -> v1::TermsChange {
    let (path, from, to) = match change {
        Change::Added((path, value)) => (path, "", value),
        Change::Removed((path, value)) => (path, value, ""),
        Change::Moved((path, value)) => (path, value, value),
        Change::Changed { before, after } => (after.0, before.1, after.1),
    };
    v1::TermsChange {
        path,
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

async fn find(api: &Api, member: &Member, revision: u32) -> Result<TermsRevision, ApiError> {
    let id = TermsRevision::id_of(revision);
    let key = RecordKey::new(&member.scope(), Kind::TermsRevision, id);
    match api.find(&key).await?.map(|versioned| versioned.record) {
        Some(Record::TermsRevision(found)) => Ok(*found),
        _ => Err(absent().into()),
    }
}

fn absent() -> Refusal {
    Refusal::not_found(Kind::TermsRevision.as_str())
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_revision_has_one_number() {
        assert_eq!(number("12"), Some(12));
        for bad in ["", "012", "+1", "-1", "4294967296", "x"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }
}
