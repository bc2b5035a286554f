//! The sweeper: finds records that are due and submits ordinary commands for them.
//!
//! It reads without locks, so several replicas may find the same record; the head's lock and the
//! record's state make each thing happen once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::measure::{self, Stopwatch};
use super::queue::Urgency;
use super::{Failure, Ledger, closing, refresh};
use crate::domain::carry::{CarriedAction, Carry, CarryOutcome};
use crate::domain::command::{Action, Command};
use crate::domain::firm::FirmCommand;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::partnership::PartnershipCommand;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::Reason;
use crate::domain::time::MICROS_PER_SECOND;
use crate::store::StoreError;

/// How often the sweeper looks.
pub const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// How often requests that may be forgotten are forgotten.
const PURGE_EVERY: Duration = Duration::from_mins(1);
/// Most due records taken at a time.
pub const DUE_MAX: usize = 512;
/// Most requests forgotten at a time.
const PURGED_MAX: usize = 5_000;

/// Sweeps until cancelled.
pub async fn run(ledger: Ledger, stop: CancellationToken) {
    let mut next_purge = tokio::time::Instant::now() + PURGE_EVERY;
    let mut last_swept = Stopwatch::begin();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        // A failure here is a failure of the database; the next sweep tries again.
        match sweep_all(&ledger, &stop).await {
            Ok(()) => last_swept = Stopwatch::begin(),
            Err(error) => {
                tracing::warn!(%error, "sweep failed");
                // What became due since then was not seen.
                measure::sweep_lag(last_swept.seconds());
            }
        }
        if tokio::time::Instant::now() >= next_purge {
            next_purge = tokio::time::Instant::now() + PURGE_EVERY;
            if let Err(error) = ledger
                .store()
                .purge_requests(ledger.clock().now(), PURGED_MAX)
                .await
            {
                tracing::warn!(%error, "requests could not be purged");
            }
        }
    }
}

