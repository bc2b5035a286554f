//! `SettlementService`: what two parties owe each other, month by month.

mod convert;
mod export;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use self::convert::{line_number, stands, state};
use super::convert::{money_refusal, parse_name};
use super::expectation::parse::Intake;
use super::listing::{self, Wanted};
use super::status::ApiError;
use super::{Api, Envelope, Mutation, required, sealed};
use crate::domain::command::Action;
use crate::domain::commitment::Opening;
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::settlement::month::Month;
use crate::domain::pricing::settlement::{
    STATEMENT_LINES_MAX, SettlementCommand, SettlementStatement, StatementState,
};
use crate::proto::v1;

/// Shape of a statement's name.
const SHAPE: &str = "partnerships/*/settlementStatements/*";

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

/// `SettlementService`.
#[derive(Clone, Debug)]
pub struct SettlementService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::settlement_service_server::SettlementService for SettlementService {
    async fn draft_settlement_statement(
        &self,
        request: Request<v1::DraftSettlementStatementRequest>,
    ) -> Result<Response<v1::SettlementStatement>, Status> {
        Ok(draft(&self.0, &request).await?)
    }

    async fn issue_settlement_statement(
        &self,
        request: Request<v1::IssueSettlementStatementRequest>,
    ) -> Result<Response<v1::SettlementStatement>, Status> {
        Ok(issue(&self.0, &request).await?)
    }

    async fn agree_settlement_lines(
        &self,
        request: Request<v1::AgreeSettlementLinesRequest>,
    ) -> Result<Response<v1::SettlementStatement>, Status> {
        Ok(agree(&self.0, &request).await?)
    }

    async fn dispute_settlement_line(
        &self,
        request: Request<v1::DisputeSettlementLineRequest>,
    ) -> Result<Response<v1::SettlementStatement>, Status> {
        Ok(dispute(&self.0, &request).await?)
    }

    async fn resolve_settlement_line(
        &self,
        request: Request<v1::ResolveSettlementLineRequest>,
    ) -> Result<Response<v1::SettlementStatement>, Status> {
        Ok(resolve(&self.0, &request).await?)
    }

    async fn settle_settlement_statement(
        &self,
        request: Request<v1::SettleSettlementStatementRequest>,
    ) -> Result<Response<v1::SettlementStatement>, Status> {
        Ok(settle(&self.0, &request).await?)
    }

    async fn export_settlement_statement(
        &self,
        request: Request<v1::ExportSettlementStatementRequest>,
    ) -> Result<Response<v1::ExportSettlementStatementResponse>, Status> {
        Ok(export::export(&self.0, &request).await?)
    }

    async fn get_settlement_statement(
        &self,
        request: Request<v1::GetSettlementStatementRequest>,
    ) -> Result<Response<v1::SettlementStatement>, Status> {
        Ok(get(&self.0, &request).await?)
    }

    async fn list_settlement_statements(
        &self,
        request: Request<v1::ListSettlementStatementsRequest>,
    ) -> Result<Response<v1::ListSettlementStatementsResponse>, Status> {
        Ok(list(&self.0, &request).await?)
    }
}

async fn draft(
    api: &Api,
    request: &Request<v1::DraftSettlementStatementRequest>,
) -> Answer<v1::SettlementStatement> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let mut intake = Intake::new(api);
    let is_named = !asked.party_id.is_empty();
    intake.faults.require(is_named, "party_id", "is required");
    let currency = Currency::from_code(&asked.currency);
    let currency = currency.map_err(|error| money_refusal("currency", &error));
    let currency = intake.faults.take(currency.map(Some));
    let period = Month::parse(&asked.period);
    let rule = "must be a month: write YYYY-MM";
    intake.faults.require(period.is_some(), "period", rule);
    let openings = intake.finish()?;
    let command = SettlementCommand::Draft {
        with: PartyId::from_text(&asked.party_id),
        currency: currency.ok_or_else(|| required("currency"))?,
        period: period.ok_or_else(|| required("period"))?,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<SettlementStatement, _>(
        api,
        &caller,
        "DraftSettlementStatement",
        request,
        mutation,
    )
    .await
}

