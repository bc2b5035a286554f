//! Settlement statements: what two parties owe each other for one calendar month, in one currency.
//!
//! A statement's lines come of bookings and reversals that were on no earlier one. Who bills the
//! client owes each other party the prices of its portions after the concession; what was taken back
//! of a concession is owed on top. Whatever comes late falls in the next statement, which says of
//! which month it is. The other party agrees line by line, or disputes a line until one of the two
//! gives way.

pub mod account;
mod decide;
pub mod month;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::money::Currency;
use super::quote::Cadence;
use super::quote::sealed::Amount;
use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CivilDate;
use account::{Pair, Source};
use month::Month;

pub use decide::{Readable, SettlementCommand, decide};

/// Most lines of one statement. A booking has at most 200 lines, a reversal 200 too.
pub const STATEMENT_LINES_MAX: usize = 2_000;

/// How far a statement has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementState {
    /// Drawn up; more may come to it.
    Draft,
    /// Complete; the other party is to answer.
    Issued,
    /// Every line that counts is agreed.
    Agreed,
    /// A line is disputed.
    Disputed,
    /// It was paid.
    Settled,
}

impl StatementState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Issued => "issued",
            Self::Agreed => "agreed",
            Self::Disputed => "disputed",
            Self::Settled => "settled",
        }
    }
}

/// How far a line has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Nobody answered yet.
    Open,
    /// The party that did not issue the statement agrees.
    Agreed,
    /// It does not.
    Disputed,
    /// The issuer gave way: it no longer counts.
    Removed,
}

impl LineState {
    /// The name used in errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Agreed => "agreed",
            Self::Disputed => "disputed",
            Self::Removed => "removed",
        }
    }
}

/// What is owed for one portion, and why. Amounts are in minor units of the statement's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineContent {
    /// The booking or the reversal that it comes of.
    pub source: Source,
    /// The quote.
    pub quote: String,
    /// The portion.
    pub portion_id: String,
    /// What is due at which times.
    pub cadence: Cadence,
    /// Which of them, from 1; `None` for a reversal, which is of the whole term.
    pub period: Option<u16>,
    /// The party that it is owed to: the portion's owner. The other one billed the client.
    pub payee: PartyId,
    /// On which day the client is billed.
    pub date: CivilDate,
    /// The month of that day, if it came too late for that month's statement.
    pub corrects: Option<Month>,
    /// The price before the concession; 0 for a reversal.
    pub price_before: i64,
    /// What the portion bears of the concession; of a reversal, what is taken back of that. Sealed as
    /// in the booking or the reversal, which the two parties may read.
    pub amount: Amount,
}

impl LineContent {
    /// What the portion bears of the concession; what a reversal takes back counts against it. `None`
    /// if it is sealed and `read` does not find it.
    #[must_use]
    pub fn share(&self, read: impl Fn(&Commitment) -> Option<String>) -> Option<i64> {
        let amount = self.amount.known(read)?;
        Some(match self.source {
            Source::Booking(_) => amount,
            // No share is the least number, so its opposite is one.
            Source::Reversal { .. } => amount.saturating_neg(),
        })
    }

    /// What is owed: `price_before` less the share. `None` as for [`Self::share`].
    #[must_use]
    pub fn due(&self, read: impl Fn(&Commitment) -> Option<String>) -> Option<i64> {
        // It fitted when it was booked.
        Some(self.price_before.saturating_sub(self.share(read)?))
    }
}

/// Why a line is disputed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// Why: a commitment to free text.
    pub words: Commitment,
    /// Who disputed it.
    pub by: By,
    /// What was said when it was resolved: a commitment to free text.
    pub resolution: Option<Commitment>,
    /// Who resolved it.
    pub resolved: Option<By>,
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementLine {
    /// Counts the statement's lines from 1.
    pub number: u32,
    /// What is owed, and why.
    pub content: LineContent,
    /// How far it has come.
    pub state: LineState,
    /// Why it is or was disputed.
    pub dispute: Option<Dispute>,
}

/// How a statement was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// By which payment, say: a commitment to free text.
    pub words: Option<Commitment>,
    /// Who said so.
    pub by: By,
}

/// Lines were drawn up; the first ones make the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinesDrawn {
    /// By which party.
    pub party: PartyId,
    /// Between whom.
    pub pair: Pair,
    /// In which currency.
    pub currency: Currency,
    /// For which month.
    pub period: Month,
    /// What they say.
    pub lines: Vec<LineContent>,
}

