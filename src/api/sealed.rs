//! Commands on quotes and statements in which shares are sealed: the openings that these take are read
//! and go with the command, which are not journalled.

use prost::Message;
use tonic::Request;

use super::caller::Caller;
use super::status::ApiError;
use super::{Api, Envelope, Mutation};
use crate::domain::command::Action;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::identity::ScopeId;
use crate::domain::pricing::booking;
use crate::domain::pricing::quote::JointQuote;
use crate::domain::pricing::quote::sale::{self, SaleCommand};
use crate::domain::pricing::quote::sealed::{SealedShares, is_unread};
use crate::domain::pricing::settlement::{Readable, SettlementStatement};
use crate::ledger::Receipt;
use crate::ledger::preview::look;
use crate::store::BATCH_KEYS_MAX;

/// How often a command is tried before a quote that changes each time is given up on: at first without
/// openings, since most need none.
const ATTEMPTS_MAX: usize = 4;

/// A command that may need openings.
pub(super) struct Asked<'request> {
    /// The method's name.
    pub method: &'request str,
    /// Where.
    pub scope: ScopeId,
    /// The quote's or the statement's identifier.
    pub id: &'request str,
    /// Request id, origin and etag.
    pub envelope: Envelope,
    /// The openings of its texts.
    pub openings: Vec<Opening>,
}

/// Runs a command on what became of a quote; the openings of shares are read if it needs them.
///
/// # Errors
/// What it is refused for, or if the store fails.
pub(super) async fn sell<M: Message>(
    api: &Api,
    caller: &Caller,
    request: &Request<M>,
    asked: Asked<'_>,
    action: impl Fn(SealedShares) -> Action + Send,
) -> Result<Receipt, ApiError> {
    let (mut shares, mut sealed) = (SealedShares::default(), Vec::new());
    let mut attempts = 1..=ATTEMPTS_MAX;
    loop {
        let mutation = asked.mutation(action(shares), sealed);
        attempts.next();
        match api.run(caller, asked.method, request, mutation).await {
            Err(error) if is_unread(&error.0) && !attempts.is_empty() => {}
            answer => return answer,
        }
        let partnership = asked.scope.id();
        let (member, found) = api.get::<JointQuote>(caller, partnership, asked.id).await?;
        let quote = &found.state;
        shares = SealedShares {
            openings: openings(api, &member.scope(), &quote.sealed_shares()).await?,
            salts: quote.portions.iter().map(|_| api.salt()).collect(),
            lines: Vec::new(),
        };
        let tried = action(shares.clone());
        let made = look(&api.ledger, &asked.scope, |view| match &tried {
            Action::BookPeriod(asked) => booking::sealed_openings(asked, &caller.firm, view),
            Action::Sale(SaleCommand::Reverse(asked)) => {
                sale::sealed_openings(asked, &caller.firm, view)
            }
            _ => Ok(Vec::new()),
        });
        // Where it is refused, the command says why.
        sealed = made.await?.unwrap_or_default();
        shares.lines = sealed.iter().map(|it| it.commitment.clone()).collect();
    }
}

/// Runs a command that adds up a settlement statement; what is sealed of it is read if it needs that.
///
/// # Errors
/// What it is refused for, or if the store fails.
pub(super) async fn settle<M: Message>(
    api: &Api,
    caller: &Caller,
    request: &Request<M>,
    asked: Asked<'_>,
    action: impl Fn(Readable) -> Action + Send,
) -> Result<Receipt, ApiError> {
    let mutation = asked.mutation(action(Readable(None)), Vec::new());
    match api.run(caller, asked.method, request, mutation).await {
        Err(error) if is_unread(&error.0) => {}
        answer => return answer,
    }
    let partnership = asked.scope.id();
    let (member, found) = api
        .get::<SettlementStatement>(caller, partnership, asked.id)
        .await?;
    let sealed: Vec<Commitment> = found.state.sealed_amounts().cloned().collect();
    let readable = Readable(Some(openings(api, &member.scope(), &sealed).await?));
    let mutation = asked.mutation(action(readable), Vec::new());
    api.run(caller, asked.method, request, mutation).await
}

impl Asked<'_> {
    fn mutation(&self, action: Action, sealed: Vec<Opening>) -> Mutation {
        let own = self.openings.iter().cloned();
        Mutation {
            scope: self.scope.clone(),
            envelope: self.envelope.clone(),
            action,
            openings: own.chain(sealed).collect(),
        }
    }
}

/// The openings of all these, whoever may read them.
async fn openings(
    api: &Api,
    scope: &ScopeId,
    commitments: &[Commitment],
) -> Result<Vec<Opening>, ApiError> {
    let mut openings = Vec::with_capacity(commitments.len());
    for chunk in commitments.chunks(BATCH_KEYS_MAX) {
        openings.extend(api.ledger.store().openings(scope, chunk).await?);
    }
    Ok(openings)
}
