//! Tests of the check-up as a whole.
