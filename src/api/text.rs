//! Free text on its way in and out: sealed when it comes, opened when it is shown.

use std::collections::HashMap;

use super::Api;
use super::status::ApiError;
use crate::domain::commitment::{Commitment, Opening, Readers};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::partnership::ending::CarriedOn;
use crate::domain::refusal::Violations;
use crate::domain::text::require_free_text;
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
pub struct Texts(HashMap<Commitment, String>);

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
        let mut texts = HashMap::new();
        for chunk in commitments.chunks(BATCH_KEYS_MAX) {
            for opening in api.ledger.store().openings(scope, chunk).await? {
                if opening.readers.include(party) {
                    texts.insert(opening.commitment, opening.value);
                }
            }
        }
        Ok(Self(texts))
    }

    /// The text; empty if there is none, or none that the party may read.
    #[must_use]
    pub fn show(&self, commitment: Option<&Commitment>) -> String {
        commitment
            .and_then(|commitment| self.0.get(commitment))
            .cloned()
            .unwrap_or_default()
    }
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
