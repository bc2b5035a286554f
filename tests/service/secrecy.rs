//! The walk of secrecy: one firm states costs; the other calls every RPC of the contract, rightly and
//! wrongly, and every byte that it receives, and every line that the server logs, is searched for
//! them and for what gives them away.

use entente::proto::v1;
use prost::Message;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tonic::Status;

use super::authorisation::every_row;
use super::calls::ok;
use super::house::{Firm, House};
use super::raw;
use super::setting::{Pair, euros, portion};
use super::stage::{self, Names};
use super::traces::{Secrets, heard, listen};

/// What south's portions cost the client, in cents.
const PRICE_CENTS: i64 = 918_273_645;
/// What they cost south, in cents.
const COST_CENTS: i64 = 765_432_109;
/// What they earn south.
const MARGIN_CENTS: i64 = PRICE_CENTS - COST_CENTS;
/// Messages of one answer that are looked at.
const MESSAGES_MAX: usize = 200;
/// How often each request is sent damaged.
const DAMAGED: usize = 3;

fn secrets() -> Secrets {
    Secrets::of([COST_CENTS, MARGIN_CENTS])
}

/// One firm that calls everything, and what it was told that it must not know.
struct Walk<'house> {
    house: &'house House,
    channel: tonic::transport::Channel,
    key: String,
    secrets: Secrets,
    told: Vec<String>,
    calls: usize,
    bytes: usize,
}

impl Walk<'_> {
    async fn call(&mut self, rpc: &str, message: Vec<u8>, scope: &str) {
        // A watch has no end of its own.
        let most = if rpc.ends_with("/Watch") {
            let head = self.house.head(scope).await;
            usize::try_from(head.sequence).expect("a small number")
        } else {
            MESSAGES_MAX
        };
        let answer = raw::call(&self.channel, Some(&self.key), rpc, message, most).await;
        let received = match answer {
            Ok(messages) => messages.concat(),
            Err(status) => bytes_of(&status),
        };
        self.calls += 1;
        self.bytes += received.len();
        if let Some(trace) = self.secrets.found_in(&received) {
            let trace = String::from_utf8_lossy(trace).into_owned();
            self.told.push(format!("{rpc} tells {trace:?}"));
        }
    }

    /// Every RPC: as it should be called, once more, and damaged.
    async fn everything(&mut self, names: &Names) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let scope = names.of("partnership");
        for row in every_row() {
            let message = (row.request)(names);
            for _ in 0..2 {
                self.call(row.rpc, message.clone(), &scope).await;
            }
            // A watch that is asked for something else may wait for ever.
            if row.rpc.ends_with("/Watch") || message.is_empty() {
                continue;
            }
            for _ in 0..DAMAGED {
                let mut damaged = message.clone();
                let place = rng.random_range(0..damaged.len());
                damaged[place] ^= 1 << rng.random_range(0..7);
                self.call(row.rpc, damaged, &scope).await;
            }
        }
    }
}

/// All that a refusal says.
fn bytes_of(status: &Status) -> Vec<u8> {
    let mut bytes = status.message().as_bytes().to_vec();
    bytes.extend_from_slice(status.details());
    bytes.extend_from_slice(format!("{:?}", status.metadata()).as_bytes());
    bytes
}

/// A quote in which south states a cost, and a concession that waits.
async fn secret_quote(pair: &Pair) -> (String, String) {
    let quote = pair.quote(&[("a", 500)], &[]).await;
    let request = v1::AddPortionRequest {
        name: quote.name,
        portion: Some(v1::Portion {
            internal_cost: Some(euros(COST_CENTS)),
            ..portion("b", PRICE_CENTS)
        }),
        ..Default::default()
    };
    let quote = ok(pair.south.connection.pricing().add_portion(request)).await;
    let request = v1::ProposeConcessionRequest {
        name: quote.name,
        concession: Some(euros(100)),
        basis: v1::AllocationBasis::Price.into(),
        ..Default::default()
    };
    let mut norths = pair.north.connection.pricing();
    let quote = ok(norths.propose_concession(request)).await;
    let hash = quote.revisions[0].hash.clone();
    (quote.name, hash)
}

async fn walk<'house>(house: &'house House, firm: &Firm) -> Walk<'house> {
    Walk {
        house,
        channel: house.channel().await,
        key: firm.api_key.clone(),
        secrets: secrets(),
        told: Vec::new(),
        calls: 0,
        bytes: 0,
    }
}

/// The other firm learns nothing, whatever it calls; the owner is shown its own, so the search does
/// find what is there.
pub async fn p20_nobody_is_told_what_something_costs_the_other(house: House) {
    listen(&secrets());
    let (pair, names) = stage::set(&house).await;
    let mut names = names.with("caller", "north");
    for (key, hash) in [
        ("quote", "quote_hash"),
        ("to_approve", "approve_hash"),
        ("to_reject", "reject_hash"),
        ("to_take_back", "take_back_hash"),
    ] {
        let (quote, revision) = secret_quote(&pair).await;
        names = names.with(key, &quote).with(hash, &revision);
    }
    let mut souths = walk(&house, &pair.south).await;
    let own = v1::GetJointQuoteRequest {
        name: names.of("quote"),
    };
    let scope = names.of("partnership");
    let rpc = "entente.v1.PricingService/GetJointQuote";
    souths.call(rpc, own.encode_to_vec(), &scope).await;
    assert_eq!(souths.told.len(), 1, "its owner is shown a cost");

    let mut norths = walk(&house, &pair.north).await;
    norths.everything(&names).await;
    let stranger = house.firm("stranger").await;
    let mut strangers = walk(&house, &stranger).await;
    strangers.everything(&names).await;
    for walk in [&norths, &strangers] {
        assert!(walk.told.is_empty(), "{:#?}", walk.told);
    }
    let rows = every_row().count();
    assert!(
        norths.calls >= rows * 2 && norths.bytes > 100_000,
        "{} bytes",
        norths.bytes
    );
    let (lines, caught) = heard();
    assert!(lines > 0, "nothing was logged");
    assert!(caught.is_empty(), "the log tells: {caught:#?}");
    house.stop().await;
}
