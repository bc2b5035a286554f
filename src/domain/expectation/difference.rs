//! How two offers differ, field by field.

use super::five_w::{FiveW, How, ImpactScope, Place, Severity, What, When, Where, Who};
use crate::domain::commitment::Commitment;
use crate::domain::pricing::money::Money;
use crate::domain::sla::settings::difference::Change;
use crate::domain::time::{Span, Timestamp};

/// What an offer says in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'offer> {
    /// How many are affected.
    Scope(ImpactScope),
    /// How many people.
    Count(u32),
    /// How hard they are affected.
    Severity(Severity),
    /// What an hour costs.
    Amount(Money),
    /// When it is needed.
    Instant(Timestamp),
    /// How often the obligor tells how it stands.
    Length(Span),
    /// Where the work has to be done.
    Place(Place),
    /// Words: a commitment. The same words, sealed anew, have another one.
    Words(&'offer Commitment),
}

/// A field in which two offers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange<'offer> {
    /// Its path, such as `five_w.when.deadline`.
    pub field: String,
    /// What became of it.
    pub change: Change<Value<'offer>>,
}

/// How the later offer differs from the earlier, in the order of the questions. Criteria are compared
/// by their place in the list.
#[must_use]
pub fn differences<'offer>(
    before: &'offer FiveW,
    after: &'offer FiveW,
) -> Vec<FieldChange<'offer>> {
    let (before, after) = (fields(before), fields(after));
    let find = |fields: &[(String, Value<'offer>)], name: &str| {
        let mut found = fields.iter().filter(|(field, _)| field == name);
        found.next().map(|(_, value)| *value)
    };
    let mut changes = Vec::new();
    for (field, earlier) in &before {
        let change = match find(&after, field) {
            None => Change::Removed(*earlier),
            Some(later) if later == *earlier => continue,
            Some(later) => Change::Changed {
                before: *earlier,
                after: later,
            },
        };
        changes.push((field.clone(), change));
    }
    for (field, later) in &after {
        if find(&before, field).is_none() {
            changes.push((field.clone(), Change::Added(*later)));
        }
    }
    changes.sort_by(|(one, _), (other, _)| rank(one).cmp(&rank(other)));
    let changes = changes.into_iter();
    changes
        .map(|(field, change)| FieldChange { field, change })
        .collect()
}

/// Paths of the fields in the order in which they are listed, before the criteria.
const PATHS: [&str; 11] = [
    "five_w.who.scope",
    "five_w.who.people_count",
    "five_w.who.description",
    "five_w.what.severity",
    "five_w.what.cost_per_hour",
    "five_w.what.description",
    "five_w.when.deadline",
    "five_w.when.reason",
    "five_w.when.update_interval",
    "five_w.where.place",
    "five_w.where.site",
];

fn rank(field: &str) -> (usize, usize, &str) {
    let place = PATHS.iter().position(|path| *path == field);
    (place.unwrap_or(PATHS.len()), field.len(), field)
}

/// The fields that are answered, with their paths.
fn fields(five_w: &FiveW) -> Vec<(String, Value<'_>)> {
    let FiveW {
        who,
        what,
        when,
        r#where,
        how,
    } = five_w;
    let Who {
        scope,
        people_count,
        description: who_words,
    } = who;
    let What {
        severity,
        cost_per_hour,
        description: what_words,
    } = what;
    let When {
        deadline,
        reason,
        update_interval,
    } = when;
    let Where { place, site } = r#where;
    let How { criteria } = how;
    let values = [
        scope.map(Value::Scope),
        people_count.map(Value::Count),
        who_words.as_ref().map(Value::Words),
        severity.map(Value::Severity),
        cost_per_hour.map(Value::Amount),
        what_words.as_ref().map(Value::Words),
        deadline.map(Value::Instant),
        reason.as_ref().map(Value::Words),
        update_interval.map(Value::Length),
        place.map(Value::Place),
        site.as_ref().map(Value::Words),
    ];
    let single = PATHS.into_iter().zip(values);
    let single = single.filter_map(|(path, value)| Some((path.to_owned(), value?)));
    let criteria = criteria.iter().enumerate();
    let criteria = criteria.map(|(index, criterion)| {
        let path = format!("five_w.how.criteria[{index}]");
        (path, Value::Words(criterion))
    });
    single.chain(criteria).collect()
}
