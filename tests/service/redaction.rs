//! What a firm has erased: it is nowhere any more, and the journal is as it was.

use entente::domain::commitment::Commitment;
use entente::domain::identity::ScopeId;
use entente::ledger::verify::{
    Cause, Evidence, OpeningsFor, Report, export_scope, verify_export, verify_store,
};
use entente::proto::v1::{self, RedactionReason};
use entente::store::WriteSet;

use super::calls::{accepted, faulty, ok, refuses};
use super::contacts::{contact, introducing};
use super::guests::{accepting, first_offer, linking};
use super::house::{Firm, HOUR, House, at};
use super::setting::{NORTH_PSA, Pair, SOUTH, euros, opening, portion, ticket};

/// A text that is nowhere else.
const SECRET: &str = "Zaunkoenig-4711-payroll";

pub fn redacting(parent: &str, kind: &str, name: &str, fields: &[&str]) -> v1::RedactRequest {
    let (_, id) = name.rsplit_once('/').unwrap_or(("", name));
    v1::RedactRequest {
        parent: parent.to_owned(),
        record_kind: kind.to_owned(),
        record_id: id.to_owned(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        reason: RedactionReason::PersonAsked.into(),
        ..Default::default()
    }
}

async fn redact(firm: &Firm, request: v1::RedactRequest) -> Vec<v1::Redaction> {
    let answer = ok(firm.connection.journal().redact(request)).await;
    answer.redactions
}

async fn verified(house: &House) -> Report {
    let report = verify_store(house.store().as_ref(), None).await;
    report.expect("it can be verified")
}

async fn export(house: &House, pair: &Pair, openings: &OpeningsFor) -> Vec<u8> {
    let scope = ScopeId::parse(&pair.name).expect("a scope");
    let signer = &house.running.application.api.signer;
    let mut out: Vec<u8> = Vec::new();
    let written = export_scope(house.store().as_ref(), &scope, openings, signer, &mut out).await;
    written.expect("the scope can be exported");
    out
}

fn tells(bytes: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    bytes.windows(text.len()).any(|window| window == text)
}

/// The files of the database that hold a text; none where the database has no files here.
fn files_with(house: &House, text: &str) -> Vec<String> {
    let folder = std::fs::read_dir(house.folder()).expect("the folder");
    let files = folder.map(|file| file.expect("a file").path());
    let told = files.filter(|file| tells(&std::fs::read(file).expect("it can be read"), text));
    told.map(|file| file.display().to_string()).collect()
}

/// A draft of north with a telling description, offered.
async fn telling(pair: &Pair) -> v1::Expectation {
    let mut five_w = super::setting::five_w(48);
    if let Some(who) = &mut five_w.who {
        SECRET.clone_into(&mut who.description);
    }
    let mut norths = pair.north.connection.expectations();
    let draft = ok(norths.create_expectation(pair.draft_request(five_w))).await;
    ok(norths.offer_expectation(super::setting::offering(&draft.name))).await
}

fn who(five_w: Option<&v1::FiveW>) -> &v1::Who {
    five_w.and_then(|it| it.who.as_ref()).expect("who")
}

/// Erased for both firms, in every record that cites it, in the files and in exports; what is left is
/// verified.
pub async fn what_is_redacted_is_nowhere_any_more(house: House) {
    const FIELD: &str = "expectation.five_w.who.description";
    let pair = Pair::active(&house).await;
    let offered = telling(&pair).await;
    let on_file = house.store().engine() == "sqlite";
    assert_eq!(!files_with(&house, SECRET).is_empty(), on_file);
    let whole = export(&house, &pair, &OpeningsFor::Operator).await;
    assert!(tells(&whole, SECRET), "the search does work");
    let before = house.head(&pair.name).await;

    let request = v1::RedactRequest {
        request_id: "redact-1".to_owned(),
        ..redacting(&pair.name, "expectation", &offered.name, &[FIELD])
    };
    let call = pair
        .north
        .connection
        .journal()
        .redact(request.clone())
        .await;
    let erased = accepted(async { call }).await.into_inner().redactions;
    assert_eq!(erased.len(), 1);
    assert_eq!(
        (erased[0].field.as_str(), erased[0].firm.as_str()),
        (FIELD, "firms/north")
    );
    assert_eq!(erased[0].reason(), RedactionReason::PersonAsked);
    assert_eq!(erased[0].redact_time, Some(at(0)));
    let after = house.head(&pair.name).await;
    assert_eq!(after.sequence, before.sequence + 1, "one entry more");
    let again = redact(&pair.north, request.clone()).await;
    let anew = v1::RedactRequest {
        request_id: String::new(),
        ..request
    };
    assert_eq!(again, erased);
    assert_eq!(redact(&pair.north, anew).await, erased);
    assert_eq!(house.head(&pair.name).await, after, "nothing happens twice");

    assert_eq!(files_with(&house, SECRET), Vec::<String>::new());
    for firm in [&pair.north, &pair.south] {
        let request = v1::GetExpectationRequest {
            name: offered.name.clone(),
        };
        let shown = ok(firm.connection.expectations().get_expectation(request)).await;
        assert_eq!(shown.redacted_fields, [FIELD]);
        assert_eq!(who(shown.five_w.as_ref()).description, "");
        let of_offer = who(shown.offers[0].five_w.as_ref());
        assert_eq!(of_offer.description, "", "the same commitment");
        assert_eq!(of_offer.people_count, 12);
        assert_eq!(shown.title, "Payroll back in time");
    }
    let report = verified(&house).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.totals.erased, report.totals.sealed), (1, 0));
    let mut sealed = Vec::new();
    for openings in [OpeningsFor::Nobody, OpeningsFor::Operator] {
        let text = export(&house, &pair, &openings).await;
        assert!(!tells(&text, SECRET));
        let report = verify_export(text.as_slice(), &Evidence::default());
        let report = report.expect("an export");
        assert!(report.is_clean(), "{report}");
        assert_eq!(report.totals.erased, 1);
        sealed.push(report.totals.sealed > 0);
    }
    assert_eq!(sealed, [true, false], "sealed to whoever may not see all");
    house.stop().await;
}

