//! The rules of one partnership, told a second time.

use entente::domain::record::Kind;
use entente::domain::refusal::Reason;
use entente::domain::time::Timestamp;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::deeds::{Deed, Move};
use super::expectation::ExpectationLife;
use super::notice::NoticeLife;
use super::partnership::PartnershipLife;

/// Records of each kind that are walked through at a time.
const RECORDS: usize = 4;
/// Most tries to find one that is not over.
const PICKS: usize = 2;
/// States from which nothing leads on.
const OVER: &[&str] = &[
    "accepted",
    "declined",
    "withdrawn",
    "contested",
    "expired",
    "done",
];
/// How likely it is, one in so many, that another record is begun.
const ANOTHER: u32 = 4;

/// What a party is told before anything else: strangers that there is nothing, everybody that it is
/// over once it is.
pub type Answer = Result<(), Reason>;

/// All that is known of the walk so far.
#[derive(Clone)]
pub struct Rules {
    pub partnership: PartnershipLife,
    pub expectations: Vec<Option<ExpectationLife>>,
    pub notices: Vec<Option<NoticeLife>>,
    /// Moves so far.
    pub moves: usize,
}

impl Rules {
    pub fn new() -> Self {
        Self {
            partnership: PartnershipLife::default(),
            expectations: vec![None; RECORDS],
            notices: vec![None; RECORDS],
            moves: 0,
        }
    }

    /// One of the last records, so that moves meet, and mostly one that is not over; now and then
    /// there is room for another.
    pub fn any(&self, kind: Kind, rng: &mut ChaCha8Rng, now: Timestamp) -> usize {
        let records = match kind {
            Kind::Expectation => self.expectations.len(),
            _ => self.notices.len(),
        };
        let mut number = 0;
        for _ in 0..PICKS {
            let is_new = rng.random_ratio(1, ANOTHER);
            let latest = if is_new { records } else { records - 1 };
            number = latest - rng.random_range(0..RECORDS);
            let state = self.state_of_number(kind, number, now);
            if state.is_none_or(|state| !OVER.contains(&state)) {
                break;
            }
        }
        number
    }

    /// What the move must be answered; if it is taken, the rules have moved on with it.
    pub fn take(&mut self, step: &Move, now: Timestamp) -> Answer {
        self.moves += 1;
        match step.deed {
            Deed::Expectation(number, _) if number == self.expectations.len() => {
                self.expectations.push(None);
            }
            Deed::Notice(number, _) if number == self.notices.len() => self.notices.push(None),
            _ => {}
        }
        let partnership = &mut self.partnership;
        match step.deed {
            Deed::Partnership(deed) => {
                partnership.take(step.who, deed, now)?;
                if partnership.is_ended {
                    self.close(now);
                }
                Ok(())
            }
            Deed::Expectation(number, deed) => {
                let party = partnership.admit(step.who)?;
                let life = &mut self.expectations[number];
                ExpectationLife::take(life, deed, party, partnership, now)
            }
            Deed::Notice(number, deed) => {
                let party = partnership.admit(step.who)?;
                let life = &mut self.notices[number];
                NoticeLife::take(life, deed, party)
            }
        }
    }

    /// With the partnership ends what is open in it.
    fn close(&mut self, now: Timestamp) {
        for life in self.expectations.iter_mut().flatten() {
            life.close(now);
        }
        for life in self.notices.iter_mut().flatten() {
            life.close();
        }
    }

    /// The state of what the move is about.
    pub fn state_of(&self, step: &Move, now: Timestamp) -> String {
        let told = match step.record() {
            None => Some(self.partnership.state().to_owned()),
            Some((kind, id)) => self.told(kind, &id, now),
        };
        told.unwrap_or_else(|| "nothing".to_owned())
    }

    /// The state of a record; `None` if there is none.
    pub fn told(&self, kind: Kind, id: &str, now: Timestamp) -> Option<String> {
        let number = id.rsplit('-').next()?.parse().ok()?;
        self.state_of_number(kind, number, now).map(str::to_owned)
    }

    fn state_of_number(&self, kind: Kind, number: usize, now: Timestamp) -> Option<&'static str> {
        Some(match kind {
            Kind::Expectation => self.expectations.get(number)?.as_ref()?.state_at(now),
            _ => self.notices.get(number)?.as_ref()?.state(),
        })
    }
}

/// What must have been seen on a walk that deserves the name: a part of the deed with the state
/// before it, and the answer.
pub fn answers() -> impl Iterator<Item = (&'static str, &'static str)> {
    super::partnership::ANSWERS
        .iter()
        .chain(super::expectation::ANSWERS)
        .chain(super::notice::ANSWERS)
        .copied()
}
