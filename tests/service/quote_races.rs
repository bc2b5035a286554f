//! Three firms propose, approve, reject, withdraw and add portions at once, without waiting for one
//! another. Whatever the server accepted, in the order of its journal, has to be legal by a second
//! telling of the rules, and has to lead to what everybody is shown at the end.

use std::collections::{BTreeMap, BTreeSet};

use entente::api::SEQUENCE_METADATA;
use entente::proto::v1::{self, AllocationBasis, ConcessionState};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tonic::{Response, Status};

use super::calls::{Refused, ok};
use super::house::{Firm, House};
use super::setting::{NORTH, Pair, SOUTH, cents, euros, portion};
use super::trio::{Trio, WEST};

/// Quotes that are fought over, one after the other.
const QUOTES: u64 = 4;
/// Moves of each of the three firms on one quote.
const MOVES: usize = 30;
/// What a portion of the beginning costs the client, in cents.
const PRICE_CENTS: i64 = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Move {
    Propose(i64),
    Approve(String),
    Reject(String),
    Withdraw(String),
    AddPortion,
}

/// A move that the server accepted.
#[derive(Debug)]
struct Deed {
    sequence: u64,
    party: &'static str,
    made: Move,
}

/// A revision by the second telling.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    concession: i64,
    proposer: String,
    approvals: BTreeSet<String>,
    state: ConcessionState,
}

/// A quote by the second telling.
#[derive(Debug, Default)]
struct Telling {
    portions: usize,
    revisions: Vec<Told>,
}

impl Telling {
    fn in_state(&mut self, state: ConcessionState) -> Option<&mut Told> {
        let mut found = self.revisions.iter_mut();
        found.find(|revision| revision.state == state)
    }

    fn waiting(&mut self, number: usize, deed: &Deed) -> &mut Told {
        let revision = &mut self.revisions[number];
        let state = revision.state;
        assert_eq!(state, ConcessionState::Proposed, "{deed:?} was accepted");
        revision
    }

    /// Carries out what was accepted; `numbers` gives the revision of a hash, from 0.
    fn follow(&mut self, deed: &Deed, numbers: &BTreeMap<String, usize>) {
        use ConcessionState::{Approved, Proposed, Rejected, Superseded, Withdrawn};
        match &deed.made {
            Move::Propose(concession) => {
                if let Some(open) = self.in_state(Proposed) {
                    open.state = Superseded;
                }
                self.revisions.push(Told {
                    concession: *concession,
                    proposer: deed.party.to_owned(),
                    approvals: BTreeSet::from([deed.party.to_owned()]),
                    state: Proposed,
                });
            }
            Move::Approve(hash) => {
                let open = self.waiting(numbers[hash], deed);
                assert!(open.approvals.insert(deed.party.to_owned()), "{deed:?}");
                if open.approvals.len() == 3 {
                    if let Some(before) = self.in_state(Approved) {
                        before.state = Superseded;
                    }
                    self.revisions[numbers[hash]].state = Approved;
                }
            }
            Move::Reject(hash) => {
                let open = self.waiting(numbers[hash], deed);
                assert_ne!(open.proposer, deed.party, "{deed:?}");
                open.state = Rejected;
            }
            Move::Withdraw(hash) => {
                let open = self.waiting(numbers[hash], deed);
                assert_eq!(open.proposer, deed.party, "{deed:?}");
                open.state = Withdrawn;
            }
            Move::AddPortion => {
                assert!(self.in_state(Approved).is_none(), "{deed:?} was accepted");
                if let Some(open) = self.in_state(Proposed) {
                    open.state = Superseded;
                }
                self.portions += 1;
            }
        }
        let count = |state| self.revisions.iter().filter(|it| it.state == state).count();
        assert!(count(Proposed) <= 1 && count(Approved) <= 1, "{deed:?}");
    }
}

/// One firm that acts by itself.
struct Player<'house> {
    firm: &'house Firm,
    party: &'static str,
    quote: String,
    rng: ChaCha8Rng,
    /// Hashes that it approved, be it by proposing.
    approved: BTreeSet<String>,
    deeds: Vec<Deed>,
    refusals: Vec<Refused>,
}

