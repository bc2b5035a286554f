//! Reports that were made before, remembered for as long as nothing is recorded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Asked;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::journal::Hash;
use crate::domain::time::{Span, Timestamp};
use crate::proto::v1;

/// Most reports remembered; beyond it the memory starts anew. One has some hundred kilobytes.
pub const REPORTS_MAX: usize = 64;

/// What a report answers: who asked what of which state of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub scope: ScopeId,
    /// What may be read depends on it.
    pub party: PartyId,
    pub asked: Asked,
    /// Sequence and hash of the scope's last entry. What was erased since is an entry, too.
    pub head: (u64, Hash),
}

/// The reports made last.
#[derive(Debug, Default)]
pub(super) struct Reports(Mutex<HashMap<Question, (Timestamp, Arc<v1::Checkup>)>>);

impl Reports {
    /// The answer that was given before, if it is of the instant `as_of` or, where no instant was
    /// asked about, no more than `age_max` older.
    pub(super) fn find(
        &self,
        question: &Question,
        as_of: Timestamp,
        age_max: Span,
    ) -> Option<Arc<v1::Checkup>> {
        let reports = self.lock();
        let (made_at, report) = reports.get(question)?;
        let is_fresh = *made_at <= as_of && as_of.since(*made_at) <= age_max;
        is_fresh.then(|| Arc::clone(report))
    }

    /// Remembers an answer.
    pub(super) fn put(
        &self,
        question: Question,
        as_of: Timestamp,
        report: v1::Checkup,
    ) -> Arc<v1::Checkup> {
        let report = Arc::new(report);
        let mut reports = self.lock();
        if reports.len() >= REPORTS_MAX {
            reports.clear();
        }
        reports.insert(question, (as_of, Arc::clone(&report)));
        report
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Question, (Timestamp, Arc<v1::Checkup>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
