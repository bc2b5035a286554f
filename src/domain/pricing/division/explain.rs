//! Why a slice bears what it bears, in plain English.

use super::step::{How, Met, OwnerLimit, Phase, Ratchet, Remainder, Step};
use super::{Division, MeasureKind, Part};
use crate::domain::pricing::allocation::within::Limit;
use crate::domain::pricing::allocation::{Allocation, Share, rest_in_words};
use crate::domain::pricing::money::{Currency, grouped};

impl Division {
    /// Explains what a slice bears: a sentence for each step, and one for what came of them. `None` if
    /// there is no such slice. It names weights: show it only to those who may see them.
    #[must_use]
    pub fn explain(&self, id: &str, currency: Currency) -> Option<String> {
        let part = self.parts.iter().find(|part| part.id == id)?;
        Some(self.sentences(part, currency).join(" "))
    }

    /// The sentences of [`Division::explain`], one for each step of `part` and one for the outcome.
    #[must_use]
    pub fn sentences(&self, part: &Part, currency: Currency) -> Vec<String> {
        let words = Words {
            division: self,
            part,
            currency,
        };
        let steps = part.steps.iter().map(|step| words.step(step));
        steps.chain([words.outcome()]).collect()
    }
}

/// What the sentences about one part need to know.
struct Words<'division> {
    division: &'division Division,
    part: &'division Part,
    currency: Currency,
}

