//! Fourth act: a joint quote, and three rounds about who bears what of the client's discount.

use super::quarter::LocalTime;
use super::quoting::{Draft, Receipt, approve, quote, read};
use super::setup::Setting;
use super::stage::{Actor, ORIGIN, PRIME, SUB, Stage, call, cents, euros, present};
use crate::cli::CliError;
use crate::proto::v1::{self, AllocationBasis};

/// What the client asked for at first, in cents.
const FIRST_CONCESSION_CENTS: i64 = cents(2_000, 0);
/// What the client asked for in the end, in cents.
const LAST_CONCESSION_CENTS: i64 = cents(2_345, 67);

/// What the fourth act leaves behind.
#[derive(Clone, Debug)]
pub struct Bargain {
    /// The quote as Harbour IT sees it.
    pub seen_by_harbour: v1::JointQuote,
    /// The quote as Nightdesk sees it.
    pub seen_by_nightdesk: v1::JointQuote,
    /// How the approved concession was divided.
    pub explanation: v1::ExplainAllocationResponse,
    /// The receipt of the last approval.
    pub receipt: Receipt,
}

/// One portion: its id, what it is, its price and its internal cost in cents.
type Line = (&'static str, &'static str, i64, i64);

/// What Harbour IT contributes.
const HARBOUR_LINES: [Line; 2] = [
    (
        "licences",
        "Licences for three years",
        cents(6_299, 90),
        cents(5_480, 0),
    ),
    (
        "network",
        "Network for the new warehouse",
        cents(18_450, 0),
        cents(13_120, 0),
    ),
];
/// What Nightdesk contributes.
const NIGHTDESK_LINES: [Line; 2] = [
    (
        "night-cover",
        "Night cover for one year",
        cents(9_333, 33),
        cents(6_240, 0),
    ),
    (
        "onboarding",
        "Taking 40 people on at the desk",
        cents(4_185, 0),
        cents(2_950, 0),
    ),
];

/// Plays the fourth act.
///
/// # Errors
/// If the server refuses something.
pub async fn play(stage: &Stage, setting: &Setting, time: &LocalTime) -> Result<Bargain, CliError> {
    let Stage {
        harbour, nightdesk, ..
    } = stage;
    let draft = Draft {
        display_name: "The new warehouse of Brandt Freight",
        harbour: HARBOUR_LINES.into_iter().map(portion).collect(),
        nightdesk: NIGHTDESK_LINES.into_iter().map(portion).collect(),
    };
    let name = quote(stage, setting, time, draft).await?;
    let unfair = vec![share(PRIME, 3_000), share(SUB, 7_000)];
    let first = FIRST_CONCESSION_CENTS;
    let hash = propose(harbour, &name, first, AllocationBasis::FixedBps, unfair).await?;
    reject(
        nightdesk,
        &name,
        hash,
        "We agreed on 60 to 40, not on 30 to 70.",
    )
    .await?;
    let hash = propose(harbour, &name, first, AllocationBasis::FixedBps, Vec::new()).await?;
    approve(nightdesk, &name, hash).await?;
    let last = LAST_CONCESSION_CENTS;
    let hash = propose(nightdesk, &name, last, AllocationBasis::Price, Vec::new()).await?;
    let receipt = approve(harbour, &name, hash).await?;
    let explain = v1::ExplainAllocationRequest {
        name: name.clone(),
        revision: 0,
    };
    let mut pricing = nightdesk.pricing();
    let explanation = call("explain the split", pricing.explain_allocation(explain)).await?;
    Ok(Bargain {
        seen_by_harbour: read(harbour, &name).await?,
        seen_by_nightdesk: read(nightdesk, &name).await?,
        explanation,
        receipt,
    })
}

fn share(party: &str, share_bps: i32) -> v1::PartyShare {
    v1::PartyShare {
        party_id: party.to_owned(),
        share_bps,
    }
}

fn portion((id, description, price, cost): Line) -> v1::Portion {
    v1::Portion {
        portion_id: id.to_owned(),
        description: description.to_owned(),
        price: Some(euros(price)),
        internal_cost: Some(euros(cost)),
        ..v1::Portion::default()
    }
}

/// Proposes a concession; returns its hash.
async fn propose(
    actor: &Actor,
    name: &str,
    amount: i64,
    basis: AllocationBasis,
    weights: Vec<v1::PartyShare>,
) -> Result<String, CliError> {
    let request = v1::ProposeConcessionRequest {
        name: name.to_owned(),
        concession: Some(euros(amount)),
        basis: basis.into(),
        weights,
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::ProposeConcessionRequest::default()
    };
    let mut pricing = actor.pricing();
    let quote = call("propose a concession", pricing.propose_concession(request)).await?;
    Ok(present(quote.revisions.into_iter().next_back(), "the revision")?.hash)
}

async fn reject(actor: &Actor, name: &str, hash: String, reason: &str) -> Result<(), CliError> {
    let request = v1::RejectConcessionRequest {
        name: name.to_owned(),
        hash,
        reason: reason.to_owned(),
        etag: String::new(),
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
    };
    call("reject it", actor.pricing().reject_concession(request)).await?;
    Ok(())
}
