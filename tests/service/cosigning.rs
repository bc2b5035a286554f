//! Checkpoints that a firm signs, too.

use entente::ledger::verify::{Evidence, Report, verify_export};
use entente::proto::v1;

use super::calls::{faulty, ok, refuses};
use super::house::{Firm, House};
use super::leaving::leaving;
use super::setting::{NORTH, Pair, SOUTH};
use super::signing::{Pen, revoking};
use super::trio::Trio;

impl Pen {
    /// A note with this firm's signature of its text added.
    pub fn cosign(&self, note: &str) -> String {
        use sha2::{Digest, Sha256};
        let text = &note[..=note.find("\n\n").unwrap()];
        let mut hasher = Sha256::new();
        hasher.update(format!("{}\n\u{1}", self.firm));
        hasher.update(self.public());
        let mut signature = hasher.finalize()[..4].to_vec();
        signature.extend(self.sign(text));
        let line = data_encoding::BASE64.encode(&signature);
        format!("{note}\u{2014} {} {line}\n", self.firm)
    }
}

/// A note without signatures.
pub fn note_of(scope: &str, sequence: u64, hash: &[u8; 32]) -> String {
    let hash = data_encoding::BASE64.encode(hash);
    format!("entente/{scope}\n{sequence}\n{hash}\n\n")
}

pub fn cosigning(partnership: &str, note: &str) -> v1::CosignCheckpointRequest {
    v1::CosignCheckpointRequest {
        name: partnership.to_owned(),
        note: note.to_owned(),
        ..Default::default()
    }
}

async fn checkpoint(firm: &Firm, scope: &str) -> v1::Checkpoint {
    let request = v1::GetCheckpointRequest {
        name: scope.to_owned(),
    };
    ok(firm.connection.journal().get_checkpoint(request)).await
}

async fn cosign(firm: &Firm, pen: &Pen, scope: &str) -> v1::Cosignature {
    let note = pen.cosign(&checkpoint(firm, scope).await.note);
    let request = cosigning(scope, &note);
    ok(firm.connection.signing().cosign_checkpoint(request)).await
}

pub async fn export(firm: &Firm, scope: &str) -> Vec<u8> {
    let request = v1::ExportJournalRequest {
        name: scope.to_owned(),
    };
    let mut stream = ok(firm.connection.journal().export_journal(request)).await;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.message().await.unwrap() {
        bytes.extend(chunk.data);
    }
    bytes
}

fn verified(export: &[u8], keys: &[&str], checkpoints: &[&str]) -> Report {
    let evidence = Evidence {
        checkpoints: checkpoints.iter().map(|it| (*it).to_owned()).collect(),
        ..Evidence::with_keys(keys.iter().map(|it| (*it).to_owned()))
    };
    verify_export(export, &evidence).unwrap()
}

