//! What calls that divide concessions answer to whom.

use entente::domain::firm::Permission;
use prost::Message;
use tonic::Code;

use super::splits::{by, of, slice};
use super::table::{Row, rows};

rows! {
    /// The RPCs of splits.
    SPLIT_ROWS:
    // SplitService
    "SplitService/ComputeSplit" [Read] Ok, Ok, Ok, |_|
        of(vec![slice("a", "acme", 100)], 10, vec![by(entente::proto::v1::SplitBasis::Price)]);
}
