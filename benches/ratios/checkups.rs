//! l: the check-up of a partnership with 100,000 tickets and 5,000 approved quotes, against the bare
//! scan and decoding of the same records; and a second one while nothing was recorded.

use entente::domain::record::Kind;
use entente::ledger::queue::Urgency;
use entente::proto::v1::GetCheckupRequest;
use entente::proto::v1::checkup_service_client::CheckupServiceClient;
use entente::server::{self, Environment};
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;

use crate::Rounds;
use crate::burden::{all_of, approve, connect, fill, join, scan, submit_all};
use crate::load::now;
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::{Size, World, event};

/// Tickets of the partnership, with [`EVENTS`] events each.
const TICKETS: u64 = 100_000;
/// Events of a ticket: taken up, waiting, taken up again, resolved.
const EVENTS: u64 = 4;
/// Quotes with a concession that both firms approved.
const QUOTES: usize = 5_000;
/// How many commands are sent together.
const AT_A_TIME: usize = 2_000;
/// How long a caller waits, in seconds.
const PATIENCE: &str = "300S";

pub async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("checkup.db").display());
    measure_on(&url, "SQLite", rounds, table).await;
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    measure_on(&url, "PostgreSQL", rounds, table).await;
}

async fn measure_on(url: &str, engine: &str, rounds: Rounds, table: &mut Table) {
    let environment = Environment {
        sweeping: false,
        ..Environment::default()
    };
    let size = Size {
        partnerships: 1,
        tickets: TICKETS,
    };
    let world = World::start_in(url, environment, size).await;
    for step in 1..EVENTS {
        let tickets: Vec<u64> = (0..TICKETS).collect();
        for chunk in tickets.chunks(AT_A_TIME) {
            let events = chunk.iter().map(|ticket| world.event(*ticket, step));
            submit_all(&world, events.collect()).await;
        }
    }
    fill(&world, QUOTES).await;
    let partner = join(&world).await;
    approve(&world, &partner).await;
    let queries = [Kind::Ticket, Kind::JointQuote].map(|kind| all_of(&world, kind));
    let store = std::sync::Arc::clone(world.ledger().store());
    let ledger = world.ledger().clone();
    let name = format!("partnerships/{}", world.partnerships[0]);
    let (firm, partnerships) = (world.firm.clone(), world.partnerships.clone());
    let token: AsciiMetadataValue = format!("Bearer {}", world.api_key)
        .parse()
        .expect("a header");
    let running = server::serve(world.application, ([127, 0, 0, 1], 0).into())
        .await
        .expect("a server");
    let mut client = CheckupServiceClient::new(connect(running.address).await)
        .max_decoding_message_size(usize::MAX);
    let (mut first, mut second, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds.count {
        // Something was recorded, so the report before is of no use.
        let step = EVENTS + u64::try_from(round).expect("small");
        let news = event(&firm, &partnerships, running.application.api.now(), 0, step);
        let answer = ledger.submit(news, None, Urgency::Interactive).await;
        answer.expect("it is accepted");
        first.push(ask(&mut client, &name, &token).await);
        second.push(ask(&mut client, &name, &token).await);
        let start = now();
        let mut read = 0;
        for query in &queries {
            read += scan(store.as_ref(), query.clone()).await;
        }
        bare.push(start.elapsed().as_secs_f64() * 1e6);
        assert_eq!(read, usize::try_from(TICKETS).expect("small") + QUOTES);
    }
    let what = format!("l check-up over 100,000 tickets : bare scan and decoding, {engine}");
    table.add(&what, "us", first.clone(), bare);
    let what = format!("l second check-up : the first, {engine}");
    table.add(&what, "us", second, first);
    running.stop().await;
}

/// Microseconds until the report is there.
async fn ask(
    client: &mut CheckupServiceClient<Channel>,
    name: &str,
    token: &AsciiMetadataValue,
) -> f64 {
    let mut request = Request::new(GetCheckupRequest {
        name: name.to_owned(),
        ..GetCheckupRequest::default()
    });
    let metadata = request.metadata_mut();
    metadata.insert("authorization", token.clone());
    metadata.insert("grpc-timeout", PATIENCE.parse().expect("a header"));
    let start = now();
    let report = client.get_checkup(request).await.expect("a report");
    let micros = start.elapsed().as_secs_f64() * 1e6;
    let report = report.into_inner();
    let sides = report.rows.iter().flat_map(|row| &row.sides);
    let figures = sides.flat_map(|side| &side.figures);
    let with_data = figures.filter(|figure| figure.value.is_some()).count();
    assert!(with_data > 3, "the report tells something");
    micros
}
