//! Bytes as a quote, through all of `entente split` but its printing.

#![no_main]

use entente::cli::split::from_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(outcome) = from_bytes(bytes) {
        assert!(outcome.adds_up());
    }
});
