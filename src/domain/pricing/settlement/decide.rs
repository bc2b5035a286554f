//! Decisions on settlement statements.
//!
//! They do not need a partnership that goes on: what is owed is owed after its end as well.

use std::collections::BTreeMap;

use super::account::{Item, ItemsDrawn, Pair, SettlementAccount, SettlementAccountEvent, Source};
use super::month::{Month, today};
use super::{
    LineContent, LineDisputed, LineResolved, LineState, LinesAgreed, LinesDrawn,
    STATEMENT_LINES_MAX, SettlementStatement, SettlementStatementEvent, StatementIssued,
    StatementLine, StatementSettled, StatementState,
};
use crate::domain::command::Decision;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::{Partnership, Party, as_present_party};
use crate::domain::pricing::booking::Booking;
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::quote::JointQuote;
use crate::domain::pricing::quote::sealed::{Amount, unread};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::world::{Stop, View, for_each};

/// What can be asked of settlement statements; for the two parties of the pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettlementCommand {
    /// Draws up the statement of a month, or adds to it what came since; until it is issued.
    Draft {
        /// The other party.
        with: PartyId,
        /// In which currency.
        currency: Currency,
        /// For which month: not ahead, and none before one that was drawn up already.
        period: Month,
    },
    /// Issues a statement that was drawn up.
    Issue {
        /// Which statement.
        id: String,
        /// What is sealed of it.
        sealed: Readable,
    },
    /// Agrees to lines; for the party that did not issue it.
    Agree {
        /// Which statement.
        id: String,
        /// The lines' numbers; none means every one that is open.
        lines: Vec<u32>,
    },
    /// Disputes a line that is open; for the party that did not issue it.
    Dispute {
        /// Which statement.
        id: String,
        /// The line's number.
        line: u32,
        /// Why.
        words: Commitment,
    },
    /// Gives way in a dispute: who disputed the line lets it stand, the issuer removes it.
    Resolve {
        /// Which statement.
        id: String,
        /// The line's number.
        line: u32,
        /// Whether the line stands.
        stands: bool,
        /// What there is to say.
        words: Option<Commitment>,
    },
    /// Says that it was paid; for the party to which the balance is owed.
    Settle {
        /// Which statement.
        id: String,
        /// By which payment, say.
        words: Option<Commitment>,
        /// What is sealed of it.
        sealed: Readable,
    },
}

/// The openings of a statement's sealed amounts, which go with a command that adds these up and are not
/// journalled; `None` before they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readable(pub Option<Vec<Opening>>);

impl Readable {
    /// Who owes how much to whom.
    fn balance(&self, statement: &SettlementStatement) -> Result<Option<(PartyId, i64)>, Refusal> {
        let openings = self.0.as_deref();
        if openings.is_none() && statement.sealed_amounts().next().is_some() {
            return Err(unread());
        }
        let openings = openings.unwrap_or_default().iter();
        let genuine = openings.filter(|opening| opening.is_genuine());
        let values: BTreeMap<&Commitment, &String> = genuine
            .map(|opening| (&opening.commitment, &opening.value))
            .collect();
        statement.balance(|commitment| values.get(commitment).map(ToString::to_string))
    }
}

/// Decides a command on a settlement statement.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &SettlementCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_present_party(firm, view)?;
    let party = &party.id;
    match command {
        SettlementCommand::Draft {
            with,
            currency,
            period,
        } => draft(with, *currency, *period, party, view),
        SettlementCommand::Issue { id, sealed } => issue(id, sealed, party, view),
        SettlementCommand::Agree { id, lines } => agree(id, lines, party, view),
        SettlementCommand::Dispute { id, line, words } => {
            let disputed = LineDisputed {
                party: party.clone(),
                line: *line,
                words: words.clone(),
            };
            dispute(id, disputed, view)
        }
        SettlementCommand::Resolve {
            id,
            line,
            stands,
            words,
        } => {
            let resolved = LineResolved {
                party: party.clone(),
                line: *line,
                stands: *stands,
                words: words.clone(),
            };
            resolve(id, resolved, view)
        }
        SettlementCommand::Settle { id, words, sealed } => {
            let settled = StatementSettled {
                party: party.clone(),
                words: words.clone(),
            };
            settle(id, settled, sealed, partnership, view)
        }
    }
}

