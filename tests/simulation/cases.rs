//! Special cases that a simulation meets rarely.
