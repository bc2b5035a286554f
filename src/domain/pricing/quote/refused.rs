//! Where in a proposal stands what a division is refused for.

use crate::domain::pricing::division::{DivisionError, Names, Subject};
use crate::domain::pricing::money::Currency;
use crate::domain::refusal::Refusal;

/// What quotes call slices and their owners.
const NAMES: Names = Names {
    slice: "portion_id",
    owner: "party_id",
};

/// The refusal for what the engine cannot divide, with amounts in `currency`. `concession` is where the
/// amount stands in the request.
pub(super) fn refused(error: &DivisionError, concession: &str, currency: Currency) -> Refusal {
    error.refusal(currency, NAMES, |subject| match subject {
        // Portions have floors that were checked when they were stated.
        Subject::Concession | Subject::Floor(_) => concession.to_owned(),
        Subject::Shares => "weights".to_owned(),
        Subject::Amounts => "custom_shares".to_owned(),
        Subject::Cost(_) => "basis".to_owned(),
        Subject::LeastPart(party) => {
            format!("terms.pricing_clauses.party_limits[{party}].least_bps")
        }
    })
}
