//! Drills: three replicas on one database behind HAProxy, under load, while everything fails that can:
//! a replica is killed, another one hangs, `PostgreSQL` restarts as after a crash and fails over to its
//! synchronous standby. What was acknowledged is there once, no threshold fires twice, and whoever
//! watches misses nothing.
//!
//! `make drill-short` runs one round, `make drill` several (`ENTENTE_DRILL_ROUNDS`).

#![expect(
    clippy::unwrap_used,
    reason = "a drill stops at the first thing that is not as it should be"
)]

#[path = "support"]
mod support {
    //! What several test binaries need.
    pub mod desk;
    pub mod postgres;
    pub mod program;
}

#[path = "drill"]
mod drill {
    //! What drills consist of.
    mod checks;
    mod failures;
    mod house;
    mod load;
    mod patience;
    mod upgrade;
}
