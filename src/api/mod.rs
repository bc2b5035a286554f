//! The gRPC services: authenticate, convert, authorise, and hand over to the ledger or the store.
//!
//! One file per service. What they share is here: who calls ([`caller`]), how values are converted
//! ([`convert`]), how free text is sealed and shown ([`text`]), pages ([`page`]), and the one error
//! switch ([`status`]).

pub mod admin;
pub mod caller;
pub mod checkup;
pub mod checkup_link;
pub mod collections;
pub mod convert;
pub mod custody;
pub mod dates;
pub mod expectation;
mod export;
pub mod fairness;
pub mod faults;
pub mod improvement;
pub mod interaction;
pub mod journal;
pub mod listing;
pub mod opportunity;
pub mod page;
pub mod partnership;
pub mod pricing;
pub mod sale;
mod sealed;
pub mod settlement;
pub mod sign_in;
pub mod signing;
pub mod sla;
pub mod split;
pub mod status;
pub mod text;
pub mod webhook;

use std::sync::Arc;

use prost::Message;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response};

use crate::domain::command::{Action, Command};
use crate::domain::commitment::{Opening, SALT_BYTES};
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::partnership::{Partnership, Party, require_present};
use crate::domain::record::{Kind, Record, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_token;
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::Versioned;
use crate::ledger::checkpoint::CheckpointSigner;
use crate::ledger::preview::preview;
use crate::ledger::queue::Urgency;
use crate::ledger::token::TokenKey;
use crate::ledger::{Ledger, Randomness, Receipt, rows};
use caller::{Caller, GuestGate};
use sign_in::quota::Quotas;
use sign_in::{Authenticator, Evidence};
use status::ApiError;

/// Longest request id, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 128;
/// Longest origin, in bytes.
pub const ORIGIN_BYTES_MAX: usize = 128;
/// Response metadata that carries a receipt's sequence.
pub const SEQUENCE_METADATA: &str = "entente-sequence";
/// Response metadata that carries a receipt's hash, in hexadecimal.
pub const HASH_METADATA: &str = "entente-hash";
/// How long a call may take where the caller sets no deadline.
pub const DEADLINE_DEFAULT: Span = Span::from_seconds(30);

/// What all services share.
pub struct Api {
    /// Runs commands.
    pub ledger: Ledger,
    /// Key of tokens and request digests.
    pub tokens: TokenKey,
    /// Signs checkpoints.
    pub signer: CheckpointSigner,
    /// Source of salts, secrets and request ids.
    pub randomness: Arc<dyn Randomness>,
    /// Recognises callers.
    pub authenticator: Authenticator,
    /// How many calls each firm may make; any number, where `None`.
    pub quotas: Option<Quotas>,
    /// Lets guests in, a few at a time.
    pub guests: GuestGate,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Api")
            .field("ledger", &self.ledger)
            .finish_non_exhaustive()
    }
}

/// What every mutation carries beside its subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The caller's id of the request; empty if it gave none.
    pub request_id: String,
    /// In which software the change was made.
    pub origin: String,
    /// The etag that the caller saw; empty if it does not mind.
    pub etag: String,
}

impl Envelope {
    /// Takes the three fields of a request.
    #[must_use]
    pub fn new(request_id: &str, origin: &str, etag: &str) -> Self {
        Self {
            request_id: request_id.to_owned(),
            origin: origin.to_owned(),
            etag: etag.to_owned(),
        }
    }
}

/// A mutation ready to be run.
#[derive(Debug)]
pub struct Mutation {
    /// Where.
    pub scope: ScopeId,
    /// Request id, origin and etag.
    pub envelope: Envelope,
    /// What is asked.
    pub action: Action,
    /// Openings of the commitments in `action`.
    pub openings: Vec<Opening>,
}

