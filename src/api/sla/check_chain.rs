//! `CheckChain`: whether one agreement holds up another, by its terms and by recorded tickets.

mod history;

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response};

use self::history::{Batch, Break, Counts, History};
use super::check::whole;
use super::links::to_name;
use super::pinned::calendar;
use super::pool::Place;
use super::simulate::period;
use super::walk::{Chosen, Walk};
use super::words::{long, to_target_type};
use super::{AGREEMENT_SHAPE, SlaService};
use crate::api::caller::Caller;
use crate::api::convert::{parse_name, to_duration, to_timestamp};
use crate::api::faults::Faults;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::{Api, Member, deadline};
use crate::domain::content_hash;
use crate::domain::firm::Permission;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{Agreement, AgreementType};
use crate::domain::sla::clock::{ClockRules, Priority, TargetType};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::link::TicketName;
use crate::domain::sla::simulation::Period;
use crate::domain::sla::ticket::Ticket;
use crate::domain::sla::underpin::{Gap, Promise, TooManyWindows, WINDOWS_MAX, worst_gap};
use crate::domain::time::{Span, Timestamp};
use crate::proto::v1;

/// `CheckChain`.
pub(super) async fn check(
    service: &SlaService,
    request: &Request<v1::CheckChainRequest>,
) -> Result<Response<v1::CheckChainResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let deadline = deadline(request, api.now());
    let message = request.get_ref();
    let asked = asked(message)?;
    let purpose = format!("CheckChain:{}:{}", caller.firm, digest(message));
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let after = page.place(Position::parse)?;
    let known_at = after.as_ref().map_or(api.now(), |after| after.known_at);
    let sides = Arc::new(Sides::of(api, &caller, &asked, known_at).await?);
    let place = service.counting.enter().await?;
    let mut answer = v1::CheckChainResponse {
        as_of_time: Some(to_timestamp(known_at)),
        ..v1::CheckChainResponse::default()
    };
    let mut history = History::default();
    let chosen = Chosen {
        agreement: sides.upstream.agreement.clone(),
        period: asked.period,
        known_at,
    };
    let scope = sides.upstream.member.scope();
    let mut walk = Walk::new(api, &place, &scope, chosen, None, deadline);
    while let Some(tickets) = walk.next().await? {
        let batch = Batch::read(service, &caller, &sides, tickets).await?;
        let sides = Arc::clone(&sides);
        history = place.run(move || history.take(&batch, &sides)).await??;
    }
    if after.is_none() {
        let from = asked.period.from.unwrap_or(known_at);
        answer.promises = promises(&place, &sides, &history.counts, from).await?;
        answer.uncovered = uncovered(&sides);
        answer.ticket_count = long(history.tickets);
        answer.break_count = long(u64::try_from(history.breaks.len()).unwrap_or(u64::MAX));
    }
    let place_of = |found: &Break| Position {
        known_at,
        gap: found.gap.length(),
        ticket: found.ticket.clone(),
    };
    let mut breaks = history.breaks;
    breaks.retain(|found| {
        after
            .as_ref()
            .is_none_or(|after| place_of(found).is_after(after))
    });
    breaks.sort_by(|one, other| place_of(one).order(&place_of(other)));
    answer.next_page_token = page.cut(api, &mut breaks, |found| place_of(found).to_string());
    answer.breaks = breaks.iter().map(|found| sides.show(found)).collect();
    Ok(Response::new(answer))
}

/// What is asked.
struct Asked {
    upstream: [String; 2],
    downstream: [String; 2],
    period: Period,
}

fn asked(message: &v1::CheckChainRequest) -> Result<Asked, Refusal> {
    let mut faults = Faults::default();
    let [upstream, downstream] = [
        ("upstream_agreement", &message.upstream_agreement),
        ("downstream_agreement", &message.downstream_agreement),
    ]
    .map(|(field, name)| faults.take(parse_name::<2>(field, name, AGREEMENT_SHAPE).map(Some)));
    let period = period(message.start_time, message.end_time, &mut faults);
    let (upstream, downstream) = whole(faults, upstream.zip(downstream))?;
    Ok(Asked {
        upstream,
        downstream,
        period,
    })
}

