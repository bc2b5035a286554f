//! k: one firm's calls while another makes a hundred times as many as it may, against the same calls
//! while it makes none.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use entente::api::sign_in::quota::CallQuota;
use entente::cli::client::{ApiKey, Connection, RequestIds, connect};
use entente::cli::keys::{KeyRequest, create_key};
use entente::domain::identity::FirmId;
use entente::proto::v1;
use entente::server::{Application, Environment, serve};
use entente::store;
use tonic::Code;

use crate::Rounds;
use crate::load::{now, quantile};
use crate::support::postgres::Cluster;
use crate::table::Table;

/// Calls that a firm may make in a second, and at once.
const QUOTA: NonZeroU32 = NonZeroU32::new(50).expect("not zero");
/// How many times as many the greedy one makes.
const GREED: u32 = 100;
/// It calls in bursts, so often in a second.
const BURSTS_PER_SECOND: u32 = 50;
/// The other's pause between two calls: it stays within its own quota.
const PAUSE: Duration = Duration::from_millis(25);

pub async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("quota.db").display());
    measure_on(&url, "SQLite", rounds, table).await;
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    measure_on(&url, "PostgreSQL", rounds, table).await;
}

async fn measure_on(url: &str, engine: &str, rounds: Rounds, table: &mut Table) {
    store::migrate(url).await.expect("the schema is made");
    let environment = Environment {
        quota: Some(CallQuota {
            per_second: QUOTA,
            burst: QUOTA,
        }),
        ..Environment::default()
    };
    let database = store::open(url).await.expect("it opens");
    let application = Application::start(database, environment).await;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running = serve(application.expect("it starts"), listen).await;
    let running = running.expect("it listens");
    let address = running.address.to_string();
    let greedy = firm(&running.application, &address, "greedy").await;
    let modest = firm(&running.application, &address, "modest").await;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..rounds.count {
        alone.push(quantile(works(&modest, rounds.length).await, 99));
        let stop = Arc::new(AtomicBool::new(false));
        let refused = Arc::new(AtomicU64::new(0));
        let flood = tokio::spawn(flood(
            greedy.clone(),
            Arc::clone(&stop),
            Arc::clone(&refused),
        ));
        beside.push(quantile(works(&modest, rounds.length).await, 99));
        stop.store(true, Ordering::Relaxed);
        flood.await.expect("it ends");
        assert!(
            refused.load(Ordering::Relaxed) > 0,
            "nobody was above its quota"
        );
    }
    let what =
        format!("(k) p99 of a firm while another is at 100 x its quota : alone, on {engine}");
    table.add(&what, "us", beside, alone);
    running.stop().await;
}

async fn firm(application: &Application, address: &str, id: &'static str) -> Connection {
    let firm = FirmId::parse(id).expect("an id");
    let request = KeyRequest {
        display_name: id.to_owned(),
        ..KeyRequest::default()
    };
    let made = create_key(application, &firm, id, request).await;
    let key = ApiKey::new(made.expect("a key").api_key.as_str());
    let connection = connect(address, &key, RequestIds::new(id)).await;
    connection.expect("it answers")
}

/// One change after the other; how long each took, in microseconds.
async fn works(modest: &Connection, length: Duration) -> Vec<f64> {
    let mut taken = Vec::new();
    let begin = now();
    while begin.elapsed() < length {
        let calendar = v1::CreatePartnershipRequest {
            partnership: Some(v1::Partnership {
                display_name: "A partnership".to_owned(),
                ..Default::default()
            }),
            partner_display_name: "Partner".to_owned(),
            role: v1::PartyRole::Prime.into(),
            partner_role: v1::PartyRole::Sub.into(),
            ..Default::default()
        };
        let start = now();
        let made = modest.partnerships().create_partnership(calendar).await;
        made.expect("it is within its quota");
        taken.push(start.elapsed().as_secs_f64() * 1e6);
        tokio::time::sleep(PAUSE).await;
    }
    taken
}

/// Far too many calls, evenly, until told to stop.
async fn flood(greedy: Connection, stop: Arc<AtomicBool>, refused: Arc<AtomicU64>) {
    let mut bursts = tokio::time::interval(Duration::from_secs(1) / BURSTS_PER_SECOND);
    while !stop.load(Ordering::Relaxed) {
        bursts.tick().await;
        let calls = (0..QUOTA.get() * GREED / BURSTS_PER_SECOND).map(|_| {
            let (greedy, refused) = (greedy.clone(), Arc::clone(&refused));
            tokio::spawn(async move {
                let answer = greedy.partnerships().who_am_i(v1::WhoAmIRequest {}).await;
                if answer.is_err_and(|status| status.code() == Code::ResourceExhausted) {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.expect("a call ends");
        }
    }
}
