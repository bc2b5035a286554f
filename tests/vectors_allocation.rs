//! Runs published splits of other tools through ours.
//!
//! The vectors are in `allocation.jsonl`, one JSON object a line, in the folder that
//! `ENTENTE_VECTORS` names, or else in `../shared/vectors` beside this crate. They are not part of
//! the crate: without the folder this test says so and passes.
//!
//! A vector gives `amount_minor`, `weights`, and `largest_remainder`: what the largest remainder
//! makes of them, ties going to the lowest index. Other tools follow other rules, which is why
//! their own `expected` is not compared.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

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
    let folder = std::env::var_os("ENTENTE_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"),
        PathBuf::from,
    );
    let path = folder.join("allocation.jsonl");
    if !path.exists() {
        say(&format!(
            "allocation vectors: {} is absent, nothing was compared (ENTENTE_VECTORS names the \
             folder)",
            path.display()
        ));
        return;
    }
    let text = std::fs::read_to_string(&path).expect("the vectors can be read");
    let (mut agreed, mut differed, mut left_out) = (0, Vec::new(), BTreeMap::new());
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let vector: Value = serde_json::from_str(line).expect("a line is a JSON object");
        match compare(&vector) {
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
    assert!(
        agreed > 0,
        "{} holds no vector that can be run",
        path.display()
    );
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
