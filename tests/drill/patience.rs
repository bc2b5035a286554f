//! Calls that are made until they are answered.

use std::future::Future;
use std::time::Duration;

use tonic::{Response, Status};

/// How long a call is made again while its answer says nothing about it.
const PATIENCE: Duration = Duration::from_mins(3);
/// The rest between two attempts.
const PAUSE: Duration = Duration::from_millis(200);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Makes a call until it is answered: accepted, or refused for good. Each attempt has to carry the same
/// request id, or what makes it the same otherwise.
pub async fn answered<T, Attempt>(mut call: impl FnMut() -> Attempt) -> Result<Response<T>, Status>
where
    Attempt: Future<Output = Result<Response<T>, Status>>,
{
    let began = tokio::time::Instant::now();
    loop {
        let last = match tokio::time::timeout(ATTEMPT, call()).await {
            Ok(Err(status)) if says_nothing(&status) => status,
            Ok(answer) => return answer,
            Err(_) => Status::deadline_exceeded("no answer"),
        };
        assert!(began.elapsed() < PATIENCE, "never answered: {last:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a status leaves open what became of the call.
fn says_nothing(status: &Status) -> bool {
    use tonic::Code::{
        Cancelled, DeadlineExceeded, Internal, ResourceExhausted, Unavailable, Unknown,
    };
    let told = !status.details().is_empty();
    match status.code() {
        Unavailable | DeadlineExceeded | ResourceExhausted => true,
        // What the server itself says has details.
        Cancelled | Internal | Unknown => !told,
        _ => false,
    }
}