impl Player<'_> {
    async fn play(mut self) -> (Vec<Deed>, Vec<Refused>) {
        for number in 0..MOVES {
            let seen = shown(self.firm, &self.quote).await;
            // Others go on while this one thinks.
            for _ in 0..self.rng.random_range(0..4) {
                tokio::task::yield_now().await;
            }
            let made = self.choose(&seen);
            let answer = self.act(&made, number).await;
            self.note(made, answer);
        }
        (self.deeds, self.refusals)
    }

    fn choose(&mut self, seen: &v1::JointQuote) -> Move {
        let hashes: Vec<&str> = seen.revisions.iter().map(|it| it.hash.as_str()).collect();
        // Mostly the latest; now and then one of long ago.
        let hash = match self.rng.random_range(0..8) {
            0 => hashes.choose(&mut self.rng).copied(),
            _ => hashes.last().copied(),
        };
        let choice = self.rng.random_range(0..20);
        match (choice, hash.map(str::to_owned)) {
            (0..9, Some(hash)) => Move::Approve(hash),
            (9 | 10, Some(hash)) => Move::Reject(hash),
            (11..15, Some(hash)) => Move::Withdraw(hash),
            (15, _) => Move::AddPortion,
            _ => Move::Propose(self.rng.random_range(1..3 * PRICE_CENTS)),
        }
    }

    async fn act(&self, made: &Move, number: usize) -> Result<Response<v1::JointQuote>, Status> {
        let mut pricing = self.firm.connection.pricing();
        let name = self.quote.clone();
        match made.clone() {
            Move::Propose(concession) => {
                let request = v1::ProposeConcessionRequest {
                    name,
                    concession: Some(euros(concession)),
                    basis: AllocationBasis::Price.into(),
                    ..Default::default()
                };
                pricing.propose_concession(request).await
            }
            Move::Approve(hash) => {
                let request = v1::ApproveConcessionRequest {
                    name,
                    hash,
                    ..Default::default()
                };
                pricing.approve_concession(request).await
            }
            Move::Reject(hash) => {
                let request = v1::RejectConcessionRequest {
                    name,
                    hash,
                    ..Default::default()
                };
                pricing.reject_concession(request).await
            }
            Move::Withdraw(hash) => {
                let request = v1::WithdrawConcessionRequest {
                    name,
                    hash,
                    ..Default::default()
                };
                pricing.withdraw_concession(request).await
            }
            Move::AddPortion => {
                let id = format!("{}-{number}", self.party);
                let request = v1::AddPortionRequest {
                    name,
                    portion: Some(portion(&id, 100)),
                    ..Default::default()
                };
                pricing.add_portion(request).await
            }
        }
    }

    fn note(&mut self, made: Move, answer: Result<Response<v1::JointQuote>, Status>) {
        match answer {
            Err(status) => self.refusals.push(Refused::from(&status)),
            Ok(response) => {
                let sequence = response.metadata().get(SEQUENCE_METADATA).unwrap();
                let sequence = sequence.to_str().unwrap().parse().unwrap();
                // Approving again is accepted and changes nothing.
                let is_new = match &made {
                    Move::Approve(hash) => self.approved.insert(hash.clone()),
                    _ => true,
                };
                let quote = response.into_inner();
                let own = quote.revisions.iter();
                let own = own.filter(|revision| revision.proposer == self.party);
                self.approved
                    .extend(own.map(|revision| revision.hash.clone()));
                if is_new {
                    self.deeds.push(Deed {
                        sequence,
                        party: self.party,
                        made,
                    });
                }
            }
        }
    }
}

async fn shown(firm: &Firm, quote: &str) -> v1::JointQuote {
    let request = v1::GetJointQuoteRequest {
        name: quote.to_owned(),
    };
    ok(firm.connection.pricing().get_joint_quote(request)).await
}

/// A quote with a portion of each firm.
async fn quote(trio: &Trio) -> v1::JointQuote {
    let pair: &Pair = &trio.pair;
    let quote = pair
        .quote(&[("a", PRICE_CENTS)], &[("b", PRICE_CENTS)])
        .await;
    let request = v1::AddPortionRequest {
        name: quote.name,
        portion: Some(portion("c", PRICE_CENTS)),
        ..Default::default()
    };
    ok(trio.west.connection.pricing().add_portion(request)).await
}

/// Every refusal is one that being too late explains.
fn check_refusals(refusals: &[Refused]) {
    let expected = [
        "INVALID_STATE",
        "STALE_HASH",
        "NOT_YOUR_OFFER",
        "CONCESSION_TOO_LARGE",
    ];
    for refused in refusals {
        assert!(expected.contains(&refused.reason.as_str()), "{refused:?}");
    }
}

