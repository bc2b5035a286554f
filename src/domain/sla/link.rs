//! Ticket links: a firm that stands between two others notes which ticket it opened with the one
//! because of which ticket of the other.
//!
//! A link is a record of the firm's own scope, so neither side learns of the other by it. What each
//! ticket is linked to is kept with the ticket's name ([`LinkedTicket`]), so that a chain is followed
//! without going through all links.

use serde::{Deserialize, Serialize};

use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::firm::Firm;
use crate::domain::identity::FirmId;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View, for_each};

/// Most tickets that were opened because of one.
pub const DOWNSTREAM_MAX: usize = 20;
/// Most tickets because of which one was opened.
pub const UPSTREAM_MAX: usize = 100;
/// What lists call a link that holds.
pub const ACTIVE: &str = "active";
/// What lists call a link that was deleted.
pub const DELETED: &str = "deleted";

/// A ticket of any partnership.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketName {
    /// Id of the partnership.
    pub partnership: String,
    /// Id of the ticket within it.
    pub ticket: String,
}

impl TicketName {
    /// Id of the [`LinkedTicket`]; ids have no colons.
    #[must_use]
    pub fn linked_id(&self) -> String {
        format!("{}:{}", self.partnership, self.ticket)
    }
}

/// One ticket was opened because of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkedPair {
    /// Because of which.
    pub upstream: TicketName,
    /// Which.
    pub downstream: TicketName,
}

/// A link of two tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketLink {
    /// Which tickets.
    pub pair: LinkedPair,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// A link was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketLinkDeleted {}

events! {
    /// What happens to a link.
    TicketLinkEvent {
        /// It was created.
        Created(LinkedPair) = "ticket_link.created", 1;
        /// It was deleted.
        Deleted(TicketLinkDeleted) = "ticket_link.deleted", 1;
    }
}

impl Aggregate for TicketLink {
    type Event = TicketLinkEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &TicketLinkEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, TicketLinkEvent::Created(pair)) => Some(Self {
                pair: pair.clone(),
                deleted_at: None,
            }),
            (Some(mut link), TicketLinkEvent::Deleted(_)) => {
                link.deleted_at = Some(recorded.at);
                Some(link)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        if self.deleted_at.is_some() {
            DELETED
        } else {
            ACTIVE
        }
    }
}

/// On which side of a ticket another one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainSide {
    /// The other one is why it was opened.
    Upstream,
    /// The other one was opened because of it.
    Downstream,
}

/// A ticket to which another one is linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkTo {
    /// Id of the link.
    pub link: String,
    /// Where the other ticket stands.
    pub side: ChainSide,
    /// The other ticket.
    pub ticket: TicketName,
}

/// What one ticket is linked to, by links that hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkedTicket {
    /// In the order in which they were linked.
    pub links: Vec<LinkTo>,
}

/// A link no longer holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkRemoved {
    /// Id of the link.
    pub link: String,
}

events! {
    /// What happens to what a ticket is linked to.
    LinkedTicketEvent {
        /// Another ticket was linked to it.
        Linked(LinkTo) = "linked_ticket.linked", 1;
        /// One of its links was deleted.
        Unlinked(LinkRemoved) = "linked_ticket.unlinked", 1;
    }
}

impl Aggregate for LinkedTicket {
    type Event = LinkedTicketEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &LinkedTicketEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        let mut linked = previous.unwrap_or_default();
        match event {
            LinkedTicketEvent::Linked(to) => linked.links.push(to.clone()),
            LinkedTicketEvent::Unlinked(removed) => {
                linked.links.retain(|to| to.link != removed.link);
            }
        }
        Some(linked)
    }
}

impl LinkedTicket {
    /// The links to tickets on one side of it.
    pub fn on(&self, side: ChainSide) -> impl Iterator<Item = &LinkTo> {
        self.links.iter().filter(move |to| to.side == side)
    }
}