/// Sweeps until nothing more is due.
async fn sweep_all(ledger: &Ledger, stop: &CancellationToken) -> Result<(), StoreError> {
    while !stop.is_cancelled() {
        let swept = sweep_once(ledger).await?;
        if !swept.has_more || swept.advanced == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// What one look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Records that were due.
    pub found: usize,
    /// Those among them for which something could be done.
    pub advanced: usize,
    /// Whether another look will find something to do at once.
    pub has_more: bool,
}

/// Looks once, and waits until what was found has been carried out.
///
/// # Errors
/// What the store says of the look itself.
pub async fn sweep_once(ledger: &Ledger) -> Result<Swept, StoreError> {
    let due = ledger
        .store()
        .due_records(ledger.clock().now(), DUE_MAX)
        .await?;
    let lag = due.first().map_or(0, |oldest| {
        let lag = ledger.clock().now().since(oldest.due_at);
        u32::try_from(lag.as_micros() / MICROS_PER_SECOND).unwrap_or_default()
    });
    measure::sweep_lag(lag.into());
    let found = due.len();
    let (mut carries, mut agreements, mut ticks) = (Vec::new(), Vec::new(), Vec::new());
    let mut ended = Vec::new();
    for row in due {
        match row.key.kind {
            Kind::Carry => carries.push(row),
            Kind::Agreement => agreements.push(row.key),
            Kind::Partnership => ended.push(row.key),
            _ => ticks.push(tick(&row.key)),
        }
    }
    let mut has_more = found >= DUE_MAX;
    let mut advanced = 0;
    for outcome in ledger.submit_all(ticks, None, Urgency::Background).await {
        match outcome {
            Ok(_) => advanced += 1,
            Err(failure) => tracing::warn!(%failure, "a tick failed"),
        }
    }
    for row in carries {
        match carry(ledger, &row.key).await {
            Ok(()) => advanced += 1,
            Err(failure) => tracing::warn!(%failure, id = row.key.id, "a carry failed"),
        }
    }
    for key in agreements {
        match refresh::advance(ledger, &key).await {
            Ok(is_done) => {
                advanced += 1;
                has_more |= !is_done;
            }
            Err(failure) => tracing::warn!(%failure, id = key.id, "a refresh failed"),
        }
    }
    for key in ended {
        match closing::advance(ledger, &key).await {
            Ok(is_done) => {
                advanced += 1;
                has_more |= !is_done;
            }
            Err(failure) => tracing::warn!(%failure, id = key.id, "a closing failed"),
        }
    }
    Ok(Swept {
        found,
        advanced,
        has_more,
    })
}

pub(crate) fn service_command(scope: &ScopeId, request_id: String, action: Action) -> Command {
    Command {
        scope: scope.clone(),
        firm: None,
        actor: String::new(),
        origin: String::new(),
        request_id,
        digest: [0; 32],
        expected_revision: None,
        action,
        openings: Vec::new(),
    }
}

fn tick(key: &RecordKey) -> Command {
    let action = Action::Tick {
        kind: key.kind,
        id: key.id.clone(),
    };
    service_command(&key.scope, String::new(), action)
}

/// Carries work to the scope it is for, and notes how it went. Doing it again does no harm.
///
/// # Errors
/// If a scope could not be reached; the carry then stays due.
pub async fn carry(ledger: &Ledger, key: &RecordKey) -> Result<(), Failure> {
    let Some(carry) = pending_carry(ledger, key).await? else {
        return Ok(());
    };
    let request_id = format!("carry:{}/{}", key.scope, key.id);
    let mut command = service_command(&carry.target, request_id, carried_action(&carry.action));
    command.firm = Some(carrying_firm(&carry.action));
    let outcome = match ledger
        .submit_alone(command, None, Urgency::Interactive)
        .await
    {
        Ok(_) => CarryOutcome::Done,
        Err(failure) if is_passing(failure.reason()) => return Err(failure),
        Err(failure) => CarryOutcome::Refused(failure.reason().as_str().to_owned()),
    };
    let action = Action::SettleCarry {
        id: key.id.clone(),
        outcome,
    };
    let settle = service_command(&key.scope, String::new(), action);
    ledger
        .submit_alone(settle, None, Urgency::Interactive)
        .await
        .map(|_| ())
}

async fn pending_carry(ledger: &Ledger, key: &RecordKey) -> Result<Option<Carry>, Failure> {
    Ok(match stored(ledger, key).await? {
        Some(Record::Carry(carry)) if carry.due_at.is_some() => Some(*carry),
        _ => None,
    })
}

/// The record as it is stored now.
///
/// # Errors
/// [`Reason::StoreUnavailable`].
pub(super) async fn stored(ledger: &Ledger, key: &RecordKey) -> Result<Option<Record>, Failure> {
    let rows = ledger.store().records(std::slice::from_ref(key)).await;
    let rows = rows.map_err(|error| unavailable(&error))?;
    let versioned = rows.first().map(super::rows::decode_row).transpose();
    let versioned = versioned.map_err(|error| unavailable(&error))?;
    Ok(versioned.map(|versioned| versioned.record))
}

pub(super) fn unavailable(error: &StoreError) -> Failure {
    Failure::refused(Reason::StoreUnavailable, &error.to_string())
}

fn carried_action(action: &CarriedAction) -> Action {
    match action {
        CarriedAction::CreateFirm { display_name } => Action::Firm(FirmCommand::Create {
            display_name: display_name.clone(),
        }),
        CarriedAction::CreatePartnership { opening, .. } => {
            Action::Partnership(PartnershipCommand::Create(opening.clone()))
        }
        CarriedAction::RecordMembership {
            partnership, party, ..
        } => Action::Firm(FirmCommand::RecordMembership {
            partnership: partnership.clone(),
            party: party.clone(),
        }),
    }
}

/// On whose behalf the other scope's journal shows it.
fn carrying_firm(action: &CarriedAction) -> FirmId {
    match action {
        CarriedAction::CreateFirm { .. } => FirmId::operator(),
        CarriedAction::CreatePartnership { firm, .. }
        | CarriedAction::RecordMembership { firm, .. } => firm.clone(),
    }
}

/// Submits a portion of work in which each command is about a record of its own. What is refused is
/// only logged: one record must not keep all those after it waiting for ever.
///
/// # Errors
/// The first failure that says nothing about the work itself; all of it is then to be tried again.
pub(super) async fn submit_portion(ledger: &Ledger, work: Vec<Command>) -> Result<(), Failure> {
    for outcome in ledger.submit_all(work, None, Urgency::Background).await {
        match outcome {
            Err(failure) if is_passing(failure.reason()) => return Err(failure),
            Err(failure) => tracing::warn!(%failure, "a record of a portion was left as it is"),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Failures that say nothing about the work itself.
fn is_passing(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::StoreUnavailable
            | Reason::QueueFull
            | Reason::FirmQuotaExceeded
            | Reason::ServiceStopping
            | Reason::DeadlineExceeded
    )
}
