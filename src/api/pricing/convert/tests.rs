//! Joint quotes as the contract shows them.
