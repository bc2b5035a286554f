//! Agreements to begin with, so that a first one is a single call.

use super::THRESHOLDS_BPS_DEFAULT;
use crate::domain::sla::calendar::{CalendarSpecification, MinuteOfDay, Weekday, WeeklyWindow};
use crate::domain::sla::clock::{
    EscalationLevel, EscalationType, LevelAt, Priority, ServiceLevelTarget, TargetType, TicketState,
};
use crate::domain::time::Span;

/// What is promised in a template: a type of target, and minutes for priorities 1 to 5; 0 for none.
type Promise = (TargetType, [i64; 5]);

/// Open hours of a template's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hours {
    /// Day and night, all days.
    Always,
    /// Monday to Friday, 09:00 to 17:00.
    Office,
    /// Monday to Friday, 08:00 to 18:00.
    Business,
}

/// An agreement to begin with.
#[derive(Clone, Copy, Debug)]
pub struct AgreementTemplate {
    /// Its id, also that of the calendar that it brings along.
    pub id: &'static str,
    /// Its name for people.
    pub display_name: &'static str,
    /// Whom it suits.
    pub description: &'static str,
    hours: Hours,
    promises: &'static [Promise],
    escalations: &'static [(&'static str, EscalationType, LevelAt)],
}

const HOUR: i64 = 60;
/// A day of the office hours, in minutes.
const OFFICE_DAY: i64 = 8 * HOUR;
/// A day of the business hours, in minutes.
const BUSINESS_DAY: i64 = 10 * HOUR;

/// The templates, in the order in which they are listed.
pub const TEMPLATES: [AgreementTemplate; 3] = [
    AgreementTemplate {
        id: "24x7-critical",
        display_name: "24x7, critical systems",
        description: "For what must not stand still: day and night, with a workaround and regular \
                      updates for the two highest priorities, and people told early.",
        hours: Hours::Always,
        promises: &[
            (
                TargetType::FirstResponse,
                [15, 30, 2 * HOUR, 8 * HOUR, 24 * HOUR],
            ),
            (TargetType::NextUpdate, [30, HOUR, 8 * HOUR, 0, 0]),
            (TargetType::Workaround, [2 * HOUR, 4 * HOUR, 0, 0, 0]),
            (
                TargetType::Resolution,
                [4 * HOUR, 8 * HOUR, 24 * HOUR, 72 * HOUR, 168 * HOUR],
            ),
        ],
        escalations: &[
            (
                "second-line",
                EscalationType::Functional,
                LevelAt::Share(5_000),
            ),
            (
                "duty-manager",
                EscalationType::Hierarchical,
                LevelAt::Share(8_000),
            ),
        ],
    },
    AgreementTemplate {
        id: "business-hours",
        display_name: "Business hours",
        description: "For a service desk that is there when people work: Monday to Friday, eight to \
                      six, a first response and a resolution.",
        hours: Hours::Business,
        promises: &[
            (
                TargetType::FirstResponse,
                [HOUR, 2 * HOUR, 4 * HOUR, BUSINESS_DAY, 2 * BUSINESS_DAY],
            ),
            (
                TargetType::Resolution,
                [
                    4 * HOUR,
                    BUSINESS_DAY,
                    3 * BUSINESS_DAY,
                    5 * BUSINESS_DAY,
                    10 * BUSINESS_DAY,
                ],
            ),
        ],
        escalations: &[(
            "duty-manager",
            EscalationType::Hierarchical,
            LevelAt::Share(7_500),
        )],
    },
    AgreementTemplate {
        id: "respond-plan-resolve",
        display_name: "Respond, plan, resolve",
        description: "For firms that work on each other's tickets: an answer, a plan that can be \
                      told to the client, and the resolution, in office hours.",
        hours: Hours::Office,
        promises: &[
            (
                TargetType::FirstResponse,
                [30, HOUR, 2 * HOUR, 4 * HOUR, OFFICE_DAY],
            ),
            (
                TargetType::ResolutionPlan,
                [
                    2 * HOUR,
                    4 * HOUR,
                    OFFICE_DAY,
                    2 * OFFICE_DAY,
                    5 * OFFICE_DAY,
                ],
            ),
            (
                TargetType::Resolution,
                [
                    4 * HOUR,
                    OFFICE_DAY,
                    3 * OFFICE_DAY,
                    5 * OFFICE_DAY,
                    10 * OFFICE_DAY,
                ],
            ),
        ],
        escalations: &[(
            "duty-manager",
            EscalationType::Hierarchical,
            LevelAt::Share(7_500),
        )],
    },
];

