//! Service levels: calendars, agreements, tickets and the clocks over them.

pub mod agreement;
pub mod attainment;
pub mod cache;
pub mod calendar;
pub mod chain;
pub mod clock;
pub mod combination;
pub mod compiled;
pub mod credit;
pub mod explain;
pub mod icalendar;
pub mod in_force;
pub mod link;
pub mod settings;
pub mod simulation;
pub mod ticket;
pub mod underpin;
