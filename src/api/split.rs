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
use crate::domain::pricing::division::{Names, Subject};
use crate::domain::pricing::sheet::{Column, Undivided};
use crate::domain::refusal::Refusal;
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

/// What this service calls slices and their owners.
const NAMES: Names = Names {
    slice: "slice_id",
    owner: "owner",
};

/// Why an alternative cannot be divided: at the field that it is about, if
/// there is one, else at the alternative.
fn refusal(undivided: &Undivided, index: usize, asked: &Asked) -> Refusal {
    let at_slice = |id: &str, column| {
        let slice = asked.sheet.lines.iter().position(|line| line.id == id)?;
        Some(parse::slice_field(slice, column))
    };
    let field = |subject: Subject<'_>| {
        let own = match subject {
            Subject::Cost(id) => at_slice(id, Column::Cost),
            Subject::Floor(id) => at_slice(id, Column::Floor),
            Subject::Shares => Some(format!("alternatives[{index}].shares")),
            Subject::Amounts => Some(format!("alternatives[{index}].amounts")),
            Subject::Concession | Subject::LeastPart(_) => None,
        };
        own.unwrap_or_else(|| format!("alternatives[{index}]"))
    };
    undivided
        .error
        .refusal(asked.sheet.currency, NAMES, field)
        .with("cadence", undivided.cadence.as_str())
}
