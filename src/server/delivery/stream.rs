//! New entries of one journal, in their order.

use super::post::Outcome;
use super::{Deliverer, count};
use crate::api::Found;
use crate::api::status::ApiError;
use crate::api::webhook::outbound;
use crate::domain::command::Action;
use crate::domain::identity::ScopeId;
use crate::domain::journal::Entry;
use crate::domain::subscription::{DisableReason, Subscription};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::queue::Urgency;
use crate::ledger::sweep::service_command;
use crate::store::deliveries::{DeadLetterRow, DeliveryRow};

/// How long a replica has what it took up to itself. Longer than a post takes.
pub(super) const LEASE: Span = Span::from_seconds(60);
/// Entries read at a time.
const ENTRIES_TOGETHER: usize = 50;
/// Most entries posted before others get their turn.
const ENTRIES_MAX: usize = 200;
/// How often it is noted how far posting has come: so many entries may come twice after a crash.
const NOTED_EVERY: usize = 10;
/// How often an entry is tried before it is given up.
pub const ATTEMPTS_MAX: u32 = 10;
/// How long the first pause is; each later one is twice as long.
const PAUSE_FIRST: Span = Span::from_seconds(5);
/// The longest pause.
const PAUSE_MAX: Span = Span::from_hours(1);
/// A pause is made longer by up to so many hundredths, so that not all come back at once.
const JITTER_PERCENT: i64 = 20;
/// For how long a target may take nothing before its subscription is disabled.
pub const FAILING_MAX: Span = Span::from_hours(24);
/// When a journal is looked at again that the firm may not read.
const UNREADABLE_PAUSE: Span = Span::from_hours(1);
/// The entry after which a firm that left may read no more.
const PARTY_LEFT: &str = "partnership.party_left";

/// What is to be done after an entry.
enum Next {
    /// The next one.
    GoOn,
    /// Nothing until the row is due again.
    Stop,
}

impl Deliverer {
    /// Posts new entries of a journal, as far as they go and this replica's turn lasts.
    pub(super) async fn post_entries(&self, found: DeliveryRow) -> Result<(), ApiError> {
        let Some(mut row) = self.take_up(found).await? else {
            return Ok(());
        };
        let subscription = outbound::active(&self.api, &row.scope, &row.subscription).await?;
        let until = outbound::readable_until(&self.api, &row.scope, &row.source).await?;
        let (Some(subscription), Some(until)) = (subscription, until) else {
            row.due_at = self.now().saturating_add(UNREADABLE_PAUSE);
            return self.note(&mut row).await.map(drop);
        };
        let mut handled = 0;
        while handled < ENTRIES_MAX && !self.stop.is_cancelled() {
            let store = self.api.ledger.store();
            let entries = store
                .entries(&row.source, row.sequence, ENTRIES_TOGETHER)
                .await?;
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                if entry.sequence > until {
                    row.due_at = self.now().saturating_add(UNREADABLE_PAUSE);
                    return self.note(&mut row).await.map(drop);
                }
                handled += 1;
                let is_last = entry.event_type == PARTY_LEFT || self.stop.is_cancelled();
                let next = self.post_entry(&mut row, &subscription, entry).await?;
                if matches!(next, Next::Stop) {
                    return self.note(&mut row).await.map(drop);
                }
                if is_last {
                    // What comes after it may not be the firm's to read: that is looked at anew.
                    handled = ENTRIES_MAX;
                    break;
                }
                if handled.is_multiple_of(NOTED_EVERY) {
                    row.due_at = self.now().saturating_add(LEASE);
                    if !self.note(&mut row).await? {
                        return Ok(());
                    }
                }
            }
        }
        row.due_at = self.now();
        self.note(&mut row).await.map(drop)
    }

    /// Has a row to itself for the time of a lease; `None` if another replica was faster.
    async fn take_up(&self, found: DeliveryRow) -> Result<Option<DeliveryRow>, ApiError> {
        let mut row = found;
        row.due_at = self.now().saturating_add(LEASE);
        Ok(self.note(&mut row).await?.then_some(row))
    }

    /// Writes a row, unless another replica has changed it since it was read.
    async fn note(&self, row: &mut DeliveryRow) -> Result<bool, ApiError> {
        row.version += 1;
        Ok(self.store()?.put_delivery(row).await?)
    }

    /// Posts one entry, and changes the row to what came of it.
    async fn post_entry(
        &self,
        row: &mut DeliveryRow,
        subscription: &Found<Subscription>,
        entry: Entry,
    ) -> Result<Next, ApiError> {
        let sequence = entry.sequence;
        if !subscription.state.made.wants(&entry.event_type) {
            row.sequence = sequence;
            return Ok(Next::GoOn);
        }
        match self.post(&row.scope, subscription, entry).await? {
            Outcome::Taken => {
                row.sequence = sequence;
                row.attempts = 0;
                row.failing_since = None;
                row.last_error.clear();
                Ok(Next::GoOn)
            }
            Outcome::Gone => {
                row.due_at = self.now();
                self.disable(row, DisableReason::TargetGone).await?;
                Ok(Next::Stop)
            }
            Outcome::Failed { why, wait } => self.failed(row, sequence, why, wait).await,
        }
    }

    async fn failed(
        &self,
        row: &mut DeliveryRow,
        sequence: u64,
        why: String,
        wait: Span,
    ) -> Result<Next, ApiError> {
        let now = self.now();
        row.attempts = row.attempts.saturating_add(1);
        row.last_error = why;
        let since = *row.failing_since.get_or_insert(now);
        if now.since(since) >= FAILING_MAX {
            // From here on once more, when somebody enables it.
            row.attempts = 0;
            row.failing_since = None;
            row.due_at = now;
            self.disable(row, DisableReason::TargetFailing).await?;
            return Ok(Next::Stop);
        }
        if row.attempts < ATTEMPTS_MAX {
            let pause = self.pause(row.attempts).max(wait);
            row.due_at = now.saturating_add(pause);
            return Ok(Next::Stop);
        }
        let letter = dead_letter(row, sequence, now);
        // If it is there already, an attempt before this one had come just as far.
        self.store()?.put_dead_letter(&letter).await?;
        count("given_up");
        row.sequence = sequence;
        row.attempts = 0;
        row.due_at = now;
        Ok(Next::Stop)
    }

    /// How long to wait after so many attempts.
    fn pause(&self, attempts: u32) -> Span {
        let mut random = [0];
        self.api.randomness.fill(&mut random);
        pause(attempts, random[0])
    }

    async fn disable(&self, row: &DeliveryRow, reason: DisableReason) -> Result<(), ApiError> {
        disable(self, &row.scope, &row.subscription, reason).await
    }
}

