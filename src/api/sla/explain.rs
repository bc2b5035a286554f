//! `ExplainClock`: every second of one clock, page by page.

use tonic::{Request, Response};

use super::check::whole;
use super::clock::{Charges, to_adjustment, to_clock, to_interval};
use super::ticket::{SHAPE, instant};
use super::words::{target_type, to_target_type};
use super::{AGREEMENT_SHAPE, SlaService, parse_as_of, parse_known_at, parse_neighbour};
use crate::api::Api;
use crate::api::convert::parse_name;
use crate::api::faults::Faults;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::{ClockEvaluation, TargetType};
use crate::domain::sla::explain::{ClockExplanation, ClockInterval, INTERVALS_MAX};
use crate::domain::sla::in_force::TermsInForce;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// `ExplainClock`.
pub(super) async fn explain_clock(
    service: &SlaService,
    request: &Request<v1::ExplainClockRequest>,
) -> Result<Response<v1::ExplainClockResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let asked = asked(message)?;
    let purpose = format!(
        "ExplainClock:{}:{}:{}:{}:{}:{:?}:{:?}",
        caller.firm,
        message.name,
        message.r#type,
        message.cycle,
        message.agreement,
        asked.as_of.map(Timestamp::as_micros),
        asked.known_at.map(Timestamp::as_micros),
    );
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let [partnership, id] = &asked.name;
    let (member, found) = api.get::<Ticket>(&caller, partnership, id).await?;
    let ticket = found.state.as_known_at(asked.known_at);
    let Place { as_of, first } = match page.place(Place::parse)? {
        Some(place) => place,
        None => Place {
            as_of: instant(asked.as_of.or(asked.known_at), &ticket, api.now())?,
            first: 0,
        },
    };
    let in_force = service
        .agreements
        .of_tickets(api, &member.partnership, std::iter::once(&ticket))
        .await?;
    let mut terms = in_force.of(&ticket, asked.known_at)?.into_iter();
    let terms = terms
        .find(|terms| asked.agreement.as_ref().is_none_or(|id| terms.is_about(id)))
        .ok_or_else(|| no_clock(asked.target_type))?;
    let place = service.explaining.enter().await?;
    let (limit, in_force) = (page.limit(), terms.clone());
    let (target_type, cycle) = (asked.target_type, asked.cycle);
    let explained = place.run(move || {
        let explained = explain(&ticket, &in_force, target_type, cycle, as_of)?;
        Ok::<_, Refusal>((ticket, explained))
    });
    let (ticket, (clock, mut explanation)) = explained.await??;
    let intervals = explanation.intervals.into_iter();
    explanation.intervals = intervals.skip(first).take(limit).collect();
    let charges = Charges::new(
        partnership,
        &member.partnership.state,
        &terms.at(as_of).content,
    );
    let (intervals, next_page_token) = cut(api, &page, as_of, first, explanation.intervals);
    Ok(Response::new(v1::ExplainClockResponse {
        clock: Some(to_clock(&clock, &ticket, &terms, &charges, as_of)),
        intervals: intervals
            .iter()
            .map(|interval| to_interval(interval, &charges))
            .collect(),
        next_page_token,
        adjustments: explanation.adjustments.iter().map(to_adjustment).collect(),
    }))
}

/// The latest cycle of a clock, or the one asked about, and its life.
fn explain(
    ticket: &Ticket,
    in_force: &TermsInForce,
    target_type: TargetType,
    cycle: Option<u32>,
    as_of: Timestamp,
) -> Result<(ClockEvaluation, ClockExplanation), Refusal> {
    let clocks = in_force.clocks(ticket, as_of).clocks.into_iter();
    let clock = clocks
        .filter(|clock| clock.target_type == target_type)
        .rfind(|clock| cycle.is_none_or(|cycle| clock.cycle == cycle))
        .ok_or_else(|| no_clock(target_type))?;
    let explanation = in_force
        .explain(ticket, target_type, clock.cycle, as_of)
        .map_err(|_| too_many())?;
    Ok((clock, explanation))
}

/// What is asked.
struct Asked {
    name: [String; 2],
    target_type: TargetType,
    /// `None` for the latest.
    cycle: Option<u32>,
    /// `None` for the ticket's own.
    agreement: Option<String>,
    as_of: Option<Timestamp>,
    known_at: Option<Timestamp>,
}

fn asked(message: &v1::ExplainClockRequest) -> Result<Asked, Refusal> {
    let mut faults = Faults::default();
    let name = faults.take(parse_name::<2>("name", &message.name, SHAPE).map(Some));
    let target_type = faults.take(target_type("type", message.r#type).map(Some));
    let as_of = faults.take(parse_as_of(message.as_of_time).map(Some));
    let known_at = faults.take(parse_known_at(message.known_at_time).map(Some));
    let cycle = u32::try_from(message.cycle).ok();
    faults.require(cycle.is_some(), "cycle", "must not be negative");
    let agreement = match &name {
        Some([partnership, _]) if !message.agreement.is_empty() => faults.take(
            parse_neighbour(
                "agreement",
                &message.agreement,
                AGREEMENT_SHAPE,
                partnership,
            )
            .map(Some),
        ),
        _ => None,
    };
    let ((name, target_type), (as_of, known_at)) =
        whole(faults, name.zip(target_type).zip(as_of.zip(known_at)))?;
    Ok(Asked {
        name,
        target_type,
        cycle: cycle.filter(|cycle| *cycle > 0),
        agreement,
        as_of,
        known_at,
    })
}

/// The page, and the token of the next one.
fn cut(
    api: &Api,
    page: &Page,
    as_of: Timestamp,
    first: usize,
    intervals: Vec<ClockInterval>,
) -> (Vec<ClockInterval>, String) {
    let mut numbered: Vec<(usize, ClockInterval)> = (first..).zip(intervals).collect();
    let token = page.cut(api, &mut numbered, |(index, _)| {
        Place {
            as_of,
            first: index + 1,
        }
        .to_string()
    });
    (
        numbered.into_iter().map(|(_, interval)| interval).collect(),
        token,
    )
}

pub(in crate::api) fn too_many() -> Refusal {
    Refusal::new(
        Reason::ResultTooLarge,
        format!("more than {INTERVALS_MAX} intervals; ask about an earlier instant"),
    )
    .with("limit", "intervals")
    .with("maximum", INTERVALS_MAX)
}

/// The agreement promised nothing of that type while the ticket was open.
pub(super) fn no_clock(target_type: TargetType) -> Refusal {
    let name = to_target_type(target_type).as_str_name();
    Refusal::not_found("clock").with("type", name.trim_start_matches("TARGET_TYPE_"))
}

/// Where a page begins. All pages keep the instant of the first, also where that was "now".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Place {
    pub(in crate::api) as_of: Timestamp,
    pub(in crate::api) first: usize,
}

impl Place {
    pub(in crate::api) fn parse(text: &str) -> Option<Self> {
        let (as_of, first) = text.split_once(':')?;
        Some(Self {
            as_of: Timestamp::from_micros(as_of.parse().ok()?),
            first: first.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.as_of.as_micros(), self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_back() {
        let place = Place {
            as_of: Timestamp::from_micros(-5),
            first: 500,
        };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        for bad in ["", "5", "x:1", "1:-1", "1:2:3"] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
