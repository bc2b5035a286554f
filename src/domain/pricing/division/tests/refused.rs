//! One fault has one reason, whatever the surface calls what it is about.

use super::*;
use crate::domain::pricing::money::Currency;
use crate::domain::refusal::Reason;

const SHEET: Names = Names {
    slice: "slice_id",
    owner: "owner",
};
const QUOTE: Names = Names {
    slice: "portion_id",
    owner: "party_id",
};

/// Every sort of fault that is about something, its reason, and what it is about.
fn faults() -> Vec<(DivisionError, Reason, Subject<'static>)> {
    let a = || "a".to_owned();
    let error = DivisionError::from;
    vec![
        (
            DivisionError::CostUnknown { id: a() },
            Reason::WeightsInvalid,
            Subject::Cost("a"),
        ),
        (
            DivisionError::FloorAbovePrice { id: a() },
            Reason::InvalidField,
            Subject::Floor("a"),
        ),
        (
            DivisionError::LimitsInvalid { owner: a() },
            Reason::InvalidField,
            Subject::LeastPart("a"),
        ),
        (
            error(AllocationError::LimitsCrossed { id: a() }),
            Reason::ClauseViolated,
            Subject::LeastPart("a"),
        ),
        (
            DivisionError::CannotCarry {
                obstacle: Obstacle::Floors,
            },
            Reason::InvalidField,
            Subject::Concession,
        ),
        (
            DivisionError::SharesDoNotAddUp { total: 9 },
            Reason::WeightsInvalid,
            Subject::Shares,
        ),
        (
            DivisionError::NothingSold { owner: a() },
            Reason::WeightsInvalid,
            Subject::Shares,
        ),
        (
            DivisionError::SliceUnknown { id: a() },
            Reason::WeightsInvalid,
            Subject::Amounts,
        ),
        (
            DivisionError::StatedBelowFloor { id: a() },
            Reason::ConcessionShortfall,
            Subject::Amounts,
        ),
        (
            DivisionError::Shortfall { shortfall: 5 },
            Reason::ConcessionShortfall,
            Subject::Concession,
        ),
        (
            DivisionError::BelowZero { id: a() },
            Reason::ConcessionTooLarge,
            Subject::Concession,
        ),
        (
            error(AllocationError::WeightsOutOfRange),
            Reason::OutOfRange,
            Subject::Concession,
        ),
    ]
}

#[test]
fn a_fault_has_one_reason_on_every_surface() {
    let euro = Currency::from_code("EUR").unwrap();
    for (fault, reason, subject) in faults() {
        let told = |names| {
            fault.refusal(euro, names, |found| {
                assert_eq!(found, subject, "{fault}");
                "where".to_owned()
            })
        };
        let (sheet, quote) = (told(SHEET), told(QUOTE));
        assert_eq!(sheet.reason, reason, "{fault}");
        assert_eq!(
            (quote.reason, &quote.violations),
            (reason, &sheet.violations)
        );
        assert_eq!(sheet.violations[0].field, "where");
        let renamed = |name| match name {
            "slice_id" => "portion_id",
            "owner" => "party_id",
            other => other,
        };
        let renamed: Vec<_> = sheet
            .metadata
            .into_iter()
            .map(|(name, value)| (renamed(name), value))
            .collect();
        assert_eq!(quote.metadata, renamed, "{fault}");
    }
}

#[test]
fn amounts_are_told_as_money_with_their_signs() {
    let euro = Currency::from_code("EUR").unwrap();
    let fault = DivisionError::CustomDoesNotAddUp {
        sum: 95,
        total: 120,
    };
    let refusal = fault.refusal(euro, QUOTE, |_| "custom_shares".to_owned());
    let expected = [
        ("sum", "0.95 EUR"),
        ("total", "1.20 EUR"),
        ("difference", "-0.25 EUR"),
    ];
    let told: Vec<_> = refusal
        .metadata
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(told, expected);
}
