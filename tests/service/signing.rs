//! Signing keys of firms, and what they vouch for.

use ed25519_dalek::{Signer, SigningKey};
use entente::ledger::verify::{Report, verify_store};
use entente::proto::v1;

use super::calls::{code, faulty, ok, refused, refuses};
use super::house::{Firm, House};
use super::leaving::leaving;
use super::setting::{NORTH, Pair, SOUTH, euros};
use super::trio::Trio;

/// The secret half of a firm's signing key.
pub struct Pen {
    pub secret: SigningKey,
    /// The firm's name.
    pub firm: String,
}

impl Pen {
    pub fn new(firm: &str, seed: u8) -> Self {
        Self {
            secret: SigningKey::from_bytes(&[seed; 32]),
            firm: format!("firms/{firm}"),
        }
    }

    pub fn public(&self) -> Vec<u8> {
        self.secret.verifying_key().as_bytes().to_vec()
    }

    pub fn sign(&self, message: &str) -> Vec<u8> {
        self.secret.sign(message.as_bytes()).to_bytes().to_vec()
    }

    /// The request to register it.
    pub fn registering(&self) -> v1::RegisterSigningKeyRequest {
        let digits = data_encoding::HEXLOWER.encode(&self.public());
        let proof = format!("entente.signing-key.v1\n{}\n{digits}\n", self.firm);
        v1::RegisterSigningKeyRequest {
            parent: self.firm.clone(),
            signing_key: Some(v1::SigningKey {
                display_name: "board".to_owned(),
                public_key: self.public(),
                ..Default::default()
            }),
            proof: self.sign(&proof),
            ..Default::default()
        }
    }

    /// Registers it.
    pub async fn register(&self, firm: &Firm) -> v1::SigningKey {
        let request = self.registering();
        ok(firm.connection.signing().register_signing_key(request)).await
    }
}

pub fn revoking(key: &str) -> v1::RevokeSigningKeyRequest {
    v1::RevokeSigningKeyRequest {
        name: key.to_owned(),
        ..Default::default()
    }
}

pub fn listing(parent: &str) -> v1::ListSigningKeysRequest {
    v1::ListSigningKeysRequest {
        parent: parent.to_owned(),
        ..Default::default()
    }
}

async fn names(firm: &Firm, parent: &str) -> Vec<String> {
    let request = listing(parent);
    let found = ok(firm.connection.signing().list_signing_keys(request)).await;
    let keys = found.signing_keys.into_iter();
    keys.map(|key| key.name).collect()
}