/// What can be asked of links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkCommand {
    /// Links two tickets; linking them again changes nothing. That both exist, and that the firm is
    /// party of both partnerships, is checked before: no decision reads other scopes.
    Create(LinkedPair),
    /// Deletes a link; deleting it again changes nothing.
    Delete {
        /// Which link.
        id: String,
    },
}

/// Decides a command on links, in the firm's own scope.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &LinkCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    if *view.scope != firm.scope() {
        return Err(Refusal::not_found("firm").into());
    }
    view.get::<Firm>(view.scope.id())?;
    match command {
        LinkCommand::Create(pair) => create(pair, view),
        LinkCommand::Delete { id } => delete(id, view),
    }
}

fn create(pair: &LinkedPair, view: &View<'_>) -> Result<Decision, Stop> {
    if pair.upstream == pair.downstream {
        return Err(Refusal::field(
            Reason::InvalidField,
            "ticket_link.downstream",
            "must be another ticket than the upstream one",
        )
        .into());
    }
    let ids = [&pair.upstream, &pair.downstream].map(TicketName::linked_id);
    let found = for_each(&ids, |id| Ok(view.find::<LinkedTicket>(id)?.cloned()))?;
    let mut found = found.into_iter().map(Option::unwrap_or_default);
    let upstream = found.next().unwrap_or_default();
    let downstream = found.next().unwrap_or_default();
    let known = upstream
        .on(ChainSide::Downstream)
        .find(|to| to.ticket == pair.downstream);
    if let Some(known) = known {
        return Ok(Decision::about(Kind::TicketLink, &known.link));
    }
    if upstream.on(ChainSide::Downstream).count() >= DOWNSTREAM_MAX {
        return Err(Refusal::limit("downstream_tickets", DOWNSTREAM_MAX).into());
    }
    if downstream.on(ChainSide::Upstream).count() >= UPSTREAM_MAX {
        return Err(Refusal::limit("upstream_tickets", UPSTREAM_MAX).into());
    }
    let id = view.new_id(0);
    let linked = |side, ticket: &TicketName| {
        LinkedTicketEvent::Linked(LinkTo {
            link: id.clone(),
            side,
            ticket: ticket.clone(),
        })
    };
    let [upstream_id, downstream_id] = ids;
    let to_downstream = linked(ChainSide::Downstream, &pair.downstream);
    let to_upstream = linked(ChainSide::Upstream, &pair.upstream);
    Ok(Decision::about(Kind::TicketLink, &id)
        .event(Event::new(&id, TicketLinkEvent::Created(pair.clone())))
        .event(Event::new(upstream_id, to_downstream))
        .event(Event::new(downstream_id, to_upstream)))
}

