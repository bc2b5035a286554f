//! Settlement statements as the contract writes and shows them.

use crate::api::Found;
use crate::api::convert::{etag, known_enum, to_money, to_timestamp};
use crate::api::dates::to_date;
use crate::api::expectation::parse::stated;
use crate::api::listing::{Shown, Viewer, name_in};
use crate::api::pricing::to_cadence;
use crate::domain::commitment::Commitment;
use crate::domain::identity::ScopeId;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::settlement::account::Source;
use crate::domain::pricing::settlement::{
    Dispute, LineState, SettlementStatement, StatementLine, StatementState, StatementTotal,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::google::r#type as google_type;
use crate::proto::v1;

/// The number of a line, from 1.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn line_number(field: &str, number: i32) -> Result<u32, Refusal> {
    let counted = u32::try_from(number).ok().filter(|number| *number > 0);
    let rule = "lines are counted from 1";
    counted.ok_or_else(|| Refusal::field(Reason::InvalidField, field, rule))
}

/// Whether a line stands.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn stands(field: &str, value: i32) -> Result<bool, Refusal> {
    let resolution = known_enum::<v1::SettlementResolution>(field, value)?;
    Ok(resolution == v1::SettlementResolution::Stands)
}

/// A state that may be left out.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn state(field: &str, value: i32) -> Result<Option<StatementState>, Refusal> {
    let state = stated::<v1::SettlementState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::SettlementState::Unspecified => None,
        v1::SettlementState::Draft => Some(StatementState::Draft),
        v1::SettlementState::Issued => Some(StatementState::Issued),
        v1::SettlementState::Agreed => Some(StatementState::Agreed),
        v1::SettlementState::Disputed => Some(StatementState::Disputed),
        v1::SettlementState::Settled => Some(StatementState::Settled),
    }))
}

const fn to_state(state: StatementState) -> v1::SettlementState {
    match state {
        StatementState::Draft => v1::SettlementState::Draft,
        StatementState::Issued => v1::SettlementState::Issued,
        StatementState::Agreed => v1::SettlementState::Agreed,
        StatementState::Disputed => v1::SettlementState::Disputed,
        StatementState::Settled => v1::SettlementState::Settled,
    }
}

const fn to_line_state(state: LineState) -> v1::SettlementLineState {
    match state {
        LineState::Open => v1::SettlementLineState::Open,
        LineState::Agreed => v1::SettlementLineState::Agreed,
        LineState::Disputed => v1::SettlementLineState::Disputed,
        LineState::Removed => v1::SettlementLineState::Removed,
    }
}

fn minor(currency: Currency, minor: i64) -> google_type::Money {
    to_money(&Money::from_minor(currency, minor))
}

impl Shown for SettlementStatement {
    type Message = v1::SettlementStatement;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let disputes = self.lines.iter().filter_map(|line| line.dispute.as_ref());
        let words = disputes.flat_map(|dispute| {
            let words = Some(dispute.words.clone());
            [words, dispute.resolution.clone()]
        });
        let settled = self.settled.iter().map(|settled| settled.words.clone());
        let words = words.chain(settled).flatten();
        words.chain(self.sealed_amounts().cloned()).collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::SettlementStatement {
        let statement = &found.state;
        let currency = statement.currency;
        let scope = viewer.member.scope();
        let parties = statement.pair.both();
        // Who may not read all amounts is shown no total, and a draft whose totals do not fit, which
        // cannot be issued, shows none.
        let read = |sealed: &Commitment| viewer.texts.read(sealed);
        let totals = statement.totals(read).unwrap_or_default();
        let balance = statement.balance(read).ok();
        let issued = statement.issued.as_ref();
        let settled = statement.settled.as_ref();
        let words = settled.and_then(|settled| settled.words.as_ref());
        let lines = statement.lines.iter();
        v1::SettlementStatement {
            name: name_in(&scope, "settlementStatements", &found.id),
            party_ids: parties.map(ToString::to_string).to_vec(),
            currency: currency.code().to_owned(),
            period: statement.period.to_string(),
            state: to_state(statement.state).into(),
            lines: lines
                .map(|line| to_line(line, currency, &scope, viewer))
                .collect(),
            totals: totals
                .iter()
                .map(|total| to_total(total, currency))
                .collect(),
            balance: balance.as_ref().map(|balance| {
                let due = balance.as_ref().map_or(0, |(_, due)| *due);
                minor(currency, due)
            }),
            payee: balance
                .flatten()
                .map_or_else(String::new, |(payee, _)| payee.to_string()),
            issuer: issued.map_or_else(String::new, |by| by.party.to_string()),
            issue_time: issued.map(|by| to_timestamp(by.at)),
            settle_message: viewer.texts.show(words),
            settle_time: settled.map(|settled| to_timestamp(settled.by.at)),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(statement.commitments()),
        }
    }
}

