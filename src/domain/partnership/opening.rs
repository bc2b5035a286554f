//! What a firm says when it begins a partnership.

use serde::{Deserialize, Serialize};

use super::Role;
use crate::domain::identity::ExternalReference;
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::text::{require_display_name, require_reference};

/// What a firm says when it begins a partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipOpening {
    /// The partnership's name for people.
    pub display_name: String,
    /// The firm's own name for people.
    pub firm_display_name: String,
    /// What the firm is in it.
    pub role: Role,
    /// The other firm's name for people.
    pub partner_display_name: String,
    /// What the other firm is in it.
    pub partner_role: Role,
    /// The partnership's id in the firm's own software.
    pub external_reference: Option<ExternalReference>,
}

impl PartnershipOpening {
    /// # Errors
    /// [`Reason::InvalidField`](crate::domain::refusal::Reason::InvalidField) with every field at fault.
    pub fn check(&self) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        require_display_name(
            &mut violations,
            "partnership.display_name",
            &self.display_name,
        );
        require_display_name(
            &mut violations,
            "partner_display_name",
            &self.partner_display_name,
        );
        if let Some(reference) = &self.external_reference {
            require_reference(&mut violations, "external_reference", reference);
        }
        violations.finish()
    }
}
