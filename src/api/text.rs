//! Free text on its way in and out: sealed when it comes, opened when it is shown.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::status::ApiError;
use super::{Api, Found};
use crate::domain::commitment::{Commitment, Opening, Readers};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::partnership::ending::CarriedOn;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::redaction::Redaction;
use crate::domain::refusal::Violations;
use crate::domain::text::require_free_text;
use crate::ledger::rows::decode_row;
use crate::proto::v1;
use crate::store::BATCH_KEYS_MAX;

/// Seals the free text of one request.
#[derive(Debug)]
pub struct Sealer<'api> {
    api: &'api Api,
    readers: Readers,
    /// The openings made so far; they go with the command.
    pub openings: Vec<Opening>,
    /// What is wrong with the text.
    pub violations: Violations,
}

impl<'api> Sealer<'api> {
    /// Seals for every party of the scope.
    #[must_use]
    pub fn for_every_party(api: &'api Api) -> Self {
        Self {
            api,
            readers: Readers::EveryParty,
            openings: Vec::new(),
            violations: Violations::default(),
        }
    }

    /// Seals a text of up to `bytes_max`; empty text is no text.
    pub fn text(&mut self, field: &str, text: &str, bytes_max: usize) -> Option<Commitment> {
        if text.is_empty() {
            return None;
        }
        require_free_text(&mut self.violations, field, text, bytes_max);
        Some(self.value(field, text, self.readers.clone()))
    }

    /// Seals a value for certain readers. The label is the field's path without list positions.
    pub fn value(&mut self, field: &str, value: &str, readers: Readers) -> Commitment {
        let opening = Opening::seal(&label_of(field), value, self.api.salt(), readers);
        let commitment = opening.commitment.clone();
        self.openings.push(opening);
        commitment
    }

    /// Ends the sealing: the openings to send with the command.
    ///
    /// # Errors
    /// [`crate::domain::refusal::Reason::InvalidField`] with everything that was wrong.
    pub fn finish(self) -> Result<Vec<Opening>, ApiError> {
        self.violations.finish()?;
        Ok(self.openings)
    }
}

/// `a.criteria[2]` becomes `a.criteria`.
fn label_of(field: &str) -> String {
    let mut label = String::with_capacity(field.len());
    let mut inside = false;
    for character in field.chars() {
        match character {
            '[' => inside = true,
            ']' => inside = false,
            _ if !inside => label.push(character),
            _ => {}
        }
    }
    label
}

/// The texts behind commitments, as far as a party may read them.
#[derive(Debug, Default)]
pub struct Texts {
    open: HashMap<Commitment, String>,
    /// Labels of what was erased.
    redacted: HashMap<Commitment, String>,
}

impl Texts {
    /// What becomes of a record that outlives its partnership.
    #[must_use]
    pub fn carried_on(&self, carried: &CarriedOn) -> v1::CarriedOn {
        v1::CarriedOn {
            destination: self.show(carried.destination.as_ref()),
            note: self.show(carried.note.as_ref()),
        }
    }

    /// Loads what `party` may read of `commitments`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn load(
        api: &Api,
        scope: &ScopeId,
        party: &PartyId,
        commitments: Vec<Commitment>,
    ) -> Result<Self, ApiError> {
        let mut texts = Self::default();
        for chunk in commitments.chunks(BATCH_KEYS_MAX) {
            let mut gone: HashSet<&Commitment> = chunk.iter().collect();
            for opening in api.ledger.store().openings(scope, chunk).await? {
                gone.remove(&opening.commitment);
                if opening.readers.include(party) {
                    texts.open.insert(opening.commitment, opening.value);
                }
            }
            // Hardly ever is anything gone, so mostly this asks for nothing.
            let gone: Vec<Commitment> = gone.into_iter().cloned().collect();
            for redaction in redactions(api, scope, &gone).await? {
                let label = redaction.state.label;
                let commitment = Commitment::from_text(&redaction.id);
                texts.redacted.insert(commitment, label);
            }
        }
        Ok(texts)
    }

    /// The labels of those that were erased, each once, in order.
    #[must_use]
    pub fn redacted_fields(
        &self,
        commitments: impl IntoIterator<Item = Commitment>,
    ) -> Vec<String> {
        if self.redacted.is_empty() {
            return Vec::new();
        }
        let labels = commitments.into_iter();
        let labels = labels.filter_map(|found| self.redacted.get(&found).cloned());
        labels.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The text, if there is one that the party may read.
    #[must_use]
    pub fn read(&self, commitment: &Commitment) -> Option<String> {
        self.open.get(commitment).cloned()
    }

    /// The text; empty if there is none, or none that the party may read.
    #[must_use]
    pub fn show(&self, commitment: Option<&Commitment>) -> String {
        commitment
            .and_then(|commitment| self.open.get(commitment))
            .cloned()
            .unwrap_or_default()
    }
}

/// What was erased of `commitments`.
///
/// # Errors
/// If the store fails.
pub async fn redactions(
    api: &Api,
    scope: &ScopeId,
    commitments: &[Commitment],
) -> Result<Vec<Found<Redaction>>, ApiError> {
    if commitments.is_empty() {
        return Ok(Vec::new());
    }
    let keys = commitments.iter();
    let keys = keys.map(|found| RecordKey::new(scope, Kind::Redaction, found.as_str()));
    let keys: Vec<_> = keys.collect();
    let mut found = Vec::new();
    for row in api.ledger.store().records(&keys).await? {
        let versioned = decode_row(&row)?;
        let state = Redaction::from_record(&versioned.record).cloned();
        found.extend(state.map(|state| Found::new(&row.key.id, state, &versioned)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::label_of;

    #[test]
    fn labels_have_no_positions() {
        assert_eq!(
            label_of("expectation.how.criteria[12]"),
            "expectation.how.criteria"
        );
        assert_eq!(label_of("title"), "title");
    }
}
