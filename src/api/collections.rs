//! How records of a partnership are named in the contract.

use crate::domain::identity::ScopeId;
use crate::domain::record::Kind;

/// The collection in which records of a kind are named, below their partnership; `None` for what has no
/// name of its own there.
#[must_use]
pub const fn collection(kind: Kind) -> Option<&'static str> {
    let collection = match kind {
        Kind::Expectation => "expectations",
        Kind::Notice => "notices",
        Kind::Claim => "claims",
        Kind::Need => "needs",
        Kind::Opportunity => "opportunities",
        Kind::Ticket => "tickets",
        Kind::Agreement => "agreements",
        Kind::JointQuote => "jointQuotes",
        Kind::SettlementStatement => "settlementStatements",
        Kind::Contact => "contacts",
        Kind::Client => "clients",
        Kind::OutsideParty => "outsideParties",
        Kind::Activity => "activities",
        Kind::ClientPresentation => "clientPresentations",
        Kind::Survey => "surveys",
        Kind::Feedback => "feedback",
        Kind::Capability => "capabilities",
        Kind::SharedGoal => "sharedGoals",
        Kind::Improvement => "improvements",
        Kind::RemedyPlan => "remedyPlans",
        Kind::CheckupNote => "checkupNotes",
        Kind::CustodyItem => "custodyItems",
        Kind::HandOverRequest => "handOverRequests",
        Kind::StakeDisclosure => "stakeDisclosures",
        Kind::ExitDrill => "exitDrills",
        _ => return None,
    };
    Some(collection)
}

/// The name of a record of a partnership; the partnership's for what has none.
#[must_use]
pub fn record_name(scope: &ScopeId, kind: Kind, id: &str) -> String {
    match (kind, collection(kind)) {
        // Its id is what it is about: `tickets/...` or `expectations/...`.
        (Kind::Progress, _) => format!("{scope}/{id}/progress"),
        (_, Some(collection)) => format!("{scope}/{collection}/{id}"),
        (_, None) => scope.to_string(),
    }
}
