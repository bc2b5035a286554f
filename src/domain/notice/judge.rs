//! Whether the other firm was told in time.

use serde::{Deserialize, Serialize};

use super::{FireDrill, NoticeKind};
use crate::domain::partnership::Partnership;
use crate::domain::time::{Span, Timestamp};

/// By which rule it is judged whether a notice came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadTimeRule {
    /// The terms have a lead time for its kind.
    OfItsKind,
    /// They have none for [`NoticeKind::Other`], so the longest that they have for any kind counts:
    /// what is called something else comes no later.
    LongestOfAny,
    /// They have none, so nothing is judged.
    NoneAgreed,
}

/// The lead time by the terms in force when a notice was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeadTime {
    /// By which rule.
    pub rule: LeadTimeRule,
    /// The least lead time; `None` if none is agreed.
    pub agreed: Option<Span>,
}

/// Compares what is planned with the lead time that was agreed.
pub(super) struct Judge<'world> {
    partnership: &'world Partnership,
    kind: NoticeKind,
    now: Timestamp,
}

impl<'world> Judge<'world> {
    pub(super) const fn new(
        partnership: &'world Partnership,
        kind: NoticeKind,
        now: Timestamp,
    ) -> Self {
        Self {
            partnership,
            kind,
            now,
        }
    }

    /// What counts for the notice by the terms in force.
    pub(super) fn lead_time(&self) -> LeadTime {
        let (rule, agreed) = if let Some(own) = self.partnership.notice_lead_time(self.kind) {
            (LeadTimeRule::OfItsKind, Some(own))
        } else {
            let any = self.kind == NoticeKind::Other;
            match self.longest().filter(|_| any) {
                Some(longest) => (LeadTimeRule::LongestOfAny, Some(longest)),
                None => (LeadTimeRule::NoneAgreed, None),
            }
        };
        LeadTime { rule, agreed }
    }

    fn longest(&self) -> Option<Span> {
        let terms = self.partnership.terms.as_ref()?;
        let lead_times = terms.content.notice_lead_times.iter();
        lead_times.map(|lead_time| lead_time.lead_time).max()
    }

    /// The fire drill that it is to be told only now of something at `planned_at`. Exactly the
    /// agreed lead time is in time.
    pub(super) fn told_now(&self, planned_at: Timestamp) -> Option<FireDrill> {
        let agreed = self.lead_time().agreed?;
        let given = planned_at.since(self.now);
        (given < agreed).then_some(FireDrill {
            planned_at,
            told_at: self.now,
            given,
            agreed,
        })
    }

    /// The fire drill that it is if something planned for later has come by now. It is as if it had
    /// been moved to now and told only now; what comes early by no more than clocks may differ does
    /// not.
    pub(super) fn came_before(&self, planned_at: Timestamp) -> Option<FireDrill> {
        let tolerated = self.now.saturating_add(self.partnership.future_tolerance());
        if planned_at <= tolerated {
            return None;
        }
        self.told_now(self.now)
    }
}
