//! A process is killed under load, again and again, at named points and at any moment; `PostgreSQL`
//! is stopped under load as by a crash. After each time everything that was acknowledged is there
//! once, nothing that was refused is there at all, and the next process carries on.
//!
//! The process is this test binary itself, which becomes the child where the environment says so.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support"]
pub mod support {
    //! What several test binaries need.
    pub mod decorated_store;
    pub mod history;
    pub mod postgres;
    pub mod replay;
    pub mod workload;
}

#[path = "crash"]
mod crash {
    //! Parent and child.
    pub mod child;
    pub mod messages;
    pub mod parent;
}
