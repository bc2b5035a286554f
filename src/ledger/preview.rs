//! What a command would do, without doing it: `validate_only`.
//!
//! It is decided like any other command, over what is stored now, but outside of any transaction:
//! the real command may yet be decided otherwise if something changes in between.

use std::collections::HashSet;
use std::sync::Arc;

use super::Ledger;
use super::batch::LOADS_PER_COMMAND_MAX;
use super::rows::decode_row;
use crate::domain::aggregate::Recorded;
use crate::domain::command::{Command, Decision, decide};
use crate::domain::identity::ScopeId;
use crate::domain::journal::Head;
use crate::domain::record::RecordKey;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::world::{Need, Stop, Versioned, View, World};
use crate::store::StoreError;

/// Most records that a reference may stand for.
const REFERENCED_MAX: usize = 100;

/// The record that a command is about with its id, as the command would leave it, or the refusal
/// that it would meet.
///
/// # Errors
/// What the store says.
pub async fn preview(
    ledger: &Ledger,
    command: &Command,
) -> Result<Result<(String, Versioned), Refusal>, StoreError> {
    let heads = ledger
        .store()
        .heads(std::slice::from_ref(&command.scope))
        .await?;
    let Some(head) = heads.into_iter().next() else {
        return Ok(Err(Refusal::not_found("scope")));
    };
    let mut world = World::new(Arc::clone(ledger.calendars())).in_format(ledger.format());
    for _ in 0..LOADS_PER_COMMAND_MAX {
        match decide(command, &view(&world, command, &head, ledger)) {
            Ok(decision) => return Ok(applied(world, command, &decision, &head, ledger)),
            Err(Stop::Refused(refusal)) => return Ok(Err(refusal)),
            Err(Stop::Missing(need)) => load(ledger, need, &mut world).await?,
        }
    }
    let described = "a command kept asking for more";
    Ok(Err(Refusal::new(Reason::Internal, described)))
}

/// Answers a question about a scope as it is stored now, which is asked again until all that it needs
/// is loaded.
///
/// # Errors
/// What the store says.
pub async fn look<T>(
    ledger: &Ledger,
    scope: &ScopeId,
    question: impl Fn(&View<'_>) -> Result<T, Stop>,
) -> Result<Result<T, Refusal>, StoreError> {
    let mut world = World::new(Arc::clone(ledger.calendars())).in_format(ledger.format());
    for _ in 0..LOADS_PER_COMMAND_MAX {
        let view = View {
            world: &world,
            scope,
            now: ledger.clock().now(),
            next_sequence: 0,
        };
        match question(&view) {
            Ok(answer) => return Ok(Ok(answer)),
            Err(Stop::Refused(refusal)) => return Ok(Err(refusal)),
            Err(Stop::Missing(need)) => load(ledger, need, &mut world).await?,
        }
    }
    let described = "a question kept asking for more";
    Ok(Err(Refusal::new(Reason::Internal, described)))
}

fn view<'world>(
    world: &'world World,
    command: &'world Command,
    head: &Head,
    ledger: &Ledger,
) -> View<'world> {
    View {
        world,
        scope: &command.scope,
        now: ledger.clock().now().max(head.recorded_at),
        next_sequence: head.sequence + 1,
    }
}

/// The decision's subject after its events.
fn applied(
    mut world: World,
    command: &Command,
    decision: &Decision,
    head: &Head,
    ledger: &Ledger,
) -> Result<(String, Versioned), Refusal> {
    let recorded = Recorded {
        sequence: head.sequence + 1,
        at: ledger.clock().now().max(head.recorded_at),
        firm: command.firm.clone(),
        actor: command.actor.clone(),
    };
    for event in &decision.events {
        world.apply(&command.scope, event, &recorded)?;
    }
    let (kind, id) = &decision.subject;
    let key = RecordKey::new(&command.scope, *kind, id.as_str());
    let subject = world.versioned(&key).cloned();
    let subject = subject.ok_or_else(|| Refusal::not_found(kind.as_str()))?;
    Ok((id.clone(), subject))
}

async fn load(ledger: &Ledger, need: Need, world: &mut World) -> Result<(), StoreError> {
    let mut records = Vec::new();
    let mut zones = Vec::new();
    let single: HashSet<Need> = need.each().into_iter().collect();
    for need in single {
        match need {
            Need::Record(key) => records.push(key),
            Need::Zone(scope, digest) => zones.push((scope, digest)),
            Need::Reference(scope, reference) => {
                let found = ledger
                    .store()
                    .references_anywhere(&reference, REFERENCED_MAX)
                    .await?;
                let found = found.into_iter().filter(|row| row.scope == scope);
                let found = found.map(|row| (row.kind, row.id)).collect();
                world.put_reference(scope, reference, found);
            }
            Need::EntryHash(..) | Need::Several(_) => {
                let described = "such a command has no preview";
                return Err(StoreError::Corrupt(described.to_owned()));
            }
        }
    }
    let found = ledger.store().records(&records).await?;
    for key in records {
        world.put_record(key, None);
    }
    for row in found {
        let versioned = decode_row(&row)?;
        world.put_record(row.key, Some(versioned));
    }
    for row in ledger.store().zones(&zones).await? {
        world.put_zone(row.scope, row.digest, row.tzif.into());
    }
    Ok(())
}
