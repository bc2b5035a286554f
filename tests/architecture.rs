//! The architecture's invariants, checked by reading the source (see ARCHITECTURE.md).

use std::path::{Path, PathBuf};

/// A file longer than this should be two.
const FILE_LINES_MAX: usize = 600;

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Lines of code: without comments and without the unit tests at the end, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .take_while(|(_, line)| !line.starts_with("mod tests {"))
            .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or("")))
    }
}

fn sources(below: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(below)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder exists") {
            let path: PathBuf = entry.expect("the entry is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !is_unit_test(path.strip_prefix(root).expect("below the root"))
            {
                let text = std::fs::read_to_string(&path).expect("source is text");
                let path = path
                    .strip_prefix(root)
                    .expect("below the root")
                    .display()
                    .to_string();
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty(), "no source below {below}");
    found
}

/// Unit tests that have files of their own, below `src`; `path` is relative to the project.
fn is_unit_test(path: &Path) -> bool {
    let below_source = path.starts_with("src");
    below_source
        && (path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests"))
}

fn refuse(sources: &[Source], words: &[&str], allowed: impl Fn(&str) -> bool, rule: &str) {
    let mut broken = Vec::new();
    for source in sources.iter().filter(|source| !allowed(&source.path)) {
        for (number, line) in source.code() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                broken.push(format!("{}:{number}: {word}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

fn layer(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

#[test]
fn domain_is_pure() {
    let words = [
        "tokio",
        "sqlx",
        "tonic",
        "prost",
        "async fn",
        "async move",
        "async {",
        "std::fs",
        "std::net",
        "std::env",
        "rand::",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "TimeZone::system",
        "TimeZone::get(",
    ];
    refuse(
        &sources("src/domain"),
        &words,
        |_| false,
        "domain imports no I/O, time or randomness",
    );
}

#[test]
fn each_layer_knows_only_those_below() {
    let above = [
        (
            "domain",
            &[
                "crate::store",
                "crate::ledger",
                "crate::api",
                "crate::server",
                "crate::cli",
                "crate::proto",
            ][..],
        ),
        (
            "store",
            &[
                "crate::ledger",
                "crate::api",
                "crate::server",
                "crate::cli",
                "crate::proto",
            ][..],
        ),
        (
            "ledger",
            &["crate::api", "crate::server", "crate::cli", "crate::proto"][..],
        ),
        ("api", &["crate::server", "crate::cli"][..]),
        ("server", &["crate::cli"][..]),
    ];
    for (name, words) in above {
        let folder = format!("src/{name}");
        refuse(
            &sources(&folder),
            words,
            |_| false,
            &format!("{name} knows a layer above it"),
        );
    }
}

#[test]
fn only_store_contains_sql() {
    let words = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "sqlx::"];
    refuse(
        &sources("src"),
        &words,
        |path| layer(path) == "store",
        "SQL outside store",
    );
}

#[test]
fn only_api_server_and_cli_see_the_contract() {
    let words = ["crate::proto", "prost_types::", "tonic::"];
    let allowed = |path: &str| matches!(layer(path), "api" | "server" | "cli" | "proto.rs");
    refuse(
        &sources("src"),
        &words,
        allowed,
        "the contract's types below api",
    );
}

#[test]
fn only_the_environment_reads_the_wall_clock_and_randomness() {
    let words = [
        "SystemTime::now",
        "Instant::now()",
        "rand::rng",
        "Timestamp::now()",
        "Uuid::now_v7",
        "Uuid::new_v4",
    ];
    let tokio_timers = |path: &str| {
        // Intervals of background tasks are no dates that anybody sees.
        let timers = [
            "src/server/environment.rs",
            "src/ledger/sweep.rs",
            // Durations that are measured decide nothing.
            "src/ledger/measure.rs",
            "src/api/journal/watch.rs",
        ];
        timers.contains(&path) || path.starts_with("src/cli/")
    };
    refuse(
        &sources("src"),
        &words,
        tokio_timers,
        "the wall clock or randomness outside of the environment",
    );
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let long: Vec<String> = sources("src")
        .into_iter()
        .filter_map(|source| {
            let lines = source.text.lines().count();
            (lines > FILE_LINES_MAX).then(|| format!("{} has {lines} lines", source.path))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn nothing_is_left_undone() {
    // A lint is expected with a reason, never just allowed.
    let words = [
        "todo!",
        "unimplemented!",
        "#[ignore",
        "FIXME",
        "#[allow",
        "#![allow",
    ];
    let own = |path: &str| path == "tests/architecture.rs";
    for folder in ["src", "tests"] {
        refuse(&sources(folder), &words, own, "unfinished work");
    }
}