async fn issue(
    api: &Api,
    request: &Request<v1::IssueSettlementStatementRequest>,
) -> Answer<v1::SettlementStatement> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let command = |sealed| {
        let id = id.clone();
        Action::Settlement(SettlementCommand::Issue { id, sealed })
    };
    let settling = sealed::Asked {
        method: "IssueSettlementStatement",
        scope: ScopeId::partnership(&partnership),
        id: &id,
        envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        openings: Vec::new(),
    };
    let receipt = sealed::settle(api, &caller, request, settling, command).await?;
    listing::changed::<SettlementStatement>(api, &caller, &partnership, &receipt).await
}

async fn agree(
    api: &Api,
    request: &Request<v1::AgreeSettlementLinesRequest>,
) -> Answer<v1::SettlementStatement> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let few = asked.line_numbers.len() <= STATEMENT_LINES_MAX;
    let rule = format!("no more than {STATEMENT_LINES_MAX}");
    intake.faults.require(few, "line_numbers", &rule);
    let mut lines = Vec::new();
    for (index, number) in asked
        .line_numbers
        .iter()
        .take(STATEMENT_LINES_MAX)
        .enumerate()
    {
        let number = line_number(&format!("line_numbers[{index}]"), *number);
        lines.push(intake.faults.take(number));
    }
    let openings = intake.finish()?;
    let command = SettlementCommand::Agree { id, lines };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<SettlementStatement, _>(
        api,
        &caller,
        "AgreeSettlementLines",
        request,
        mutation,
    )
    .await
}

async fn dispute(
    api: &Api,
    request: &Request<v1::DisputeSettlementLineRequest>,
) -> Answer<v1::SettlementStatement> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let line = intake
        .faults
        .take(line_number("line_number", asked.line_number));
    let words = intake.required_text("words", &asked.words);
    let openings = intake.finish()?;
    let command = SettlementCommand::Dispute {
        id,
        line,
        words: words.ok_or_else(|| required("words"))?,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<SettlementStatement, _>(
        api,
        &caller,
        "DisputeSettlementLine",
        request,
        mutation,
    )
    .await
}

async fn resolve(
    api: &Api,
    request: &Request<v1::ResolveSettlementLineRequest>,
) -> Answer<v1::SettlementStatement> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let line = intake
        .faults
        .take(line_number("line_number", asked.line_number));
    let stands = stands("resolution", asked.resolution);
    let stands = intake.faults.take(stands);
    let words = intake.text("words", &asked.words);
    let openings = intake.finish()?;
    let command = SettlementCommand::Resolve {
        id,
        line,
        stands,
        words,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<SettlementStatement, _>(
        api,
        &caller,
        "ResolveSettlementLine",
        request,
        mutation,
    )
    .await
}

async fn settle(
    api: &Api,
    request: &Request<v1::SettleSettlementStatementRequest>,
) -> Answer<v1::SettlementStatement> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let words = intake.text("words", &asked.words);
    let openings = intake.finish()?;
    let command = |sealed| {
        let (id, words) = (id.clone(), words.clone());
        Action::Settlement(SettlementCommand::Settle { id, words, sealed })
    };
    let settling = sealed::Asked {
        method: "SettleSettlementStatement",
        scope: ScopeId::partnership(&partnership),
        id: &id,
        envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        openings,
    };
    let receipt = sealed::settle(api, &caller, request, settling, command).await?;
    listing::changed::<SettlementStatement>(api, &caller, &partnership, &receipt).await
}

async fn get(
    api: &Api,
    request: &Request<v1::GetSettlementStatementRequest>,
) -> Answer<v1::SettlementStatement> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api
        .get::<SettlementStatement>(&caller, &partnership, &id)
        .await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

async fn list(
    api: &Api,
    request: &Request<v1::ListSettlementStatementsRequest>,
) -> Answer<v1::ListSettlementStatementsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListSettlementStatements:{partnership}:{}", asked.state),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: state.map(StatementState::as_str),
    };
    let every = |_: &SettlementStatement| true;
    let (settlement_statements, next_page_token) =
        listing::list(api, &member, wanted, every).await?;
    Ok(Response::new(v1::ListSettlementStatementsResponse {
        settlement_statements,
        next_page_token,
    }))
}

fn mutation(
    scope: ScopeId,
    envelope: Envelope,
    command: SettlementCommand,
    openings: Vec<Opening>,
) -> Mutation {
    Mutation {
        scope,
        envelope,
        action: Action::Settlement(command),
        openings,
    }
}
