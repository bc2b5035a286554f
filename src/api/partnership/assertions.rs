//! What was asserted while one firm stood alone, and what another says to it.

use std::collections::BTreeSet;

use tonic::{Request, Response};

use super::{Answer, NAME};
use crate::api::caller::Caller;
use crate::api::convert::parse_name;
use crate::api::faults::Faults;
use crate::api::sla::ticket_event::rpc_status;
use crate::api::status::ApiError;
use crate::api::text::Sealer;
use crate::api::{Api, Envelope, Member, Mutation, ORIGIN_BYTES_MAX, REQUEST_ID_BYTES_MAX};
use crate::domain::command::Action;
use crate::domain::expectation::{Agreed, Expectation, ExpectationCommand, ExpectationState};
use crate::domain::firm::Permission;
use crate::domain::identity::PartyId;
use crate::domain::partnership::Approval;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::agreement::{Agreement, AgreementCommand, AgreementState};
use crate::domain::text::{FREE_TEXT_BYTES_MAX, require_token};
use crate::ledger::{Receipt, rows};
use crate::proto::v1;
use crate::store::{ListQuery, RecordRow};

/// Most assertions that one call answers, of each sort.
const ANSWERS_MAX: usize = 100;
/// Most assertions that may refuse to be endorsed in one call that endorses all.
const REFUSED_MAX: usize = 1_000;
/// What can be asserted, in which state, and where it is found. What a guest agreed to in the place
/// of the firm that joined waits for its word too.
const ASSERTED: [(Kind, &str, &str); 4] = [
    (Kind::Agreement, "asserted", "agreements"),
    (Kind::Expectation, "asserted", "expectations"),
    (Kind::Expectation, "agreed", "expectations"),
    (Kind::Expectation, "missed", "expectations"),
];

/// An answer to one assertion.
#[derive(Clone, Debug)]
enum Verdict {
    Endorse,
    Contest(String),
}

/// A record that may be an assertion, and what to say to it.
struct Item {
    name: String,
    verdict: Verdict,
}

pub(super) async fn answer_assertions(
    api: &Api,
    request: &Request<v1::AnswerAssertionsRequest>,
) -> Answer<v1::AnswerAssertionsResponse> {
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("name", &message.name, NAME)?;
    check(message)?;
    let member = api.member(&caller, &partnership).await?;
    let mut call = Call {
        api,
        caller: &caller,
        member: &member,
        request,
        results: Vec::new(),
    };
    for contest in &message.contest {
        let reason = contest.reason.clone();
        call.answer(contest.name.clone(), Verdict::Contest(reason))
            .await;
    }
    for name in &message.endorse {
        call.answer(name.clone(), Verdict::Endorse).await;
    }
    let is_complete = !message.endorse_all || call.endorse_all().await?;
    Ok(Response::new(v1::AnswerAssertionsResponse {
        results: call.results,
        is_complete,
    }))
}

/// One call, and what came of its answers so far.
struct Call<'call> {
    api: &'call Api,
    caller: &'call Caller,
    member: &'call Member,
    request: &'call Request<v1::AnswerAssertionsRequest>,
    results: Vec<v1::AssertionResult>,
}

