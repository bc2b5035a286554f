//! Every revision of terms that was ever proposed, and how two of them differ.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Approval;
use super::standing::{ConsentSubject, StandingConsent};
use super::terms::{TermsApproved, TermsContent, TermsProposed};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::identity::PartyId;
use crate::domain::notice::NoticeKind;
use crate::domain::time::{Span, Timestamp};

/// One revision of terms; what it says is never changed. Whether it is in force or proposed is for
/// the partnership to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsRevision {
    /// Counted from 1.
    pub revision: u32,
    /// What it says.
    pub content: TermsContent,
    /// Hash of the content.
    pub hash: String,
    /// Who proposed it.
    pub proposer: PartyId,
    /// When.
    pub proposed_at: Timestamp,
    /// Who approved; the proposer is the first.
    pub approvals: Vec<Approval>,
    /// When it came into force for the first time, if it ever did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_from: Option<Timestamp>,
}

impl TermsRevision {
    /// Id of the record of a revision: ids ascend with revisions.
    #[must_use]
    pub fn id_of(revision: u32) -> String {
        format!("{revision:010}")
    }
}

/// A revision was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsRevisionProposed {
    /// Counted from 1.
    pub revision: u32,
    /// What was proposed, and by whom.
    pub proposed: TermsProposed,
    /// Whether no other firm is there to ask, so that it is in force at once.
    pub is_in_force: bool,
}

/// A party approved a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsRevisionApproved {
    /// What was approved, and by whom.
    pub approved: TermsApproved,
    /// Whether every firm has approved now.
    pub is_in_force: bool,
}

events! {
    /// What happens to a revision of terms.
    TermsRevisionEvent {
        /// It was proposed.
        Proposed(TermsRevisionProposed) = "terms_revision.proposed", 1;
        /// A party approved it.
        Approved(TermsRevisionApproved) = "terms_revision.approved", 1;
    }
}

impl Aggregate for TermsRevision {
    type Event = TermsRevisionEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &TermsRevisionEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        let in_force_from = |is_in_force: bool| is_in_force.then_some(recorded.at);
        match (previous, event) {
            (None, TermsRevisionEvent::Proposed(made)) => Some(Self {
                revision: made.revision,
                content: made.proposed.content.clone(),
                hash: made.proposed.hash.clone(),
                proposer: made.proposed.proposer.clone(),
                proposed_at: recorded.at,
                approvals: vec![Approval::of(&made.proposed.proposer, recorded)?],
                in_force_from: in_force_from(made.is_in_force),
            }),
            (Some(mut revision), TermsRevisionEvent::Approved(made)) => {
                Approval::of(&made.approved.party, recorded)?.add_to(&mut revision.approvals);
                let from = in_force_from(made.is_in_force);
                revision.in_force_from = revision.in_force_from.or(from);
                Some(revision)
            }
            _ => None,
        }
    }
}

/// What terms say, field by field: a path such as `shares[party-1].share_bps`, and the value in
/// words. Items of lists are named by their own id, so that their order means nothing. `text` is the
/// wording behind the commitment, as far as it may be read.
#[must_use]
pub fn fields(content: &TermsContent, text: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut put = |path: String, value: String| {
        if !value.is_empty() {
            fields.insert(path, value);
        }
    };
    put("text".to_owned(), text.to_owned());
    put("offer_validity".to_owned(), seconds(content.offer_validity));
    put(
        "future_tolerance".to_owned(),
        seconds(content.future_tolerance),
    );
    let window = content.lateness_window.map(seconds).unwrap_or_default();
    put("lateness_window".to_owned(), window);
    for share in &content.shares {
        let path = format!("shares[{}].share_bps", share.party);
        put(path, share.share_bps.to_string());
    }
    for class in &content.exclusion_classes {
        let path = |field: &str| format!("exclusion_classes[{}].{field}", class.id);
        put(path("display_name"), class.display_name.clone());
        put(path("longest"), seconds(class.longest));
    }
    for lead_time in &content.notice_lead_times {
        let path = format!("notice_lead_times[{}].lead_time", kind_name(lead_time.kind));
        put(path, seconds(lead_time.lead_time));
    }
    for consent in &content.standing_consents {
        consent_fields(consent, &mut put);
    }
    content.pricing_clauses.fields(&mut put);
    content.checkup_clauses.fields(&mut put);
    fields
}

fn consent_fields(consent: &StandingConsent, put: &mut impl FnMut(String, String)) {
    let path = |field: &str| format!("standing_consents[{}].{field}", consent.id);
    put(path("party_id"), consent.party.to_string());
    put(path("until_time"), consent.until.to_string());
    if let (ConsentSubject::Concession, Some(bound)) = (consent.subject, &consent.concession) {
        put(path("kind"), "concession".to_owned());
        put(
            path("largest_concession_bps"),
            bound.largest_bps.to_string(),
        );
        let bases: Vec<_> = bound.bases.iter().map(|basis| basis.as_str()).collect();
        return put(path("bases"), bases.join(","));
    }
    put(path("kind"), "expectation".to_owned());
    put(path("shortest_notice"), seconds(consent.shortest_notice));
    let cost = consent.largest_cost_per_hour;
    let cost = cost.map_or_else(String::new, |cost| cost.to_string());
    put(path("largest_cost_per_hour"), cost);
    put(path("allows_on_site"), consent.allows_on_site.to_string());
}

const fn kind_name(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::NewStarter => "new_starter",
        NoticeKind::Leaver => "leaver",
        NoticeKind::Move => "move",
        NoticeKind::GoLive => "go_live",
        NoticeKind::Maintenance => "maintenance",
        NoticeKind::ChangeOfPriorities => "change_of_priorities",
        NoticeKind::Other => "other",
    }
}

/// A length of time in seconds, such as `3600s` or `0.5s`.
fn seconds(span: Span) -> String {
    const MICROS: i64 = crate::domain::time::MICROS_PER_SECOND;
    let (whole, rest) = (span.as_micros() / MICROS, span.as_micros() % MICROS);
    let fraction = format!("{:06}", rest.unsigned_abs());
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        format!("{whole}s")
    } else {
        format!("{whole}.{fraction}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_seconds() {
        assert_eq!(seconds(Span::from_hours(1)), "3600s");
        assert_eq!(seconds(Span::from_micros(1_500_000)), "1.5s");
        assert_eq!(seconds(Span::ZERO), "0s");
    }

    #[test]
    fn ids_ascend_with_revisions() {
        assert!(TermsRevision::id_of(9) < TermsRevision::id_of(10));
        assert!(TermsRevision::id_of(10) < TermsRevision::id_of(u32::MAX));
    }
}
