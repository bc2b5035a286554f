//! j: the burden index over 10,000 approved quotes, against the bare scan and decoding of their records.

use std::net::SocketAddr;

use entente::domain::command::{Action, Command};
use entente::domain::identity::FirmId;
use entente::domain::partnership::PartnershipCommand;
use entente::domain::pricing::quote::{JointQuote, QuoteCommand};
use entente::domain::record::{Kind, Stored};
use entente::domain::time::Span;
use entente::ledger::Settings;
use entente::ledger::queue::Urgency;
use entente::ledger::rows::decode_row;
use entente::proto::v1::GetBurdenIndexRequest;
use entente::proto::v1::fairness_service_client::FairnessServiceClient;
use entente::server;
use entente::store::{ListQuery, Store};
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};

use crate::Rounds;
use crate::load::now;
use crate::quotes::{create, of_firm, propose, scope};
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::{World, command};

/// Quotes with a concession that both firms approved.
const QUOTES: usize = 10_000;
/// Tickets in this world, which nobody looks at.
const TICKETS: u64 = 64;
/// How many commands are sent together.
const AT_A_TIME: usize = 1_000;
/// How many records the bare scan reads at a time.
const ROWS_AT_A_TIME: usize = 1_000;

pub async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("burden.db").display());
    measure_on(&url, "SQLite", rounds, table).await;
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    measure_on(&url, "PostgreSQL", rounds, table).await;
}

async fn measure_on(url: &str, engine: &str, rounds: Rounds, table: &mut Table) {
    let world = World::start(url, Settings::default(), TICKETS).await;
    fill(&world, QUOTES).await;
    let partner = join(&world).await;
    approve(&world, &partner).await;
    let store = std::sync::Arc::clone(world.ledger().store());
    let query = all_quotes(&world);
    let request = GetBurdenIndexRequest {
        name: format!("partnerships/{}", world.partnerships[0]),
        ..GetBurdenIndexRequest::default()
    };
    let token: AsciiMetadataValue = format!("Bearer {}", world.api_key)
        .parse()
        .expect("a header");
    let running = server::serve(world.application, ([127, 0, 0, 1], 0).into())
        .await
        .expect("a server");
    let mut client = FairnessServiceClient::new(connect(running.address).await);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds.count {
        let mut request = Request::new(request.clone());
        let metadata = request.metadata_mut();
        metadata.insert("authorization", token.clone());
        let start = now();
        let index = client.get_burden_index(request).await.expect("an index");
        ours.push(start.elapsed().as_secs_f64() * 1e6);
        let counted: i32 = index
            .into_inner()
            .groups
            .iter()
            .map(|it| it.quote_count)
            .sum();
        assert_eq!(usize::try_from(counted), Ok(QUOTES));
        let start = now();
        assert_eq!(scan(store.as_ref(), query.clone()).await, QUOTES);
        bare.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let what = format!("j burden index over 10,000 quotes : bare scan and decoding, {engine}");
    table.add(&what, "us", ours, bare);
    running.stop().await;
}

pub async fn connect(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    let channel = endpoint.expect("an address").connect().await;
    channel.expect("a connection")
}

/// Has another firm take the placeholder's place.
pub async fn join(world: &World) -> FirmId {
    let partner = FirmId::parse("partner").expect("a firm id");
    let digest = "a".repeat(64);
    let steps = [
        (
            &world.firm,
            PartnershipCommand::Invite {
                party: None,
                invited: None,
                digest: digest.clone(),
                validity: Span::from_hours(1),
            },
        ),
        (
            &partner,
            PartnershipCommand::Join {
                digest,
                display_name: "Partner".to_owned(),
            },
        ),
    ];
    for (index, (firm, step)) in steps.into_iter().enumerate() {
        let action = Action::Partnership(step);
        let joining = command(firm, scope(world), format!("join-{index}"), action);
        let answer = world.ledger().submit(joining, None, Urgency::Interactive);
        answer.await.expect("it is accepted");
    }
    partner
}

/// What the firm proposes while it is alone, on so many quotes.
pub async fn fill(world: &World, quotes: usize) {
    let numbers: Vec<usize> = (0..quotes).collect();
    for chunk in numbers.chunks(AT_A_TIME) {
        let create = |number: &usize| {
            let action = create(world, *number);
            of_firm(world, &world.firm, &format!("create-{number}"), action)
        };
        let propose = |number: &usize| {
            let action = propose(*number, 0);
            of_firm(world, &world.firm, &format!("propose-{number}"), action)
        };
        submit_all(world, chunk.iter().map(create).collect()).await;
        submit_all(world, chunk.iter().map(propose).collect()).await;
    }
}

/// What the other firm approves after it joined.
pub async fn approve(world: &World, partner: &FirmId) {
    let mut query = all_quotes(world);
    loop {
        let found = world.ledger().store().list_records(&query).await;
        let found = found.expect("quotes");
        let Some(last) = found.last() else { return };
        query.after_id.clone_from(&last.key.id);
        let approvals = found.iter().map(|row| {
            let read = decode_row(row).expect("a record");
            let quote = JointQuote::from_record(&read.record).expect("a quote");
            let action = QuoteCommand::ApproveConcession {
                id: row.key.id.clone(),
                hash: quote.last_hash().to_owned(),
            };
            of_firm(world, partner, &format!("approve-{}", row.key.id), action)
        });
        submit_all(world, approvals.collect()).await;
    }
}

pub async fn submit_all(world: &World, commands: Vec<Command>) {
    let answers = world
        .ledger()
        .submit_all(commands, None, Urgency::Interactive);
    for answer in answers.await {
        answer.expect("it is accepted");
    }
}

fn all_quotes(world: &World) -> ListQuery {
    all_of(world, Kind::JointQuote)
}

/// Every record of a kind, from the first.
pub fn all_of(world: &World, kind: Kind) -> ListQuery {
    ListQuery {
        scope: scope(world),
        kind,
        state: None,
        after_id: String::new(),
        limit: ROWS_AT_A_TIME,
    }
}

/// Reads every record and decodes its body; returns how many there are.
pub async fn scan(store: &dyn Store, mut query: ListQuery) -> usize {
    let mut count = 0;
    loop {
        let found = store.list_records(&query).await.expect("records");
        let Some(last) = found.last() else {
            return count;
        };
        query.after_id.clone_from(&last.key.id);
        for row in &found {
            std::hint::black_box(decode_row(row).expect("a record"));
            count += 1;
        }
    }
}
