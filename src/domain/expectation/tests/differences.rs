//! What two offers say otherwise, field by field.

use super::super::difference::{FieldChange, Value, differences};
use super::*;
use crate::domain::sla::settings::difference::Change;

fn full() -> FiveW {
    let euros = |minor| Money::from_minor(Currency::from_code("EUR").expect("a currency"), minor);
    FiveW {
        who: Who {
            scope: Some(ImpactScope::Team),
            people_count: Some(12),
            description: words("the payroll office"),
        },
        what: What {
            severity: Some(Severity::Stopped),
            cost_per_hour: Some(euros(40_050)),
            description: words("nobody can pay"),
        },
        when: When {
            deadline: Some(deadline()),
            reason: words("the bank closes"),
            update_interval: None,
        },
        r#where: Where {
            place: Some(Place::OnSite),
            site: words("the head office"),
        },
        how: How {
            criteria: (0..12).map(|index| sealed(&index.to_string())).collect(),
        },
    }
}

fn paths<'offer>(changes: &'offer [FieldChange<'offer>]) -> Vec<&'offer str> {
    changes.iter().map(|change| change.field.as_str()).collect()
}

#[test]
fn e07_equal_offers_do_not_differ_and_others_do_in_every_field() {
    assert_eq!(differences(&full(), &full()), []);
    let (nothing, full) = (FiveW::default(), full());
    let added = differences(&nothing, &full);
    let mut expected: Vec<String> = [
        "who.scope",
        "who.people_count",
        "who.description",
        "what.severity",
        "what.cost_per_hour",
        "what.description",
        "when.deadline",
        "when.reason",
        "where.place",
        "where.site",
    ]
    .map(|field| format!("five_w.{field}"))
    .to_vec();
    expected.extend((0..12).map(|index| format!("five_w.how.criteria[{index}]")));
    assert_eq!(paths(&added), expected);
    let all_added = |change: &FieldChange<'_>| matches!(change.change, Change::Added(_));
    assert!(added.iter().all(all_added));
    let removed = differences(&full, &nothing);
    assert_eq!(paths(&removed), expected);
    let all_removed = |change: &FieldChange<'_>| matches!(change.change, Change::Removed(_));
    assert!(removed.iter().all(all_removed));
}

#[test]
fn e07_a_difference_says_both_values() {
    let (before, mut after) = (full(), full());
    let later = deadline().saturating_add(Span::from_hours(24));
    after.when.deadline = Some(later);
    after.who.people_count = None;
    after.how.criteria.truncate(11);
    after.how.criteria[1] = sealed("signed");
    let found = differences(&before, &after);
    let change = |field: &str, change| FieldChange {
        field: format!("five_w.{field}"),
        change,
    };
    let (one, signed, last) = (sealed("1"), sealed("signed"), sealed("11"));
    let expected = [
        change("who.people_count", Change::Removed(Value::Count(12))),
        change(
            "when.deadline",
            Change::Changed {
                before: Value::Instant(deadline()),
                after: Value::Instant(later),
            },
        ),
        change(
            "how.criteria[1]",
            Change::Changed {
                before: Value::Words(&one),
                after: Value::Words(&signed),
            },
        ),
        change("how.criteria[11]", Change::Removed(Value::Words(&last))),
    ];
    assert_eq!(found, expected);
}
