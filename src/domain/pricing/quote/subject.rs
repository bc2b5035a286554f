//! Which quote a command is about, so that it can be loaded together with the partnership.

use super::QuoteCommand;

impl QuoteCommand {
    /// The quote that it is about; `None` for one that comes to be.
    #[must_use]
    pub fn quote(&self) -> Option<&str> {
        match self {
            Self::Create { .. } => None,
            Self::Update { id, .. }
            | Self::AddPortion { id, .. }
            | Self::ProposeConcession { id, .. }
            | Self::EvaluateConcession { id, .. }
            | Self::ConsentToDisclosure { id }
            | Self::WithdrawDisclosureConsent { id }
            | Self::ApproveConcession { id, .. }
            | Self::ApproveSigned { id, .. }
            | Self::SignConcession { id, .. }
            | Self::RejectConcession { id, .. }
            | Self::WithdrawConcession { id, .. } => Some(id),
        }
    }
}
