//! Stopping while clients are connected that say nothing.

use std::time::Duration;

use entente::proto::v1::{self, watch_response::Event};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::calls::{ok, refused};
use super::house::House;
use super::setting::Pair;

/// How long calls may take to end.
const LIMIT: Duration = Duration::from_secs(1);
/// How long stopping may take in all, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(8);

/// Whoever is silent is cut off; the stop does not wait for them.
pub async fn silent_clients_are_cut_off(house: House) {
    let pair = Pair::active(&house).await;
    let address = house.running.address;
    let mut silent = TcpStream::connect(address).await.unwrap();
    // Begins like a call, and then says nothing more.
    let mut stalled = TcpStream::connect(address).await.unwrap();
    stalled.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    let request = v1::WatchRequest {
        scopes: vec![v1::WatchScope {
            scope: pair.name.clone(),
            cursor: String::new(),
        }],
    };
    let mut stream = ok(pair.south.connection.journal().watch(request)).await;
    let first = timeout(PATIENCE, stream.message())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(matches!(first.event, Some(Event::Entry(_))));
    let mut health = HealthClient::new(house.channel().await);
    ok(health.check(HealthCheckRequest::default())).await;

    timeout(PATIENCE, house.running.stop_within(LIMIT))
        .await
        .expect("the server stops in time");

    for connection in [&mut silent, &mut stalled] {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, connection.read_to_end(&mut rest)).await;
        let closed = read.expect("the connection is closed");
        assert!(
            closed.is_ok()
                || closed.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
        );
    }
    let ended = timeout(PATIENCE, async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(status) => return Some(status.code()),
            }
        }
    });
    let ended = ended.await.expect("the stream ends");
    assert_eq!(
        ended,
        Some(Code::Unavailable),
        "a watcher is told to go on elsewhere"
    );
    assert!(
        TcpStream::connect(address).await.is_err(),
        "somebody still listens"
    );
    let answer = refused(health.check(HealthCheckRequest::default())).await;
    assert_ne!(answer.code, Code::Ok);
}
