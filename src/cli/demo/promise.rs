//! Third act: one expectation, from the first offer to the acceptance of the work.
//!
//! It happens now, not in the quarter of the tickets: an offer's deadline lies in the future.

use super::quarter::{HOUR_MINUTES, LocalTime};
use super::setup::Setting;
use super::stage::{ORIGIN, Stage, call, cents, euros, instant, present, today};
use crate::cli::CliError;
use crate::proto::v1::{self, ImpactScope, Place, Severity};

/// What an hour of it costs the client, in cents.
const COST_PER_HOUR_CENTS: i64 = cents(480, 0);
/// When Harbour IT would like to have it, in minutes after midnight.
const WISHED: i64 = 7 * HOUR_MINUTES;
/// When Nightdesk is sure to have it, in minutes after midnight.
const SURE: i64 = 8 * HOUR_MINUTES + 30;

/// Plays the third act; returns the expectation as it is in the end.
///
/// # Errors
/// If the server refuses something.
pub async fn play(
    stage: &Stage,
    setting: &Setting,
    time: &LocalTime,
) -> Result<v1::Expectation, CliError> {
    let name = negotiate(stage, setting, time).await?;
    keep(stage, name).await
}

/// Harbour IT asks, Nightdesk answers with what it can promise, Harbour IT agrees to that.
async fn negotiate(stage: &Stage, setting: &Setting, time: &LocalTime) -> Result<String, CliError> {
    let (harbour, nightdesk) = (&stage.harbour, &stage.nightdesk);
    let tomorrow = today(stage, time).await?.tomorrow()?;
    let name = draft(stage, setting, wished(time.instant(tomorrow, WISHED)?)).await?;
    let request = v1::OfferExpectationRequest {
        name: name.clone(),
        message: "Payroll runs tomorrow. Can you have it back by 07:00?".to_owned(),
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::OfferExpectationRequest::default()
    };
    call("offer", harbour.expectations().offer_expectation(request)).await?;
    let request = v1::CounterExpectationRequest {
        name: name.clone(),
        five_w: Some(sure(time.instant(tomorrow, SURE)?)),
        message: "The restore runs until seven and has to be checked. 08:30 is a promise, 07:00 \
                  would be a hope."
            .to_owned(),
        request_id: nightdesk.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::CounterExpectationRequest::default()
    };
    let mut expectations = nightdesk.expectations();
    let countered = call("counter", expectations.counter_expectation(request)).await?;
    let last = present(countered.offers.last(), "the offers")?;
    let request = v1::AgreeExpectationRequest {
        name: name.clone(),
        offer_number: last.number,
        etag: countered.etag.clone(),
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::AgreeExpectationRequest::default()
    };
    call("agree", harbour.expectations().agree_expectation(request)).await?;
    Ok(name)
}

/// Nightdesk does the work; Harbour IT checks it and accepts it.
async fn keep(stage: &Stage, name: String) -> Result<v1::Expectation, CliError> {
    let (harbour, nightdesk) = (&stage.harbour, &stage.nightdesk);
    let request = v1::FulfilExpectationRequest {
        name: name.clone(),
        message: "Restored from last night's backup. The test file was written.".to_owned(),
        request_id: nightdesk.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::FulfilExpectationRequest::default()
    };
    let mut expectations = nightdesk.expectations();
    call("fulfil", expectations.fulfil_expectation(request)).await?;
    let request = v1::AcceptFulfilmentRequest {
        name,
        criteria_met: (0..3).map(met).collect(),
        message: "Checked with the payroll office. Thank you for the plain word about 07:00."
            .to_owned(),
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::AcceptFulfilmentRequest::default()
    };
    call("accept", harbour.expectations().accept_fulfilment(request)).await
}

/// A criterion that is met, without a piece of evidence.
fn met(criterion: u32) -> v1::CriterionEvidence {
    v1::CriterionEvidence {
        criterion,
        ..v1::CriterionEvidence::default()
    }
}

async fn draft(stage: &Stage, setting: &Setting, five_w: v1::FiveW) -> Result<String, CliError> {
    let harbour = &stage.harbour;
    let request = v1::CreateExpectationRequest {
        parent: setting.partnership.name.clone(),
        expectation: Some(v1::Expectation {
            title: "Payroll server back before the pay run".to_owned(),
            five_w: Some(five_w),
            client: setting.client.name.clone(),
            ..v1::Expectation::default()
        }),
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
    };
    let mut expectations = harbour.expectations();
    let created = call("draft", expectations.create_expectation(request));
    let created = Box::pin(created).await?;
    Ok(created.name)
}

/// What Harbour IT asks for.
fn wished(deadline: i64) -> v1::FiveW {
    v1::FiveW {
        who: Some(v1::Who {
            scope: ImpactScope::Team.into(),
            people_count: 6,
            description: "the payroll office".to_owned(),
        }),
        what: Some(v1::What {
            severity: Severity::Stopped.into(),
            cost_per_hour: Some(euros(COST_PER_HOUR_CENTS)),
            description: "nobody can open the payroll application".to_owned(),
        }),
        when: Some(v1::When {
            deadline: Some(instant(deadline)),
            reason: "the payment file is due at the bank at 10:00".to_owned(),
            update_interval: None,
        }),
        r#where: Some(v1::Where {
            place: Place::Remote.into(),
            site: String::new(),
        }),
        how: Some(v1::How {
            criteria: vec![
                "All six sign in and open the payroll application".to_owned(),
                "Last month's pay run shows the same totals as on paper".to_owned(),
            ],
        }),
    }
}

/// What Nightdesk can promise: later, and with one more thing to be checked.
fn sure(deadline: i64) -> v1::FiveW {
    let mut five_w = wished(deadline);
    if let Some(how) = &mut five_w.how {
        how.criteria
            .push("A test payment file is written".to_owned());
    }
    five_w
}
