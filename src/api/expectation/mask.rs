//! Which parts of a draft an update replaces.

use std::collections::BTreeSet;

use super::parse::Intake;
use crate::domain::commitment::Commitment;
use crate::domain::expectation::{Expectation, FiveW};
use crate::domain::refusal::{Reason, Refusal, Violation};
use crate::proto::v1;

/// Most paths of one mask.
const PATHS_MAX: usize = 50;

/// A part that is replaced whole or kept as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The line for lists.
    Title,
    /// Who is affected.
    Who,
    /// What it does to them.
    What,
    /// When it is needed.
    When,
    /// Where the work has to be done.
    Where,
    /// How everybody will know that it is done.
    How,
}

/// The five answers.
const FIVE_W: [Part; 5] = [Part::Who, Part::What, Part::When, Part::Where, Part::How];

/// The parts that a mask names; without a mask, those that are given.
///
/// # Errors
/// [`Reason::InvalidField`] with every path that names nothing.
pub(super) fn parts(
    mask: Option<&prost_types::FieldMask>,
    given: &v1::Expectation,
) -> Result<BTreeSet<Part>, Refusal> {
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() {
        return Ok(given_parts(given));
    }
    if paths.len() > PATHS_MAX {
        let why = format!("no more than {PATHS_MAX} paths");
        return Err(Refusal::field(Reason::InvalidField, "update_mask", why));
    }
    let mut named = BTreeSet::new();
    let mut violations = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        match parts_of(path) {
            Some(parts) => named.extend(parts),
            None => violations.push(Violation {
                field: format!("update_mask.paths[{index}]"),
                description: "must be title, five_w, one question such as five_w.when, or *"
                    .to_owned(),
            }),
        }
    }
    if violations.is_empty() {
        return Ok(named);
    }
    Err(Refusal::fields(Reason::InvalidField, violations))
}

fn parts_of(path: &str) -> Option<Vec<Part>> {
    Some(match path {
        "*" => [&[Part::Title][..], &FIVE_W].concat(),
        "title" => vec![Part::Title],
        "five_w" => FIVE_W.to_vec(),
        "five_w.who" => vec![Part::Who],
        "five_w.what" => vec![Part::What],
        "five_w.when" => vec![Part::When],
        "five_w.where" => vec![Part::Where],
        "five_w.how" => vec![Part::How],
        _ => return None,
    })
}

fn given_parts(given: &v1::Expectation) -> BTreeSet<Part> {
    let nothing = v1::FiveW::default();
    let five_w = given.five_w.as_ref().unwrap_or(&nothing);
    let parts = [
        (Part::Title, !given.title.is_empty()),
        (Part::Who, five_w.who.is_some()),
        (Part::What, five_w.what.is_some()),
        (Part::When, five_w.when.is_some()),
        (Part::Where, five_w.r#where.is_some()),
        (Part::How, five_w.how.is_some()),
    ];
    let given = parts.into_iter().filter(|(_, is_given)| *is_given);
    given.map(|(part, _)| part).collect()
}

/// Title and answers after an update: the named parts as given, the others as they are.
pub(super) fn updated(
    intake: &mut Intake<'_>,
    parts: &BTreeSet<Part>,
    given: &v1::Expectation,
    current: &Expectation,
) -> (Option<Commitment>, FiveW) {
    const FIELD: &str = "expectation.five_w";
    let nothing = v1::FiveW::default();
    let new = given.five_w.as_ref().unwrap_or(&nothing);
    let mut title = current.title.clone();
    let mut five_w = current.five_w.clone();
    for part in parts {
        match part {
            Part::Title => title = intake.title(&given.title),
            Part::Who => five_w.who = intake.who(FIELD, new),
            Part::What => five_w.what = intake.what(FIELD, new),
            Part::When => five_w.when = intake.when(FIELD, new),
            Part::Where => five_w.r#where = intake.place_of_work(FIELD, new),
            Part::How => five_w.how = intake.how(FIELD, new),
        }
    }
    intake.check(FIELD, &five_w);
    (title, five_w)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(paths: &[&str]) -> prost_types::FieldMask {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        prost_types::FieldMask { paths }
    }

    fn named(paths: &[&str]) -> Vec<Part> {
        let nothing = v1::Expectation::default();
        let parts = parts(Some(&mask(paths)), &nothing).unwrap();
        parts.into_iter().collect()
    }

    #[test]
    fn paths_name_parts() {
        assert_eq!(named(&["title"]), [Part::Title]);
        assert_eq!(
            named(&["five_w.when", "five_w.who"]),
            [Part::Who, Part::When]
        );
        assert_eq!(named(&["five_w"]), FIVE_W);
        assert_eq!(named(&["five_w", "five_w.how"]), FIVE_W);
        assert_eq!(named(&["*"]).len(), 6);
    }

    #[test]
    fn every_unknown_path_is_listed() {
        let bad = mask(&["title", "five_w.when.deadline", "", "state", "client"]);
        let refusal = parts(Some(&bad), &v1::Expectation::default()).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidField);
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        let expected = [1, 2, 3, 4].map(|index| format!("update_mask.paths[{index}]"));
        assert_eq!(fields, expected);
        let long = mask(&["title"; PATHS_MAX + 1]);
        assert!(parts(Some(&long), &v1::Expectation::default()).is_err());
    }

    #[test]
    fn without_a_mask_what_is_given_is_replaced() {
        let mut given = v1::Expectation::default();
        assert_eq!(parts(None, &given), Ok(BTreeSet::new()));
        given.title = "Payroll".to_owned();
        given.five_w = Some(v1::FiveW {
            when: Some(v1::When::default()),
            ..v1::FiveW::default()
        });
        let expected = BTreeSet::from([Part::Title, Part::When]);
        assert_eq!(parts(None, &given).as_ref(), Ok(&expected));
        assert_eq!(parts(Some(&mask(&[])), &given), Ok(expected));
    }
}
