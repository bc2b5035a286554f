//! Calls that have to succeed or to be refused, and what is wrong if they do not.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::panic::Location;

use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

use super::house::House;

/// A refusal, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: Code,
    pub reason: String,
    pub message: String,
    pub fields: Vec<String>,
    pub metadata: BTreeMap<String, String>,
}

impl From<&Status> for Refused {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let violations = details
            .bad_request()
            .map(|bad| bad.field_violations.clone());
        let violations = violations.unwrap_or_default().into_iter();
        let info = details.error_info();
        Self {
            code: status.code(),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            message: status.message().to_owned(),
            fields: violations.map(|violation| violation.field).collect(),
            metadata: info
                .map(|info| info.metadata.clone())
                .unwrap_or_default()
                .into_iter()
                .collect(),
        }
    }
}

/// The answer to a call that has to succeed.
#[track_caller]
pub fn ok<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> impl Future<Output = T> {
    let answered = accepted(call);
    async { answered.await.into_inner() }
}

/// The answer to a call that has to succeed, with its metadata.
#[track_caller]
pub fn accepted<T>(
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> impl Future<Output = Response<T>> {
    let (place, call) = (Location::caller(), Box::pin(call));
    async move {
        match call.await {
            Ok(response) => response,
            Err(status) => panic!("{place}: refused: {:?}", Refused::from(&status)),
        }
    }
}

/// The refusal of a call that has to be refused.
#[track_caller]
pub fn refused<T: Debug>(
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> impl Future<Output = Refused> {
    let (place, call) = (Location::caller(), Box::pin(call));
    async move {
        match call.await {
            Ok(response) => panic!("{place}: accepted: {:?}", response.into_inner()),
            Err(status) => Refused::from(&status),
        }
    }
}

/// A call that has to be refused for a reason, and to change nothing.
#[track_caller]
pub fn refuses<T: Debug>(
    house: &House,
    reason: &'static str,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> impl Future<Output = Refused> {
    let place = Location::caller();
    let call = refused(call);
    async move {
        let before = house.heads().await;
        let refused = call.await;
        assert_eq!(refused.reason, reason, "{place}: {refused:?}");
        assert_eq!(refused.code, code(reason), "{place}: {refused:?}");
        let after = house.heads().await;
        assert_eq!(before, after, "{place}: a refusal changed a journal");
        refused
    }
}

/// A call that has to be refused for a reason and certain fields, and to change nothing.
#[track_caller]
pub fn faulty<T: Debug>(
    house: &House,
    reason: &'static str,
    fields: &[&str],
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> impl Future<Output = Refused> {
    let place = Location::caller();
    let refused = refuses(house, reason, call);
    async move {
        let refused = refused.await;
        assert_eq!(refused.fields, fields, "{place}: {refused:?}");
        refused
    }
}

/// The code that the contract gives to a reason.
pub fn code(reason: &str) -> Code {
    match reason {
        "UNAUTHENTICATED" => Code::Unauthenticated,
        "PERMISSION_MISSING" => Code::PermissionDenied,
        "NOT_FOUND" | "INVITATION_INVALID" => Code::NotFound,
        "ALREADY_EXISTS" | "ALREADY_A_PARTY" | "ALREADY_BOOKED" => Code::AlreadyExists,
        "ETAG_MISMATCH" | "STALE_HASH" | "STALE_FRACTIONS" | "STALE_EVALUATION" => Code::Aborted,
        "OUT_OF_RANGE" => Code::OutOfRange,
        "LIMIT_REACHED" | "RESULT_TOO_LARGE" => Code::ResourceExhausted,
        "JOURNAL_DIVERGED" => Code::DataLoss,
        "INVALID_STATE"
        | "NOT_YOUR_OFFER"
        | "OFFER_EXPIRED"
        | "DEADLINE_IMPOSSIBLE"
        | "NOT_YOUR_NOTICE"
        | "TIME_NOT_GIVEN"
        | "TIME_NOT_DISCLOSABLE"
        | "TIME_SUPERSEDED"
        | "SAME_FIRM_MAY_NOT_ACCEPT"
        | "NOT_THE_OWNER"
        | "CREDIT_NOT_DUE"
        | "NOBODY_HELD_TIME"
        | "PARTNERSHIP_ENDED"
        | "PARTY_LEFT"
        | "INVITATION_FOR_ANOTHER_FIRM"
        | "EVENT_FROM_THE_FUTURE"
        | "AGREEMENT_NOT_ACTIVE"
        | "AGREEMENT_AMBIGUOUS"
        | "CONCESSION_TOO_LARGE"
        | "NOT_A_PORTION_OWNER"
        | "REVERSAL_TOO_LARGE"
        | "SHARES_SEALED"
        | "NOT_YOUR_STATEMENT"
        | "SURVEY_ALREADY_ANSWERED"
        | "NOT_YOURS_TO_ANSWER"
        | "NOT_YOUR_CUSTODY"
        | "CONCESSION_SHORTFALL"
        | "CLAUSE_VIOLATED"
        | "TARGET_UNREACHABLE"
        | "TICKET_MERGED"
        | "GUEST_LINK_USED"
        | "GUEST_LINK_EXPIRED"
        | "GUEST_LINK_REVOKED"
        | "GUEST_LINK_OUTDATED"
        | "ADOPTION_CONFLICT"
        | "SIGNING_KEY_REVOKED"
        | "COST_WOULD_BE_DISCLOSED"
        | "COST_ERASED"
        | "COMBINATION_NOT_ADOPTABLE" => Code::FailedPrecondition,
        _ => Code::InvalidArgument,
    }
}
