//! Business-time facts from the tests of other projects, run against our calendars.
//!
//! The folder is named by the environment variable `ENTENTE_VECTORS`; without it, the test looks
//! for `../shared/vectors` beside the crate. Where there is no such folder the test says so and
//! passes: the facts are not part of this repository. Run with `--nocapture` to see the counts.

#[path = "vectors/business_time.rs"]
mod business_time;

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What became of the vectors of one file.
#[derive(Default)]
struct Tally {
    agreed: usize,
    /// Id, what was expected and what we said.
    differed: Vec<String>,
    /// How many, by reason.
    left_out: BTreeMap<String, usize>,
}

fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("ENTENTE_VECTORS") {
        let folder = PathBuf::from(named);
        assert!(
            folder.is_dir(),
            "ENTENTE_VECTORS is not a folder: {}",
            folder.display()
        );
        return Some(folder);
    }
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    Some(beside).filter(|folder| folder.is_dir())
}

/// The `.jsonl` files of the folder, in order of their names.
fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder of vectors can be listed");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn business_time_vectors_agree() {
    let Some(folder) = folder() else {
        println!("business-time vectors LEFT OUT: no folder (set ENTENTE_VECTORS to run them)");
        return;
    };
    let files = files(&folder.join("business_time"));
    assert!(!files.is_empty(), "no vectors in {}", folder.display());
    let mut total = Tally::default();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a file of vectors can be read");
        let tally = business_time::run_file(&text);
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        print_tally(&name, &tally);
        total.agreed += tally.agreed;
        total.differed.extend(tally.differed);
        for (reason, count) in tally.left_out {
            *total.left_out.entry(reason).or_default() += count;
        }
    }
    print_tally("all", &total);
    for (reason, count) in &total.left_out {
        println!("  left out {count}: {reason}");
    }
    assert!(total.differed.is_empty(), "{}", total.differed.join("\n"));
    assert!(total.agreed > 0, "no vector was run");
}

fn print_tally(name: &str, tally: &Tally) {
    let left_out: usize = tally.left_out.values().sum();
    let (agreed, differed) = (tally.agreed, tally.differed.len());
    let (ran, all) = (agreed + differed, agreed + differed + left_out);
    println!(
        "{name:>22}: {all:4} vectors, {ran:4} ran, {agreed:4} agreed, {differed} differed, {left_out} left out"
    );
}
