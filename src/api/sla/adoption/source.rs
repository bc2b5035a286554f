//! Reads revisions of a firm's own calendars and maps.

use crate::api::Api;
use crate::api::sla::calendar::revision_lost;
use crate::api::sla::revision::{Revision, revisions};
use crate::api::sla::word_map::Worded;
use crate::api::status::ApiError;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::{EventBody, Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::settings::{
    AdoptedContent, AdoptedFrom, Calendar, CalendarAdoption, CalendarRevision, SettingsCommand,
    WordMap, Zone,
};
use crate::domain::world::Versioned;

/// How far back revisions of maps are found: their records hold the latest, the others are entries of
/// the journal, read one by one.
const MAP_REVISIONS_BACK_MAX: u64 = 99;

/// A revision of a source.
pub(super) struct Source<T> {
    /// What it says.
    pub content: T,
    /// Which revision it is.
    pub revision: u64,
    /// Which revision is the latest.
    pub latest: u64,
}

/// A calendar's name for people, which is of no revision, and a revision.
pub(super) struct NamedRevision {
    pub display_name: String,
    pub revision: Revision,
}

async fn record<T: Stored + Clone>(
    api: &Api,
    scope: &ScopeId,
    id: &str,
) -> Result<(T, Versioned), ApiError> {
    let found = api.find(&RecordKey::new(scope, T::KIND, id)).await?;
    let found = found.and_then(|versioned| {
        let state = T::from_record(&versioned.record)?.clone();
        Some((state, versioned))
    });
    Ok(found.ok_or_else(|| Refusal::not_found(T::KIND.as_str()))?)
}

/// The revision wanted, where 0 stands for the latest.
fn wanted(revision: u64, latest: u64, earliest: u64) -> Result<u64, Refusal> {
    match revision {
        0 => Ok(latest),
        revision if (earliest..=latest).contains(&revision) => Ok(revision),
        _ => {
            let rule = format!("no such revision: {earliest} to {latest}");
            Err(Refusal::field(Reason::NotFound, "revision", rule))
        }
    }
}

/// A revision of a calendar in a firm's own scope.
///
/// # Errors
/// [`Reason::NotFound`] if there is none.
pub(super) async fn calendar(
    api: &Api,
    scope: &ScopeId,
    id: &str,
    revision: u64,
) -> Result<Source<NamedRevision>, ApiError> {
    let (calendar, _) = record::<Calendar>(api, scope, id).await?;
    let latest = u64::from(calendar.latest_revision);
    let revision = wanted(revision, latest, 1)?;
    let number = u32::try_from(revision).map_err(|_| revision_lost())?;
    let revision_id = CalendarRevision::id_of(id, number);
    let found = revisions(api, scope, std::iter::once(revision_id.clone())).await?;
    let found = found.into_iter().find(|(id, _)| *id == revision_id);
    let (_, content) = found.ok_or_else(revision_lost)?;
    Ok(Source {
        content: NamedRevision {
            display_name: calendar.display_name,
            revision: content,
        },
        revision,
        latest,
    })
}

/// The command by which a partnership adopts a revision of a firm's own calendar as `adopted`.
///
/// # Errors
/// [`Reason::NotFound`] if there is none.
pub(super) async fn calendar_command(
    api: &Api,
    firm: FirmId,
    id: &str,
    revision: u64,
    adopted: String,
) -> Result<SettingsCommand, ApiError> {
    let scope = firm.scope();
    let found = calendar(api, &scope, id, revision).await?;
    let content = match found.content.revision {
        Revision::Windows(windows) => with_zone(api, &scope, windows).await?,
        Revision::Combination(combination) => AdoptedContent::Combination(combination),
    };
    Ok(SettingsCommand::AdoptCalendar(CalendarAdoption {
        id: adopted,
        display_name: found.content.display_name,
        content,
        from: AdoptedFrom {
            firm,
            id: id.to_owned(),
            revision: found.revision,
        },
    }))
}

/// A revision with the time zone data that it pins.
async fn with_zone(
    api: &Api,
    scope: &ScopeId,
    windows: CalendarRevision,
) -> Result<AdoptedContent, ApiError> {
    let (zone, _) = record::<Zone>(api, scope, &windows.zone_digest).await?;
    let key = (scope.clone(), windows.zone_digest);
    let zones = api.ledger.store().zones(std::slice::from_ref(&key)).await?;
    let tzif = zones.into_iter().next().ok_or_else(revision_lost)?.tzif;
    Ok(AdoptedContent::Windows {
        specification: windows.specification,
        zone_name: zone.time_zone,
        tzif: tzif.into(),
    })
}

/// A revision of a map in a firm's own scope. Its record counts its revisions, since every event of a
/// map is one; earlier ones are found by going back through the journal.
///
/// # Errors
/// [`Reason::NotFound`] if there is none, or none that is found so far back.
pub(super) async fn map<M: Worded>(
    api: &Api,
    scope: &ScopeId,
    id: &str,
    revision: u64,
) -> Result<Source<WordMap<M>>, ApiError>
where
    WordMap<M>: Stored,
{
    let (map, versioned) = record::<WordMap<M>>(api, scope, id).await?;
    let latest = versioned.revision;
    let earliest = latest.saturating_sub(MAP_REVISIONS_BACK_MAX).max(1);
    let revision = wanted(revision, latest, earliest)?;
    let content = if revision == latest {
        map
    } else {
        earlier_map(api, scope, versioned.sequence, latest - revision).await?
    };
    Ok(Source {
        content,
        revision,
        latest,
    })
}

/// The map as it was `back` changes before the one at `sequence`.
async fn earlier_map<M: Worded>(
    api: &Api,
    scope: &ScopeId,
    mut sequence: u64,
    back: u64,
) -> Result<WordMap<M>, ApiError> {
    let lost = || Refusal::new(Reason::Internal, "a map's history is broken");
    let mut payload = Vec::new();
    let mut read = None;
    for _ in 0..=back {
        let before = sequence.checked_sub(1).ok_or_else(lost)?;
        let entries = api.ledger.store().entries(scope, before, 1).await?;
        let entry = entries.into_iter().next().ok_or_else(lost)?;
        sequence = entry.previous_sequence.unwrap_or_default();
        payload.clone_from(&entry.payload);
        read = Some((entry.kind, entry.event_type, entry.event_version));
    }
    let (kind, event_type, version) = read.ok_or_else(lost)?;
    let kind = Kind::parse(&kind).ok_or_else(lost)?;
    let event = EventBody::decode(kind, &event_type, version, &payload)
        .map_err(|fault| Refusal::new(Reason::Internal, fault.to_string()))?;
    Ok(M::map_of(event).ok_or_else(lost)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_named_or_the_latest() {
        assert_eq!(wanted(0, 7, 1), Ok(7));
        assert_eq!(wanted(7, 7, 1), Ok(7));
        assert_eq!(wanted(3, 7, 3), Ok(3));
        for bad in [2, 8, u64::MAX] {
            let refusal = wanted(bad, 7, 3).unwrap_err();
            assert_eq!(refusal.reason, Reason::NotFound);
            assert_eq!(refusal.violations[0].field, "revision");
        }
    }
}
