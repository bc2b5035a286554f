//! How two offers differ, as the contract shows it.

use tonic::{Request, Response};

use super::SHAPE;
use super::convert::{to_impact_scope, to_place, to_severity};
use crate::api::convert::parse_name;
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, convert};
use crate::domain::commitment::Commitment;
use crate::domain::expectation::difference::{FieldChange, Value, differences};
use crate::domain::expectation::{Expectation, Offer};
use crate::domain::firm::Permission;
use crate::domain::pricing::money::Money;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::settings::difference::Change;
use crate::domain::time::{MICROS_PER_SECOND, Span};
use crate::proto::v1;

/// Prefixes of the names of enum values.
const PREFIXES: [&str; 3] = ["IMPACT_SCOPE_", "SEVERITY_", "PLACE_"];

pub(super) async fn difference(
    api: &Api,
    request: &Request<v1::GetOfferDifferenceRequest>,
) -> Result<Response<v1::OfferDifference>, ApiError> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let mut faults = Faults::default();
    let name = parse_name("name", &asked.name, SHAPE);
    let [partnership, id] = faults.take(name);
    let from = faults.take(number("from_number", asked.from_number));
    let to = faults.take(number("to_number", asked.to_number));
    faults.finish()?;
    let (member, found) = api.get::<Expectation>(&caller, &partnership, &id).await?;
    let (from, to) = compared(&found.state, from, to).ok_or_else(|| Refusal::not_found("offer"))?;
    let changes = differences(&from.five_w, &to.five_w);
    let words = changes.iter().flat_map(|change| words(&change.change));
    let words: Vec<Commitment> = words.cloned().collect();
    let texts = Texts::load(api, &member.scope(), &member.party.id, words).await?;
    let shown = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    Ok(Response::new(v1::OfferDifference {
        name: asked.name.clone(),
        from_number: shown(from.number),
        to_number: shown(to.number),
        changes: changes
            .iter()
            .filter_map(|change| to_change(change, &texts))
            .collect(),
    }))
}

/// A number from 1; `None` for 0.
fn number(field: &str, number: i32) -> Result<Option<u32>, Refusal> {
    let negative = |_| Refusal::field(Reason::InvalidField, field, "must not be negative");
    let number = u32::try_from(number).map_err(negative)?;
    Ok(Some(number).filter(|number| *number > 0))
}

/// The offers asked about: without numbers the last two.
fn compared(
    expectation: &Expectation,
    from: Option<u32>,
    to: Option<u32>,
) -> Option<(&Offer, &Offer)> {
    let last = expectation.offers.last()?.number;
    let to = expectation.offer(to.unwrap_or(last))?;
    let before = to.number.checked_sub(1)?;
    let from = expectation.offer(from.unwrap_or(before))?;
    Some((from, to))
}

fn words<'offer>(change: &Change<Value<'offer>>) -> Vec<&'offer Commitment> {
    let (before, after) = sides(change);
    let words = [before, after].into_iter().flatten();
    let words = words.filter_map(|value| match value {
        Value::Words(words) => Some(words),
        _ => None,
    });
    words.collect()
}

const fn sides<'offer>(
    change: &Change<Value<'offer>>,
) -> (Option<Value<'offer>>, Option<Value<'offer>>) {
    match change {
        Change::Added(after) => (None, Some(*after)),
        Change::Removed(before) => (Some(*before), None),
        Change::Changed { before, after } => (Some(*before), Some(*after)),
        Change::Moved(value) => (Some(*value), Some(*value)),
    }
}

/// The change; `None` if the same words were only sealed anew.
fn to_change(change: &FieldChange<'_>, texts: &Texts) -> Option<v1::OfferChange> {
    let (before, after) = sides(&change.change);
    let r#type = match (before, after) {
        (None, _) => v1::OfferChangeType::Added,
        (_, None) => v1::OfferChangeType::Removed,
        _ => v1::OfferChangeType::Changed,
    };
    let from = before.map_or_else(String::new, |value| to_text(value, texts));
    let to = after.map_or_else(String::new, |value| to_text(value, texts));
    let is_readable = !from.is_empty() && from == to;
    (!is_readable).then(|| v1::OfferChange {
        r#type: r#type.into(),
        field: change.field.clone(),
        from,
        to,
    })
}

fn to_text(value: Value<'_>, texts: &Texts) -> String {
    let name = match value {
        Value::Scope(scope) => to_impact_scope(scope).as_str_name(),
        Value::Severity(severity) => to_severity(severity).as_str_name(),
        Value::Place(place) => to_place(place).as_str_name(),
        Value::Count(count) => return count.to_string(),
        Value::Amount(amount) => return decimal(&amount),
        Value::Instant(instant) => return instant.to_string(),
        Value::Length(length) => return seconds(length),
        Value::Words(words) => return texts.show(Some(words)),
    };
    let mut prefixes = PREFIXES.iter();
    let short = prefixes.find_map(|prefix| name.strip_prefix(prefix));
    short.unwrap_or(name).to_owned()
}

/// A length of time in seconds, exactly.
fn seconds(length: Span) -> String {
    let shown = convert::to_duration(length);
    if shown.nanos == 0 {
        return format!("{}s", shown.seconds);
    }
    let micros = length.as_micros() % MICROS_PER_SECOND;
    format!("{}.{micros:06}s", shown.seconds)
}

/// An amount as currency and decimal number, with as many decimals as the currency has.
fn decimal(amount: &Money) -> String {
    let shown = convert::to_money(amount);
    let digits = usize::from(amount.currency.exponent());
    let sign = if amount.minor < 0 { "-" } else { "" };
    let nanos = format!("{:09}", shown.nanos.unsigned_abs());
    let fraction = nanos.get(..digits).unwrap_or_default();
    let point = if fraction.is_empty() { "" } else { "." };
    let units = shown.units.unsigned_abs();
    format!("{} {sign}{units}{point}{fraction}", shown.currency_code)
}
