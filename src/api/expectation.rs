//! `ExpectationService`: what the firms may count on from each other.
//!
//! A draft is in the shared journal, so both firms may read it here, too; only its author may
//! change it, which the domain sees to.

mod claims;
mod clock;
pub(super) mod convert;
mod coverage;
mod difference;
pub(super) mod evidence;
mod fire_drills;
mod fulfilment;
mod judgement;
mod mask;
mod methods;
mod needs;
mod notices;
pub(super) mod parse;
mod updates;

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response};

use self::mask::{parts, updated};
use self::methods::Change;
use self::parse::Intake;
use super::caller::Caller;
use super::convert::{parse_name, reference};
use super::listing::{self, Wanted};
use super::status::ApiError;
use super::{Api, Envelope, Member, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::expectation::{Expectation, ExpectationCommand, ExpectationState};
use crate::domain::firm::Permission;
use crate::domain::identity::{ExternalReference, ScopeId};
use crate::domain::refusal::Reason;
use crate::ledger::Receipt;
use crate::proto::v1;

pub(super) use notices::{notice_kind, to_notice_kind};

/// Shape of an expectation's name.
const SHAPE: &str = "partnerships/*/expectations/*";
/// How often an update of some parts is tried while others keep changing the rest.
const UPDATE_ATTEMPTS_MAX: u32 = 3;

/// `ExpectationService`.
#[derive(Clone, Debug)]
pub struct ExpectationService(pub Arc<Api>);

impl ExpectationService {
    async fn create(
        &self,
        request: &Request<v1::CreateExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Quotes).await?;
        let asked = request.get_ref();
        let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
        let given = asked
            .expectation
            .as_ref()
            .ok_or_else(|| required("expectation"))?;
        let member = api.member(&caller, &partnership).await?;
        let mut intake = Intake::new(api);
        let links = parse::links(&mut intake, &member.scope(), given);
        let create = draft(&mut intake, &member, &caller, given);
        let draft = if links.is_empty() {
            create
        } else {
            let create = Box::new(create);
            ExpectationCommand::CreateLinked { create, links }
        };
        let mutation = Mutation {
            scope: member.scope(),
            envelope: Envelope::new(&asked.request_id, &asked.origin, ""),
            action: Action::Expectation(draft),
            openings: intake.finish()?,
        };
        let receipt = api
            .run(&caller, "CreateExpectation", request, mutation)
            .await?;
        self.answer(&caller, &partnership, &receipt).await
    }

    async fn update(
        &self,
        request: &Request<v1::UpdateExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, ApiError> {
        let caller = self.0.caller(request, Permission::Quotes).await?;
        let given = request.get_ref().expectation.as_ref();
        let given = given.ok_or_else(|| required("expectation"))?;
        let mut attempts = 1;
        loop {
            let outcome = self.update_once(request, &caller, given).await;
            let lost_a_race = given.etag.is_empty()
                && matches!(&outcome, Err(error) if error.0.reason == Reason::EtagMismatch);
            if !lost_a_race || attempts == UPDATE_ATTEMPTS_MAX {
                return outcome;
            }
            attempts += 1;
        }
    }

    /// The parts that are kept are taken from what was just read, so the update is bound to it.
    async fn update_once(
        &self,
        request: &Request<v1::UpdateExpectationRequest>,
        caller: &Caller,
        given: &v1::Expectation,
    ) -> Result<Response<v1::Expectation>, ApiError> {
        let api = &self.0;
        let asked = request.get_ref();
        let [partnership, id] = parse_name("expectation.name", &given.name, SHAPE)?;
        let (_, found) = api.get::<Expectation>(caller, &partnership, &id).await?;
        let mut intake = Intake::new(api);
        let parts = intake.faults.take(parts(asked.update_mask.as_ref(), given));
        let (title, five_w) = updated(&mut intake, &parts, given, &found.state);
        let etag = if given.etag.is_empty() {
            found.etag()
        } else {
            given.etag.clone()
        };
        let mutation = Mutation {
            scope: ScopeId::partnership(&partnership),
            envelope: Envelope::new(&asked.request_id, &asked.origin, &etag),
            action: Action::Expectation(ExpectationCommand::Update { id, title, five_w }),
            openings: intake.finish()?,
        };
        self.run(caller, "UpdateExpectation", request, mutation)
            .await
    }

    async fn get(
        &self,
        request: &Request<v1::GetExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Read).await?;
        let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
        let (member, found) = api.get::<Expectation>(&caller, &partnership, &id).await?;
        Ok(Response::new(coverage::show(api, &member, found).await?))
    }

    async fn list(
        &self,
        request: &Request<v1::ListExpectationsRequest>,
    ) -> Result<Response<v1::ListExpectationsResponse>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Read).await?;
        let asked = request.get_ref();
        let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
        let state = parse::state("state", asked.state)?;
        let member = api.member(&caller, &partnership).await?;
        let wanted = Wanted {
            purpose: &format!("ListExpectations:{partnership}:{}", asked.state),
            page_size: asked.page_size,
            page_token: &asked.page_token,
            recorded_state: state.and_then(recorded_as),
        };
        let now = api.now();
        let keep = |expectation: &Expectation| {
            state.is_none_or(|state| expectation.state_at(now) == state)
        };
        let (expectations, next_page_token) = listing::list(api, &member, wanted, keep).await?;
        Ok(Response::new(v1::ListExpectationsResponse {
            expectations,
            next_page_token,
        }))
    }

    async fn counter(
        &self,
        request: &Request<v1::CounterExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Approve).await?;
        let asked = request.get_ref();
        let mut intake = Intake::new(api);
        let name = parse_name("name", &asked.name, SHAPE);
        let [partnership, id] = intake.faults.take(name);
        let message = intake.text("message", &asked.message);
        let given = asked.five_w.as_ref().ok_or_else(|| required("five_w"));
        let five_w = match given {
            Ok(given) => intake.five_w("five_w", given),
            Err(missing) => intake.faults.take(Err(missing)),
        };
        let seen = (asked.offer_number != 0)
            .then(|| parse::offer_number("offer_number", asked.offer_number));
        let offer_number = intake.faults.take(seen.transpose());
        let mutation = Mutation {
            scope: ScopeId::partnership(&partnership),
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
            action: Action::Expectation(ExpectationCommand::Counter {
                id,
                offer_number,
                five_w,
                message,
                acknowledges_impossible: asked.acknowledge_impossible,
            }),
            openings: intake.finish()?,
        };
        self.run(&caller, "CounterExpectation", request, mutation)
            .await
    }

    async fn agree(
        &self,
        request: &Request<v1::AgreeExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Approve).await?;
        let asked = request.get_ref();
        let mut intake = Intake::new(api);
        let name = parse_name("name", &asked.name, SHAPE);
        let [partnership, id] = intake.faults.take(name);
        let number = parse::offer_number("offer_number", asked.offer_number);
        let offer_number = intake.faults.take(number);
        let mutation = Mutation {
            scope: ScopeId::partnership(&partnership),
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
            action: Action::Expectation(ExpectationCommand::Agree {
                id,
                offer_number,
                acknowledges_impossible: asked.acknowledge_impossible,
            }),
            openings: intake.finish()?,
        };
        self.run(&caller, "AgreeExpectation", request, mutation)
            .await
    }

    /// Runs a change that consists of a name and some words.
    async fn change<M: Message>(
        &self,
        request: &Request<M>,
        change: Change<'_>,
        command: impl FnOnce(String, Option<Commitment>) -> ExpectationCommand + Send,
    ) -> Result<Response<v1::Expectation>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Approve).await?;
        let mut intake = Intake::new(api);
        let name = parse_name("name", change.name, SHAPE);
        let [partnership, id] = intake.faults.take(name);
        let (field, words) = change.words;
        let text = intake.text(field, words);
        let mutation = Mutation {
            scope: ScopeId::partnership(&partnership),
            envelope: change.envelope,
            action: Action::Expectation(command(id, text)),
            openings: intake.finish()?,
        };
        self.run(&caller, change.method, request, mutation).await
    }

    /// Runs a change of an expectation that exists.
    async fn run<M: Message>(
        &self,
        caller: &Caller,
        method: &str,
        request: &Request<M>,
        mutation: Mutation,
    ) -> Result<Response<v1::Expectation>, ApiError> {
        let api = &self.0;
        let scope = mutation.scope.clone();
        let receipt = api.run(caller, method, request, mutation).await?;
        self.answer(caller, scope.id(), &receipt).await
    }

    /// The expectation after a change.
    async fn answer(
        &self,
        caller: &Caller,
        partnership: &str,
        receipt: &Receipt,
    ) -> Result<Response<v1::Expectation>, ApiError> {
        let api = &self.0;
        let (member, found) = api
            .get::<Expectation>(caller, partnership, &receipt.id)
            .await?;
        let shown = coverage::show(api, &member, found).await?;
        Ok(respond(shown, receipt))
    }
}

