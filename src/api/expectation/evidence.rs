//! What statements cite, as it comes in and as it is shown.

use crate::api::caller::Caller;
use crate::api::convert::{parse_name, reference, to_reference};
use crate::api::listing::name_in;
use crate::domain::evidence::Evidence;
use crate::domain::identity::ScopeId;
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;
use v1::evidence::Cited;

/// What is cited: a ticket or an expectation of the same partnership, or something in the caller's
/// own software.
pub(in crate::api) fn evidence(
    caller: &Caller,
    scope: &ScopeId,
    field: &str,
    given: &v1::Evidence,
) -> Result<Evidence, Refusal> {
    match &given.cited {
        Some(Cited::Record(name)) => record(scope, &format!("{field}.record"), name),
        Some(Cited::External(external)) => {
            Ok(Evidence::External(reference(&caller.firm, external)))
        }
        None => {
            let why = "must cite a record or something external";
            Err(Refusal::field(Reason::InvalidField, field, why))
        }
    }
}

fn record(scope: &ScopeId, field: &str, name: &str) -> Result<Evidence, Refusal> {
    let ticket = parse_name(field, name, "partnerships/*/tickets/*");
    let (partnership, evidence) = if let Ok([partnership, id]) = ticket {
        (partnership, Evidence::Ticket(id))
    } else {
        let [partnership, id] = parse_name(field, name, "partnerships/*/expectations/*")?;
        (partnership, Evidence::Expectation(id))
    };
    if ScopeId::partnership(&partnership) == *scope {
        return Ok(evidence);
    }
    let why = "must be a ticket or an expectation of the same partnership";
    Err(Refusal::field(Reason::InvalidField, field, why))
}

pub(in crate::api) fn to_evidence(scope: &ScopeId, evidence: &Evidence) -> v1::Evidence {
    let cited = match evidence {
        Evidence::Ticket(id) => Cited::Record(name_in(scope, "tickets", id)),
        Evidence::Expectation(id) => Cited::Record(name_in(scope, "expectations", id)),
        Evidence::External(external) => Cited::External(to_reference(external)),
    };
    v1::Evidence { cited: Some(cited) }
}
