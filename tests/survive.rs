//! What an operator needs when something went wrong, and before it does: copies and what comes of
//! them, a look at a database's health, formats that change, views for reports.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support"]
mod support {
    //! What several test binaries need.
    pub mod clocks;
    pub mod desk;
    pub mod postgres;
    pub mod program;
    pub mod workload;
}

#[path = "survive"]
mod survive {
    //! The cases, by subject.
    mod activation;
    mod backup;
    mod doctor;
    mod recovery;
    mod reports;
    mod watching;
}
