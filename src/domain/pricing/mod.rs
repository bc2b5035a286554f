//! Pricing splits: money in whole minor units, exact allocation, joint quotes.

pub mod allocation;
pub mod booking;
pub mod division;
pub mod fairness;
pub mod money;
pub mod quote;
pub mod settlement;
pub mod sheet;
#[cfg(test)]
mod tests;