impl Call<'_> {
    /// Answers one assertion; whether it was accepted.
    async fn answer(&mut self, name: String, verdict: Verdict) -> bool {
        let item = Item { name, verdict };
        let outcome = answer(self.api, self.caller, self.member, self.request, &item).await;
        let is_accepted = outcome.is_ok();
        self.results.push(result(item, outcome));
        is_accepted
    }

    /// Endorses whatever waits for the caller and is not named in the call; whether that is all
    /// there is. What is refused stays asserted, so it does not count against the limit: otherwise
    /// no further call would come past it.
    async fn endorse_all(&mut self) -> Result<bool, ApiError> {
        let named: BTreeSet<String> = self
            .results
            .iter()
            .map(|result| result.name.clone())
            .collect();
        let (mut endorsed, mut refused) = (0, 0);
        for (kind, state, collection) in ASSERTED {
            let mut after_id = String::new();
            loop {
                let rows = self.page(kind, state, &after_id).await?;
                let Some(last) = rows.last() else { break };
                after_id.clone_from(&last.key.id);
                for row in &rows {
                    let name = format!("{}/{collection}/{}", self.member.scope(), row.key.id);
                    let versioned = rows::decode_row(row)?;
                    let party = &self.member.party.id;
                    if named.contains(&name) || !awaits(&versioned.record, party) {
                        continue;
                    }
                    if endorsed == ANSWERS_MAX || refused == REFUSED_MAX {
                        return Ok(false);
                    }
                    if self.answer(name, Verdict::Endorse).await {
                        endorsed += 1;
                    } else {
                        refused += 1;
                    }
                }
            }
        }
        Ok(true)
    }

    /// The next records of that kind in that state.
    async fn page(
        &self,
        kind: Kind,
        state: &str,
        after_id: &str,
    ) -> Result<Vec<RecordRow>, ApiError> {
        let query = ListQuery {
            scope: self.member.scope(),
            kind,
            state: Some(state.to_owned()),
            after_id: after_id.to_owned(),
            limit: ANSWERS_MAX,
        };
        Ok(self.api.ledger.store().list_records(&query).await?)
    }
}

/// What concerns the whole call. Every answer is idempotent by itself, so nothing more is made of
/// the request id.
fn check(message: &v1::AnswerAssertionsRequest) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    let most = format!("no more than {ANSWERS_MAX}");
    faults.require(message.endorse.len() <= ANSWERS_MAX, "endorse", &most);
    faults.require(message.contest.len() <= ANSWERS_MAX, "contest", &most);
    let nothing = message.endorse.is_empty() && message.contest.is_empty();
    let stated = message.endorse_all || !nothing;
    faults.require(stated, "endorse", "endorse or contest something");
    let mut seen = BTreeSet::new();
    for (index, name) in message.endorse.iter().take(ANSWERS_MAX).enumerate() {
        let field = format!("endorse[{index}]");
        faults.require(seen.insert(name), &field, "each record once");
    }
    for (index, contest) in message.contest.iter().take(ANSWERS_MAX).enumerate() {
        let field = |name: &str| format!("contest[{index}].{name}");
        let first = seen.insert(&contest.name);
        faults.require(first, &field("name"), "each record once");
        let stated = !contest.reason.is_empty();
        faults.require(stated, &field("reason"), "is required");
    }
    for (field, text, bytes_max) in [
        ("request_id", &message.request_id, REQUEST_ID_BYTES_MAX),
        ("origin", &message.origin, ORIGIN_BYTES_MAX),
    ] {
        let mut violations = Violations::default();
        if !text.is_empty() {
            require_token(&mut violations, field, text, bytes_max);
        }
        faults.take(violations.finish());
    }
    faults.finish()
}

/// Whether it is for `party` to say something to it.
fn awaits(record: &Record, party: &PartyId) -> bool {
    match record {
        Record::Agreement(agreement) => !Approval::is_among(&agreement.approvals, party),
        Record::Expectation(expectation) if is_open(expectation) => {
            let last = expectation.offers.last();
            last.is_some_and(|offer| offer.party != *party) && expectation.is_matter_of(party)
        }
        _ => false,
    }
}

/// Whether no firm but the one that asserted it has said anything to it.
fn is_open(expectation: &Expectation) -> bool {
    expectation.state == ExpectationState::Asserted || expectation.awaits_endorsement()
}