fn changed(id: &str, event: SettlementStatementEvent) -> Decision {
    Decision::about(Kind::SettlementStatement, id).event(Event::new(id, event))
}

fn not_yours(message: &str, party: &PartyId) -> Refusal {
    Refusal::new(Reason::NotYourStatement, message).with("party_id", party)
}

/// The statement, if `party` is one of its two.
fn of_pair<'world>(
    id: &str,
    party: &PartyId,
    view: &View<'world>,
) -> Result<&'world SettlementStatement, Stop> {
    let statement = view.get::<SettlementStatement>(id)?;
    if statement.pair.other(party).is_none() {
        let message = format!("the statement is not of {party}");
        return Err(not_yours(&message, party).into());
    }
    Ok(statement)
}

fn draft(
    with: &PartyId,
    currency: Currency,
    period: Month,
    party: &PartyId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    const ACTION: &str = "DraftSettlementStatement";
    let Some(pair) = Pair::of(party, with) else {
        let rule = "must be another party than the caller's";
        return Err(Refusal::field(Reason::InvalidField, "party_id", rule).into());
    };
    let this_month = Month::of(today(view.now));
    let mut violations = Violations::default();
    violations.require(period <= this_month, "period", "must not lie ahead");
    violations.finish()?;
    let account_id = pair.account_id(currency);
    let id = SettlementStatement::id_of(&pair, currency, period);
    let Some(account) = view.find::<SettlementAccount>(&account_id)? else {
        return Err(nothing(ACTION).into());
    };
    if let Some(last) = account.last_period.filter(|last| *last > period) {
        let rule = format!("the statement of {last} is drawn up already");
        let refusal = Refusal::field(Reason::InvalidField, "period", rule);
        return Err(refusal.with("last_period", last).into());
    }
    let known = view.find::<SettlementStatement>(&id)?;
    if let Some(issued) = known.filter(|known| known.state != StatementState::Draft) {
        return Err(Refusal::invalid_state(issued.state.as_str(), ACTION).into());
    }
    let room = STATEMENT_LINES_MAX - known.map_or(0, |known| known.lines.len());
    let (sources, lines) = drawn_lines(account, period, room, view)?;
    if sources.is_empty() {
        if known.is_some() {
            return Ok(Decision::about(Kind::SettlementStatement, &id));
        }
        return Err(nothing(ACTION).into());
    }
    let drawn = LinesDrawn {
        party: party.clone(),
        pair,
        currency,
        period,
        lines,
    };
    let mut decision = changed(&id, SettlementStatementEvent::LinesDrawn(drawn));
    decision.receipt_of = Some(0);
    let drawn = SettlementAccountEvent::ItemsDrawn(ItemsDrawn { period, sources });
    Ok(decision.event(Event::new(account_id, drawn)))
}

fn nothing(action: &str) -> Refusal {
    Refusal::invalid_state("nothing to settle", action)
}

/// What waits for a statement of that month or an earlier one, as far as there is room, and its
/// lines.
fn drawn_lines(
    account: &SettlementAccount,
    period: Month,
    room: usize,
    view: &View<'_>,
) -> Result<(Vec<Source>, Vec<LineContent>), Stop> {
    let is_due = |item: &&Item| Month::of(item.date) <= period;
    let due = account.pending.iter().filter(is_due);
    let found = for_each(due, |item| {
        let lines = lines_of(item, account, period, view)?;
        Ok((item.source.clone(), lines))
    })?;
    let (mut sources, mut lines) = (Vec::new(), Vec::new());
    for (source, of_source) in found {
        if lines.len() + of_source.len() > room {
            break;
        }
        sources.push(source);
        lines.extend(of_source);
    }
    Ok((sources, lines))
}

