//! What sign-in tells about itself, for whoever collects it. Labels never name a firm.

use metrics::{Unit, counter, describe_counter};

/// Calls refused because nobody was recognised, by cause.
const FAILURES: &str = "entente_sign_in_failures_total";
/// Calls refused because a firm had used its quota up.
const OVER_QUOTA: &str = "entente_calls_over_quota_total";

/// Says what each of them is.
pub fn describe() {
    describe_counter!(
        FAILURES,
        Unit::Count,
        "Calls refused because nobody was recognised, by cause"
    );
    describe_counter!(
        OVER_QUOTA,
        Unit::Count,
        "Calls refused because a firm had used its quota up"
    );
}

pub(super) fn failure(cause: &'static str) {
    counter!(FAILURES, "cause" => cause).increment(1);
}

pub(super) fn over_quota() {
    counter!(OVER_QUOTA).increment(1);
}
