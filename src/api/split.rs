//! `SplitService`: divisions of concessions that the request brings along.

mod parse;
mod show;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use self::parse::Asked;
use super::Api;
use super::sla::ticket_event::rpc_status;
use super::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::pricing::allocation::ENGINE_VERSION;
use crate::domain::pricing::sheet::Undivided;
use crate::domain::refusal::{Refusal, Violation};
use crate::proto::v1;

/// Most alternatives of one request.
const ALTERNATIVES_MAX: usize = 10;

/// `SplitService`.
#[derive(Clone, Debug)]
pub struct SplitService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::split_service_server::SplitService for SplitService {
    async fn compute_split(
        &self,
        request: Request<v1::ComputeSplitRequest>,
    ) -> Result<Response<v1::ComputeSplitResponse>, Status> {
        Ok(self.compute(&request).await?)
    }
}

impl SplitService {
    async fn compute(
        &self,
        request: &Request<v1::ComputeSplitRequest>,
    ) -> Result<Response<v1::ComputeSplitResponse>, ApiError> {
        self.0.caller(request, Permission::Read).await?;
        let asked = parse::request(request.get_ref())?;
        let results = asked.alternatives.iter().enumerate();
        let results = results.map(|(index, alternative)| {
            let answers = match alternative {
                Ok(alternative) => asked.sheet.answer(alternative),
                Err(refusal) => return refused(refusal),
            };
            match answers {
                Ok(answers) => v1::SplitResult {
                    divisions: show::divisions(&answers, asked.sheet.currency),
                    error: None,
                },
                Err(undivided) => refused(&refusal(&undivided, index, &asked)),
            }
        });
        Ok(Response::new(v1::ComputeSplitResponse {
            results: results.collect(),
            engine_version: i32::try_from(ENGINE_VERSION).unwrap_or(i32::MAX),
            currency_exponent: asked.sheet.currency.exponent().into(),
        }))
    }
}

fn refused(refusal: &Refusal) -> v1::SplitResult {
    v1::SplitResult {
        divisions: Vec::new(),
        error: Some(rpc_status(refusal)),
    }
}

/// Why an alternative cannot be divided: at a slice's field if it is about one, else at the alternative.
fn refusal(undivided: &Undivided, index: usize, asked: &Asked) -> Refusal {
    let currency = asked.sheet.currency;
    let at_slice = undivided.line().and_then(|(id, column)| {
        let slice = asked.sheet.lines.iter().position(|line| line.id == id)?;
        Some(parse::slice_field(slice, column))
    });
    let field = at_slice.unwrap_or_else(|| format!("alternatives[{index}]"));
    let violation = Violation {
        field,
        description: undivided.words(currency),
    };
    let mut refusal = Refusal::fields(undivided.reason(), vec![violation]);
    refusal.metadata = undivided.metadata(currency);
    refusal
}
