//! A concession that is proposed, divided, hashed and durable, against the bare commit of the same
//! rows. One caller at a time.

use entente::domain::command::Action;
use entente::domain::identity::{PartyId, ScopeId};
use entente::domain::pricing::money::{Currency, Money};
use entente::domain::pricing::quote::{Basis, Extras, NewConcession, NewPortion, QuoteCommand};
use entente::domain::record::{Kind, RecordKey};
use entente::domain::time::Span;
use entente::ledger::Settings;
use entente::ledger::queue::Urgency;
use entente::store::{RequestKey, RequestRow, WriteSet};

use crate::Rounds;
use crate::load::{median, now};
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::{World, command};

/// Quotes that are bargained over; each gets one proposal in a round.
const QUOTES: i64 = 400;
/// Tickets in this world, which nobody looks at.
const TICKETS: u64 = 64;
/// How long the quotes stand.
const VALIDITY: Span = Span::from_hours(24);

pub async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("quotes.db").display());
    measure_on(&url, "SQLite", rounds, table).await;
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    measure_on(&url, "PostgreSQL", rounds, table).await;
}

async fn measure_on(url: &str, engine: &str, rounds: Rounds, table: &mut Table) {
    let world = World::start(url, Settings::default(), TICKETS).await;
    for number in 0..QUOTES {
        submit(&world, format!("create-{number}"), create(&world, number)).await;
    }
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..rounds.count {
        let mut elapsed = Vec::new();
        for number in 0..QUOTES {
            let action = propose(number, i64::try_from(round).expect("small"));
            let request_id = format!("propose-{round}-{number}");
            let start = now();
            submit(&world, request_id, action).await;
            elapsed.push(start.elapsed().as_secs_f64() * 1e6);
        }
        ours.push(median(elapsed));
        bare.push(bare_commits(&world, round).await);
    }
    let what = format!("(i) ProposeConcession : bare commit of the same rows, {engine}");
    table.add(&what, "us", ours, bare);
    world.application.stop().await;
}

async fn submit(world: &World, request_id: String, action: QuoteCommand) {
    let action = Action::Quote(action);
    let command = command(&world.firm, scope(world), request_id, action);
    let answer = world.ledger().submit(command, None, Urgency::Interactive);
    answer.await.expect("it is accepted");
}

fn scope(world: &World) -> ScopeId {
    ScopeId::partnership(&world.partnerships[0])
}

fn euros(cents: i64) -> Money {
    Money::from_minor(Currency::from_code("EUR").expect("a currency"), cents)
}

fn id(number: i64) -> String {
    format!("quote-{number}")
}

/// A quote with three portions of two parties.
fn create(world: &World, number: i64) -> QuoteCommand {
    let partners = NewPortion {
        owner: Some(PartyId::numbered(2)),
        ..NewPortion::new("night-cover", euros(933_333))
    };
    QuoteCommand::Create {
        id: Some(id(number)),
        display_name: "Warehouse".to_owned(),
        client: None,
        currency: Currency::from_code("EUR").expect("a currency"),
        expires_at: world.application.api.now().saturating_add(VALIDITY),
        portions: vec![
            NewPortion::new("licences", euros(629_990)),
            NewPortion::new("network", euros(1_845_000)),
            partners,
        ],
        vendor_funds: Vec::new(),
        references: None,
    }
}

fn propose(number: i64, round: i64) -> QuoteCommand {
    QuoteCommand::ProposeConcession {
        id: id(number),
        concession: NewConcession {
            concession: Some(euros(200_000 + 997 * number + round)),
            basis: Basis::Price,
            ..NewConcession::default()
        },
        extras: Extras::default(),
    }
}

/// Writes the rows of the last proposal by hand, over and over; returns the median in microseconds.
async fn bare_commits(world: &World, round: usize) -> f64 {
    let store = world.ledger().store();
    let scope = scope(world);
    let key = RecordKey::new(&scope, Kind::JointQuote, id(QUOTES - 1));
    let heads = store.heads(std::slice::from_ref(&scope)).await;
    let mut head = heads.expect("a head").remove(0);
    let entries = store.entries(&scope, head.sequence - 1, 1).await;
    let entry = entries.expect("an entry").remove(0);
    let rows = store.records(std::slice::from_ref(&key)).await;
    let mut row = rows.expect("a quote").remove(0);
    let remembered = RequestKey {
        scope: scope.clone(),
        firm: world.firm.to_string(),
        request_id: format!("propose-{round}-{}", QUOTES - 1),
    };
    let mut transaction = store.begin().await.expect("a transaction");
    let requests = transaction.requests(&[remembered]).await;
    let request = requests.expect("what was answered").remove(0);
    drop(transaction);
    let mut elapsed = Vec::new();
    for number in 0..QUOTES {
        let request_id = format!("bare-{round}-{number}");
        let request = RequestRow {
            request_id,
            ..request.clone()
        };
        let mut entry = entry.clone();
        entry.sequence = head.sequence + 1;
        entry.previous_hash = head.hash;
        entry.hash = entry.computed_hash();
        head.advance(&entry);
        row.revision += 1;
        entry.previous_sequence = Some(row.sequence);
        row.sequence = entry.sequence;
        let set = WriteSet {
            heads: vec![head.clone()],
            entries: vec![entry],
            records: vec![row.clone()],
            requests: vec![request],
            ..WriteSet::default()
        };
        let start = now();
        let mut transaction = store.begin().await.expect("a transaction");
        transaction.write(&set).await.expect("rows");
        transaction.commit().await.expect("a commit");
        elapsed.push(start.elapsed().as_secs_f64() * 1e6);
    }
    median(elapsed)
}