impl Api {
    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ledger.clock().now()
    }

    /// Recognises the caller and checks that its key carries `permission`.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`], or [`Reason::PermissionMissing`] naming the permission.
    pub async fn caller<T>(
        &self,
        request: &Request<T>,
        permission: Permission,
    ) -> Result<Caller, ApiError> {
        let caller = self.any_caller(request).await?;
        caller.require(permission)?;
        Ok(caller)
    }

    /// Recognises the caller, whatever its key may do.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`], or [`Reason::QuotaExceeded`] for a firm that calls too often.
    pub async fn any_caller<T>(&self, request: &Request<T>) -> Result<Caller, ApiError> {
        let evidence = Evidence::of(request);
        let store = self.ledger.store().as_ref();
        let recognised = self.authenticator.recognise(&evidence, store, self.now());
        let caller = recognised.await?;
        if let Some(quotas) = &self.quotas {
            quotas.count(&caller.firm)?;
        }
        Ok(caller)
    }

    /// Random bytes for a salt.
    #[must_use]
    pub fn salt(&self) -> [u8; SALT_BYTES] {
        let mut salt = [0; SALT_BYTES];
        self.randomness.fill(&mut salt);
        salt
    }

    /// Runs a mutation. `method` and `request` tell it from another one under the same request id.
    ///
    /// # Errors
    /// The refusal; nothing was changed then.
    pub async fn run<M: Message>(
        &self,
        caller: &Caller,
        method: &str,
        request: &Request<M>,
        mutation: Mutation,
    ) -> Result<Receipt, ApiError> {
        let deadline = deadline(request, self.now());
        let command = self.command(caller, method, request.get_ref(), mutation)?;
        Ok(self
            .ledger
            .submit(command, Some(deadline), Urgency::Interactive)
            .await?)
    }

    /// What a mutation would leave behind, without running it: `validate_only`.
    ///
    /// # Errors
    /// The refusal that it would meet.
    pub async fn preview<T: Stored + Clone, M: Message>(
        &self,
        caller: &Caller,
        method: &str,
        request: &Request<M>,
        mutation: Mutation,
    ) -> Result<Found<T>, ApiError> {
        let command = self.command(caller, method, request.get_ref(), mutation)?;
        let (id, versioned) = preview(&self.ledger, &command).await??;
        let state = T::from_record(&versioned.record).cloned();
        let state = state.ok_or_else(|| Refusal::not_found(T::KIND.as_str()))?;
        Ok(Found::new(&id, state, &versioned))
    }

    /// Puts the command of a mutation together.
    ///
    /// # Errors
    /// [`Reason::InvalidField`] for a bad request id, origin or etag.
    pub fn command<M: Message>(
        &self,
        caller: &Caller,
        method: &str,
        request: &M,
        mutation: Mutation,
    ) -> Result<Command, ApiError> {
        let actor = (Some(caller.firm.clone()), caller.actor.clone());
        self.command_by(actor, method, request, mutation)
    }

    /// As [`Self::command`], for a firm, if one acts, and for whoever acts for it.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub fn command_by<M: Message>(
        &self,
        (firm, actor): (Option<FirmId>, String),
        method: &str,
        request: &M,
        mutation: Mutation,
    ) -> Result<Command, ApiError> {
        let Mutation {
            scope,
            envelope,
            action,
            openings,
        } = mutation;
        let mut violations = Violations::default();
        if !envelope.request_id.is_empty() {
            require_token(
                &mut violations,
                "request_id",
                &envelope.request_id,
                REQUEST_ID_BYTES_MAX,
            );
        }
        if !envelope.origin.is_empty() {
            require_token(
                &mut violations,
                "origin",
                &envelope.origin,
                ORIGIN_BYTES_MAX,
            );
        }
        let expected_revision = convert::parse_etag(&envelope.etag);
        violations.require(
            expected_revision.is_ok(),
            "etag",
            "must be an etag that was given out, in its quotes",
        );
        violations.finish()?;
        let request_id = if envelope.request_id.is_empty() {
            self.fresh_request_id()
        } else {
            // Ids that callers choose never meet those of events or of the service itself.
            format!("request:{}", envelope.request_id)
        };
        Ok(Command {
            scope,
            firm,
            actor,
            origin: envelope.origin,
            request_id,
            digest: self.tokens.request_digest(method, &request.encode_to_vec()),
            expected_revision: expected_revision.unwrap_or_default(),
            action,
            openings,
        })
    }

    fn fresh_request_id(&self) -> String {
        format!("generated:{}", data_encoding::HEXLOWER.encode(&self.salt()))
    }

    /// The record under a key, `None` if there is none.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn find(&self, key: &RecordKey) -> Result<Option<Versioned>, ApiError> {
        let found = self
            .ledger
            .store()
            .records(std::slice::from_ref(key))
            .await?;
        Ok(found.first().map(rows::decode_row).transpose()?)
    }

    /// The partnership, the caller's party in it, and one more record of it, read together.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for strangers, and for a record that does not exist,
    /// [`Reason::PartyLeft`] for a firm that left.
    pub async fn get<T: Stored + Clone>(
        &self,
        caller: &Caller,
        partnership: &str,
        id: &str,
    ) -> Result<(Member, Found<T>), ApiError> {
        let scope = ScopeId::partnership(partnership);
        let key = RecordKey::new(&scope, T::KIND, id);
        let keys = [
            RecordKey::new(&scope, Kind::Partnership, partnership),
            key.clone(),
        ];
        let mut member = None;
        let mut found = None;
        for row in self.ledger.store().records(&keys).await? {
            let versioned = rows::decode_row(&row)?;
            if row.key == key {
                found = T::from_record(&versioned.record)
                    .cloned()
                    .map(|state| Found::new(id, state, &versioned));
            } else {
                member = Member::of(&caller.firm, partnership, &versioned);
            }
        }
        let member: Member = member.ok_or_else(|| Refusal::not_found(T::KIND.as_str()))?;
        require_present(&member.party)?;
        let mut found = found.ok_or_else(|| Refusal::not_found(T::KIND.as_str()))?;
        let partnership = &member.partnership.state;
        partnership.close(&mut found.state, self.now());
        Ok((member, found))
    }

    /// The partnership and the caller's party in it.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for strangers, as if there were no such partnership,
    /// [`Reason::PartyLeft`] for a firm that left.
    pub async fn member(&self, caller: &Caller, partnership: &str) -> Result<Member, ApiError> {
        let member = self.member_or_former(caller, partnership).await?;
        require_present(&member.party)?;
        Ok(member)
    }

    /// As [`Self::member`], also for a firm that left; the partnership is then as it is now, which
    /// is not for that firm to see.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for strangers, as if there were no such partnership.
    pub async fn member_or_former(
        &self,
        caller: &Caller,
        partnership: &str,
    ) -> Result<Member, ApiError> {
        let key = RecordKey::new(
            &ScopeId::partnership(partnership),
            Kind::Partnership,
            partnership,
        );
        let found = self.find(&key).await?;
        let member = found.and_then(|versioned| Member::of(&caller.firm, partnership, &versioned));
        Ok(member.ok_or_else(|| Refusal::not_found("partnership"))?)
    }
}

