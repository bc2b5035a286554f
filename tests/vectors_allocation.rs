//! Runs published splits of other tools through ours.
//!
//! The vectors are in `allocation.jsonl` and `allocation_floors.jsonl`, one JSON object a line, in the folder that
//! `ENTENTE_VECTORS` names, or else in `../shared/vectors` beside this crate. They are not part of
//! the crate: without the folder this test says so and passes.
//!
//! A vector gives `amount_minor`, `weights`, and `largest_remainder`: what the largest remainder
//! makes of them, ties going to the lowest index. Other tools follow other rules, which is why
//! their own `expected` is not compared.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use entente::domain::pricing::allocation::within::{LimitedPart, allocate_within};
use entente::domain::pricing::allocation::{Part, allocate};
use serde_json::Value;

/// What became of one vector.
enum Outcome {
    /// Ours is the same.
    Agreed,
    /// Ours is another result, or an error.
    Differed(String),
    /// The vector asks something else.
    LeftOut(&'static str),
}

#[test]
fn published_splits_come_out_the_same() {
    let Some(lines) = vectors("allocation.jsonl") else {
        return;
    };
    let (mut agreed, mut differed, mut left_out) = (0, Vec::new(), BTreeMap::new());
    for (index, vector) in lines.iter().enumerate() {
        match compare(vector) {
            Outcome::Agreed => agreed += 1,
            Outcome::Differed(how) => differed.push(format!("line {}: {how}", index + 1)),
            Outcome::LeftOut(reason) => *left_out.entry(reason).or_insert(0) += 1,
        }
    }
    say(&format!(
        "allocation vectors: {} ran, {agreed} agreed, {} differed; left out: {left_out:?}",
        agreed + differed.len(),
        differed.len()
    ));
    assert!(differed.is_empty(), "{}", differed.join("\n"));
    assert!(agreed > 0, "there is no vector that can be run");
}

/// The vectors of a file; `None`, which is said, if it is not there.
fn vectors(file: &str) -> Option<Vec<Value>> {
    let folder = std::env::var_os("ENTENTE_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"),
        PathBuf::from,
    );
    let path = folder.join(file);
    if !path.exists() {
        say(&format!(
            "allocation vectors: {} is absent, nothing was compared (ENTENTE_VECTORS names the \
             folder)",
            path.display()
        ));
        return None;
    }
    let text = std::fs::read_to_string(&path).expect("the vectors can be read");
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let read = |line| serde_json::from_str(line).expect("a line is a JSON object");
    Some(lines.map(read).collect())
}

/// Splits within limits, by the vectors of `allocation_floors.jsonl`.
#[test]
fn published_splits_within_limits_come_out_the_same() {
    let Some(lines) = vectors("allocation_floors.jsonl") else {
        return;
    };
    let numbers = |value: &Value| -> Vec<u64> {
        let numbers = value.as_array().expect("a list").iter();
        numbers.map(|it| it.as_u64().expect("a number")).collect()
    };
    for vector in &lines {
        let (weights, caps) = (numbers(&vector["weights"]), numbers(&vector["caps"]));
        let parts: Vec<LimitedPart> = (0_u32..)
            .zip(weights.iter().zip(caps))
            .map(|(index, (weight, cap))| LimitedPart {
                id: format!("{index:04}"),
                weight: *weight,
                least: 0,
                most: Some(cap),
            })
            .collect();
        let amount = vector["amount_minor"].as_i64().expect("an amount");
        let split = allocate_within(amount, &parts).expect("a split");
        let shares: Vec<u64> = split
            .shares(&parts)
            .iter()
            .map(|it| it.unsigned_abs())
            .collect();
        assert_eq!(
            split.shortfall,
            vector["shortfall"].as_u64().unwrap_or(0),
            "{vector}"
        );
        assert_eq!(shares, numbers(&vector["expected"]), "{vector}");
    }
    say(&format!(
        "splits within limits: {} of {} agreed",
        lines.len(),
        lines.len()
    ));
}

/// Runs one vector, unless it has a shape that a plain split does not know.
fn compare(vector: &Value) -> Outcome {
    if vector.get("caps").is_some() {
        return Outcome::LeftOut("caps limit the shares");
    }
    if vector.get("step_minor").is_some() {
        return Outcome::LeftOut("shares go in steps of several minor units");
    }
    let Some(expected) = vector.get("largest_remainder").and_then(Value::as_array) else {
        return Outcome::LeftOut("the remainder is an element of its own");
    };
    let Some(amount) = vector["amount_minor"].as_i64() else {
        return Outcome::LeftOut("the amount is not a 64-bit integer");
    };
    let weights = vector["weights"].as_array().expect("weights are a list");
    let Some(weights) = weights
        .iter()
        .map(Value::as_u64)
        .collect::<Option<Vec<u64>>>()
    else {
        return Outcome::LeftOut("a weight is not a 64-bit integer");
    };
    let expected: Vec<i64> = expected.iter().filter_map(Value::as_i64).collect();
    // Padded with zeros, so that the order of the ids is that of the list.
    let parts: Vec<Part> = (0_u32..)
        .zip(weights)
        .map(|(index, weight)| Part {
            id: format!("{index:04}"),
            weight,
        })
        .collect();
    match allocate(amount, &parts) {
        Ok(ours)
            if ours
                .shares
                .iter()
                .map(|share| share.share)
                .eq(expected.iter().copied()) =>
        {
            Outcome::Agreed
        }
        other => Outcome::Differed(format!(
            "{amount} by {parts:?}: {expected:?}, ours {other:?}"
        )),
    }
}

/// Writes past the test runner, which keeps back what a passing test prints.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
}