/// The command that creates a draft.
fn draft(
    intake: &mut Intake<'_>,
    member: &Member,
    caller: &Caller,
    given: &v1::Expectation,
) -> ExpectationCommand {
    let own = &member.party.id;
    let obligor = parse::obligor(&member.partnership.state, own, &given.obligor);
    let client = parse::client("expectation.client", &member.scope(), &given.client);
    let agreement = parse::agreement("expectation.agreement", &member.scope(), &given.agreement);
    let nothing = v1::FiveW::default();
    ExpectationCommand::Create {
        id: None,
        title: intake.title(&given.title),
        five_w: intake.five_w(
            "expectation.five_w",
            given.five_w.as_ref().unwrap_or(&nothing),
        ),
        obligor: obligor.unwrap_or_else(|refusal| {
            intake.faults.take::<()>(Err(refusal));
            own.clone()
        }),
        client: intake.faults.take(client),
        agreement: intake.faults.take(agreement),
        reference: own_reference(intake, caller, &given.external_references),
    }
}

/// The one external reference that a new expectation may have.
fn own_reference(
    intake: &mut Intake<'_>,
    caller: &Caller,
    given: &[v1::ExternalReference],
) -> Option<ExternalReference> {
    let field = "expectation.external_references";
    let rule = "no more than one at creation";
    intake.faults.require(given.len() <= 1, field, rule);
    given.first().map(|given| reference(&caller.firm, given))
}

/// The recorded state of all records that are in `state` now; `None` where time alone may have led
/// there from another one.
const fn recorded_as(state: ExpectationState) -> Option<&'static str> {
    match state {
        ExpectationState::Expired | ExpectationState::Missed | ExpectationState::Disputed => None,
        recorded => Some(recorded.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_leads_to_states_that_were_not_recorded() {
        assert_eq!(recorded_as(ExpectationState::Expired), None);
        assert_eq!(recorded_as(ExpectationState::Missed), None);
        assert_eq!(recorded_as(ExpectationState::Disputed), None);
        assert_eq!(recorded_as(ExpectationState::Offered), Some("offered"));
    }
}
