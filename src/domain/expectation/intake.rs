//! What the answers to the five questions still lack, so that whoever takes a call knows what to
//! ask next.

use super::five_w::{FiveW, ImpactScope, Place, Question};

/// What an answer lacks before the other firm can plan by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// How many are affected, roughly.
    Scope,
    /// More than one is affected, and nobody counted them.
    PeopleCount,
    /// How hard it hits.
    Severity,
    /// What an hour of it costs.
    CostPerHour,
    /// When it has to be done.
    Deadline,
    /// There is a deadline, and nobody said why then.
    DeadlineReason,
    /// Neither from afar nor there.
    Place,
    /// Somebody has to be there, and nobody said where.
    Site,
    /// Nothing that can be checked.
    Criterion,
}

impl Missing {
    /// Everything that may be missing, in the order of the questions.
    pub const ALL: [Self; 9] = [
        Self::Scope,
        Self::PeopleCount,
        Self::Severity,
        Self::CostPerHour,
        Self::Deadline,
        Self::DeadlineReason,
        Self::Place,
        Self::Site,
        Self::Criterion,
    ];

    /// Which question it belongs to.
    #[must_use]
    pub const fn question(self) -> Question {
        match self {
            Self::Scope | Self::PeopleCount => Question::Who,
            Self::Severity | Self::CostPerHour => Question::What,
            Self::Deadline | Self::DeadlineReason => Question::When,
            Self::Place | Self::Site => Question::Where,
            Self::Criterion => Question::How,
        }
    }

    /// Whether the question counts as unanswered without it.
    #[must_use]
    pub const fn leaves_unanswered(self) -> bool {
        matches!(
            self,
            Self::Scope | Self::Severity | Self::Deadline | Self::Place | Self::Criterion
        )
    }

    /// What to ask for, in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Scope => {
                "Say who is affected: one person, a team, everyone at a site, or everyone."
            }
            Self::PeopleCount => "More than one person is affected: say how many.",
            Self::Severity => "Say whether work has stopped or goes on, but worse.",
            Self::CostPerHour => "Say what an hour of it costs the client.",
            Self::Deadline => "Say by when it must be done.",
            Self::DeadlineReason => "Say why it must be done by then.",
            Self::Place => "Say whether it can be done from afar or somebody has to be there.",
            Self::Site => "Somebody has to be there: say at which site.",
            Self::Criterion => "Name at least one thing that can be checked when it is done.",
        }
    }
}

/// What to ask next: at most one thing for each question, in the order who, what, when, where, how.
/// First what leaves the question unanswered, and once it is answered what keeps the answer vague.
#[must_use]
pub fn gaps(five_w: &FiveW) -> Vec<Missing> {
    let FiveW {
        who,
        what,
        when,
        r#where,
        how,
    } = five_w;
    let who = match who.scope {
        None => Some(Missing::Scope),
        Some(ImpactScope::OnePerson) => None,
        Some(_) => who.people_count.is_none().then_some(Missing::PeopleCount),
    };
    let what = match (what.severity, what.cost_per_hour) {
        (None, _) => Some(Missing::Severity),
        (Some(_), cost) => cost.is_none().then_some(Missing::CostPerHour),
    };
    let when = match (when.deadline, &when.reason) {
        (None, _) => Some(Missing::Deadline),
        (Some(_), reason) => reason.is_none().then_some(Missing::DeadlineReason),
    };
    let place = match (r#where.place, &r#where.site) {
        (None, _) => Some(Missing::Place),
        (Some(Place::OnSite), None) => Some(Missing::Site),
        (Some(_), _) => None,
    };
    let how = how.criteria.is_empty().then_some(Missing::Criterion);
    [who, what, when, place, how]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::five_w::{How, Severity, What, When, Where, Who};
    use super::*;
    use crate::domain::commitment::Commitment;
    use crate::domain::pricing::money::{Currency, Money};
    use crate::domain::time::Timestamp;

    #[expect(clippy::unnecessary_wraps, reason = "the fields hold options")]
    fn words() -> Option<Commitment> {
        Some(Commitment::of("test", "words", &[0; 16]))
    }

    fn whole() -> FiveW {
        FiveW {
            who: Who {
                scope: Some(ImpactScope::Team),
                people_count: Some(7),
                description: None,
            },
            what: What {
                severity: Some(Severity::Stopped),
                cost_per_hour: Currency::from_code("EUR")
                    .ok()
                    .map(|euro| Money::from_minor(euro, 5_000)),
                description: None,
            },
            when: When {
                deadline: Some(Timestamp::EARLIEST),
                reason: words(),
                update_interval: None,
            },
            r#where: Where {
                place: Some(Place::OnSite),
                site: words(),
            },
            how: How {
                criteria: words().into_iter().collect(),
            },
        }
    }

    #[test]
    fn what_is_said_in_full_lacks_nothing() {
        assert_eq!(gaps(&whole()), []);
        let mut alone = whole();
        alone.who.scope = Some(ImpactScope::OnePerson);
        alone.who.people_count = None;
        alone.r#where.place = Some(Place::Remote);
        alone.r#where.site = None;
        assert_eq!(
            gaps(&alone),
            [],
            "one person needs no count, remote no site"
        );
    }

    #[test]
    fn a_vague_answer_says_what_it_lacks() {
        let mut vague = whole();
        vague.who.people_count = None;
        vague.what.cost_per_hour = None;
        vague.when.reason = None;
        vague.r#where.site = None;
        let lacking = [
            Missing::PeopleCount,
            Missing::CostPerHour,
            Missing::DeadlineReason,
            Missing::Site,
        ];
        assert_eq!(gaps(&vague), lacking);
        assert_eq!(vague.unanswered(), [], "vague answers are answers");
    }

    #[test]
    fn words_beside_the_point_leave_the_question_open() {
        let beside = FiveW {
            who: Who {
                people_count: Some(3),
                description: words(),
                ..Who::default()
            },
            when: When {
                reason: words(),
                ..When::default()
            },
            r#where: Where {
                site: words(),
                ..Where::default()
            },
            ..FiveW::default()
        };
        for open in [beside, FiveW::default()] {
            let gaps = gaps(&open);
            assert_eq!(gaps.len(), 5);
            assert!(gaps.iter().all(|missing| missing.leaves_unanswered()));
        }
    }

    #[test]
    fn the_unanswered_are_those_that_lack_what_answers_them() {
        for missing in Missing::ALL {
            let mut five_w = whole();
            match missing {
                Missing::Scope => five_w.who.scope = None,
                Missing::PeopleCount => five_w.who.people_count = None,
                Missing::Severity => five_w.what.severity = None,
                Missing::CostPerHour => five_w.what.cost_per_hour = None,
                Missing::Deadline => five_w.when.deadline = None,
                Missing::DeadlineReason => five_w.when.reason = None,
                Missing::Place => five_w.r#where.place = None,
                Missing::Site => five_w.r#where.site = None,
                Missing::Criterion => five_w.how.criteria.clear(),
            }
            assert_eq!(gaps(&five_w), [missing]);
            let unanswered = five_w.unanswered();
            assert_eq!(
                unanswered.contains(&missing.question()),
                missing.leaves_unanswered()
            );
            assert!(missing.sentence().ends_with('.'));
        }
    }
}
