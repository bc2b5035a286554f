//! A seeded simulation: clients, replicas, sweepers and moving clocks over a store that is slow,
//! fails, and loses answers. Whatever happens, each command that was acknowledged is there once,
//! and each that was refused is not there at all.
//!
//! In memory a simulation is fully determined by its seed, time included. `ENTENTE_SEED=n` repeats
//! one; `ENTENTE_SEEDS=n` runs that many.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support"]
pub mod support {
    //! What several test binaries need.
    pub mod clocks;
    pub mod decorated_store;
    pub mod faults;
    pub mod history;
    pub mod memory_store;
    pub mod replay;
    pub mod workload;
}

#[path = "simulation"]
mod simulation {
    //! The simulation itself, and special cases.
    pub mod cases;
    pub mod run;
}
