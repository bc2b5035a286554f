//! Expectations as the contract shows them.

use super::*;

#[test]
fn placeholder() {}
