//! Two firms, or two people of one, act on the same offer at once: one wins, the other is told.

use std::future::Future;
use std::pin::Pin;

use entente::proto::v1::{self, ExpectationState, OfferOutcome};
use tonic::{Response, Status};

use super::calls::{Refused, ok};
use super::house::{Firm, House};
use super::setting::{Pair, accepting, agreeing, five_w, fulfilling};

/// How often each pair of actions is tried.
const ROUNDS: usize = 12;

type Answer = Result<Response<v1::Expectation>, Status>;
type Call = Pin<Box<dyn Future<Output = Answer> + Send>>;

#[derive(Clone, Copy, Debug)]
enum Act {
    Agree,
    Counter,
    Decline,
    Withdraw,
    Accept,
    Fulfil,
}

/// The call of `firm`, which saw one offer.
fn call(firm: &Firm, act: Act, name: &str) -> Call {
    let mut expectations = firm.connection.expectations();
    let name = name.to_owned();
    Box::pin(async move {
        match act {
            Act::Agree => expectations.agree_expectation(agreeing(&name, 1)).await,
            Act::Counter => {
                let request = v1::CounterExpectationRequest {
                    name,
                    five_w: Some(five_w(72)),
                    offer_number: 1,
                    ..Default::default()
                };
                expectations.counter_expectation(request).await
            }
            Act::Decline => {
                let request = v1::DeclineExpectationRequest {
                    name,
                    ..Default::default()
                };
                expectations.decline_expectation(request).await
            }
            Act::Withdraw => {
                let request = v1::WithdrawExpectationRequest {
                    name,
                    ..Default::default()
                };
                expectations.withdraw_expectation(request).await
            }
            Act::Accept => {
                let request = accepting(&name, &[0, 1]);
                expectations.accept_fulfilment(request).await
            }
            Act::Fulfil => expectations.fulfil_expectation(fulfilling(&name)).await,
        }
    })
}

/// What an expectation is once `act` has won.
const fn after(act: Act) -> ExpectationState {
    match act {
        Act::Agree => ExpectationState::Agreed,
        Act::Counter => ExpectationState::Countered,
        Act::Decline => ExpectationState::Declined,
        Act::Withdraw => ExpectationState::Withdrawn,
        Act::Accept => ExpectationState::Accepted,
        Act::Fulfil => ExpectationState::Fulfilled,
    }
}

/// Both act at once, this one first by a hair; returns which of them won.
async fn race(
    house: &House,
    pair: &Pair,
    name: &str,
    contenders: [(&Firm, Act); 2],
    turned: bool,
) -> usize {
    let before = house.head(&pair.name).await.sequence;
    let calls = contenders.map(|(firm, act)| call(firm, act, name));
    let [first, second] = calls;
    let (left, right) = if turned {
        let second = tokio::spawn(second);
        let first = tokio::spawn(first);
        (first.await.unwrap(), second.await.unwrap())
    } else {
        let first = tokio::spawn(first);
        let second = tokio::spawn(second);
        (first.await.unwrap(), second.await.unwrap())
    };
    let (winner, won, lost) = match (left, right) {
        (Ok(won), Err(lost)) => (0, won.into_inner(), lost),
        (Err(lost), Ok(won)) => (1, won.into_inner(), lost),
        both => panic!(
            "{contenders:?}: {both:?}",
            contenders = contenders.map(|it| it.1)
        ),
    };
    let act = contenders[winner].1;
    assert_eq!(won.state(), after(act));
    // The journal has exactly one outcome, and the one that came second is told which.
    assert_eq!(house.head(&pair.name).await.sequence, before + 1);
    let read = v1::GetExpectationRequest {
        name: name.to_owned(),
    };
    let now = ok(pair.north.connection.expectations().get_expectation(read)).await;
    assert_eq!(now.state(), won.state());
    let lost = Refused::from(&lost);
    let told = |key: &str| lost.metadata.get(key).map(String::as_str);
    assert!(
        ["INVALID_STATE", "NOT_YOUR_OFFER"].contains(&lost.reason.as_str()),
        "{lost:?}"
    );
    let state = now.state().as_str_name();
    let state = state
        .trim_start_matches("EXPECTATION_STATE_")
        .to_lowercase();
    assert_eq!(told("state"), Some(state.as_str()), "{lost:?}");
    assert_eq!(told("etag"), Some(now.etag.as_str()), "{lost:?}");
    let offer = now.offers.last().unwrap();
    assert_eq!(
        told("last_offer_number"),
        Some(offer.number.to_string().as_str())
    );
    let outcome = offer.outcome().as_str_name();
    let outcome = outcome.trim_start_matches("OFFER_OUTCOME_").to_lowercase();
    assert_eq!(told("last_offer_outcome"), Some(outcome.as_str()));
    winner
}

impl Pair {
    /// Agreed, done by south and disputed by north.
    pub async fn disputed(&self) -> v1::Expectation {
        let name = self.agreed().await.name;
        let mut souths = self.south.connection.expectations();
        ok(souths.fulfil_expectation(fulfilling(&name))).await;
        let request = v1::DisputeFulfilmentRequest {
            name,
            reason: "it is not logged".to_owned(),
            ..Default::default()
        };
        ok(self
            .north
            .connection
            .expectations()
            .dispute_fulfilment(request))
        .await
    }
}

/// Whatever two do to one open offer at once, one of them wins.
pub async fn two_act_on_one_offer_at_once(house: House) {
    let pair = Pair::active(&house).await;
    let another = house.firm("south").await;
    let (north, south) = (&pair.north, &pair.south);
    let races = [
        [(south, Act::Agree), (north, Act::Withdraw)],
        [(south, Act::Agree), (&another, Act::Counter)],
        [(south, Act::Counter), (north, Act::Withdraw)],
        [(south, Act::Decline), (north, Act::Withdraw)],
        [(south, Act::Counter), (&another, Act::Counter)],
    ];
    for contenders in races {
        for round in 0..ROUNDS {
            let name = pair.offer().await.name;
            race(&house, &pair, &name, contenders, round % 2 == 1).await;
        }
    }
    house.stop().await;
}

/// What comes of a dispute, too, is decided by one of them.
pub async fn two_act_on_one_dispute_at_once(house: House) {
    let pair = Pair::active(&house).await;
    let (north, south) = (&pair.north, &pair.south);
    let races = [
        [(south, Act::Counter), (north, Act::Counter)],
        [(south, Act::Fulfil), (north, Act::Counter)],
        [(south, Act::Counter), (north, Act::Accept)],
    ];
    for contenders in races {
        for round in 0..ROUNDS {
            let name = pair.disputed().await.name;
            let winner = race(&house, &pair, &name, contenders, round % 2 == 1).await;
            let read = v1::GetExpectationRequest { name };
            let now = ok(north.connection.expectations().get_expectation(read)).await;
            let countered = matches!(contenders[winner].1, Act::Counter);
            assert_eq!(now.offers.len(), 1 + usize::from(countered));
            assert_eq!(
                now.offers[0].outcome(),
                OfferOutcome::Agreed,
                "what was agreed stays"
            );
        }
    }
    house.stop().await;
}
