//! `ExportJournal`: one task per stream writes an export, and hands it to the transport in chunks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::{authorise, scope_of};
use crate::api::status::{ApiError, status};
use crate::api::{Api, Member};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::refusal::{Reason, Refusal};
use crate::ledger::verify::{ExportRange, ExportSink, OpeningsFor, VerifyError, export_range};
use crate::proto::v1;

/// Most exports at a time: each holds the records of its scope in memory.
pub const EXPORTS_MAX: usize = 4;
/// Most bytes of a chunk.
pub const CHUNK_BYTES_MAX: usize = 64 * 1024;
/// Most chunks that wait for a caller to take them.
const CHUNKS_WAITING_MAX: usize = 16;
/// How long a caller may leave chunks waiting before it is cut off.
const SEND_WITHIN: Duration = Duration::from_secs(30);

/// Counts the exports of this process.
static EXPORTS: Semaphore = Semaphore::const_new(EXPORTS_MAX);

/// What one export sends.
type Chunk = Result<v1::ExportJournalResponse, Status>;

/// The chunks of one `ExportJournal`.
#[derive(Debug)]
pub struct ExportAnswers(mpsc::Receiver<Chunk>);

impl Stream for ExportAnswers {
    type Item = Chunk;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// Starts an export. Everything that can be refused is refused before it begins.
///
/// # Errors
/// The refusal.
pub(super) async fn export(
    api: &Arc<Api>,
    request: &Request<v1::ExportJournalRequest>,
) -> Result<Response<ExportAnswers>, ApiError> {
    let caller = api.caller(request, Permission::Read).await?;
    let scope = scope_of("name", &request.get_ref().name)?;
    let bounds = authorise(api, &caller, std::slice::from_ref(&scope)).await?;
    let openings = if scope.is_firm() {
        // It is the caller's own.
        OpeningsFor::Operator
    } else {
        let member: Member = api.member_or_former(&caller, scope.id()).await?;
        OpeningsFor::Party(member.party.id)
    };
    let limit = || Refusal::limit("exports", EXPORTS_MAX);
    let permit = EXPORTS.try_acquire().map_err(|_| limit())?;
    let range = ExportRange {
        until: bounds.until(&scope),
        scope,
        openings,
    };
    let (sender, answers) = mpsc::channel(CHUNKS_WAITING_MAX);
    let api = Arc::clone(api);
    tokio::spawn(async move {
        let end = write(&api, &range, sender.clone()).await;
        drop(permit);
        if let Err(refusal) = end {
            // Nobody listens any more if this fails.
            let _ = tokio::time::timeout(SEND_WITHIN, sender.send(Err(status(&refusal)))).await;
        }
    });
    Ok(Response::new(ExportAnswers(answers)))
}

async fn write(api: &Api, range: &ExportRange, sender: mpsc::Sender<Chunk>) -> Result<(), Refusal> {
    let mut chunks = Chunks {
        buffer: Vec::with_capacity(CHUNK_BYTES_MAX),
        sender,
    };
    let store = api.ledger.store().as_ref();
    let written = export_range(store, range, &api.signer, &mut chunks).await;
    written.map_err(|error| refusal(error, &range.scope))?;
    let rest = std::mem::take(&mut chunks.buffer);
    let sent = chunks.send(rest).await;
    sent.map_err(|error| refusal(VerifyError::Io(error), &range.scope))
}

fn refusal(error: VerifyError, scope: &ScopeId) -> Refusal {
    match error {
        VerifyError::Store(error) => ApiError::from(error).0,
        VerifyError::NoSuchScope(_) => Refusal::not_found("scope"),
        VerifyError::Io(_) => {
            let message = "the export was not taken in time; ask for it again";
            Refusal::new(Reason::LimitReached, message)
                .with("limit", "export_send_seconds")
                .with("maximum", SEND_WITHIN.as_secs())
        }
        error => Refusal::new(Reason::Internal, error.to_string()).with("scope", scope),
    }
}

/// Cuts the lines into chunks.
struct Chunks {
    buffer: Vec<u8>,
    sender: mpsc::Sender<Chunk>,
}

impl Chunks {
    async fn send(&self, data: Vec<u8>) -> std::io::Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        let chunk = Ok(v1::ExportJournalResponse { data });
        let sent = tokio::time::timeout(SEND_WITHIN, self.sender.send(chunk)).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(std::io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }
}

#[tonic::async_trait]
impl ExportSink for Chunks {
    async fn line(&mut self, mut line: &[u8]) -> std::io::Result<()> {
        while !line.is_empty() {
            let room = CHUNK_BYTES_MAX - self.buffer.len();
            let (fits, rest) = line.split_at(room.min(line.len()));
            self.buffer.extend_from_slice(fits);
            line = rest;
            if self.buffer.len() == CHUNK_BYTES_MAX {
                let empty = Vec::with_capacity(CHUNK_BYTES_MAX);
                let full = std::mem::replace(&mut self.buffer, empty);
                self.send(full).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn chunks_are_full_but_the_last() {
        let (sender, mut answers) = mpsc::channel(CHUNKS_WAITING_MAX);
        let mut chunks = Chunks {
            buffer: Vec::new(),
            sender,
        };
        let line = vec![b'x'; CHUNK_BYTES_MAX / 2 + 1];
        for _ in 0..5 {
            chunks.line(&line).await.unwrap();
        }
        let rest = std::mem::take(&mut chunks.buffer);
        assert_eq!(rest.len(), 5 * line.len() - 2 * CHUNK_BYTES_MAX);
        chunks.send(rest).await.unwrap();
        drop(chunks);
        let mut sizes = Vec::new();
        while let Some(chunk) = answers.recv().await {
            sizes.push(chunk.unwrap().data.len());
        }
        let rest = 5 * line.len() - 2 * CHUNK_BYTES_MAX;
        assert_eq!(sizes, [CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, rest]);
    }
}
