//! Fifth act: a discount by what each firm earns, and neither opens its books.

use super::quarter::LocalTime;
use super::quoting::{Draft, Receipt, approve, quote, read};
use super::setup::Setting;
use super::stage::{Actor, ORIGIN, Stage, call, cents, euros, present};
use crate::cli::CliError;
use crate::proto::v1::{self, AllocationBasis, RecurrencePeriod};

/// For how many months the client pays.
const MONTHS: i32 = 12;
/// What the client wants off every month, in cents.
const MONTHLY_CONCESSION_CENTS: i64 = cents(140, 0);
/// Number of the proposal.
const FIRST_REVISION: i64 = 1;
/// One portion: its id, what it is, what it sells and costs a month, in cents.
type Line = (&'static str, &'static str, i64, i64);
/// What Harbour IT contributes: it earns little on it.
const HARBOUR_LINE: Line = (
    "scanners",
    "Leased scanners",
    cents(1_180, 0),
    cents(1_121, 0),
);
/// What Nightdesk contributes: it earns more.
const NIGHTDESK_LINE: Line = (
    "evening-desk",
    "The desk until 22:00",
    cents(1_450, 0),
    cents(1_087, 50),
);
/// The ways that Harbour IT compares.
const COMPARED: [AllocationBasis; 3] = [
    AllocationBasis::FixedBps,
    AllocationBasis::Price,
    AllocationBasis::Margin,
];

/// What the act leaves behind.
#[derive(Clone, Debug)]
pub struct Blind {
    /// What a division by margins would tell, as Harbour IT was told before it consented.
    pub told_to_harbour: v1::DisclosureImpact,
    /// The same as Nightdesk was told.
    pub told_to_nightdesk: v1::DisclosureImpact,
    /// What the proposed division would tell, as Nightdesk was told before it approved.
    pub told_before_approving: v1::DisclosureImpact,
    /// What Harbour IT compared, with the basis of each.
    pub compared: Vec<(AllocationBasis, v1::ConcessionEvaluation)>,
    /// The quote as Harbour IT sees it in the end.
    pub seen_by_harbour: v1::JointQuote,
    /// The quote as Nightdesk sees it in the end.
    pub seen_by_nightdesk: v1::JointQuote,
    /// The receipt of the last approval.
    pub receipt: Receipt,
}

/// Plays the act.
///
/// # Errors
/// If the server refuses something.
pub async fn play(stage: &Stage, setting: &Setting, time: &LocalTime) -> Result<Blind, CliError> {
    let Stage {
        harbour, nightdesk, ..
    } = stage;
    let draft = Draft {
        display_name: "A second shift at the warehouse",
        harbour: vec![portion(HARBOUR_LINE)],
        nightdesk: vec![portion(NIGHTDESK_LINE)],
    };
    let name = quote(stage, setting, time, draft).await?;
    let told_to_harbour = impact(harbour, &name, None).await?;
    let told_to_nightdesk = impact(nightdesk, &name, None).await?;
    consent(harbour, &name).await?;
    consent(nightdesk, &name).await?;
    let compared = compare(harbour, &name).await?;
    let cited = compared.last().map(|(_, found)| &found.evaluation_hash);
    let hash = propose(harbour, &name, present(cited, "an evaluation")?).await?;
    let told_before_approving = impact(nightdesk, &name, Some(FIRST_REVISION)).await?;
    let receipt = approve(nightdesk, &name, hash).await?;
    Ok(Blind {
        told_to_harbour,
        told_to_nightdesk,
        told_before_approving,
        compared,
        seen_by_harbour: read(harbour, &name).await?,
        seen_by_nightdesk: read(nightdesk, &name).await?,
        receipt,
    })
}

fn portion((id, description, price, cost): Line) -> v1::Portion {
    v1::Portion {
        portion_id: id.to_owned(),
        description: description.to_owned(),
        price: Some(euros(price)),
        internal_cost: Some(euros(cost)),
        recurrence: Some(v1::Recurrence {
            period: RecurrencePeriod::Month.into(),
            periods: MONTHS,
        }),
        ..v1::Portion::default()
    }
}

/// What the revision tells, or any division by margins.
async fn impact(
    actor: &Actor,
    name: &str,
    revision: Option<i64>,
) -> Result<v1::DisclosureImpact, CliError> {
    let basis = if revision.is_some() {
        AllocationBasis::Unspecified
    } else {
        AllocationBasis::Margin
    };
    let request = v1::GetDisclosureImpactRequest {
        name: name.to_owned(),
        basis: basis.into(),
        revision: revision.unwrap_or_default(),
    };
    let mut pricing = actor.pricing();
    call(
        "ask what a division tells",
        pricing.get_disclosure_impact(request),
    )
    .await
}

async fn consent(actor: &Actor, name: &str) -> Result<(), CliError> {
    let request = v1::ConsentToDisclosureRequest {
        name: name.to_owned(),
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::ConsentToDisclosureRequest::default()
    };
    let mut pricing = actor.pricing();
    call("consent", pricing.consent_to_disclosure(request)).await?;
    Ok(())
}

fn monthly() -> Vec<v1::RecurringConcession> {
    vec![v1::RecurringConcession {
        period: RecurrencePeriod::Month.into(),
        amount: Some(euros(MONTHLY_CONCESSION_CENTS)),
    }]
}

/// Evaluates each of [`COMPARED`]: counted, and Nightdesk sees how often.
async fn compare(
    actor: &Actor,
    name: &str,
) -> Result<Vec<(AllocationBasis, v1::ConcessionEvaluation)>, CliError> {
    let alternative = |basis: AllocationBasis| v1::ConcessionAlternative {
        recurring_concessions: monthly(),
        basis: basis.into(),
        ..v1::ConcessionAlternative::default()
    };
    let request = v1::EvaluateConcessionRequest {
        name: name.to_owned(),
        alternatives: COMPARED.into_iter().map(alternative).collect(),
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
    };
    let mut pricing = actor.pricing();
    let answer = call("compare", pricing.evaluate_concession(request)).await?;
    Ok(COMPARED.into_iter().zip(answer.evaluations).collect())
}

/// Proposes the division by margins; returns its hash.
async fn propose(actor: &Actor, name: &str, evaluation: &str) -> Result<String, CliError> {
    let request = v1::ProposeConcessionRequest {
        name: name.to_owned(),
        recurring_concessions: monthly(),
        basis: AllocationBasis::Margin.into(),
        evaluation_hash: evaluation.to_owned(),
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::ProposeConcessionRequest::default()
    };
    let mut pricing = actor.pricing();
    let quote = call("propose a concession", pricing.propose_concession(request)).await?;
    Ok(present(quote.revisions.into_iter().next_back(), "the revision")?.hash)
}
