//! The walk of secrecy: one firm states costs; the other calls every RPC of the contract, rightly and
//! wrongly, and every byte that it receives, and every line that the server logs, is searched for
//! them and for what gives them away.

use entente::proto::v1;
use prost::Message;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tonic::Status;

use super::authorisation::every_row;
use super::blind::{consent, costly, proposing, quote_of, shares};
use super::calls::ok;
use super::checkup_pages::{linking, look};
use super::house::{Firm, House};
use super::raw;
use super::sales::{FEBRUARY, booking, reversing, winning};
use super::setting::{Pair, SOUTH, euros, portion};
use super::settlements::{drafting, issuing};
use super::stage::{self, Names};
use super::traces::{Listening, Secrets, heard};
use super::trio::{Trio, WEST};

/// What south's portions cost the client, in cents.
const PRICE_CENTS: i64 = 918_273_645;
/// What they cost south, in cents.
const COST_CENTS: i64 = 765_432_109;
/// What they earn south.
const MARGIN_CENTS: i64 = PRICE_CENTS - COST_CENTS;
/// What west's portion costs the client, and west, where three divide by their costs; in cents.
const WEST_CENTS: [i64; 2] = [846_913_572, 659_302_814];
/// What north's portion costs the client, and north.
const NORTH_CENTS: [i64; 2] = [583_104_927, 437_261_598];
/// What the three concede.
const CONCESSION_CENTS: i64 = 321_987_654;
/// What is taken back of that.
const TAKEN_BACK: i64 = 160_987_654;
/// Messages of one answer that are looked at.
const MESSAGES_MAX: usize = 200;
/// How often each request is sent damaged.
const DAMAGED: usize = 3;

/// All that north must not learn.
fn secrets() -> Secrets {
    Secrets::of(kept_from_north())
}

/// What nobody may log, in any of these walks: the listener looks for the same in all of them.
fn unlogged() -> Secrets {
    let all = [NORTH_CENTS, [PRICE_CENTS, COST_CENTS], WEST_CENTS];
    let settled = all.into_iter().flat_map(kept_by);
    Secrets::in_lines(settled.chain(kept_from_north()))
}

fn kept_from_north() -> Vec<i64> {
    let costs = [NORTH_CENTS[1], COST_CENTS, WEST_CENTS[1]];
    let total: i64 = costs.iter().sum();
    let mut amounts = vec![COST_CENTS, MARGIN_CENTS];
    amounts.extend([WEST_CENTS[1], WEST_CENTS[0] - WEST_CENTS[1]]);
    for [price, cost] in [[PRICE_CENTS, COST_CENTS], WEST_CENTS] {
        // The share by costs, or one more for its rounding; and what is left of the price.
        let share = i128::from(CONCESSION_CENTS) * i128::from(cost) / i128::from(total);
        let share = i64::try_from(share).unwrap();
        for share in [share, share + 1] {
            amounts.extend([share, price - share]);
        }
    }
    amounts
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
        self.hear(rpc, &received);
    }

    fn hear(&mut self, rpc: &str, received: &[u8]) {
        self.calls += 1;
        self.bytes += received.len();
        if let Some(trace) = self.secrets.found_in(received) {
            let trace = String::from_utf8_lossy(trace).into_owned();
            self.told.push(format!("{rpc} tells {trace:?}"));
        }
    }

    /// The page of the check-up, as whoever has a link sees it; a stranger has none.
    async fn page(&mut self, scope: &str) {
        let rpc = "entente.v1.CheckupService/CreateCheckupLink";
        let message = linking(scope).encode_to_vec();
        let answer = raw::call(&self.channel, Some(&self.key), rpc, message, 1).await;
        if let Ok(messages) = answer {
            let link = v1::CheckupLink::decode(messages.concat().as_slice());
            let page = look(self.house, &link.expect("a link").path).await;
            let page = page.bytes().await.expect("a page");
            self.hear("the page of the check-up", &page);
        }
    }

    /// Every RPC: as it should be called, once more, and damaged.
    async fn everything(&mut self, names: &Names) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let scope = names.of("partnership");
        self.page(&scope).await;
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
    let _listening = Listening::to(&unlogged());
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

/// What one of three firms keeps to itself, and to whoever bills the client: its costs, its share, what is
/// taken back of that, and what it is owed.
fn kept_by([price, cost]: [i64; 2]) -> Vec<i64> {
    let costs = [NORTH_CENTS[1], COST_CENTS, WEST_CENTS[1]];
    let total: i128 = costs.iter().map(|cost| i128::from(*cost)).sum();
    let part = |of: i64| i64::try_from(i128::from(of) * i128::from(cost) / total).unwrap();
    let mut amounts = vec![cost, price - cost];
    for rounded in [0, 1] {
        let (share, back) = (part(CONCESSION_CENTS) + rounded, part(TAKEN_BACK) + rounded);
        amounts.extend([share, price - share, back, -back]);
    }
    amounts
}

/// What north settled with another firm, in February.
async fn settled_with(trio: &Trio, party: &str) -> v1::SettlementStatement {
    let mut settlements = trio.pair.north.connection.settlements();
    let drafted = drafting(&trio.pair.name, party, "2026-02");
    let drafted = ok(settlements.draft_settlement_statement(drafted)).await;
    ok(settlements.issue_settlement_statement(issuing(&drafted.name))).await
}

