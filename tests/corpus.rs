//! What the fuzzer is fed with: its corpus, and random bytes.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

use proptest::prelude::*;
use targets::TARGETS;

/// Every target has a corpus, and stands it.
#[test]
fn what_was_collected_is_stood() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, target) in TARGETS {
        let corpus = std::fs::read_dir(fuzz.join("corpus").join(name)).unwrap();
        let inputs: Vec<_> = corpus.map(|entry| entry.unwrap().path()).collect();
        assert!(inputs.len() >= 4, "{name}: {}", inputs.len());
        for input in inputs {
            target(&std::fs::read(&input).unwrap());
        }
        let program = fuzz.join("fuzz_targets").join(format!("{name}.rs"));
        assert!(program.is_file(), "{name} is not fuzzed");
    }
}

proptest! {
    #[test]
    fn whatever_bytes_there_are(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for (_, target) in TARGETS {
            target(&bytes);
        }
    }
}
