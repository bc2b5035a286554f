//! The life of a notice.

use entente::domain::refusal::Reason;

use super::deeds::NoticeDeed;
use super::rules::Answer;

/// What must have been seen.
pub const ANSWERS: &[(&str, &str)] = &[
    ("Give from nothing", "ok"),
    ("Give from heads_up", "ALREADY_EXISTS"),
    ("Give from nothing", "NOT_FOUND"),
    ("Give from nothing", "INVALID_FIELD"),
    ("Confirm from nothing", "NOT_FOUND"),
    ("Confirm from heads_up", "ok"),
    ("Confirm from heads_up", "NOT_YOUR_NOTICE"),
    ("Confirm from confirmed", "INVALID_STATE"),
    ("Confirm from withdrawn", "INVALID_STATE"),
    ("Move from heads_up", "ok"),
    ("Move from confirmed", "ok"),
    ("Move from done", "INVALID_STATE"),
    ("Mark from heads_up", "ok"),
    ("Mark from confirmed", "ok"),
    ("Mark from done", "INVALID_STATE"),
    ("Complete from heads_up", "INVALID_STATE"),
    ("Complete from confirmed", "ok"),
    ("Complete from done", "INVALID_STATE"),
    ("Recall from heads_up", "ok"),
    ("Recall from confirmed", "ok"),
    ("Recall from withdrawn", "INVALID_STATE"),
];

/// How far a notice has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    HeadsUp,
    Confirmed,
    Done,
    Withdrawn,
    Closed,
}

/// A notice as the rules tell it.
#[derive(Clone, Debug)]
pub struct NoticeLife {
    phase: Phase,
    giver: usize,
}

impl NoticeLife {
    pub fn state(&self) -> &'static str {
        match self.phase {
            Phase::HeadsUp => "heads_up",
            Phase::Confirmed => "confirmed",
            Phase::Done => "done",
            Phase::Withdrawn => "withdrawn",
            Phase::Closed => "closed",
        }
    }

    /// Its partnership ended.
    pub fn close(&mut self) {
        if matches!(self.phase, Phase::HeadsUp | Phase::Confirmed) {
            self.phase = Phase::Closed;
        }
    }

    pub fn take(life: &mut Option<Self>, deed: NoticeDeed, party: usize) -> Answer {
        let Some(known) = life else {
            return Self::begin(life, deed, party);
        };
        let is_open = matches!(known.phase, Phase::HeadsUp | Phase::Confirmed);
        let may = known.giver == party;
        match deed {
            NoticeDeed::Give {
                is_confirmed,
                is_planned,
            } => {
                if is_confirmed && !is_planned {
                    return Err(Reason::InvalidField);
                }
                Err(Reason::AlreadyExists)
            }
            NoticeDeed::Mark if is_open => Ok(()),
            _ if !is_open => Err(Reason::InvalidState),
            _ if !may => Err(Reason::NotYourNotice),
            NoticeDeed::Mark | NoticeDeed::Move => Ok(()),
            NoticeDeed::Confirm => known.go(Phase::HeadsUp, Phase::Confirmed),
            NoticeDeed::Complete => known.go(Phase::Confirmed, Phase::Done),
            NoticeDeed::Recall => {
                known.phase = Phase::Withdrawn;
                Ok(())
            }
        }
    }

    fn begin(life: &mut Option<Self>, deed: NoticeDeed, party: usize) -> Answer {
        let NoticeDeed::Give {
            is_confirmed,
            is_planned,
        } = deed
        else {
            return Err(Reason::NotFound);
        };
        if is_confirmed && !is_planned {
            return Err(Reason::InvalidField);
        }
        *life = Some(Self {
            phase: if is_confirmed {
                Phase::Confirmed
            } else {
                Phase::HeadsUp
            },
            giver: party,
        });
        Ok(())
    }

    fn go(&mut self, from: Phase, to: Phase) -> Answer {
        if self.phase != from {
            return Err(Reason::InvalidState);
        }
        self.phase = to;
        Ok(())
    }
}