/// The lines of a booking or of a reversal that concern the two of an account.
fn lines_of(
    item: &Item,
    account: &SettlementAccount,
    period: Month,
    view: &View<'_>,
) -> Result<Vec<LineContent>, Stop> {
    let month = Month::of(item.date);
    let is_owed = |owner: &PartyId, biller: &PartyId| {
        owner != biller && Pair::of(owner, biller).as_ref() == Some(&account.pair)
    };
    let template = LineContent {
        source: item.source.clone(),
        quote: String::new(),
        portion_id: String::new(),
        cadence: super::Cadence::OneTime,
        period: None,
        payee: account.pair.both()[0].clone(),
        date: item.date,
        corrects: (month < period).then_some(month),
        price_before: 0,
        amount: Amount::Open(0),
    };
    match &item.source {
        Source::Booking(id) => {
            let booked = &view.get::<Booking>(id)?.booked;
            let lines = booked.lines.iter();
            let owed = lines.filter(|line| is_owed(&line.owner, &booked.biller));
            let lines = owed.map(|line| LineContent {
                quote: booked.quote.clone(),
                portion_id: line.portion_id.clone(),
                cadence: booked.cadence,
                period: Some(booked.period),
                payee: line.owner.clone(),
                price_before: line.price_before,
                amount: line.share.clone(),
                ..template.clone()
            });
            Ok(lines.collect())
        }
        Source::Reversal { quote, number } => {
            let found = view.get::<JointQuote>(quote)?;
            let index = usize::try_from(*number).unwrap_or_default();
            let reversals = &found.sale.reversals;
            let reversal = index.checked_sub(1).and_then(|index| reversals.get(index));
            let Some(reversal) = reversal.map(|reversal| &reversal.reversed) else {
                return Err(Refusal::new(Reason::Internal, "a reversal is not there").into());
            };
            let mut lines = Vec::new();
            for cadence in &reversal.cadences {
                let every = cadence.lines.iter();
                let owed = every.filter(|line| line.amount != Amount::Open(0));
                let owed = owed.filter(|line| is_owed(&line.owner, &reversal.biller));
                lines.extend(owed.map(|line| LineContent {
                    quote: quote.clone(),
                    portion_id: line.portion_id.clone(),
                    cadence: cadence.cadence,
                    payee: line.owner.clone(),
                    amount: line.amount.clone(),
                    ..template.clone()
                }));
            }
            Ok(lines)
        }
    }
}

fn issue(id: &str, sealed: &Readable, party: &PartyId, view: &View<'_>) -> Result<Decision, Stop> {
    let statement = of_pair(id, party, view)?;
    if statement.state != StatementState::Draft {
        let state = statement.state.as_str();
        return Err(Refusal::invalid_state(state, "IssueSettlementStatement").into());
    }
    // What cannot be added up is not issued.
    sealed.balance(statement)?;
    let issued = StatementIssued {
        party: party.clone(),
    };
    Ok(changed(id, SettlementStatementEvent::Issued(issued)))
}

/// The statement, if it waits for an answer of `party`.
fn answerable<'world>(
    id: &str,
    party: &PartyId,
    action: &str,
    view: &View<'world>,
) -> Result<&'world SettlementStatement, Stop> {
    let statement = of_pair(id, party, view)?;
    let waits = matches!(
        statement.state,
        StatementState::Issued | StatementState::Disputed
    );
    if !waits {
        return Err(Refusal::invalid_state(statement.state.as_str(), action).into());
    }
    Ok(statement)
}

/// Refuses the issuer what is for the other party.
fn require_recipient(statement: &SettlementStatement, party: &PartyId) -> Result<(), Refusal> {
    if statement
        .issued
        .as_ref()
        .is_some_and(|by| by.party == *party)
    {
        let message = "what a party issued is for the other one to answer";
        return Err(not_yours(message, party));
    }
    Ok(())
}