/// Answers one assertion; `None` if it has been answered so already.
async fn answer(
    api: &Api,
    caller: &Caller,
    member: &Member,
    request: &Request<v1::AnswerAssertionsRequest>,
    item: &Item,
) -> Result<Option<Receipt>, Refusal> {
    let (kind, id) = parse(&item.name, &member.partnership.id)?;
    let key = RecordKey::new(&member.scope(), kind, id.as_str());
    let found = api.find(&key).await.map_err(|error| error.0)?;
    let found = found.ok_or_else(|| Refusal::not_found(kind.as_str()))?;
    let mut sealer = Sealer::for_every_party(api);
    let reason = match &item.verdict {
        Verdict::Endorse => None,
        Verdict::Contest(reason) => sealer.text("reason", reason, FREE_TEXT_BYTES_MAX),
    };
    let openings = sealer.finish().map_err(|error| error.0)?;
    let own = &member.party.id;
    let action = match (&found.record, &item.verdict) {
        (Record::Agreement(agreement), Verdict::Endorse) => endorse_agreement(id, agreement, own)?,
        (Record::Expectation(expectation), Verdict::Endorse) => {
            endorse_expectation(id, expectation, own)?
        }
        (Record::Agreement(_), Verdict::Contest(_)) => {
            Some(Action::Agreement(AgreementCommand::Contest { id, reason }))
        }
        (Record::Expectation(_), Verdict::Contest(_)) => {
            Some(Action::Expectation(ExpectationCommand::Contest {
                id,
                reason,
            }))
        }
        _ => return Err(Refusal::not_found(kind.as_str())),
    };
    let Some(action) = action else {
        return Ok(None);
    };
    let mutation = Mutation {
        scope: member.scope(),
        envelope: Envelope::new("", &request.get_ref().origin, ""),
        action,
        openings,
    };
    let ran = api.run(caller, "AnswerAssertions", request, mutation).await;
    Ok(Some(ran.map_err(|error| error.0)?))
}

/// An approval of the agreement as it is now.
fn endorse_agreement(
    id: String,
    agreement: &Agreement,
    own: &PartyId,
) -> Result<Option<Action>, Refusal> {
    if Approval::is_among(&agreement.approvals, own) {
        return Ok(None);
    }
    if agreement.state != AgreementState::Asserted {
        let state = agreement.state.as_str();
        return Err(Refusal::invalid_state(state, "AnswerAssertions"));
    }
    let hash = agreement.hash.clone();
    Ok(Some(Action::Agreement(AgreementCommand::Approve {
        id,
        hash,
    })))
}

/// Consent to the expectation as it was asserted.
fn endorse_expectation(
    id: String,
    expectation: &Expectation,
    own: &PartyId,
) -> Result<Option<Action>, Refusal> {
    let by_firm = |agreed: &Agreed| agreed.party == *own && agreed.firm.is_some();
    if expectation.agreements.iter().any(by_firm) {
        return Ok(None);
    }
    let last = expectation.offers.last();
    let last = last.filter(|_| is_open(expectation));
    let state = expectation.state.as_str();
    let offer = last.ok_or_else(|| Refusal::invalid_state(state, "AnswerAssertions"))?;
    Ok(Some(Action::Expectation(ExpectationCommand::Agree {
        id,
        offer_number: offer.number,
        // Who endorses the impossible has to say so with AgreeExpectation.
        acknowledges_impossible: false,
    })))
}

/// The kind and the id of a record of `partnership` that can have been asserted.
fn parse(name: &str, partnership: &str) -> Result<(Kind, String), Refusal> {
    let shapes = [
        (Kind::Agreement, "partnerships/*/agreements/*"),
        (Kind::Expectation, "partnerships/*/expectations/*"),
    ];
    for (kind, shape) in shapes {
        if let Ok([parent, id]) = parse_name::<2>("name", name, shape)
            && parent == partnership
        {
            return Ok((kind, id));
        }
    }
    let rule = "must be an agreement or an expectation of the partnership";
    Err(Refusal::field(Reason::InvalidField, "name", rule))
}

fn result(item: Item, outcome: Result<Option<Receipt>, Refusal>) -> v1::AssertionResult {
    let answered = match item.verdict {
        Verdict::Endorse => v1::AssertionOutcome::Endorsed,
        Verdict::Contest(_) => v1::AssertionOutcome::Contested,
    };
    let shown = v1::AssertionResult {
        name: item.name,
        ..v1::AssertionResult::default()
    };
    match outcome {
        Err(refusal) => v1::AssertionResult {
            outcome: v1::AssertionOutcome::Refused.into(),
            error: Some(rpc_status(&refusal)),
            ..shown
        },
        Ok(receipt) => v1::AssertionResult {
            outcome: answered.into(),
            sequence: receipt.as_ref().map_or(0, |receipt| {
                i64::try_from(receipt.sequence).unwrap_or(i64::MAX)
            }),
            hash: receipt.map_or_else(String::new, |receipt| {
                data_encoding::HEXLOWER.encode(&receipt.hash)
            }),
            ..shown
        },
    }
}