/// A firm's keys are for its partners to read, and for nobody else.
pub async fn keys_of_both_firms(house: House) {
    let pair = Pair::active(&house).await;
    let (north, south) = (Pen::new("north", 1), Pen::new("south", 2));
    let first = north.register(&pair.north).await;
    let second = Pen::new("north", 3).register(&pair.north).await;
    let theirs = south.register(&pair.south).await;
    assert_eq!(first.public_key, north.public());
    assert!(first.verifier_key.starts_with("firms/north+"), "{first:?}");
    assert!(first.revoke_time.is_none() && first.create_time.is_some());

    let mut all = vec![first.name.clone(), second.name.clone(), theirs.name.clone()];
    all.sort();
    assert_eq!(names(&pair.north, &pair.name).await, all);
    assert_eq!(names(&pair.south, &pair.name).await, all);
    let mut own = vec![first.name.clone(), second.name.clone()];
    own.sort();
    assert_eq!(names(&pair.north, "firms/north").await, own);
    let mut paged = Vec::new();
    let mut request = v1::ListSigningKeysRequest {
        page_size: 1,
        ..listing(&pair.name)
    };
    loop {
        let mut souths = pair.south.connection.signing();
        let page = ok(souths.list_signing_keys(request.clone())).await;
        paged.extend(page.signing_keys.into_iter().map(|key| key.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all);

    house.pass(60);
    let mut norths = pair.north.connection.signing();
    let revoked = ok(norths.revoke_signing_key(revoking(&first.name))).await;
    let seconds = |at: Option<prost_types::Timestamp>| at.unwrap().seconds;
    let lasted = seconds(revoked.revoke_time) - seconds(revoked.create_time);
    assert_eq!(lasted, 60);
    let again = ok(norths.revoke_signing_key(revoking(&first.name))).await;
    assert_eq!(again, revoked);
    assert_eq!(names(&pair.south, &pair.name).await, all, "they stay");
    house.stop().await;
}

/// Whoever left shows what it had until then, and sees nothing.
pub async fn keys_of_a_firm_that_left(house: House) {
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let before = Pen::new("west", 1).register(west).await;
    house.pass(1);
    ok(west
        .connection
        .partnerships()
        .leave_partnership(leaving(&pair.name)))
    .await;
    house.pass(1);
    Pen::new("west", 2).register(west).await;
    assert_eq!(names(&pair.north, &pair.name).await, [before.name]);
    let mut wests = west.connection.signing();
    refuses(
        &house,
        "PARTY_LEFT",
        wests.list_signing_keys(listing(&pair.name)),
    )
    .await;
    house.stop().await;
}

pub async fn signing_keys_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let pen = Pen::new("north", 1);
    let mut norths = pair.north.connection.signing();
    let empty = v1::RegisterSigningKeyRequest {
        signing_key: Some(v1::SigningKey::default()),
        ..Default::default()
    };
    let fields = [
        "parent",
        "signing_key.display_name",
        "signing_key.public_key",
        "proof",
    ];
    let call = norths.register_signing_key(empty);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let forged = v1::RegisterSigningKeyRequest {
        proof: Pen::new("north", 2).registering().proof,
        ..pen.registering()
    };
    let call = norths.register_signing_key(forged);
    faulty(&house, "SIGNATURE_INVALID", &["proof"], call).await;
    // Not even a genuine key of the other firm is registered by this one.
    let call = norths.register_signing_key(Pen::new("south", 1).registering());
    refuses(&house, "NOT_FOUND", call).await;
    let key = pen.register(&pair.north).await;
    let call = norths.register_signing_key(pen.registering());
    let answer = refuses(&house, "ALREADY_EXISTS", call).await;
    assert_eq!(answer.metadata["resource"], key.name);
    let mut souths = pair.south.connection.signing();
    for parent in ["firms/north", "firms/absent", "partnerships/absent"] {
        let answer = refused(souths.list_signing_keys(listing(parent))).await;
        assert_eq!(answer.code, code("NOT_FOUND"), "{parent}");
    }
    let absent = format!("firms/south/signingKeys/{}", "0".repeat(32));
    for name in [&key.name, &absent] {
        let call = souths.revoke_signing_key(revoking(name));
        refuses(&house, "NOT_FOUND", call).await;
    }
    house.stop().await;
}

/// What is signed to vouch for an approval.
pub fn approval(quote: &str, party: &str, hash: &str) -> String {
    format!("entente.approval.v1\n{quote}\n{party}\n{hash}\n")
}

/// The signature of an approval.
pub fn approved_by(pen: &Pen, key: &v1::SigningKey, message: &str) -> v1::Signature {
    v1::Signature {
        signing_key: key.name.clone(),
        signature: pen.sign(message),
    }
}

fn approving(quote: &v1::JointQuote, signature: v1::Signature) -> v1::ApproveConcessionRequest {
    v1::ApproveConcessionRequest {
        name: quote.name.clone(),
        hash: quote.revisions[0].hash.clone(),
        signature: Some(signature),
        ..Default::default()
    }
}

fn adding(quote: &v1::JointQuote, signature: v1::Signature) -> v1::SignConcessionRequest {
    v1::SignConcessionRequest {
        name: quote.name.clone(),
        hash: quote.revisions[0].hash.clone(),
        signature: Some(signature),
        ..Default::default()
    }
}

/// A quote with a concession that north proposed.
async fn proposed(pair: &Pair) -> v1::JointQuote {
    let quote = pair.quote(&[("a", 500)], &[("b", 500)]).await;
    let request = v1::ProposeConcessionRequest {
        name: quote.name,
        concession: Some(euros(100)),
        basis: v1::AllocationBasis::Price.into(),
        ..Default::default()
    };
    ok(pair.north.connection.pricing().propose_concession(request)).await
}

/// What the service keeps verifies, whatever is shown of it.
async fn verified(house: &House) -> Report {
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report}");
    report
}