/// What one firm is shown agrees with the second telling.
fn check(telling: &Telling, seen: &v1::JointQuote, context: &str) {
    assert_eq!(seen.portions.len(), telling.portions, "{context}");
    assert_eq!(seen.revisions.len(), telling.revisions.len(), "{context}");
    let mut previous = "0".repeat(64);
    for (revision, told) in seen.revisions.iter().zip(&telling.revisions) {
        let approvals = revision.approvals.iter();
        let shown = Told {
            concession: cents(revision.concession.as_ref()),
            proposer: revision.proposer.clone(),
            approvals: approvals
                .map(|approval| approval.party_id.clone())
                .collect(),
            state: revision.state(),
        };
        assert_eq!(&shown, told, "{context}: revision {}", revision.number);
        let cadences = revision.cadences.iter();
        let shares = cadences.flat_map(|cadence| &cadence.shares);
        let shares: i64 = shares.map(|share| cents(share.share.as_ref())).sum();
        assert_eq!(shares, shown.concession, "{context}");
        assert_eq!(revision.previous_hash, previous, "{context}");
        previous.clone_from(&revision.hash);
    }
}

async fn fight(house: &House, trio: &Trio, seed: u64) -> (Telling, Vec<Deed>, Vec<Refused>) {
    let quote = quote(trio).await;
    let before = house.head(&trio.pair.name).await.sequence;
    let player = |firm, party, number: u64| Player {
        firm,
        party,
        quote: quote.name.clone(),
        rng: ChaCha8Rng::seed_from_u64(seed * 3 + number),
        approved: BTreeSet::new(),
        deeds: Vec::new(),
        refusals: Vec::new(),
    };
    let (north, south, west) = tokio::join!(
        player(&trio.pair.north, NORTH, 0).play(),
        player(&trio.pair.south, SOUTH, 1).play(),
        player(&trio.west, WEST, 2).play(),
    );
    let mut deeds = Vec::new();
    let mut refusals = Vec::new();
    for (done, refused) in [north, south, west] {
        deeds.extend(done);
        refusals.extend(refused);
    }
    deeds.sort_by_key(|deed| deed.sequence);
    let context = format!("seed {seed}: {deeds:#?}");
    // Everything that was accepted has an entry of its own, and there is no other.
    let sequences: Vec<u64> = deeds.iter().map(|deed| deed.sequence).collect();
    let last = house.head(&trio.pair.name).await.sequence;
    assert_eq!(
        sequences,
        (before + 1..=last).collect::<Vec<_>>(),
        "{context}"
    );
    let last = shown(&trio.west, &quote.name).await;
    let hashes = last.revisions.iter().map(|revision| revision.hash.clone());
    let numbers = hashes.enumerate().map(|(number, hash)| (hash, number));
    let numbers = numbers.collect();
    let mut telling = Telling {
        portions: 3,
        ..Default::default()
    };
    for deed in &deeds {
        telling.follow(deed, &numbers);
    }
    for firm in [&trio.pair.north, &trio.pair.south, &trio.west] {
        check(&telling, &shown(firm, &quote.name).await, &context);
    }
    (telling, deeds, refusals)
}

/// Nothing is lost, nothing counts twice, and only what all three approved is in force.
pub async fn revisions_under_concurrent_moves(house: House) {
    let trio = Trio::active(&house).await;
    let mut reached = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    for seed in 0..QUOTES {
        let (telling, deeds, refusals) = Box::pin(fight(&house, &trio, seed)).await;
        assert!(!deeds.is_empty() && !refusals.is_empty(), "seed {seed}");
        check_refusals(&refusals);
        let states = telling.revisions.iter().map(|revision| revision.state);
        reached.extend(states.map(|state| state.as_str_name()));
        reasons.extend(refusals.into_iter().map(|refused| refused.reason));
    }
    for state in ["APPROVED", "REJECTED", "WITHDRAWN", "SUPERSEDED"] {
        let name = format!("CONCESSION_STATE_{state}");
        assert!(
            reached.contains(name.as_str()),
            "never {state}: {reached:?}"
        );
    }
    assert!(
        reasons.contains("STALE_HASH") || reasons.contains("INVALID_STATE"),
        "{reasons:?}"
    );
    house.stop().await;
}