impl Words<'_> {
    fn step(&self, step: &Step) -> String {
        let who = match step.phase {
            Phase::Owners | Phase::ShortfallOwners => &self.part.owner,
            Phase::Slices | Phase::Shortfall | Phase::Absorbed => &self.part.id,
        };
        let what = match &step.how {
            How::Stated => format!(
                "{} of {} is stated",
                self.money(step.share.unsigned_abs()),
                self.amount(step.amount)
            ),
            How::LargestRemainder(remainder) => self.remainder(step, remainder),
            How::Limit(met) => self.limit(step, met),
            How::Ratchet(ratchet) => self.ratchet(step, ratchet),
        };
        let left_over = match step.phase {
            Phase::Shortfall if self.is_in_two_steps() => String::new(),
            Phase::ShortfallOwners | Phase::Shortfall | Phase::Absorbed => {
                format!("The floors leave {} over. ", self.amount(step.amount))
            }
            Phase::Owners | Phase::Slices => String::new(),
        };
        format!("{left_over}{who}: {what}.")
    }

    /// Whether what the floors left over went among the owners first.
    fn is_in_two_steps(&self) -> bool {
        let mut steps = self.part.steps.iter();
        steps.any(|step| step.phase == Phase::ShortfallOwners)
    }

    fn remainder(&self, step: &Step, remainder: &Remainder) -> String {
        let is_negative = step.amount < 0;
        // Only its numbers are needed, and a total of zero only ever divides zero.
        let divided = remainder.divided.cast_signed();
        let allocation = Allocation {
            amount: if is_negative { -divided } else { divided },
            weight_total: remainder.weight_total,
            shares: Vec::new(),
        };
        let share = self.amount(step.share);
        if remainder.weight_total == 0 || remainder.divided == 0 {
            return format!("there is nothing to divide, so the share is {share}");
        }
        let numbers = Share {
            id: String::new(),
            weight: step.weight,
            floor: remainder.floor,
            remainder: remainder.remainder,
            rank: remainder.rank,
            spare_unit: remainder.spare_unit,
            share: step.share,
        };
        let weight = self.weight(step, remainder.weight_total);
        let exact = allocation.exact_share(&numbers, self.currency);
        let unsigned = if is_negative {
            "without the sign, "
        } else {
            ""
        };
        let floor = self.money(remainder.floor);
        let rest = rest_in_words(&numbers, &grouped(remainder.weight_total));
        let owed = remainder.owed.map_or_else(String::new, |owed| {
            format!(
                " (fractions owed: {} before, {} after)",
                fraction(owed.before),
                fraction(owed.after)
            )
        });
        let of = self.of(step, remainder.divided, is_negative);
        format!(
            "{weight}; {of} that is {exact}: {unsigned}whole {floor}, {rest}{owed}, so the share is {share}"
        )
    }

    /// What was divided, and of what, if others were fixed at their limits before.
    fn of(&self, step: &Step, divided: u64, is_negative: bool) -> String {
        let amount = self.amount(step.amount);
        if divided == step.amount.unsigned_abs() {
            return format!("of {amount}");
        }
        let sign = if is_negative { "-" } else { "" };
        format!("of the {sign}{} left of {amount}", self.money(divided))
    }

    fn limit(&self, step: &Step, met: &Met) -> String {
        let weight = self.weight(step, met.weight_total);
        let of = self.of(step, met.divided, step.amount < 0);
        let bound = self.money(step.share.unsigned_abs());
        let (compared, most) = match met.limit {
            Limit::Most => ("more", "most"),
            Limit::Least => ("less", "least"),
        };
        let share = self.amount(step.share);
        let round = met.round;
        let by = match met.owner_limit {
            None => "",
            Some(OwnerLimit::LeastPart | OwnerLimit::MostPart) => " by its limits of the whole",
            Some(OwnerLimit::MostAmount) => " by the limit of its prices",
        };
        format!(
            "{weight}; {of} that is {compared} than the {bound} that it bears at {most}{by} (round {round}), \
             so the share is {share}"
        )
    }

    fn ratchet(&self, step: &Step, ratchet: &Ratchet) -> String {
        let start = self.money(ratchet.start);
        let most = ratchet.most.map_or_else(String::new, |most| {
            format!(", which may bear {} at most", self.money(most))
        });
        let corrected = match ratchet.correction {
            0 => "nothing to correct".to_owned(),
            units => {
                format!("corrected by {units:+} of the smallest unit, so that the shares add up")
            }
        };
        let weight = self.single_weight(step);
        let share = self.amount(step.share);
        format!(
            "{weight}{most}; at the level common to all that is {start}, {corrected}, so the share is {share}"
        )
    }

    fn outcome(&self) -> String {
        let part = self.part;
        let share = self.amount(part.share);
        let (before, after) = (self.money(part.price_before), self.money(part.price_after));
        if part.share == 0 {
            return format!("{} bears nothing: its price stays {after}.", part.id);
        }
        let (moves, at_floor) = if part.share < 0 {
            ("rises", "")
        } else if part.beyond_floor != 0 {
            ("falls", ", below its floor")
        } else if part.is_at_floor {
            ("falls", ", its floor")
        } else {
            ("falls", "")
        };
        format!(
            "{} bears {share}: its price {moves} from {before} to {after}{at_floor}.",
            part.id
        )
    }

    /// The weight in the words of the measure, and the total.
    fn weight(&self, step: &Step, total: u64) -> String {
        let single = self.single_weight(step);
        let total = match self.noun(step) {
            Noun::Money(_) => self.money(total),
            Noun::BasisPoints => grouped(total),
        };
        format!("{single} of {total}")
    }

    fn single_weight(&self, step: &Step) -> String {
        match self.noun(step) {
            Noun::Money(noun) => format!("{noun} {}", self.money(step.weight)),
            Noun::BasisPoints => format!("{} basis points", grouped(step.weight)),
        }
    }

    /// What the weights of a step are.
    fn noun(&self, step: &Step) -> Noun {
        match (step.phase, self.division.measure) {
            (Phase::Owners | Phase::ShortfallOwners, MeasureKind::FixedBps) => Noun::BasisPoints,
            _ => Noun::Money(self.measured(step)),
        }
    }

    fn measured(&self, step: &Step) -> &'static str {
        if step.phase == Phase::Absorbed {
            return "price left";
        }
        match self.division.measure {
            MeasureKind::Cost => "cost",
            MeasureKind::Margin => "margin",
            MeasureKind::Price | MeasureKind::FixedBps => "price",
            MeasureKind::CostBand => "cost band from",
            MeasureKind::Custom => "stated",
        }
    }

    fn money(&self, minor: u64) -> String {
        self.currency.decimal_unsigned(minor)
    }

    /// An amount with its sign and its currency.
    fn amount(&self, minor: i64) -> String {
        format!("{} {}", self.currency.decimal(minor), self.currency)
    }
}

/// In which words weights are named.
enum Noun {
    /// Amounts, of what the noun says.
    Money(&'static str),
    /// Basis points.
    BasisPoints,
}

/// Billionths of a minor unit as a decimal number.
fn fraction(billionths: i64) -> String {
    const BILLION: u64 = 1_000_000_000;
    let sign = if billionths < 0 { "-" } else { "" };
    let size = billionths.unsigned_abs();
    let places = format!("{:09}", size % BILLION);
    let places = places.trim_end_matches('0');
    let point = if places.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{places}", size / BILLION)
}