/// What is gone without a redaction is missing, which is a fault; so is what is there in spite of one.
pub async fn what_was_deleted_by_hand_is_missing(house: House) {
    let pair = Pair::active(&house).await;
    telling(&pair).await;
    let scope = ScopeId::parse(&pair.name).expect("a scope");
    let store = house.store();
    let all = store
        .list_openings(&scope, "", 100)
        .await
        .expect("openings");
    let gone: Vec<&Commitment> = all
        .iter()
        .filter(|opening| opening.value == SECRET)
        .map(|opening| &opening.commitment)
        .collect();
    let set = WriteSet {
        erased: gone
            .iter()
            .map(|it| (scope.clone(), (*it).clone()))
            .collect(),
        ..WriteSet::default()
    };
    let mut by_hand = store.begin().await.expect("it begins");
    by_hand.write(&set).await.expect("it is deleted");
    by_hand.commit().await.expect("it is durable");
    let report = verified(&house).await;
    let causes: Vec<_> = report.faults.iter().map(|fault| &fault.cause).collect();
    let missing = Cause::OpeningMissing(gone[0].as_str().to_owned());
    assert_eq!(causes, [&missing]);
    let text = export(&house, &pair, &OpeningsFor::Operator).await;
    let report = verify_export(text.as_slice(), &Evidence::default());
    assert_eq!(report.expect("an export").faults_count, 1);
    house.stop().await;
}

/// Names, costs, tickets' titles and what a guest said: each by the firm that wrote it, or for whom.
pub async fn everybody_redacts_what_is_their_own(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let mut norths = pair.north.connection.partnerships();
    let request = introducing(&pair.name, "", contact(&pair.name, "always", 1, &[1]));
    let jo = ok(norths.create_contact(request)).await;
    let every = redacting(&pair.name, "contact", &jo.name, &["*"]);
    let mut souths = pair.south.connection.journal();
    let call = souths.redact(every.clone());
    let refusal = refuses(&house, "INVALID_STATE", call);
    assert_eq!(refusal.await.metadata["firm"], "firms/north");
    let stranger = house.firm("stranger").await;
    let mut strangers = stranger.connection.journal();
    let call = strangers.redact(every.clone());
    refuses(&house, "NOT_FOUND", call).await;
    let erased = redact(&pair.north, every).await;
    let fields: Vec<_> = erased.iter().map(|it| it.field.as_str()).collect();
    assert!(fields.contains(&"contact.person") && fields.contains(&"contact.channels.address"));
    let request = v1::GetContactRequest { name: jo.name };
    let shown = ok(norths.get_contact(request)).await;
    assert_eq!(
        (shown.person.as_str(), shown.redacted_fields.len()),
        ("", 2)
    );

    let quote = pair.quote(&[("a", 1_000)], &[]).await;
    let request = v1::AddPortionRequest {
        name: quote.name.clone(),
        portion: Some(v1::Portion {
            internal_cost: Some(euros(400)),
            ..portion("b", 500)
        }),
        ..Default::default()
    };
    let quote = ok(pair.south.connection.pricing().add_portion(request)).await;
    let commitment = quote.portions[1].cost_commitment.clone();
    let by_commitment = v1::RedactRequest {
        commitments: vec![commitment.clone()],
        ..redacting(&pair.name, "joint_quote", &quote.name, &[])
    };
    let mut journal = pair.north.connection.journal();
    let call = journal.redact(by_commitment.clone());
    refuses(&house, "INVALID_STATE", call).await;
    let erased = redact(&pair.south, by_commitment).await;
    assert_eq!(erased[0].commitment, commitment);
    let request = v1::GetJointQuoteRequest { name: quote.name };
    let shown = ok(pair.south.connection.pricing().get_joint_quote(request)).await;
    assert_eq!(shown.portions[1].internal_cost, None);
    assert_eq!(shown.redacted_fields, [erased[0].field.as_str()]);

    let events = vec![opening("e1", &ticket(NORTH_PSA, "1"), 0, 1)];
    let name = pair.ingest(&pair.north, events).await.remove(0).ticket;
    redact(&pair.north, redacting(&pair.name, "ticket", &name, &["*"])).await;
    let request = v1::GetTicketRequest {
        name,
        ..Default::default()
    };
    let shown = ok(pair.south.connection.sla().get_ticket(request)).await;
    assert_eq!((shown.title.as_str(), shown.redacted_fields.len()), ("", 1));
    let report = verified(&house).await;
    assert!(report.is_clean(), "{report}");
    house.stop().await;
}

