//! The intake of this service: every text is looked at before it goes anywhere.

use crate::api::expectation::parse::Intake;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope};
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::custody::secret::looks_like_secret;
use crate::domain::identity::ScopeId;
use crate::domain::refusal::Reason;
use crate::proto::v1;

/// Shape of an outside party's name.
const OUTSIDE_PARTY: &str = "partnerships/*/outsideParties/*";

/// Reads the fields of one request, and refuses what looks like a secret.
#[derive(Debug)]
pub(super) struct Guard<'api> {
    /// The fields without text go in here.
    pub(super) intake: Intake<'api>,
}

impl<'api> Guard<'api> {
    pub(super) fn new(api: &'api Api) -> Self {
        Self {
            intake: Intake::new(api),
        }
    }

    /// Notes a text that looks like a secret. What is noted does not repeat it.
    pub(super) fn look_at(&mut self, field: &str, text: &str) {
        if let Some(shape) = looks_like_secret(text) {
            let faults = &mut self.intake.faults;
            faults.add(Reason::LooksLikeSecret, field, shape.hint());
        }
    }

    /// A text in clear, such as a name for people.
    pub(super) fn clear(&mut self, field: &str, text: &str) -> String {
        self.look_at(field, text);
        text.to_owned()
    }

    /// Free text.
    pub(super) fn text(&mut self, field: &str, text: &str) -> Option<Commitment> {
        self.look_at(field, text);
        self.intake.text(field, text)
    }

    /// An outside party's id from its name; `None` for an empty one.
    pub(super) fn outside_party(
        &mut self,
        field: &str,
        scope: &ScopeId,
        name: &str,
    ) -> Option<String> {
        self.neighbour(field, scope, name, OUTSIDE_PARTY)
    }

    /// A client's id from its name; `None` for an empty one.
    pub(super) fn client(&mut self, field: &str, scope: &ScopeId, name: &str) -> Option<String> {
        self.neighbour(field, scope, name, "partnerships/*/clients/*")
    }

    /// The id of a record of the same partnership from its name; `None` for an empty one.
    pub(super) fn neighbour(
        &mut self,
        field: &str,
        scope: &ScopeId,
        name: &str,
        shape: &str,
    ) -> Option<String> {
        let found = crate::api::expectation::parse::neighbour(field, scope, name, shape);
        self.intake.faults.take(found)
    }

    /// Ends the intake: what every mutation carries, and the openings to send with the command.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub(super) fn finish(
        mut self,
        request_id: &str,
        origin: &str,
        etag: &str,
    ) -> Result<(Envelope, Vec<Opening>), ApiError> {
        self.look_at("origin", origin);
        let openings = self.intake.finish()?;
        Ok((Envelope::new(request_id, origin, etag), openings))
    }
}

/// A firm by its name, as records show it.
pub(super) fn firm_of(by: &crate::domain::aggregate::By) -> String {
    by.firm.scope().to_string()
}

/// The name of a client; empty for none.
pub(super) fn client_name(scope: &ScopeId, client: Option<&str>) -> String {
    let name = |id| crate::api::listing::name_in(scope, "clients", id);
    client.map_or_else(String::new, name)
}

/// The name of an outside party; empty for none.
pub(super) fn outside_party_name(scope: &ScopeId, outside_party: Option<&str>) -> String {
    let name = |id| crate::api::listing::name_in(scope, "outsideParties", id);
    outside_party.map_or_else(String::new, name)
}

/// Whether a list that is filtered by a client shows something of `client`.
pub(super) fn is_of(client: Option<&str>, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| client == Some(wanted))
}

/// How a test went, as the contract shows it.
pub(super) const fn to_outcome(is_passed: bool) -> v1::HandOverTestOutcome {
    if is_passed {
        v1::HandOverTestOutcome::Passed
    } else {
        v1::HandOverTestOutcome::Failed
    }
}