fn delete(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let link = view.get::<TicketLink>(id)?;
    let decision = Decision::about(Kind::TicketLink, id);
    if link.deleted_at.is_some() {
        return Ok(decision);
    }
    let LinkedPair {
        upstream,
        downstream,
    } = &link.pair;
    let ids = [upstream, downstream].map(TicketName::linked_id);
    for_each(&ids, |id| view.get::<LinkedTicket>(id))?;
    let [upstream_id, downstream_id] = ids;
    let deleted = TicketLinkEvent::Deleted(TicketLinkDeleted {});
    let unlinked = LinkedTicketEvent::Unlinked(LinkRemoved {
        link: id.to_owned(),
    });
    Ok(decision
        .event(Event::new(id, deleted))
        .event(Event::new(upstream_id, unlinked.clone()))
        .event(Event::new(downstream_id, unlinked)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::record::{Record, RecordKey};
    use crate::domain::sla::cache::CalendarCache;
    use crate::domain::world::{Need, Versioned, World};

    fn firm() -> FirmId {
        FirmId::parse("middle").unwrap()
    }

    /// The records of one firm.
    struct Desk {
        world: World,
        sequence: u64,
    }

    impl Desk {
        fn new() -> Self {
            let mut world = World::new(Arc::new(CalendarCache::default()));
            let firm = Record::Firm(Box::new(Firm {
                display_name: "The middle".into(),
            }));
            let versioned = Versioned {
                record: firm,
                revision: 1,
                sequence: 1,
                created_at: Timestamp::EARLIEST,
                updated_at: Timestamp::EARLIEST,
            };
            let key = RecordKey::new(&self::firm().scope(), Kind::Firm, "middle");
            world.put_record(key, Some(versioned));
            Self { world, sequence: 1 }
        }

        /// Decides, loads what is missing (nothing is there), and applies what happened: the link,
        /// and how many events there were.
        fn run(&mut self, command: &LinkCommand, by: &FirmId) -> Result<(String, usize), Refusal> {
            let scope = firm().scope();
            let decision = loop {
                let view = View {
                    world: &self.world,
                    scope: &scope,
                    now: Timestamp::EARLIEST,
                    next_sequence: self.sequence + 1,
                };
                match decide(command, by, &view) {
                    Ok(decision) => break decision,
                    Err(Stop::Refused(refusal)) => return Err(refusal),
                    Err(Stop::Missing(need)) => {
                        for need in need.each() {
                            let Need::Record(key) = need else {
                                panic!("{need:?} is no record");
                            };
                            self.world.put_record(key, None);
                        }
                    }
                }
            };
            for event in &decision.events {
                self.sequence += 1;
                let recorded = Recorded {
                    sequence: self.sequence,
                    at: Timestamp::EARLIEST,
                    firm: Some(by.clone()),
                    actor: String::new(),
                };
                self.world.apply(&scope, event, &recorded).unwrap();
            }
            Ok((decision.subject.1, decision.events.len()))
        }

        fn link(&mut self, upstream: usize, downstream: usize) -> Result<(String, usize), Refusal> {
            let name = |partnership: &str, number: usize| TicketName {
                partnership: partnership.into(),
                ticket: format!("t{number}"),
            };
            let pair = LinkedPair {
                upstream: name("up", upstream),
                downstream: name("down", downstream),
            };
            self.run(&LinkCommand::Create(pair), &firm())
        }
    }

    #[test]
    fn a_link_is_made_once_until_it_is_deleted() {
        let mut desk = Desk::new();
        let (link, events) = desk.link(1, 1).unwrap();
        assert_eq!(events, 3);
        assert_eq!(desk.link(1, 1), Ok((link.clone(), 0)));
        let delete = LinkCommand::Delete { id: link.clone() };
        assert_eq!(desk.run(&delete, &firm()), Ok((link.clone(), 3)));
        assert_eq!(desk.run(&delete, &firm()), Ok((link.clone(), 0)));
        assert_ne!(desk.link(1, 1).unwrap().0, link);
    }

    #[test]
    fn both_sides_have_limits_that_deleting_makes_room_for() {
        let mut desk = Desk::new();
        let limit = |refused: Result<_, Refusal>| refused.unwrap_err().metadata[0].1.clone();
        let (first, _) = desk.link(0, 0).unwrap();
        for downstream in 1..DOWNSTREAM_MAX {
            desk.link(0, downstream).unwrap();
        }
        assert_eq!(limit(desk.link(0, 99)), "downstream_tickets");
        for upstream in 1..UPSTREAM_MAX {
            desk.link(upstream, 0).unwrap();
        }
        assert_eq!(limit(desk.link(999, 0)), "upstream_tickets");
        let delete = LinkCommand::Delete { id: first };
        desk.run(&delete, &firm()).unwrap();
        assert!(desk.link(0, 99).is_ok() && desk.link(999, 0).is_ok());
    }

    #[test]
    fn nobody_links_itself_or_for_another_firm() {
        let mut desk = Desk::new();
        let name = TicketName {
            partnership: "up".into(),
            ticket: "t".into(),
        };
        let itself = LinkCommand::Create(LinkedPair {
            upstream: name.clone(),
            downstream: name,
        });
        let refusal = desk.run(&itself, &firm()).unwrap_err();
        assert_eq!(refusal.violations[0].field, "ticket_link.downstream");
        let other = FirmId::parse("other").unwrap();
        let refusal = desk.run(&itself, &other).unwrap_err();
        assert_eq!(refusal.reason, Reason::NotFound);
    }
}