/// What a guest said in the place of a firm belongs to the firm that made the link.
pub async fn a_guests_words_are_redacted_by_the_issuer(house: House) {
    let (north, south) = (house.firm("north").await, house.firm("south").await);
    let mut norths = north.connection.partnerships();
    let request = super::setting::partnership("Alone");
    let name = ok(norths.create_partnership(request)).await.name;
    let pair = Pair { north, south, name };
    let asserted = telling(&pair).await;
    let request = linking(&pair.name, SOUTH, first_offer(&asserted.name));
    let made = ok(norths.create_guest_link(request)).await;
    let answer = v1::UseGuestLinkRequest {
        message: SECRET.to_owned(),
        ..accepting(&made.code)
    };
    ok(norths.use_guest_link(answer)).await;
    let link = made.guest_link.expect("the link").name;
    let fields = ["guest_link.person", "message"];
    let erased = redact(
        &pair.north,
        redacting(&pair.name, "guest_link", &link, &fields),
    )
    .await;
    assert_eq!(erased.len(), 2);
    let request = v1::GetGuestLinkRequest { name: link };
    let shown = ok(norths.get_guest_link(request)).await;
    assert_eq!((shown.person.as_str(), shown.message.as_str()), ("", ""));
    assert_eq!(shown.redacted_fields, fields);
    // Also when all is over.
    let request = v1::EndPartnershipRequest {
        name: pair.name.clone(),
        ..Default::default()
    };
    ok(norths.end_partnership(request)).await;
    house.pass(HOUR);
    let every = redacting(&pair.name, "expectation", &asserted.name, &["*"]);
    assert!(redact(&pair.north, every).await.len() > 2);
    let report = verified(&house).await;
    assert!(report.is_clean(), "{report}");
    house.stop().await;
}

pub async fn redactions_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let offered = telling(&pair).await;
    let mut norths = pair.north.connection.journal();
    let nothing = v1::RedactRequest::default();
    let fields = ["parent", "record_kind", "record_id", "reason", "fields"];
    faulty(&house, "INVALID_FIELD", &fields, norths.redact(nothing)).await;
    let good = redacting(&pair.name, "expectation", &offered.name, &["*"]);
    let crowded = v1::RedactRequest {
        fields: vec!["*".to_owned(), "a".to_owned(), "a".to_owned()],
        commitments: vec!["a".to_owned(); 201],
        reason: 99,
        ..good.clone()
    };
    let fields = ["reason", "fields", "fields", "commitments"];
    faulty(&house, "INVALID_FIELD", &fields, norths.redact(crowded)).await;
    for absent in [
        redacting(&pair.name, "expectation", "absent", &["*"]),
        redacting(&pair.name, "expectation", &offered.name, &["no.such.field"]),
        v1::RedactRequest {
            commitments: vec!["a".repeat(64)],
            fields: Vec::new(),
            ..good.clone()
        },
        v1::RedactRequest {
            parent: "firms/south".to_owned(),
            ..good.clone()
        },
    ] {
        refuses(&house, "NOT_FOUND", norths.redact(absent)).await;
    }
    house.stop().await;
}