/// A party issued the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementIssued {
    /// Which party.
    pub party: PartyId,
}

/// A party agreed to lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinesAgreed {
    /// Which party.
    pub party: PartyId,
    /// The lines' numbers, in order.
    pub lines: Vec<u32>,
}

/// A party disputed a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineDisputed {
    /// Which party.
    pub party: PartyId,
    /// The line's number.
    pub line: u32,
    /// Why: a commitment to free text.
    pub words: Commitment,
}

/// A party gave way in a dispute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineResolved {
    /// Which party.
    pub party: PartyId,
    /// The line's number.
    pub line: u32,
    /// Whether the line stands; otherwise it is removed.
    pub stands: bool,
    /// What it says: a commitment to free text.
    pub words: Option<Commitment>,
}

/// The statement was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementSettled {
    /// Which party says so.
    pub party: PartyId,
    /// By which payment, say: a commitment to free text.
    pub words: Option<Commitment>,
}

events! {
    /// What happens to a statement.
    SettlementStatementEvent {
        /// Lines were drawn up.
        LinesDrawn(LinesDrawn) = "settlement_statement.lines_drawn", 1;
        /// It was issued.
        Issued(StatementIssued) = "settlement_statement.issued", 1;
        /// Lines were agreed.
        LinesAgreed(LinesAgreed) = "settlement_statement.lines_agreed", 1;
        /// A line was disputed.
        LineDisputed(LineDisputed) = "settlement_statement.line_disputed", 1;
        /// A dispute is over.
        LineResolved(LineResolved) = "settlement_statement.line_resolved", 1;
        /// It was paid.
        Settled(StatementSettled) = "settlement_statement.settled", 1;
    }
}

/// What two parties owe each other for one month, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlementStatement {
    /// Between whom.
    pub pair: Pair,
    /// In which currency.
    pub currency: Currency,
    /// For which month.
    pub period: Month,
    /// How far it has come.
    pub state: StatementState,
    /// Its lines, at most [`STATEMENT_LINES_MAX`]; numbered from 1.
    pub lines: Vec<StatementLine>,
    /// Who issued it.
    pub issued: Option<By>,
    /// How it was settled.
    pub settled: Option<Settled>,
}

/// What a statement's lines add up to, for one party that something is owed to. In minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementTotal {
    /// The party.
    pub payee: PartyId,
    /// Sum of the prices before concessions.
    pub price_before: i64,
    /// Sum of what the party bears; what was taken back counts against it.
    pub absorbed: i64,
    /// Sum of what is owed to it: `price_before` less `absorbed`.
    pub due: i64,
}

impl SettlementStatement {
    /// The identifier of the statement of an account for a month.
    #[must_use]
    pub fn id_of(pair: &Pair, currency: Currency, period: Month) -> String {
        format!("{}-{period}", pair.account_id(currency))
    }