/// It stands in the journal, beside later checkpoints and in exports, and needs nobody's key but the
/// firm's own to be checked.
pub async fn a_cosigned_checkpoint_is_kept_and_shown(house: House) {
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let (north, south) = (Pen::new("north", 1), Pen::new("south", 2));
    let norths_key = north.register(&pair.north).await;
    let souths_key = south.register(&pair.south).await;
    let before = house.head(&pair.name).await.sequence;
    let first = cosign(&pair.north, &north, &pair.name).await;
    assert_eq!(u64::try_from(first.sequence), Ok(before));
    assert_eq!(
        (first.party_id.as_str(), &first.signing_key),
        (NORTH, &norths_key.name)
    );
    assert_eq!(first.note.lines().count(), 6, "{}", first.note);
    // The same again changes nothing; a later one takes its place.
    let head = house.head(&pair.name).await;
    let again = cosigning(&pair.name, &first.note);
    let mut norths = pair.north.connection.signing();
    assert_eq!(ok(norths.cosign_checkpoint(again.clone())).await, first);
    assert_eq!(house.head(&pair.name).await, head);
    let souths = cosign(&pair.south, &south, &pair.name).await;
    let wests = west.connection.partnerships();
    ok(wests.clone().leave_partnership(leaving(&pair.name))).await;
    pair.to_south().await;
    let second = cosign(&pair.north, &north, &pair.name).await;
    let call = norths.cosign_checkpoint(again);
    faulty(&house, "INVALID_FIELD", &["note"], call).await;

    let shown = checkpoint(&pair.south, &pair.name).await.cosignatures;
    assert_eq!(shown, [second.clone(), souths.clone()]);
    // Whoever left is shown what was there then.
    let shown = checkpoint(west, &pair.name).await.cosignatures;
    assert_eq!(shown, [first.clone(), souths.clone()]);

    let info = pair.north.connection.partnerships();
    let info = ok(info.clone().get_service_info(v1::GetServiceInfoRequest {})).await;
    let service = info.checkpoint_public_key.as_str();
    let (norths, souths) = (&norths_key.verifier_key, &souths_key.verifier_key);
    let of_north = export(&pair.north, &pair.name).await;
    for keys in [
        vec![service],
        vec![norths],
        vec![souths],
        vec![service, norths, souths],
    ] {
        for kept in [&first.note, &second.note] {
            let report = verified(&of_north, &keys, &[]);
            assert!(report.is_clean(), "{keys:?} {report}");
            let is_readable = keys.len() == 3 || keys == [service] || keys == [norths];
            let report = verified(&of_north, &keys, &[kept]);
            assert_eq!(report.is_clean(), is_readable, "{keys:?} {report}");
        }
    }
    let of_west = export(west, &pair.name).await;
    assert!(verified(&of_west, &[norths, service], &[&first.note]).is_clean());
    // Its journal ends before what north cosigned last.
    assert!(!verified(&of_west, &[norths], &[&second.note]).is_clean());
    house.stop().await;
}

pub async fn cosignatures_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let pen = Pen::new("north", 1);
    let key = pen.register(&pair.north).await;
    let mut norths = pair.north.connection.signing();
    let note = checkpoint(&pair.north, &pair.name).await.note;
    let head = house.head(&pair.name).await;
    for (name, note, fields) in [
        ("nonsense", "nonsense", &["name", "note"][..]),
        (&pair.name, "", &["note"]),
        (&pair.name, &note_of("firms/north", 1, &[0; 32]), &["note"]),
    ] {
        let call = norths.cosign_checkpoint(cosigning(name, note));
        faulty(&house, "INVALID_FIELD", fields, call).await;
    }
    let other = note_of(&pair.name, head.sequence, &[7; 32]);
    let ahead = note_of(&pair.name, head.sequence + 1, &head.hash);
    for wrong in [other, ahead] {
        let call = norths.cosign_checkpoint(cosigning(&pair.name, &pen.cosign(&wrong)));
        refuses(&house, "JOURNAL_DIVERGED", call).await;
    }
    // Not signed by the firm, by a key that nobody registered, or over another text.
    let unknown = Pen::new("north", 2).cosign(&note);
    let stranger = Pen::new("south", 1).cosign(&note);
    let earlier = note_of(&pair.name, 1, &[0; 32]);
    let line = pen.cosign(&earlier);
    let line = line.rsplit_once("\n\n").unwrap().1;
    for wrong in [note.clone(), unknown, stranger, format!("{note}{line}")] {
        let call = norths.cosign_checkpoint(cosigning(&pair.name, &wrong));
        faulty(&house, "SIGNATURE_INVALID", &["note"], call).await;
    }
    let request = cosigning(&pair.name, &pen.cosign(&note));
    let mut strangers = house.firm("stranger").await.connection.signing();
    refuses(
        &house,
        "NOT_FOUND",
        strangers.cosign_checkpoint(request.clone()),
    )
    .await;
    ok(norths.revoke_signing_key(revoking(&key.name))).await;
    let call = norths.cosign_checkpoint(request);
    faulty(&house, "SIGNING_KEY_REVOKED", &["note"], call).await;
    let shown = checkpoint(&pair.south, &pair.name).await.cosignatures;
    assert!(shown.is_empty(), "{SOUTH} is shown {shown:?}");
    house.stop().await;
}