/// Both firms sign the hash that they approved: the proposer afterwards, since nobody knows it before.
pub async fn approvals_are_signed(house: House) {
    let pair = Pair::active(&house).await;
    let (north, south) = (Pen::new("north", 1), Pen::new("south", 2));
    let norths_key = north.register(&pair.north).await;
    let souths_key = south.register(&pair.south).await;
    let quote = proposed(&pair).await;
    let hash = &quote.revisions[0].hash;
    let by_south = approval(&quote.name, SOUTH, hash);
    let signature = approved_by(&south, &souths_key, &by_south);
    let mut souths = pair.south.connection.pricing();
    let request = approving(&quote, signature.clone());
    let approved = ok(souths.approve_concession(request.clone())).await;
    let revision = &approved.revisions[0];
    assert_eq!(revision.state(), v1::ConcessionState::Approved);
    let shown = &revision.signatures[0];
    assert_eq!(
        (shown.party_id.as_str(), &shown.signing_key),
        (SOUTH, &souths_key.name)
    );
    assert_eq!(shown.public_key, south.public());
    assert_eq!(shown.signature, signature.signature);
    // The same again changes nothing.
    assert_eq!(ok(souths.approve_concession(request)).await, approved);

    let by_north = approval(&quote.name, NORTH, hash);
    let signature = approved_by(&north, &norths_key, &by_north);
    let mut norths = pair.north.connection.pricing();
    let request = adding(&quote, signature);
    let signed = ok(norths.sign_concession(request.clone())).await;
    let parties = signed.revisions[0].signatures.iter();
    let parties: Vec<_> = parties.map(|found| found.party_id.as_str()).collect();
    assert_eq!(parties, [SOUTH, NORTH]);
    assert_eq!(ok(norths.sign_concession(request)).await, signed);
    let other = adding(&quote, approved_by(&north, &norths_key, "something else"));
    refuses(&house, "INVALID_STATE", norths.sign_concession(other)).await;

    // What was signed stays evidence after its key was revoked.
    ok(pair
        .south
        .connection
        .signing()
        .revoke_signing_key(revoking(&souths_key.name)))
    .await;
    // Two proofs of possession, two approvals.
    assert_eq!(verified(&house).await.totals.signatures, 4);
    house.stop().await;
}

pub async fn signatures_of_approvals_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let (north, south) = (Pen::new("north", 1), Pen::new("south", 2));
    let norths_key = north.register(&pair.north).await;
    let souths_key = south.register(&pair.south).await;
    let quote = proposed(&pair).await;
    let hash = &quote.revisions[0].hash;
    let by_south = approval(&quote.name, SOUTH, hash);
    let right = approved_by(&south, &souths_key, &by_south);
    let mut souths = pair.south.connection.pricing();
    for message in [
        approval(&quote.name, NORTH, hash),
        approval(&quote.name, SOUTH, &"0".repeat(64)),
        approval("partnerships/x/jointQuotes/y", SOUTH, hash),
        hash.clone(),
    ] {
        let wrong = approved_by(&south, &souths_key, &message);
        let call = souths.approve_concession(approving(&quote, wrong));
        faulty(&house, "SIGNATURE_INVALID", &["signature"], call).await;
    }
    let short = v1::Signature {
        signature: vec![0; 63],
        ..right.clone()
    };
    let call = souths.approve_concession(approving(&quote, short));
    faulty(&house, "INVALID_FIELD", &["signature.signature"], call).await;
    let empty = v1::Signature::default();
    let fields = ["signature.signing_key", "signature.signature"];
    let call = souths.approve_concession(approving(&quote, empty));
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    // A key of the other firm, or none at all.
    let foreign = approved_by(&north, &norths_key, &by_south);
    let absent = v1::Signature {
        signing_key: format!("firms/south/signingKeys/{}", "0".repeat(32)),
        ..right.clone()
    };
    for wrong in [foreign, absent] {
        let call = souths.approve_concession(approving(&quote, wrong));
        refuses(&house, "NOT_FOUND", call).await;
    }
    // Nobody signs what it did not approve, or what is not there.
    let call = souths.sign_concession(adding(&quote, right.clone()));
    refuses(&house, "INVALID_STATE", call).await;
    let absent = v1::SignConcessionRequest {
        hash: "0".repeat(64),
        ..adding(&quote, right.clone())
    };
    refuses(&house, "NOT_FOUND", souths.sign_concession(absent)).await;
    let call = souths.sign_concession(v1::SignConcessionRequest {
        hash: String::new(),
        ..adding(&quote, right.clone())
    });
    faulty(&house, "INVALID_FIELD", &["hash"], call).await;
    // A revoked key signs nothing new; without a signature the approval is taken as ever.
    ok(pair
        .south
        .connection
        .signing()
        .revoke_signing_key(revoking(&souths_key.name)))
    .await;
    let call = souths.approve_concession(approving(&quote, right.clone()));
    let answer = faulty(&house, "SIGNING_KEY_REVOKED", &["signature"], call).await;
    assert!(answer.metadata.contains_key("revoke_time"));
    let plain = v1::ApproveConcessionRequest {
        signature: None,
        ..approving(&quote, right)
    };
    let approved = ok(souths.approve_concession(plain)).await;
    assert!(approved.revisions[0].signatures.is_empty());
    house.stop().await;
}