    /// The line of that number.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&StatementLine> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.lines.get(index)
    }

    /// The lines that count: all but those that were removed.
    pub fn counted(&self) -> impl Iterator<Item = &StatementLine> {
        self.lines
            .iter()
            .filter(|line| line.state != LineState::Removed)
    }

    /// The commitments to what is sealed of its lines.
    pub fn sealed_amounts(&self) -> impl Iterator<Item = &Commitment> {
        let lines = self.lines.iter();
        lines.filter_map(|line| line.content.amount.sealed())
    }

    /// What the lines add up to for each party, in the order of their ids. `read` finds what is sealed
    /// of them.
    ///
    /// # Errors
    /// [`Reason::OutOfRange`] if a sum does not fit 64 bits, [`Reason::SharesSealed`] if an amount that
    /// counts is not found.
    pub fn totals(
        &self,
        read: impl Fn(&Commitment) -> Option<String>,
    ) -> Result<Vec<StatementTotal>, Refusal> {
        let total = |payee: &PartyId| {
            let (mut before, mut absorbed, mut due) = (0_i128, 0_i128, 0_i128);
            for line in self.counted().filter(|line| line.content.payee == *payee) {
                let share = line
                    .content
                    .share(&read)
                    .ok_or_else(|| sealed(line.number))?;
                before += i128::from(line.content.price_before);
                absorbed += i128::from(share);
                due += i128::from(line.content.price_before) - i128::from(share);
            }
            Ok(StatementTotal {
                payee: payee.clone(),
                price_before: fitting(before)?,
                absorbed: fitting(absorbed)?,
                due: fitting(due)?,
            })
        };
        self.pair.both().into_iter().map(total).collect()
    }

    /// Who owes how much to whom once everything is set off: the party that it is owed to, and how
    /// much; `None` if nothing is left.
    ///
    /// # Errors
    /// As [`Self::totals`].
    pub fn balance(
        &self,
        read: impl Fn(&Commitment) -> Option<String>,
    ) -> Result<Option<(PartyId, i64)>, Refusal> {
        let totals = self.totals(read)?;
        let [first, second] = totals.as_slice() else {
            return Ok(None);
        };
        let difference = i128::from(first.due) - i128::from(second.due);
        Ok(match difference {
            0 => None,
            _ if difference > 0 => Some((first.payee.clone(), fitting(difference)?)),
            _ => Some((second.payee.clone(), fitting(-difference)?)),
        })
    }

    fn changed(mut self, event: &SettlementStatementEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            SettlementStatementEvent::LinesDrawn(drawn) => self.draw(drawn)?,
            SettlementStatementEvent::Issued(issued) => {
                self.issued = Some(By::of(&issued.party, recorded)?);
                self.state = StatementState::Issued;
            }
            SettlementStatementEvent::LinesAgreed(agreed) => {
                for number in &agreed.lines {
                    self.line_mut(*number)?.state = LineState::Agreed;
                }
                self.settle_state();
            }
            SettlementStatementEvent::LineDisputed(disputed) => {
                let by = By::of(&disputed.party, recorded)?;
                let line = self.line_mut(disputed.line)?;
                line.state = LineState::Disputed;
                line.dispute = Some(Dispute {
                    words: disputed.words.clone(),
                    by,
                    resolution: None,
                    resolved: None,
                });
                self.settle_state();
            }
            SettlementStatementEvent::LineResolved(resolved) => {
                let by = By::of(&resolved.party, recorded)?;
                let line = self.line_mut(resolved.line)?;
                line.state = if resolved.stands {
                    LineState::Agreed
                } else {
                    LineState::Removed
                };
                let dispute = line.dispute.as_mut()?;
                dispute.resolution.clone_from(&resolved.words);
                dispute.resolved = Some(by);
                self.settle_state();
            }
            SettlementStatementEvent::Settled(settled) => {
                self.state = StatementState::Settled;
                self.settled = Some(Settled {
                    words: settled.words.clone(),
                    by: By::of(&settled.party, recorded)?,
                });
            }
        }
        Some(self)
    }

    fn draw(&mut self, drawn: &LinesDrawn) -> Option<()> {
        for content in &drawn.lines {
            self.lines.push(StatementLine {
                number: u32::try_from(self.lines.len() + 1).ok()?,
                content: content.clone(),
                state: LineState::Open,
                dispute: None,
            });
        }
        Some(())
    }

    fn line_mut(&mut self, number: u32) -> Option<&mut StatementLine> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.lines.get_mut(index)
    }

    /// How far it has come follows from its lines.
    fn settle_state(&mut self) {
        let has = |state| self.lines.iter().any(|line| line.state == state);
        self.state = if has(LineState::Disputed) {
            StatementState::Disputed
        } else if has(LineState::Open) {
            StatementState::Issued
        } else {
            StatementState::Agreed
        };
    }
}

fn sealed(line: u32) -> Refusal {
    let message = format!("the amount of line {line} is sealed, and its opening is not there");
    Refusal::new(Reason::SharesSealed, message).with("line_number", line)
}

fn fitting(sum: i128) -> Result<i64, Refusal> {
    let message = "a total of the statement does not fit a signed 64-bit number";
    i64::try_from(sum).map_err(|_| Refusal::new(Reason::OutOfRange, message))
}

impl Aggregate for SettlementStatement {
    type Event = SettlementStatementEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &SettlementStatementEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, SettlementStatementEvent::LinesDrawn(drawn)) => {
                let mut statement = Self {
                    pair: drawn.pair.clone(),
                    currency: drawn.currency,
                    period: drawn.period,
                    state: StatementState::Draft,
                    lines: Vec::new(),
                    issued: None,
                    settled: None,
                };
                statement.draw(drawn)?;
                Some(statement)
            }
            (Some(statement), event) => statement.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }
}