/// What binds a page token to the rest of the request.
fn digest(message: &v1::CheckChainRequest) -> String {
    let rest = v1::CheckChainRequest {
        page_size: 0,
        page_token: String::new(),
        ..message.clone()
    };
    content_hash("entente.check-chain.v1", &rest.encode_to_vec())
}

/// An agreement as it is now.
#[derive(Debug)]
struct Side {
    member: Member,
    agreement: String,
    rules: ClockRules,
    calendar: Arc<CompiledCalendar>,
}

impl Side {
    async fn of(
        api: &Api,
        caller: &Caller,
        field: &str,
        [partnership, id]: &[String; 2],
    ) -> Result<Self, ApiError> {
        let found = api.get::<Agreement>(caller, partnership, id).await;
        let (member, agreement) = found.map_err(|ApiError(refusal)| {
            ApiError(if refusal.reason == Reason::NotFound {
                Refusal::field(Reason::NotFound, field, "agreement not found")
            } else {
                refusal
            })
        })?;
        let content = agreement.state.content;
        if content.agreement_type == AgreementType::Reciprocal {
            let rule = "must not be RECIPROCAL: nothing is owed from the opening on";
            return Err(Refusal::field(Reason::InvalidField, field, rule).into());
        }
        let pin = (content.calendar.clone(), content.calendar_revision);
        Ok(Self {
            calendar: calendar(api, &member.scope(), pin).await?,
            member,
            agreement: agreement.id,
            rules: content.rules(),
        })
    }

    fn target(&self, target_type: TargetType, priority: Priority) -> Option<Span> {
        self.rules.target(target_type, priority)
    }

    fn promise(&self, target: Span) -> Promise<'_> {
        Promise {
            target,
            calendar: &self.calendar,
        }
    }

    /// Whether a ticket of the partnership runs under the agreement.
    fn is_of(&self, ticket: &Ticket) -> bool {
        let mut assignments = ticket.assignments().into_iter().flatten();
        assignments.any(|assignment| assignment.terms.agreement == self.agreement)
    }
}

/// Both agreements, and the instant whose knowledge counts.
#[derive(Debug)]
struct Sides {
    upstream: Side,
    downstream: Side,
    known_at: Timestamp,
}

impl Sides {
    async fn of(
        api: &Api,
        caller: &Caller,
        asked: &Asked,
        known_at: Timestamp,
    ) -> Result<Self, ApiError> {
        let mut faults = Faults::default();
        let mut sides = Vec::new();
        for (field, name) in [
            ("upstream_agreement", &asked.upstream),
            ("downstream_agreement", &asked.downstream),
        ] {
            match Side::of(api, caller, field, name).await {
                Ok(side) => sides.push(side),
                Err(ApiError(refusal)) if refusal.violations.is_empty() => {
                    return Err(refusal.into());
                }
                Err(ApiError(refusal)) => faults.take(Err(refusal)),
            }
        }
        let mut sides = sides.into_iter();
        let (upstream, downstream) = whole(faults, sides.next().zip(sides.next()))?;
        Ok(Self {
            upstream,
            downstream,
            known_at,
        })
    }

    fn show(&self, found: &Break) -> v1::ChainBreak {
        let name = |side: &Side, ticket: &str| {
            to_name(&TicketName {
                partnership: side.member.partnership.id.clone(),
                ticket: ticket.to_owned(),
            })
        };
        let downstream = found.downstream.as_ref();
        v1::ChainBreak {
            ticket: name(&self.upstream, &found.ticket),
            r#type: to_target_type(found.target_type).into(),
            priority: found.priority.get().into(),
            gap: Some(to_gap(&found.gap)),
            downstream_ticket: downstream
                .map(|ticket| name(&self.downstream, ticket))
                .unwrap_or_default(),
            broken: found.broken,
        }
    }
}

