//! Who is served when, and how much may wait.

use super::*;
use crate::domain::command::Action;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::Kind;

fn pending(firm: &str, number: usize, urgency: Urgency) -> Pending {
    let (reply, _) = oneshot::channel();
    let command = Command {
        scope: ScopeId::partnership("p"),
        firm: FirmId::parse(firm),
        actor: String::new(),
        origin: String::new(),
        request_id: number.to_string(),
        digest: [0; 32],
        expected_revision: None,
        action: Action::Tick {
            kind: Kind::Ticket,
            id: String::new(),
        },
        openings: Vec::new(),
    };
    Pending {
        command,
        deadline: None,
        urgency,
        deferrals: 0,
        in_doubt: false,
        reply,
    }
}

fn order(batch: &[Pending]) -> Vec<String> {
    batch
        .iter()
        .map(|pending| {
            format!(
                "{}{}",
                firm_of(&pending.command),
                pending.command.request_id
            )
        })
        .collect()
}

#[tokio::test]
async fn firms_take_turns_and_keep_their_own_order() {
    let queue = Queue::new(1);
    for number in 0..3 {
        assert!(
            queue
                .push(pending("a", number, Urgency::Interactive))
                .is_ok()
        );
    }
    assert!(queue.push(pending("b", 0, Urgency::Interactive)).is_ok());
    let batch = queue.take(0, 10).await.map(|batch| order(&batch));
    assert_eq!(
        batch,
        Some(vec!["a0".into(), "b0".into(), "a1".into(), "a2".into()])
    );
}

#[tokio::test]
async fn background_yields_but_does_not_starve() {
    let queue = Queue::new(1);
    for number in 0..16 {
        assert!(
            queue
                .push(pending("a", number, Urgency::Interactive))
                .is_ok()
        );
        assert!(
            queue
                .push(pending("z", number, Urgency::Background))
                .is_ok()
        );
    }
    let batch = queue
        .take(0, 16)
        .await
        .map(|batch| order(&batch))
        .unwrap_or_default();
    assert_eq!(batch.iter().filter(|name| name.starts_with('z')).count(), 2);
    assert_eq!(batch[7], "z0");
}

#[tokio::test]
async fn batches_are_short_while_people_call() {
    let queue = Queue::new(1);
    for number in 0..2_000 {
        assert!(
            queue
                .push(pending("z", number, Urgency::Background))
                .is_ok()
        );
    }
    let most = 100;
    let taken = async || queue.take(0, most).await.map_or(0, |batch| batch.len());
    assert_eq!(taken().await, most, "nobody calls");
    assert!(queue.push(pending("a", 0, Urgency::Interactive)).is_ok());
    assert_eq!(taken().await, BACKGROUND_WHILE_BUSY_MAX + 1);
    for _ in 0..CALM_AFTER_BATCHES {
        assert_eq!(taken().await, BACKGROUND_WHILE_BUSY_MAX);
    }
    assert_eq!(taken().await, most, "nobody has called for a while");
}

#[tokio::test]
async fn quotas_at_the_limit_and_beyond() {
    let queue = Queue::new(1);
    for number in 0..WAITING_PER_FIRM_MAX {
        assert!(
            queue
                .push(pending("a", number, Urgency::Interactive))
                .is_ok()
        );
    }
    let refused = queue
        .push(pending("a", 0, Urgency::Interactive))
        .unwrap_err();
    assert_eq!(refused.reason(), Reason::FirmQuotaExceeded);
    assert!(queue.push(pending("b", 0, Urgency::Interactive)).is_ok());
    for firm in ["c", "d", "e"] {
        for number in 0..WAITING_PER_FIRM_MAX {
            let _ = queue.push(pending(firm, number, Urgency::Interactive));
        }
    }
    assert_eq!(queue.len(), WAITING_MAX);
    let refused = queue
        .push(pending("f", 0, Urgency::Interactive))
        .unwrap_err();
    assert_eq!(refused.reason(), Reason::QueueFull);
}

#[tokio::test]
async fn what_is_put_back_comes_first_and_a_closed_queue_ends() {
    let queue = Queue::new(1);
    for number in 0..2 {
        assert!(
            queue
                .push(pending("a", number, Urgency::Interactive))
                .is_ok()
        );
    }
    let mut batch = queue.take(0, 1).await.unwrap_or_default();
    queue.put_back(batch.remove(0));
    queue.close();
    assert_eq!(
        queue
            .push(pending("a", 9, Urgency::Interactive))
            .unwrap_err()
            .reason(),
        Reason::ServiceStopping
    );
    assert_eq!(
        queue.take(0, 10).await.map(|batch| order(&batch)),
        Some(vec!["a0".into(), "a1".into()])
    );
    assert!(queue.take(0, 10).await.is_none());
}

#[tokio::test]
async fn a_scope_keeps_to_its_lane() {
    let queue = Queue::new(3);
    let scopes: Vec<String> = (0..20).map(|number| format!("p{number}")).collect();
    for number in 0..3 {
        for scope in &scopes {
            let mut pending = pending("a", number, Urgency::Interactive);
            pending.command.scope = ScopeId::partnership(scope);
            assert!(queue.push(pending).is_ok());
        }
    }
    queue.close();
    let mut lanes = Vec::new();
    for lane in 0..3 {
        let batch = queue.take(lane, 100).await.unwrap_or_default();
        assert!(!batch.is_empty(), "every lane is used");
        let of = |number: &str| -> Vec<String> {
            let commands = batch.iter().map(|pending| &pending.command);
            let commands = commands.filter(|command| command.request_id == number);
            commands.map(|command| command.scope.to_string()).collect()
        };
        assert_eq!((of("0"), of("1")), (of("1"), of("2")));
        lanes.extend(of("0"));
        assert!(queue.take(lane, 1).await.is_none(), "closed and empty");
    }
    lanes.sort();
    let mut all: Vec<String> = scopes
        .iter()
        .map(|scope| ScopeId::partnership(scope).to_string())
        .collect();
    all.sort();
    assert_eq!(lanes, all);
}

#[test]
fn a_quota_counts_every_lane() {
    let queue = Queue::new(4);
    let push = |number: usize| {
        let mut pending = pending("a", number, Urgency::Interactive);
        pending.command.scope = ScopeId::partnership(&format!("p{number}"));
        queue.push(pending)
    };
    for number in 0..WAITING_PER_FIRM_MAX {
        assert!(push(number).is_ok());
    }
    let refused = push(WAITING_PER_FIRM_MAX).map_err(|failure| failure.reason());
    assert_eq!(refused, Err(Reason::FirmQuotaExceeded));
}