impl AgreementTemplate {
    /// The template of that id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        TEMPLATES.iter().find(|template| template.id == id)
    }

    /// What it promises.
    #[must_use]
    pub fn targets(&self) -> Vec<ServiceLevelTarget> {
        let promised = self.promises.iter().flat_map(|(target_type, minutes)| {
            let by_priority = (1..).zip(minutes).filter(|(_, minutes)| **minutes > 0);
            by_priority.filter_map(|(number, minutes)| {
                Some(ServiceLevelTarget {
                    target_type: *target_type,
                    priority: Priority::new(number)?,
                    duration: Span::from_minutes(*minutes),
                })
            })
        });
        promised.collect()
    }

    /// Who is told when.
    #[must_use]
    pub fn escalation_levels(&self) -> Vec<EscalationLevel> {
        let levels = self.escalations.iter();
        levels
            .map(|(name, escalation_type, at)| EscalationLevel {
                name: (*name).to_owned(),
                escalation_type: *escalation_type,
                at: *at,
                target_types: vec![TargetType::Resolution],
            })
            .collect()
    }

    /// States in which clocks stand still: whenever somebody else is waited for.
    #[must_use]
    pub const fn pausing_states(&self) -> [TicketState; 3] {
        [
            TicketState::WaitingOnClient,
            TicketState::WaitingOnPartner,
            TicketState::WaitingOnOutsideParty,
        ]
    }

    /// At which parts of a target an entry is journalled, in basis points.
    #[must_use]
    pub const fn thresholds_bps(&self) -> [u32; 3] {
        THRESHOLDS_BPS_DEFAULT
    }

    /// The calendar that it brings along, in a time zone.
    #[must_use]
    pub fn calendar(&self, time_zone: &str) -> CalendarSpecification {
        let (days, hours) = match self.hours {
            Hours::Always => (&Weekday::ALL[..], (0, 24)),
            Hours::Office => (&Weekday::ALL[..5], (9, 17)),
            Hours::Business => (&Weekday::ALL[..5], (8, 18)),
        };
        let windows = days.iter().filter_map(|day| {
            Some(WeeklyWindow {
                day: *day,
                start: MinuteOfDay::from_minutes(hours.0 * 60)?,
                end: MinuteOfDay::from_minutes(hours.1 * 60)?,
            })
        });
        CalendarSpecification {
            time_zone: time_zone.to_owned(),
            weekly_windows: windows.collect(),
            exceptions: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::sla::settings::compile;
    use crate::domain::time::Timestamp;

    #[test]
    fn every_template_can_be_kept() {
        let mut ids = BTreeSet::new();
        for template in &TEMPLATES {
            assert!(ids.insert(template.id));
            let compiled = compile(&template.calendar("Europe/Berlin"));
            let calendar = compiled.map(|compiled| compiled.calendar).unwrap();
            let targets = template.targets();
            for target in &targets {
                let due = calendar.add(Timestamp::EARLIEST, target.duration);
                assert!(due.is_some(), "{} {target:?}", template.id);
            }
            for pair in targets.windows(2) {
                let same = pair[0].target_type == pair[1].target_type;
                let ascends = pair[0].duration < pair[1].duration;
                assert!(!same || ascends, "{} {pair:?}", template.id);
            }
        }
        assert!(AgreementTemplate::find("business-hours").is_some());
        assert!(AgreementTemplate::find("gold").is_none());
    }
}
