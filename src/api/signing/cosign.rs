//! Cosigned checkpoints: taken from firms, and shown.

use tonic::Request;

use super::Answer;
use super::keys::all_keys;
use crate::api::caller::Caller;
use crate::api::convert::{parse_name, to_timestamp};
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::cosignature::{CosignCommand, Cosignature, contradicted};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::signing::{Signature, SignatureBytes, Signed};
use crate::ledger::checkpoint::{self, NOTE_BYTES_MAX, NoteSignature};
use crate::ledger::history::head_of;
use crate::proto::v1;

/// The field that brings the note.
const NOTE: &str = "note";

pub(super) async fn cosign(
    api: &Api,
    request: &Request<v1::CosignCheckpointRequest>,
) -> Answer<v1::Cosignature> {
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let (scope, sequence, hash, signatures) = read(message)?;
    let member = api.member(&caller, scope.id()).await?;
    // What a batch has not written yet cannot be looked up there, so it is looked up here.
    let head = head_of(api.ledger.store().as_ref(), &scope, Some(sequence)).await?;
    if head.is_none_or(|head| head.sequence != sequence || head.hash != hash) {
        return Err(contradicted(sequence).into());
    }
    let signed = own_signature(api, &caller, &signatures).await?;
    let command = CosignCommand {
        sequence,
        hash,
        signed,
    };
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Cosign(command),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CosignCheckpoint", request, mutation)
        .await?;
    let key = RecordKey::new(&scope, Kind::Cosignature, member.party.id.as_str());
    let found = api.find(&key).await?;
    let cosignature = found
        .as_ref()
        .and_then(|versioned| Cosignature::from_record(&versioned.record));
    let absent = || Refusal::new(Reason::Internal, "a cosignature was lost");
    let shown = to_cosignature(api, &scope, cosignature.ok_or_else(absent)?);
    Ok(respond(shown, &receipt))
}

/// What a request says: of which scope and entry, and all signatures of the note.
type Read = (
    ScopeId,
    u64,
    crate::domain::journal::Hash,
    Vec<NoteSignature>,
);

fn read(message: &v1::CosignCheckpointRequest) -> Result<Read, Refusal> {
    let mut faults = Faults::default();
    let name = faults.take(parse_name("name", &message.name, "partnerships/*").map(Some));
    let short = message.note.len() <= NOTE_BYTES_MAX;
    faults.require(short, NOTE, &format!("no more than {NOTE_BYTES_MAX} bytes"));
    let note = checkpoint::read(&message.note).ok();
    let is_note = note.is_some() || !short;
    faults.require(is_note, NOTE, "must be a checkpoint in a signed note");
    let scope = name.map(|[partnership]: [String; 1]| ScopeId::partnership(&partnership));
    if let (Some((checkpoint, _)), Some(scope)) = (&note, &scope) {
        let is_its = checkpoint.scope == *scope;
        faults.require(is_its, NOTE, "is a checkpoint of another scope");
    }
    faults.finish()?;
    let scope = scope.ok_or_else(|| required("name"))?;
    let (checkpoint, signatures) = note.ok_or_else(|| required(NOTE))?;
    Ok((scope, checkpoint.sequence, checkpoint.hash, signatures))
}

/// The note's signature by a key of the caller's firm. Whether it is right is for the decision to say.
async fn own_signature(
    api: &Api,
    caller: &Caller,
    signatures: &[NoteSignature],
) -> Result<Signed, ApiError> {
    let name = caller.firm.scope();
    for key in all_keys(api, &caller.firm).await? {
        let mut signatures = signatures.iter();
        let found = signatures.find(|found| found.is_of(name.as_str(), &key.public_key));
        let value = found.and_then(|found| SignatureBytes::from_bytes(&found.signature));
        if let Some(signature) = value {
            return Ok(Signed {
                signature: Signature {
                    key_id: key.id,
                    public_key: key.public_key,
                    signature,
                },
                revoked_at: key.revoked_at,
            });
        }
    }
    let described = "has no signature line by a signing key of the caller's firm";
    Err(Refusal::field(Reason::SignatureInvalid, NOTE, described).into())
}

/// A cosignature as the contract shows it.
pub(in crate::api) fn to_cosignature(
    api: &Api,
    scope: &ScopeId,
    found: &Cosignature,
) -> v1::Cosignature {
    let cosigned = &found.cosigned;
    let key = &cosigned.signature;
    v1::Cosignature {
        party_id: cosigned.party.to_string(),
        signing_key: format!("{}/signingKeys/{}", found.firm.scope(), key.key_id),
        public_key: key.public_key.as_bytes().to_vec(),
        note: api.signer.cosigned(scope, found).unwrap_or_default(),
        sequence: i64::try_from(cosigned.sequence).unwrap_or(i64::MAX),
        hash: cosigned.hash.clone(),
        cosign_time: Some(to_timestamp(found.at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(name: &str, note: &str) -> Vec<String> {
        let message = v1::CosignCheckpointRequest {
            name: name.to_owned(),
            note: note.to_owned(),
            ..Default::default()
        };
        let violations = read(&message).unwrap_err().violations.into_iter();
        violations.map(|violation| violation.field).collect()
    }

    #[test]
    fn notes_are_of_the_partnership_named() {
        let signer = checkpoint::CheckpointSigner::new("operator", &[1; 32]);
        let head = crate::domain::journal::Head::new(ScopeId::partnership("p"));
        let note = signer.sign(&head);
        assert_eq!(reading("partnerships/q", &note), ["note"]);
        assert_eq!(reading("firms/p", "nonsense"), ["name", "note"]);
        let long = "x".repeat(NOTE_BYTES_MAX + 1);
        assert_eq!(reading("partnerships/p", &long), ["note"]);
        let extended = note.replacen("\n\n", "\nmore\n\n", 1);
        assert_eq!(reading("partnerships/p", &extended), ["note"]);
    }
}
