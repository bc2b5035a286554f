//! Sixth act: both quotes are won, booked and settled, and who bore how much is counted.

use super::setup::Setting;
use super::stage::{Actor, ORIGIN, SUB, Stage, call, present};
use crate::cli::CliError;
use crate::proto::v1::{self, Cadence};

/// What the act leaves behind.
#[derive(Clone, Debug)]
pub struct Sale {
    /// What is settled between the firms, as Harbour IT sees it.
    pub statement: v1::SettlementStatement,
    /// Who bore what.
    pub burdens: v1::BurdenIndex,
}

/// Plays the act with the quotes of these names and cadences; Harbour IT bills the client.
///
/// # Errors
/// If the server refuses something.
pub async fn play(
    stage: &Stage,
    setting: &Setting,
    quotes: &[(&v1::JointQuote, Cadence)],
) -> Result<Sale, CliError> {
    let Stage {
        harbour, nightdesk, ..
    } = stage;
    let mut period = String::new();
    for (quote, cadence) in quotes {
        win(harbour, quote, *cadence).await?;
        period = book(harbour, &quote.name, *cadence).await?;
    }
    let statement = settle(harbour, nightdesk, &setting.partnership.name, period).await?;
    let request = v1::GetBurdenIndexRequest {
        name: setting.partnership.name.clone(),
        ..v1::GetBurdenIndexRequest::default()
    };
    let mut fairness = harbour.fairness();
    let burdens = call("ask who bore what", fairness.get_burden_index(request)).await?;
    Ok(Sale { statement, burdens })
}

/// The client pays what was agreed.
async fn win(actor: &Actor, quote: &v1::JointQuote, cadence: Cadence) -> Result<(), CliError> {
    let agreed = quote.revisions.last();
    let split = agreed.and_then(|revision| {
        let mut splits = revision.cadences.iter();
        splits.find(|split| split.cadence() == cadence)
    });
    let price = v1::CadenceAmount {
        cadence: cadence.into(),
        amount: present(split, "what was agreed")?.price_after.clone(),
    };
    let request = v1::WinQuoteRequest {
        name: quote.name.clone(),
        final_client_prices: vec![price],
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::WinQuoteRequest::default()
    };
    call("win the quote", actor.sales().win_quote(request)).await?;
    Ok(())
}

/// Books the first period; returns the month in which it is billed.
async fn book(actor: &Actor, quote: &str, cadence: Cadence) -> Result<String, CliError> {
    let request = v1::BookPeriodRequest {
        name: quote.to_owned(),
        cadence: cadence.into(),
        period: 1,
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::BookPeriodRequest::default()
    };
    let booking = call("book a period", actor.sales().book_period(request)).await?;
    let day = present(booking.bill_date, "a day of the bill")?;
    Ok(format!("{:04}-{:02}", day.year, day.month))
}

/// Harbour IT draws the statement up and issues it, Nightdesk agrees, and it is paid.
async fn settle(
    harbour: &Actor,
    nightdesk: &Actor,
    partnership: &str,
    period: String,
) -> Result<v1::SettlementStatement, CliError> {
    let request = v1::DraftSettlementStatementRequest {
        parent: partnership.to_owned(),
        party_id: SUB.to_owned(),
        currency: "EUR".to_owned(),
        period,
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
    };
    let mut settlements = harbour.settlements();
    let drafted = settlements.draft_settlement_statement(request);
    let name = call("draw up a statement", drafted).await?.name;
    let request = v1::IssueSettlementStatementRequest {
        name: name.clone(),
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::IssueSettlementStatementRequest::default()
    };
    let issued = settlements.issue_settlement_statement(request);
    call("issue the statement", issued).await?;
    let request = v1::AgreeSettlementLinesRequest {
        name: name.clone(),
        request_id: nightdesk.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::AgreeSettlementLinesRequest::default()
    };
    let mut theirs = nightdesk.settlements();
    call("agree the lines", theirs.agree_settlement_lines(request)).await?;
    let request = v1::SettleSettlementStatementRequest {
        name,
        request_id: nightdesk.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::SettleSettlementStatementRequest::default()
    };
    let settled = theirs.settle_settlement_statement(request);
    call("settle the statement", settled).await
}