fn to_line(
    line: &StatementLine,
    currency: Currency,
    scope: &ScopeId,
    viewer: &Viewer<'_>,
) -> v1::SettlementLine {
    let content = &line.content;
    let reversal = match &content.source {
        Source::Booking(_) => 0,
        Source::Reversal { number, .. } => (*number).into(),
    };
    let corrects = content.corrects;
    let read = |sealed: &Commitment| viewer.texts.read(sealed);
    let sealed = content.amount.sealed();
    v1::SettlementLine {
        line_number: i32::try_from(line.number).unwrap_or(i32::MAX),
        joint_quote: name_in(scope, "jointQuotes", &content.quote),
        portion_id: content.portion_id.clone(),
        cadence: to_cadence(content.cadence).into(),
        period: content.period.unwrap_or_default().into(),
        reversal,
        payee: content.payee.to_string(),
        bill_date: Some(to_date(content.date)),
        corrected_period: corrects.map_or_else(String::new, |month| month.to_string()),
        price_before: Some(minor(currency, content.price_before)),
        share: content.share(read).map(|share| minor(currency, share)),
        due: content.due(read).map(|due| minor(currency, due)),
        state: to_line_state(line.state).into(),
        dispute: line.dispute.as_ref().map(|found| to_dispute(found, viewer)),
        commitment: sealed.map_or_else(String::new, |sealed| sealed.as_str().to_owned()),
    }
}

fn to_dispute(dispute: &Dispute, viewer: &Viewer<'_>) -> v1::SettlementDispute {
    let resolved = dispute.resolved.as_ref();
    v1::SettlementDispute {
        words: viewer.texts.show(Some(&dispute.words)),
        party_id: dispute.by.party.to_string(),
        dispute_time: Some(to_timestamp(dispute.by.at)),
        resolution: viewer.texts.show(dispute.resolution.as_ref()),
        resolved_by: resolved.map_or_else(String::new, |by| by.party.to_string()),
        resolve_time: resolved.map(|by| to_timestamp(by.at)),
    }
}

fn to_total(total: &StatementTotal, currency: Currency) -> v1::SettlementTotal {
    v1::SettlementTotal {
        party_id: total.payee.to_string(),
        price_before: Some(minor(currency, total.price_before)),
        absorbed: Some(minor(currency, total.absorbed)),
        due: Some(minor(currency, total.due)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_can_be_asked_for_and_shown() {
        assert_eq!(state("state", 0), Ok(None));
        for value in 1..=5 {
            let known = state("state", value).unwrap().unwrap();
            assert_eq!(i32::from(to_state(known)), value);
        }
        assert!(state("state", 6).is_err());
    }

    #[test]
    fn numbers_and_resolutions_are_checked() {
        assert_eq!(line_number("n", 1), Ok(1));
        assert!(line_number("n", 0).is_err() && line_number("n", -1).is_err());
        assert_eq!((stands("r", 1), stands("r", 2)), (Ok(true), Ok(false)));
        assert!(stands("r", 0).is_err() && stands("r", 3).is_err());
    }
}
