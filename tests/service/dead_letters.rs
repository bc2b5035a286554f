//! What a subscription's target does not take.

use std::sync::Arc;

use entente::proto::v1::{self, SubscriptionState};
use entente::server::delivery::Deliverer;

use super::calls::ok;
use super::house::{HOUR, House, MINUTE};
use super::setting::Pair;
use super::targets::{Target, dead_letters, deliver, deliverer, shown, subscribe};

/// What is not taken is tried again, later each time; then it is given up, listed, and can be replayed.
/// What comes after it waits until then.
pub async fn dead_letters_are_listed_and_replayed(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(MINUTE);
    let target = Target::start().await;
    let subscription = subscribe(&pair, &pair.name, &target.uri()).await;
    let replica = deliverer(&house);
    deliver(&replica).await;
    house.pass(MINUTE);
    pair.offer().await;
    target.always(500);
    deliver(&replica).await;
    let first = target.taken();
    assert_eq!(first.len(), 1, "the others wait");
    deliver(&replica).await;
    assert_eq!(target.taken().len(), 0, "not at once");
    let mut attempts = 1;
    while dead_letters(&pair, &subscription.name).await.is_empty() {
        house.pass(HOUR);
        replica.deliver_once().await.unwrap();
        let again = target.taken();
        assert_eq!(again.len(), 1);
        assert_eq!(
            again[0].id, first[0].id,
            "the same one, until it is given up"
        );
        attempts += 1;
        assert!(attempts <= 10, "it is never given up");
    }
    assert_eq!(attempts, 10);
    let dead = dead_letters(&pair, &subscription.name).await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].last_error, "answered 500");
    assert_eq!(
        (dead[0].attempt_count, dead[0].scope.as_str()),
        (10, pair.name.as_str())
    );
    assert_eq!(
        first[0].id,
        format!("{}/{}", dead[0].scope, dead[0].sequence)
    );

    target.always(200);
    deliver(&replica).await;
    let rest = target.taken();
    assert!(!rest.is_empty() && rest.iter().all(|posted| posted.id != first[0].id));
    replayed(&pair, &subscription, &replica, &target, &first[0].id).await;
    house.stop().await;
}

/// The one dead letter is tried once more, in vain, and then again.
async fn replayed(
    pair: &Pair,
    subscription: &v1::Subscription,
    replica: &Arc<Deliverer>,
    target: &Target,
    id: &str,
) {
    let replaying = v1::ReplayDeadLettersRequest {
        parent: subscription.name.clone(),
        request_id: "again".to_owned(),
        ..Default::default()
    };
    let mut webhooks = pair.north.connection.webhooks();
    target.always(503);
    let answer = ok(webhooks.replay_dead_letters(replaying.clone())).await;
    assert_eq!(answer.replayed_count, 1);
    let waiting = dead_letters(pair, &subscription.name).await;
    assert!(waiting[0].replay_time.is_some());
    deliver(replica).await;
    let dead = dead_letters(pair, &subscription.name).await;
    assert_eq!(
        (dead[0].attempt_count, dead[0].last_error.as_str()),
        (11, "answered 503")
    );
    assert!(dead[0].replay_time.is_none(), "once is once");
    target.taken();
    target.always(200);
    let replaying = v1::ReplayDeadLettersRequest {
        request_id: "once more".to_owned(),
        ..replaying
    };
    ok(webhooks.replay_dead_letters(replaying)).await;
    deliver(replica).await;
    assert_eq!(target.taken()[0].id, id);
    assert_eq!(dead_letters(pair, &subscription.name).await, []);
}

/// A target that takes nothing for a day, or says that it is gone, is not called any more; once it is
/// enabled again nothing is missing.
pub async fn targets_that_fail_are_disabled(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(MINUTE);
    let (failing, gone) = (Target::start().await, Target::start().await);
    let one = subscribe(&pair, &pair.name, &failing.uri()).await;
    let other = subscribe(&pair, &pair.name, &gone.uri()).await;
    let replica = deliverer(&house);
    deliver(&replica).await;
    house.pass(MINUTE);
    for _ in 0..3 {
        pair.offer().await;
    }
    failing.answers(|_, _| (302, Some("http://127.0.0.1:1/".to_owned())));
    gone.always(410);
    for _ in 0..30 {
        replica.deliver_once().await.unwrap();
        house.pass(HOUR);
    }
    let disabled = shown(&pair, &one.name).await;
    assert_eq!(disabled.state(), SubscriptionState::Disabled);
    let reason = v1::SubscriptionDisableReason::TargetFailing;
    assert_eq!(disabled.disable_reason(), reason);
    let reason = v1::SubscriptionDisableReason::TargetGone;
    assert_eq!(shown(&pair, &other.name).await.disable_reason(), reason);
    assert_eq!(gone.taken().len(), 1);
    failing.taken();
    replica.deliver_once().await.unwrap();
    assert_eq!(failing.taken().len(), 0);

    failing.always(200);
    gone.always(200);
    let mut webhooks = pair.north.connection.webhooks();
    for name in [&one.name, &other.name] {
        let name = name.clone();
        let request = v1::EnableSubscriptionRequest {
            name,
            ..Default::default()
        };
        let enabled = ok(webhooks.enable_subscription(request)).await;
        assert_eq!(enabled.state(), SubscriptionState::Active);
        let replay = v1::ReplayDeadLettersRequest {
            parent: enabled.name,
            ..Default::default()
        };
        ok(webhooks.replay_dead_letters(replay)).await;
    }
    deliver(&replica).await;
    let ids = |target: &Target| {
        let mut ids: Vec<String> = target.taken().into_iter().map(|posted| posted.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&failing), ids(&gone), "nothing is missing");
    house.stop().await;
}