fn require_line(statement: &SettlementStatement, number: u32) -> Result<&StatementLine, Refusal> {
    statement.line(number).ok_or_else(|| {
        let rule = format!("lines are numbered from 1 to {}", statement.lines.len());
        Refusal::field(Reason::InvalidField, "line_number", rule)
    })
}

fn agree(id: &str, numbers: &[u32], party: &PartyId, view: &View<'_>) -> Result<Decision, Stop> {
    const ACTION: &str = "AgreeSettlementLines";
    let statement = answerable(id, party, ACTION, view)?;
    require_recipient(statement, party)?;
    let mut violations = Violations::default();
    for (index, number) in numbers.iter().enumerate() {
        let line = statement.line(*number);
        let is_open = line.is_some_and(|line| line.state == LineState::Open);
        let field = format!("line_numbers[{index}]");
        violations.require(is_open, &field, "must be a line that is open");
    }
    violations.finish()?;
    let is_wanted = |line: &&StatementLine| {
        line.state == LineState::Open && (numbers.is_empty() || numbers.contains(&line.number))
    };
    let lines: Vec<u32> = statement
        .lines
        .iter()
        .filter(is_wanted)
        .map(|line| line.number)
        .collect();
    if lines.is_empty() {
        return Err(Refusal::invalid_state(statement.state.as_str(), ACTION).into());
    }
    let agreed = LinesAgreed {
        party: party.clone(),
        lines,
    };
    Ok(changed(id, SettlementStatementEvent::LinesAgreed(agreed)))
}

fn dispute(id: &str, disputed: LineDisputed, view: &View<'_>) -> Result<Decision, Stop> {
    const ACTION: &str = "DisputeSettlementLine";
    let statement = answerable(id, &disputed.party, ACTION, view)?;
    require_recipient(statement, &disputed.party)?;
    let line = require_line(statement, disputed.line)?;
    if line.state != LineState::Open {
        return Err(Refusal::invalid_state(line.state.as_str(), ACTION).into());
    }
    Ok(changed(
        id,
        SettlementStatementEvent::LineDisputed(disputed),
    ))
}

fn resolve(id: &str, resolved: LineResolved, view: &View<'_>) -> Result<Decision, Stop> {
    const ACTION: &str = "ResolveSettlementLine";
    let statement = answerable(id, &resolved.party, ACTION, view)?;
    let line = require_line(statement, resolved.line)?;
    if line.state != LineState::Disputed {
        return Err(Refusal::invalid_state(line.state.as_str(), ACTION).into());
    }
    let disputed_by = line.dispute.as_ref().map(|dispute| &dispute.by.party);
    let is_disputing = disputed_by == Some(&resolved.party);
    if is_disputing != resolved.stands {
        let message = "who disputed a line lets it stand, who issued it removes it";
        return Err(not_yours(message, &resolved.party).into());
    }
    Ok(changed(
        id,
        SettlementStatementEvent::LineResolved(resolved),
    ))
}

fn settle(
    id: &str,
    settled: StatementSettled,
    sealed: &Readable,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    const ACTION: &str = "SettleSettlementStatement";
    let statement = of_pair(id, &settled.party, view)?;
    let other = statement.pair.other(&settled.party);
    let is_there = |other| partnership.party(other).is_some_and(Party::is_present);
    // Where nobody is there to agree, nobody can.
    let is_agreed = match statement.state {
        StatementState::Agreed => true,
        StatementState::Issued => !other.is_some_and(is_there),
        _ => false,
    };
    if !is_agreed {
        return Err(Refusal::invalid_state(statement.state.as_str(), ACTION).into());
    }
    if let Some((payee, _)) = sealed.balance(statement)? {
        let payee_is_there = is_there(&payee);
        if payee != settled.party && payee_is_there {
            let message = format!("{payee}, to which it is owed, says that it was paid");
            return Err(not_yours(&message, &settled.party).into());
        }
    }
    Ok(changed(id, SettlementStatementEvent::Settled(settled)))
}
