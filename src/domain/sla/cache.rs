//! Compiled calendars, kept by revision. A revision never changes, so neither does its compiled
//! form: this is a memory of a pure function, not a state that could go stale.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::compiled::CompiledCalendar;
use crate::domain::identity::ScopeId;

/// Most compiled calendars kept; beyond it the memory starts anew.
pub const CALENDARS_MAX: usize = 4_096;

/// Compiled calendars by scope and revision id.
#[derive(Debug, Default)]
pub struct CalendarCache {
    compiled: Mutex<HashMap<(ScopeId, String), Arc<CompiledCalendar>>>,
}

impl CalendarCache {
    /// The compiled revision, if it is remembered.
    #[must_use]
    pub fn get(&self, scope: &ScopeId, revision_id: &str) -> Option<Arc<CompiledCalendar>> {
        let compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        compiled
            .get(&(scope.clone(), revision_id.to_owned()))
            .cloned()
    }

    /// Remembers a compiled revision and returns it.
    pub fn put(
        &self,
        scope: &ScopeId,
        revision_id: &str,
        calendar: CompiledCalendar,
    ) -> Arc<CompiledCalendar> {
        let calendar = Arc::new(calendar);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() >= CALENDARS_MAX {
            compiled.clear();
        }
        compiled.insert(
            (scope.clone(), revision_id.to_owned()),
            Arc::clone(&calendar),
        );
        calendar
    }
}