/// What both promise, each with its worst instant and what tickets say.
async fn promises(
    place: &Place,
    sides: &Arc<Sides>,
    counts: &BTreeMap<(TargetType, Priority), Counts>,
    from: Timestamp,
) -> Result<Vec<v1::ChainPromise>, ApiError> {
    let mut rows = counts.clone();
    for target in &sides.upstream.rules.targets {
        let key = (target.target_type, target.priority);
        if sides.downstream.target(key.0, key.1).is_some() {
            rows.entry(key).or_default();
        }
    }
    let sides = Arc::clone(sides);
    let shown = place.run(move || {
        let rows = rows.into_iter();
        let rows = rows.map(|((target_type, priority), counts)| {
            let upstream = sides.upstream.target(target_type, priority);
            let downstream = sides.downstream.target(target_type, priority);
            let worst = match upstream.zip(downstream) {
                Some((upstream, downstream)) => worst_gap(
                    sides.upstream.promise(upstream),
                    sides.downstream.promise(downstream),
                    from,
                )?,
                None => None,
            };
            Ok(v1::ChainPromise {
                r#type: to_target_type(target_type).into(),
                priority: priority.get().into(),
                upstream_target: upstream.map(to_duration),
                downstream_target: downstream.map(to_duration),
                worst: worst.as_ref().map(to_gap),
                checked_count: long(counts.checked),
                would_break_count: long(counts.would_break),
                linked_count: long(counts.linked),
                broken_count: long(counts.broken),
            })
        });
        rows.collect::<Result<Vec<_>, TooManyWindows>>()
    });
    Ok(shown.await?.map_err(|_| too_many_windows())?)
}

/// What is promised upstream alone, by type and priority.
fn uncovered(sides: &Sides) -> Vec<v1::ServiceLevelTarget> {
    let targets = sides.upstream.rules.targets.iter();
    let mut alone: Vec<_> = targets
        .filter(|target| {
            let downstream = &sides.downstream;
            downstream
                .target(target.target_type, target.priority)
                .is_none()
        })
        .collect();
    alone.sort_by_key(|target| (target.target_type, target.priority));
    alone
        .into_iter()
        .map(|target| v1::ServiceLevelTarget {
            r#type: to_target_type(target.target_type).into(),
            priority: target.priority.get().into(),
            duration: Some(to_duration(target.duration)),
        })
        .collect()
}

fn to_gap(gap: &Gap) -> v1::ChainGap {
    v1::ChainGap {
        hand_over_time: Some(to_timestamp(gap.handed_over_at)),
        upstream_due_time: Some(to_timestamp(gap.upstream_due_at)),
        downstream_due_time: Some(to_timestamp(gap.downstream_due_at)),
        gap: Some(to_duration(gap.length())),
    }
}

fn too_many_windows() -> Refusal {
    Refusal::new(Reason::ResultTooLarge, TooManyWindows.to_string())
        .with("limit", "calendar_windows")
        .with("maximum", WINDOWS_MAX)
}

/// Where a ticket stands in the list, and what all pages know.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Position {
    /// The instant of the first page.
    known_at: Timestamp,
    gap: Span,
    ticket: String,
}

impl Position {
    /// Ids have no colons.
    fn parse(token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split(':').collect();
        let [known_at, gap, ticket] = parts.as_slice() else {
            return None;
        };
        Some(Self {
            known_at: Timestamp::from_micros(known_at.parse().ok()?),
            gap: Span::from_micros(gap.parse().ok()?),
            ticket: (*ticket).to_owned(),
        })
    }

    /// The largest gap first.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        (other.gap, &self.ticket).cmp(&(self.gap, &other.ticket))
    }

    fn is_after(&self, other: &Self) -> bool {
        self.order(other).is_gt()
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (known_at, gap) = (self.known_at.as_micros(), self.gap.as_micros());
        write!(formatter, "{known_at}:{gap}:{}", self.ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_and_the_largest_gap_comes_first() {
        let place = |minutes, ticket: &str| Position {
            known_at: Timestamp::EARLIEST,
            gap: Span::from_minutes(minutes),
            ticket: ticket.into(),
        };
        let one = place(7, "t");
        assert_eq!(Position::parse(&one.to_string()), Some(one.clone()));
        for bad in ["", "1:2", "x:2:t", "1:2:t:4"] {
            assert_eq!(Position::parse(bad), None, "{bad}");
        }
        assert!(one.is_after(&place(8, "u")) && !one.is_after(&place(6, "a")));
        assert!(one.is_after(&place(7, "s")) && !one.is_after(&one));
    }
}
