//! Entente keeps the promises between IT firms that sell and support together: expectations, SLA
//! clocks and pricing splits.
//!
//! Each layer knows only the layers below it:
//!
//! - [`cli`]: the commands of the binary.
//! - [`server`]: puts everything together: tower layers, health, reflection, shutdown.
//! - [`api`]: one file per gRPC service; converts, authorises, and nothing else.
//! - [`ledger`]: runs commands: group commit, idempotency, journal, timers, watch.
//! - [`store`]: the only place that knows SQL.
//! - [`domain`]: what all of it is for, as pure functions.
//!
//! [`proto`] is the generated contract, which only `api`, `server` and `cli` see.

pub mod api;
pub mod cli;
pub mod domain;
pub mod ledger;
pub mod proto;
pub mod server;
pub mod store;
