//! Somebody to whom subscriptions are posted, and a deliverer that posts when it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::BASE64;
use entente::proto::v1;
use entente::server::delivery::Deliverer;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::calls::ok;
use super::house::House;
use super::setting::Pair;
use super::webhook_rows::subscribing;

/// What was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub kind: String,
    pub body: Vec<u8>,
}

impl Posted {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn event_type(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Whether one of the signatures is by this secret.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes());
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.unwrap()).unwrap();
        mac.update(format!("{}.{}.", self.id, self.timestamp).as_bytes());
        mac.update(&self.body);
        let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
        self.signature.split(' ').any(|given| given == expected)
    }
}

/// What a target answers: a status, and perhaps where to go instead.
pub type Answering = Box<dyn Fn(usize, &Posted) -> (u16, Option<String>) + Send>;

/// A target on this machine.
pub struct Target {
    pub address: SocketAddr,
    pub posted: Arc<Mutex<Vec<Posted>>>,
    pub answering: Arc<Mutex<Answering>>,
}

impl Target {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Self {
            address: listener.local_addr().unwrap(),
            posted: Arc::default(),
            answering: Arc::new(Mutex::new(Box::new(|_, _| (200, None)))),
        };
        let (posted, answering) = (Arc::clone(&target.posted), Arc::clone(&target.answering));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (posted, answering) = (Arc::clone(&posted), Arc::clone(&answering));
                tokio::spawn(take(stream, posted, answering));
            }
        });
        target
    }

    pub fn uri(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What was posted since the last time somebody asked.
    pub fn taken(&self) -> Vec<Posted> {
        let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *posted)
    }

    pub fn answers(
        &self,
        answering: impl Fn(usize, &Posted) -> (u16, Option<String>) + Send + 'static,
    ) {
        let mut now = self
            .answering
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *now = Box::new(answering);
    }

    pub fn always(&self, status: u16) {
        self.answers(move |_, _| (status, None));
    }
}

/// Takes one post, answers it and closes the connection. `None` if it was none.
pub async fn take(
    mut stream: TcpStream,
    posted: Arc<Mutex<Vec<Posted>>>,
    answering: Arc<Mutex<Answering>>,
) -> Option<()> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(one, _)| one.eq_ignore_ascii_case(name));
        found
            .next()
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    };
    let body_end = head_end + 4 + header("content-length").parse::<usize>().ok()?;
    while bytes.len() < body_end {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let one = Posted {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        kind: header("content-type"),
        body: bytes[head_end + 4..body_end].to_vec(),
    };
    let answer = {
        let mut posted = posted.lock().unwrap_or_else(PoisonError::into_inner);
        let answering = answering.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, location) = answering(posted.len(), &one);
        posted.push(one);
        let location = location
            .map(|uri| format!("location: {uri}\r\n"))
            .unwrap_or_default();
        format!(
            "HTTP/1.1 {status} Said\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n"
        )
    };
    stream.write_all(answer.as_bytes()).await.ok()
}

/// A replica's deliverer that works when it is told to.
pub fn deliverer(house: &House) -> Arc<Deliverer> {
    let api = Arc::clone(&house.running.application.api);
    Arc::new(Deliverer::new(api, true, CancellationToken::new()).unwrap())
}

/// Posts until nothing is due any more.
pub async fn deliver(deliverer: &Arc<Deliverer>) {
    for _ in 0..20 {
        if deliverer.deliver_once().await.unwrap() == 0 {
            return;
        }
    }
    panic!("deliveries do not come to an end");
}

pub async fn subscribe(pair: &Pair, source: &str, target: &str) -> v1::Subscription {
    let mut webhooks = pair.north.connection.webhooks();
    ok(webhooks.create_subscription(subscribing(source, target))).await
}

pub async fn shown(pair: &Pair, name: &str) -> v1::Subscription {
    let name = name.to_owned();
    let mut webhooks = pair.north.connection.webhooks();
    ok(webhooks.get_subscription(v1::GetSubscriptionRequest { name })).await
}

pub async fn dead_letters(pair: &Pair, name: &str) -> Vec<v1::DeadLetter> {
    let request = v1::ListDeadLettersRequest {
        parent: name.to_owned(),
        ..Default::default()
    };
    let mut webhooks = pair.north.connection.webhooks();
    ok(webhooks.list_dead_letters(request)).await.dead_letters
}
