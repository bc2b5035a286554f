//! What is said of openings that are not there.

use super::*;
use crate::domain::redaction::{Redacted, RedactionEvent, RedactionReason};

/// An export that says whose openings it holds, with or without the one that there is to hold, and
/// with or without a redaction of it.
fn holding(openings: OpeningsLine, is_there: bool, is_redacted: bool) -> Report {
    let reason = reason();
    let mut events = events(Some(reason.commitment.clone()));
    if is_redacted {
        let redacted = Redacted {
            label: reason.label.clone(),
            reason: RedactionReason::PersonAsked,
        };
        let redacted = RedactionEvent::Redacted(redacted);
        events.push(Event::new(reason.commitment.as_str(), redacted));
    }
    let mut lines = export_of(&ScopeId::partnership("p"), &events);
    for line in &mut lines {
        if let Line::Header(header) = line {
            header.openings = openings;
        }
    }
    if is_there {
        lines.push(Line::Opening(OpeningLine::of(reason)));
    }
    verify(&lines, &evidence())
}

fn found(report: &Report) -> Vec<&Cause> {
    report.faults.iter().map(|fault| &fault.cause).collect()
}

#[test]
fn missing_where_all_should_be_there_and_sealed_where_not() {
    let name = reason().commitment.as_str().to_owned();
    let report = holding(OpeningsLine::All, false, false);
    assert_eq!(found(&report), [&Cause::OpeningMissing(name)]);
    assert!(report.to_string().contains("MISSING"), "{report}");
    for openings in [OpeningsLine::None, OpeningsLine::Party] {
        let report = holding(openings, false, false);
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.totals.erased, report.totals.sealed), (0, 1));
    }
}

#[test]
fn erased_where_a_redaction_says_so() {
    for openings in [OpeningsLine::None, OpeningsLine::Party, OpeningsLine::All] {
        let report = holding(openings, false, true);
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.totals.erased, report.totals.sealed), (1, 0));
        assert!(report.to_string().contains("1 ERASED"), "{report}");
    }
}

#[test]
fn what_was_redacted_must_not_be_there() {
    let name = reason().commitment.as_str().to_owned();
    let report = holding(OpeningsLine::All, true, true);
    assert_eq!(found(&report), [&Cause::OpeningNotErased(name)]);
    let report = holding(OpeningsLine::All, true, false);
    assert!(report.is_clean(), "{report}");
}
