//! Divisions as the contract shows them.

use crate::api::convert::to_money;
use crate::api::pricing::convert::split::to_cadence;
use crate::api::pricing::steps::{to_int64, to_step};
use crate::domain::pricing::division::{Division, Part};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::sheet::Answer;
use crate::proto::v1;

/// One division for each cadence.
pub(super) fn divisions(answers: &[Answer], currency: Currency) -> Vec<v1::SliceDivision> {
    let money = |minor| Some(to_money(&Money::from_minor(currency, minor)));
    let one = |answer: &Answer| {
        let division = &answer.division;
        let parts = division
            .parts
            .iter()
            .map(|part| part_of(division, part, currency));
        let over_cap = answer.over_cap.iter().map(|over| over.id.clone());
        v1::SliceDivision {
            cadence: to_cadence(answer.cadence).into(),
            concession: money(division.concession),
            parts: parts.collect(),
            shortfall: money(to_int64(division.shortfall)),
            price_before: money(to_int64(division.price_before)),
            price_after: money(to_int64(division.price_after)),
            slices_over_markup_cap: over_cap.collect(),
        }
    };
    answers.iter().map(one).collect()
}

fn part_of(division: &Division, part: &Part, currency: Currency) -> v1::SlicePart {
    let money = |minor| Some(to_money(&Money::from_minor(currency, minor)));
    v1::SlicePart {
        slice_id: part.id.clone(),
        owner: part.owner.clone(),
        share: money(part.share),
        weight: to_int64(part.weight),
        room: money(to_int64(part.room)),
        beyond_floor: money(part.beyond_floor),
        price_before: money(to_int64(part.price_before)),
        price_after: money(to_int64(part.price_after)),
        at_floor: part.is_at_floor,
        steps: part
            .steps
            .iter()
            .map(|step| to_step(step, currency))
            .collect(),
        explanation: division.sentences(part, currency).join(" "),
    }
}