/// Disables a subscription on the service's own behalf.
pub(super) async fn disable(
    deliverer: &Deliverer,
    scope: &ScopeId,
    subscription: &str,
    reason: DisableReason,
) -> Result<(), ApiError> {
    tracing::info!(scope = %scope, subscription, ?reason, "subscription disabled");
    let id = subscription.to_owned();
    let action = Action::DisableSubscription { id, reason };
    let command = service_command(scope, String::new(), action);
    let ledger = &deliverer.api.ledger;
    ledger.submit(command, None, Urgency::Background).await?;
    Ok(())
}

fn dead_letter(row: &DeliveryRow, sequence: u64, now: Timestamp) -> DeadLetterRow {
    DeadLetterRow {
        scope: row.scope.clone(),
        subscription: row.subscription.clone(),
        source: row.source.clone(),
        sequence,
        attempts: row.attempts,
        last_error: row.last_error.clone(),
        failed_at: now,
        due_at: None,
        version: 1,
    }
}

/// Twice as long each time, up to a bound, and a little longer by chance.
fn pause(attempts: u32, random: u8) -> Span {
    let doublings = attempts.saturating_sub(1).min(u64::BITS);
    let factor = 1_i64.checked_shl(doublings).unwrap_or(i64::MAX);
    let micros = PAUSE_FIRST.as_micros().saturating_mul(factor);
    let micros = if micros <= 0 {
        PAUSE_MAX.as_micros()
    } else {
        micros.min(PAUSE_MAX.as_micros())
    };
    let jitter = micros / 100 * JITTER_PERCENT * i64::from(random) / i64::from(u8::MAX);
    Span::from_micros(micros.saturating_add(jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let seconds = |attempts| pause(attempts, 0).as_micros() / 1_000_000;
        let pauses: Vec<i64> = (1..=5).map(seconds).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80]);
        for attempts in [11, 60, 64, 65, u32::MAX] {
            assert_eq!(pause(attempts, 0), PAUSE_MAX, "{attempts}");
        }
        assert_eq!(pause(1, u8::MAX), Span::from_seconds(6));
        let all: i64 = (1..ATTEMPTS_MAX).map(seconds).sum();
        assert!(
            Span::from_seconds(all) < FAILING_MAX,
            "one bad entry disables nothing"
        );
    }
}