/// North bills the client and settles with each of the others what was divided by costs. Of what two settle
/// the third one finds nothing anywhere; north learns what the others bear, and is not told their costs.
pub async fn p20_a_third_firm_learns_nothing_of_what_two_settle(house: House) {
    let _listening = Listening::to(&unlogged());
    let (pair, names) = stage::set(&house).await;
    let trio = Trio::of(&house, pair).await;
    let (quote, hash) = blind_quote(&trio, true).await;
    let mut sales = trio.pair.north.connection.sales();
    ok(sales.win_quote(winning(&quote, 2_026_304_490))).await;
    let booked = booking(&quote, v1::Cadence::OneTime, 1, FEBRUARY);
    let booked = ok(sales.book_period(booked)).await;
    let mut reversal = reversing(&quote, &hash, TAKEN_BACK);
    reversal.bill_date = Some(FEBRUARY);
    ok(sales.reverse_concession(reversal)).await;
    let with_south = settled_with(&trio, SOUTH).await;
    let with_west = settled_with(&trio, WEST).await;
    let south_cents = [PRICE_CENTS, COST_CENTS];
    let costs = |[price, cost]: [i64; 2]| [cost, price - cost];
    let third_firms = [
        (
            "west",
            &trio.west,
            &with_south,
            [kept_by(NORTH_CENTS), kept_by(south_cents)],
        ),
        (
            "south",
            &trio.pair.south,
            &with_west,
            [kept_by(NORTH_CENTS), kept_by(WEST_CENTS)],
        ),
        (
            "north",
            &trio.pair.north,
            &with_west,
            [south_cents, WEST_CENTS].map(|it| costs(it).to_vec()),
        ),
    ];
    for (caller, firm, issued, kept) in third_firms {
        let secrets = Secrets::of(kept.concat());
        if caller != "north" {
            // Who settles is told, so the search does find what is there.
            for told in [booked.encode_to_vec(), issued.encode_to_vec()] {
                assert!(secrets.found_in(&told).is_some());
            }
        }
        let names = names
            .clone()
            .with("caller", caller)
            .with("quote", &quote)
            .with("sold", &quote)
            .with("sold_hash", &hash)
            .with("booking", &booked.name)
            .with("issued", &issued.name);
        let mut walk = walk(&house, firm).await;
        walk.secrets = secrets;
        walk.everything(&names).await;
        assert!(walk.told.is_empty(), "{caller}: {:#?}", walk.told);
        assert!(walk.bytes > 100_000, "{caller}: {} bytes", walk.bytes);
    }
    // Nothing that they called took the amounts away.
    let request = v1::GetBookingRequest { name: booked.name };
    let shown = ok(sales.get_booking(request)).await.encode_to_vec();
    let found = Secrets::of(kept_by(south_cents)).found_in(&shown).is_some();
    assert!(found, "north is shown what south bears");
    let (lines, caught) = heard();
    assert!(lines > 0 && caught.is_empty(), "the log tells: {caught:#?}");
    house.stop().await;
}

/// A quote of three firms, divided by their costs: approved by all if it is to be.
async fn blind_quote(trio: &Trio, is_approved: bool) -> (String, String) {
    let pair = &trio.pair;
    let own = [costly("a", NORTH_CENTS[0], NORTH_CENTS[1])];
    let others = [
        (&pair.south, costly("b", PRICE_CENTS, COST_CENTS)),
        (&trio.west, costly("c", WEST_CENTS[0], WEST_CENTS[1])),
    ];
    let name = quote_of(pair, &own, &others).await;
    let proposal = proposing(&name, CONCESSION_CENTS, v1::AllocationBasis::Cost);
    let mut norths = pair.north.connection.pricing();
    let proposed = ok(norths.propose_concession(proposal)).await;
    let hash = proposed.revisions[0].hash.clone();
    for firm in [&pair.south, &trio.west] {
        let request = v1::ApproveConcessionRequest {
            name: name.clone(),
            hash: hash.clone(),
            ..Default::default()
        };
        if is_approved {
            consent(firm, &name).await;
            ok(firm.connection.pricing().approve_concession(request)).await;
        }
    }
    (name, hash)
}

/// Three firms divide by their costs: what the others bear, and what that would tell, reaches nobody.
pub async fn p20_three_firms_are_told_their_own_share(house: House) {
    let _listening = Listening::to(&unlogged());
    let (pair, names) = stage::set(&house).await;
    let trio = Trio::of(&house, pair).await;
    let mut names = names.with("caller", "north");
    for (key, hash) in [
        ("quote", "quote_hash"),
        ("to_approve", "approve_hash"),
        ("to_reject", "reject_hash"),
        ("to_take_back", "take_back_hash"),
        ("to_win", ""),
        ("to_lose", ""),
        ("sold", "sold_hash"),
    ] {
        let (quote, revision) = blind_quote(&trio, key == "sold").await;
        names = names.with(key, &quote);
        if !hash.is_empty() {
            names = names.with(hash, &revision);
        }
    }
    let mut norths = trio.pair.north.connection.sales();
    ok(norths.win_quote(winning(&names.of("sold"), 2_026_304_490))).await;
    let own = shares(&trio.pair.south, &names.of("sold")).await;
    let souths = own
        .iter()
        .filter_map(|(_, share)| *share)
        .collect::<Vec<_>>();
    assert_eq!(souths.len(), 1, "south is told its own share: {own:?}");
    let shown = souths[0].to_string();
    assert!(
        secrets().found_in(shown.as_bytes()).is_some(),
        "{shown} is looked for"
    );

    let mut norths = walk(&house, &trio.pair.north).await;
    norths.everything(&names).await;
    assert!(norths.told.is_empty(), "{:#?}", norths.told);
    let (lines, caught) = heard();
    assert!(lines > 0 && caught.is_empty(), "the log tells: {caught:#?}");
    house.stop().await;
}
