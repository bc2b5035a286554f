//! Changes of a quote that change no money.

use super::decide::{Caller, expired_revision, refuse_expired};
use super::funding::{self, VendorMoney};
use super::portions::{FUNDS, require_expiry};
use super::{JointQuote, JointQuoteEvent, QuoteUpdated};
use crate::domain::command::Decision;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::text::require_display_name;
use crate::domain::time::Timestamp;
use crate::domain::world::Stop;

/// What changes of a quote; `None` for what stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuoteChanges {
    /// Its name for people.
    pub display_name: Option<String>,
    /// From when on it no longer stands; only while no concession waits or is in force, since these
    /// were approved for as long as they said.
    pub expires_at: Option<Timestamp>,
    /// What vendors would pay of a concession; proposals that were made stay as they are.
    pub vendor_funds: Option<Vec<VendorMoney>>,
}

/// Decides a change. What changes nothing is recorded nowhere.
pub(super) fn update(
    id: &str,
    changes: &QuoteChanges,
    caller: Caller<'_>,
) -> Result<Decision, Stop> {
    const ACTION: &str = "UpdateJointQuote";
    let now = caller.view.now;
    let quote = caller.view.get::<JointQuote>(id)?;
    refuse_expired(quote, ACTION, now)?;
    let mut violations = Violations::default();
    if let Some(display_name) = &changes.display_name {
        require_display_name(&mut violations, "joint_quote.display_name", display_name);
    }
    if let Some(expires_at) = changes.expires_at {
        let field = "joint_quote.expire_time";
        require_expiry(&mut violations, field, expires_at, now);
    }
    let mut faults: Vec<Refusal> = violations.finish().err().into_iter().collect();
    if let Some(funds) = &changes.vendor_funds {
        faults.extend(funding::check(FUNDS, funds, quote.currency, &caller.view)?);
    }
    Refusal::all(faults)?;
    let updated = QuoteUpdated {
        display_name: changed(changes.display_name.as_ref(), &quote.display_name),
        expires_at: changed(changes.expires_at.as_ref(), &quote.expires_at),
        vendor_funds: changed(changes.vendor_funds.as_ref(), &quote.vendor_funds),
    };
    let holding = quote.open_at(now).or(quote.in_force());
    if let Some(holding) = holding.filter(|_| updated.expires_at.is_some()) {
        return Err(Refusal::invalid_state(holding.state.as_str(), ACTION).into());
    }
    let mut decision = Decision::about(Kind::JointQuote, id);
    let nothing = QuoteUpdated {
        display_name: None,
        expires_at: None,
        vendor_funds: None,
    };
    if updated == nothing {
        return Ok(decision);
    }
    decision.events.extend(expired_revision(id, quote, now));
    Ok(decision.event(Event::new(id, JointQuoteEvent::Updated(updated))))
}

fn changed<T: Clone + PartialEq>(new: Option<&T>, old: &T) -> Option<T> {
    new.filter(|new| *new != old).cloned()
}
