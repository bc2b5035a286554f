//! What the acts about joint quotes have in common: a quote by both firms, and its approval.

use jiff::Span;

use super::quarter::{HOUR_MINUTES, LocalTime};
use super::setup::Setting;
use super::stage::{Actor, ORIGIN, Stage, call, instant, present, today};
use crate::api::{HASH_METADATA, SEQUENCE_METADATA};
use crate::cli::CliError;
use crate::cli::client::failed;
use crate::proto::v1;

/// Days for which the quote stands.
const QUOTE_DAYS: i32 = 30;
/// When it ends on the last of them, in minutes after midnight.
const QUOTE_ENDS: i64 = 18 * HOUR_MINUTES;
/// Where a change stands in the journal, as the answer's metadata said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Sequence of the entry.
    pub sequence: i64,
    /// Its hash: 64 lower-case hexadecimal digits.
    pub hash: String,
}

/// A quote that is about to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What people call it.
    pub display_name: &'static str,
    /// What Harbour IT contributes.
    pub harbour: Vec<v1::Portion>,
    /// What Nightdesk contributes.
    pub nightdesk: Vec<v1::Portion>,
}

/// Harbour IT begins the quote; Nightdesk adds its own portions. Returns its name.
///
/// # Errors
/// If the server refuses something.
pub async fn quote(
    stage: &Stage,
    setting: &Setting,
    time: &LocalTime,
    draft: Draft,
) -> Result<String, CliError> {
    let Stage {
        harbour, nightdesk, ..
    } = stage;
    let last_day = today(stage, time)
        .await?
        .checked_add(Span::new().days(QUOTE_DAYS))?;
    let request = v1::CreateJointQuoteRequest {
        parent: setting.partnership.name.clone(),
        joint_quote: Some(v1::JointQuote {
            display_name: draft.display_name.to_owned(),
            client: setting.client.name.clone(),
            currency: "EUR".to_owned(),
            expire_time: Some(instant(time.instant(last_day, QUOTE_ENDS)?)),
            portions: draft.harbour,
            ..v1::JointQuote::default()
        }),
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::CreateJointQuoteRequest::default()
    };
    let quote = call(
        "create the quote",
        harbour.pricing().create_joint_quote(request),
    )
    .await?;
    for portion in draft.nightdesk {
        let request = v1::AddPortionRequest {
            name: quote.name.clone(),
            portion: Some(portion),
            etag: String::new(),
            request_id: nightdesk.request_id(),
            origin: ORIGIN.to_owned(),
        };
        call("add a portion", nightdesk.pricing().add_portion(request)).await?;
    }
    Ok(quote.name)
}

/// Approves a concession by its hash; returns the receipt, which stands in the answer's metadata.
///
/// # Errors
/// If the server refuses it, or answers without a receipt.
pub async fn approve(actor: &Actor, name: &str, hash: String) -> Result<Receipt, CliError> {
    let request = v1::ApproveConcessionRequest {
        name: name.to_owned(),
        hash,
        etag: String::new(),
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
        signature: None,
    };
    let answer = actor.pricing().approve_concession(request).await;
    let answer = answer.map_err(|status| failed("approve it", &status))?;
    let text = |key| {
        answer
            .metadata()
            .get(key)
            .and_then(|value| value.to_str().ok())
    };
    let sequence = present(text(SEQUENCE_METADATA), "a receipt")?.parse()?;
    Ok(Receipt {
        sequence,
        hash: present(text(HASH_METADATA), "a receipt")?.to_owned(),
    })
}

/// The quote as the firm sees it.
///
/// # Errors
/// If the server refuses to show it.
pub async fn read(actor: &Actor, name: &str) -> Result<v1::JointQuote, CliError> {
    let request = v1::GetJointQuoteRequest {
        name: name.to_owned(),
    };
    call("read the quote", actor.pricing().get_joint_quote(request)).await
}
