//! The one switch from what went wrong to what a caller sees.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::sign_in::quota::WAIT_METADATA;
use crate::domain::refusal::{Reason, Refusal};
use crate::ledger::Failure;
use crate::store::StoreError;

/// Domain of every `ErrorInfo`.
pub const DOMAIN: &str = "entente";
/// What `RetryInfo` suggests where retrying helps.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// The canonical code of a reason.
#[must_use]
#[expect(clippy::too_many_lines, reason = "one line for each reason")]
pub const fn code(reason: Reason) -> Code {
    match reason {
        Reason::InvalidField
        | Reason::RequestIdReused
        | Reason::EventIdReused
        | Reason::PageTokenInvalid
        | Reason::CursorInvalid
        | Reason::ZoneUnknown
        | Reason::CalendarNeverOpens
        | Reason::MoneyTooFine
        | Reason::CurrencyUnknown
        | Reason::CurrencyMismatch
        | Reason::WeightsInvalid
        | Reason::MarkupCapExceeded
        | Reason::ExchangeRateMissing
        | Reason::CalendarNotAdopted
        | Reason::LooksLikeSecret
        | Reason::SignatureInvalid
        | Reason::TimesOutOfOrder => Code::InvalidArgument,
        Reason::Unauthenticated => Code::Unauthenticated,
        Reason::PermissionMissing => Code::PermissionDenied,
        Reason::NotFound | Reason::InvitationInvalid => Code::NotFound,
        Reason::AlreadyExists | Reason::AlreadyAParty | Reason::AlreadyBooked => {
            Code::AlreadyExists
        }
        Reason::EtagMismatch
        | Reason::StaleHash
        | Reason::StaleFractions
        | Reason::StaleEvaluation => Code::Aborted,
        Reason::InvalidState
        | Reason::NotYourOffer
        | Reason::OfferExpired
        | Reason::DeadlineImpossible
        | Reason::NotYourNotice
        | Reason::TimeNotGiven
        | Reason::TimeNotDisclosable
        | Reason::TimeSuperseded
        | Reason::SameFirmMayNotAccept
        | Reason::NotTheOwner
        | Reason::PartnershipEnded
        | Reason::GuestLinkUsed
        | Reason::GuestLinkExpired
        | Reason::GuestLinkRevoked
        | Reason::GuestLinkOutdated
        | Reason::CheckupLinkExpired
        | Reason::CheckupLinkForAnotherPartnership
        | Reason::PartyLeft
        | Reason::InvitationForAnotherFirm
        | Reason::EventFromTheFuture
        | Reason::AgreementNotActive
        | Reason::ReferenceAmbiguous
        | Reason::ConcessionTooLarge
        | Reason::ConcessionShortfall
        | Reason::ClauseViolated
        | Reason::NotAPortionOwner
        | Reason::ReversalTooLarge
        | Reason::SharesSealed
        | Reason::CreditNotDue
        | Reason::NobodyHeldTime
        | Reason::NotYourStatement
        | Reason::SurveyAlreadyAnswered
        | Reason::NotYoursToAnswer
        | Reason::NotYourCustody
        | Reason::TargetUnreachable
        | Reason::AdoptionConflict
        | Reason::CombinationNotAdoptable
        | Reason::TicketMerged
        | Reason::SigningKeyRevoked
        | Reason::CostWouldBeDisclosed
        | Reason::CostErased
        | Reason::AgreementAmbiguous => Code::FailedPrecondition,
        Reason::OutOfRange => Code::OutOfRange,
        Reason::LimitReached
        | Reason::QueueFull
        | Reason::FirmQuotaExceeded
        | Reason::QuotaExceeded
        | Reason::ResultTooLarge => Code::ResourceExhausted,
        Reason::DeadlineExceeded => Code::DeadlineExceeded,
        Reason::StoreUnavailable
        | Reason::ServiceStopping
        | Reason::IdentityProviderUnavailable => Code::Unavailable,
        Reason::JournalDiverged => Code::DataLoss,
        Reason::Internal => Code::Internal,
    }
}

/// Whether the same call may succeed a little later.
#[must_use]
pub const fn is_worth_retrying(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::QueueFull
            | Reason::FirmQuotaExceeded
            | Reason::QuotaExceeded
            | Reason::IdentityProviderUnavailable
            | Reason::StoreUnavailable
            | Reason::ServiceStopping
    )
}

/// How long to wait before trying again.
fn wait(refusal: &Refusal) -> Duration {
    let told = refusal
        .metadata
        .iter()
        .find(|(key, _)| *key == WAIT_METADATA);
    let told = told.and_then(|(_, wait)| wait.parse().ok());
    told.map_or(RETRY_AFTER, Duration::from_millis)
}

/// What a caller sees of a refusal.
#[must_use]
pub fn status(refusal: &Refusal) -> Status {
    let reason = refusal.reason;
    let message = if reason == Reason::Internal {
        // The cause is for the log; it may name what the caller must not know.
        tracing::error!(message = refusal.message, "internal error");
        "internal error"
    } else {
        refusal.message.as_str()
    };
    let mut details = ErrorDetails::new();
    let metadata: HashMap<String, String> = refusal
        .metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    details.set_error_info(reason.as_str(), DOMAIN, metadata);
    for violation in &refusal.violations {
        details.add_bad_request_violation(violation.field.as_str(), violation.description.as_str());
    }
    if is_worth_retrying(reason) {
        details.set_retry_info(Some(wait(refusal)));
    }
    Status::with_error_details(code(reason), message, details)
}

/// Everything that can end a call early; `?` turns it into a [`Status`] at the edge.
#[derive(Debug)]
pub struct ApiError(pub Refusal);

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self(failure.0)
    }
}

impl From<StoreError> for ApiError {
    /// SQL and table names stay in the log.
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "store error");
        match error {
            StoreError::Unavailable(_) | StoreError::CommitUnknown(_) => Self(Refusal::new(
                Reason::StoreUnavailable,
                "the database does not answer",
            )),
            StoreError::Schema(_) => Self(Refusal::new(
                Reason::StoreUnavailable,
                "this replica is older than what is stored; another one can answer",
            )),
            StoreError::Refused(_) | StoreError::Corrupt(_) => Self(Refusal::new(
                Reason::Internal,
                "the database could not be read",
            )),
        }
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        status(&error.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_errors_show_nothing() {
        let shown = status(&Refusal::new(Reason::Internal, "SELECT secret FROM record"));
        assert_eq!(shown.code(), Code::Internal);
        assert!(!shown.message().contains("SELECT"));
    }

    #[test]
    fn details_carry_reason_fields_and_metadata() {
        let refusal = Refusal::field(Reason::InvalidField, "a.b", "bad").with("limit", 3);
        let shown = status(&refusal);
        let details = shown.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("INVALID_FIELD", DOMAIN)
        );
        assert_eq!(info.metadata.get("limit").map(String::as_str), Some("3"));
        assert_eq!(
            details.bad_request().unwrap().field_violations[0].field,
            "a.b"
        );
        assert!(details.retry_info().is_none());
        assert!(
            status(&Refusal::new(Reason::QueueFull, ""))
                .get_error_details()
                .retry_info()
                .is_some()
        );
    }
}
