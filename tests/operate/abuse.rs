//! Callers that mean no good: a server as a process of its own stays within bounds, answers everybody
//! else, and counts what happened.

use std::io::ErrorKind;
use std::time::Duration;

use crate::program::{PATIENCE, Program};
use entente::proto::v1;
use entente::proto::v1::journal_service_client::JournalServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;
use tonic::transport::Endpoint;

/// Connections that say nothing.
const SILENT: usize = 10_000;
/// Memory that the server may take for each of them, in bytes.
const BYTES_FOR_EACH: u64 = 16 * 1024;
/// Size of a message that is far too large, in bytes.
const HUGE: usize = 100_000_000;
/// Memory that the server may take because of it, in bytes.
const BYTES_FOR_HUGE: u64 = 24 * 1024 * 1024;
/// Entries that nobody reads: more than fits into what waits for a reader.
const UNREAD: usize = 600;
/// What a reader takes at a time without asking for more, in bytes.
const WINDOW: u32 = 65_535;

/// Who calls, by JSON; whether it was answered.
async fn works(program: &Program, key: &str) -> bool {
    let client = reqwest::Client::new();
    let call = client
        .get(format!("http://{}/v1:whoAmI", program.address))
        .bearer_auth(key)
        .timeout(PATIENCE);
    call.send().await.unwrap().status() == 200
}

#[tokio::test]
async fn ten_thousand_connections_that_say_nothing() {
    rlimit::increase_nofile_limit(rlimit::INFINITY).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), "").await;
    let key = program.key("north").await;
    assert!(works(&program, &key).await);
    let before = program.memory();

    let mut silent = Vec::with_capacity(SILENT);
    while silent.len() < SILENT {
        silent.push(TcpStream::connect(&program.address).await.unwrap());
        if silent.len() % 1_000 == 0 {
            assert!(works(&program, &key).await, "{} are silent", silent.len());
        }
    }
    let grown = program.memory().saturating_sub(before);
    let each = grown / u64::try_from(SILENT).unwrap();
    assert!(each < BYTES_FOR_EACH, "{each} bytes for each connection");

    // They lose their places one after the other, and are counted.
    for connection in &mut silent {
        let mut rest = [0];
        let read = tokio::time::timeout(PATIENCE, connection.read(&mut rest)).await;
        let closed = match read.expect("it is closed") {
            Ok(bytes) => bytes == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        assert!(closed);
    }
    let counted = format!("entente_connections_silent_total {SILENT}");
    program.measures(|line| line == counted).await;
    assert!(works(&program, &key).await);
}

#[tokio::test]
async fn a_hundred_megabytes_by_json() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), "").await;
    let key = program.key("north").await;
    assert!(works(&program, &key).await);
    let before = program.memory();
    let mut connection = TcpStream::connect(&program.address).await.unwrap();
    let head = format!(
        "POST /v1/partnerships HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {HUGE}\r\n\r\n",
        program.address
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = connection.split();
    let sending = async {
        let part = vec![b' '; 64 * 1024];
        for _ in 0..HUGE / part.len() {
            if writer.write_all(&part).await.is_err() {
                break;
            }
        }
        // Whoever was answered need not send the rest.
        std::future::pending::<()>().await;
    };
    let answer = async {
        let mut status = [0; 12];
        reader.read_exact(&mut status).await.unwrap();
        String::from_utf8_lossy(&status).into_owned()
    };
    let status = tokio::select! {
        status = tokio::time::timeout(PATIENCE, answer) => status.unwrap(),
        () = sending => unreachable!("it goes on for ever"),
    };
    assert_eq!(status, "HTTP/1.1 413");
    let grown = program.memory().saturating_sub(before);
    assert!(grown < BYTES_FOR_HUGE, "{grown} bytes");
    assert!(works(&program, &key).await);
}

#[tokio::test]
async fn a_hundred_megabytes_by_grpc() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), "").await;
    let key = program.key("north").await;
    assert!(works(&program, &key).await);
    let before = program.memory();
    let endpoint = Endpoint::from_shared(format!("http://{}", program.address)).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut client = JournalServiceClient::new(channel);
    let mut request = tonic::Request::new(v1::ListEntriesRequest {
        page_token: "x".repeat(HUGE),
        ..Default::default()
    });
    let bearer = format!("Bearer {key}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let refused = client.list_entries(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    let grown = program.memory().saturating_sub(before);
    assert!(grown < BYTES_FOR_HUGE, "{grown} bytes");
    assert!(works(&program, &key).await);
}

/// What waits for somebody who takes nothing is bounded, and in the end its stream is.
#[tokio::test]
async fn a_stream_that_never_reads() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), "").await;
    let key = program.key("north").await;
    let client = reqwest::Client::new();
    for number in 0..UNREAD {
        let created = client
            .post(format!("http://{}/v1/firms/north/apiKeys", program.address))
            .bearer_auth(&key)
            .json(&serde_json::json!({"displayName": format!("key {number}"), "permissions": ["PERMISSION_READ"]}))
            .send();
        let created = created.await.unwrap();
        assert_eq!(created.status(), 200, "{:?}", created.text().await);
    }
    let endpoint = Endpoint::from_shared(format!("http://{}", program.address)).unwrap();
    let endpoint = endpoint.initial_stream_window_size(WINDOW);
    let mut journal = JournalServiceClient::new(endpoint.connect().await.unwrap());
    let scope = v1::WatchScope {
        scope: "firms/north".to_owned(),
        cursor: String::new(),
    };
    let mut request = tonic::Request::new(v1::WatchRequest {
        scopes: vec![scope],
    });
    let bearer = format!("Bearer {key}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let unread = journal.watch(request).await.unwrap();
    program.measures(|line| line == "entente_watchers 1").await;
    let ended = "entente_watches_ended_total{reason=\"LIMIT_REACHED\"} 1";
    program.measures(|line| line == ended).await;
    program.measures(|line| line == "entente_watchers 0").await;
    assert!(works(&program, &key).await);
    // It can still take what was sent, and is told why there is no more.
    let mut unread = unread.into_inner();
    let mut answers = 0;
    let reason = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            match unread.message().await {
                Ok(Some(_)) => answers += 1,
                Ok(None) => break None,
                Err(status) => break Some(status.code()),
            }
        }
    });
    assert_eq!(reason.await.unwrap(), Some(Code::ResourceExhausted));
    assert!(answers > 0 && answers < UNREAD, "{answers}");
}