/// A caller's place in a partnership.
#[derive(Clone, Debug)]
pub struct Member {
    /// The partnership.
    pub partnership: Found<Partnership>,
    /// The party that the caller's firm is.
    pub party: Party,
}

impl Member {
    fn of(firm: &FirmId, id: &str, versioned: &Versioned) -> Option<Self> {
        let Record::Partnership(partnership) = &versioned.record else {
            return None;
        };
        let party = partnership.party_of(firm)?.clone();
        Some(Self {
            party,
            partnership: Found::new(id, partnership.as_ref().clone(), versioned),
        })
    }

    /// The partnership's scope.
    #[must_use]
    pub fn scope(&self) -> ScopeId {
        ScopeId::partnership(&self.partnership.id)
    }
}

/// A record that was read.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// Its id within its scope.
    pub id: String,
    /// Its state.
    pub state: T,
    /// How often it changed.
    pub revision: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl<T> Found<T> {
    /// Puts together what was read.
    #[must_use]
    pub fn new(id: &str, state: T, versioned: &Versioned) -> Self {
        Self {
            id: id.to_owned(),
            state,
            revision: versioned.revision,
            created_at: versioned.created_at,
            updated_at: versioned.updated_at,
        }
    }

    /// Its etag.
    #[must_use]
    pub fn etag(&self) -> String {
        convert::etag(self.revision)
    }
}

/// An answer with its receipt in the metadata.
#[must_use]
pub fn respond<T>(message: T, receipt: &Receipt) -> Response<T> {
    let mut response = Response::new(message);
    let metadata = response.metadata_mut();
    metadata.insert(SEQUENCE_METADATA, MetadataValue::from(receipt.sequence));
    if let Ok(hash) = data_encoding::HEXLOWER.encode(&receipt.hash).parse() {
        metadata.insert(HASH_METADATA, hash);
    }
    response
}

/// The instant by which the caller wants its answer.
pub(crate) fn deadline<T>(request: &Request<T>, now: Timestamp) -> Timestamp {
    let allowed = request
        .metadata()
        .get("grpc-timeout")
        .and_then(|value| value.to_str().ok())
        .and_then(convert::parse_timeout)
        .map_or(DEADLINE_DEFAULT, |timeout| timeout.min(DEADLINE_DEFAULT));
    now.saturating_add(allowed)
}

/// The refusal for a missing message field.
#[must_use]
pub fn required(field: &str) -> Refusal {
    Refusal::field(Reason::InvalidField, field, "is required")
}
