//! After the database was restored from a copy: tells so in every journal.

use super::queue::Urgency;
use super::sweep::{service_command, unavailable};
use super::{Failure, Ledger};
use crate::domain::command::Action;
use crate::domain::record::Kind;

/// Scopes told at a time.
const SCOPES_AT_A_TIME: usize = 500;

/// Gives every scope's journal an entry that says where its new epoch begins. Where that is the last
/// entry already, nothing is added: being interrupted and run again does no harm. Returns how many
/// scopes there are.
///
/// # Errors
/// If the database fails; some scopes may have been told then.
pub async fn tell(ledger: &Ledger) -> Result<u64, Failure> {
    let mut after = String::new();
    let mut scopes = 0;
    loop {
        let heads = ledger.store().list_heads(&after, SCOPES_AT_A_TIME).await;
        let heads = heads.map_err(|error| unavailable(&error))?;
        let Some(last) = heads.last() else {
            return Ok(scopes);
        };
        last.scope.as_str().clone_into(&mut after);
        let commands = heads
            .iter()
            .map(|head| service_command(&head.scope, String::new(), Action::TellRestored));
        for told in ledger
            .submit_all(commands.collect(), None, Urgency::Background)
            .await
        {
            let receipt = told?;
            debug_assert_eq!(receipt.kind, Kind::Restoration);
            scopes += 1;
        }
    }
}
