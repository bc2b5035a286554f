//! The RPCs of ticket links, and what a chain of tickets is followed by.

use std::collections::HashMap;

use tonic::{Request, Response};

use super::check::whole;
use super::ticket::SHAPE;
use super::{SlaService, all_of, decode};
use crate::api::caller::Caller;
use crate::api::convert::{parse_firm, parse_name, to_timestamp};
use crate::api::faults::Faults;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::link::{
    ACTIVE, ChainSide, LinkCommand, LinkedPair, LinkedTicket, TicketLink, TicketName,
};
use crate::domain::sla::ticket::Ticket;
use crate::ledger::Receipt;
use crate::proto::v1;

/// `CreateTicketLink`.
pub(super) async fn create(
    service: &SlaService,
    request: &Request<v1::CreateTicketLinkRequest>,
) -> Result<Response<v1::TicketLink>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let parent = faults.take(parse_firm("parent", &message.parent).map(Some));
    let link = message.ticket_link.as_ref();
    let link = faults.take(link.ok_or_else(|| required("ticket_link")).map(Some));
    let [upstream, downstream] = [
        link.map(|link| ("ticket_link.upstream", &link.upstream)),
        link.map(|link| ("ticket_link.downstream", &link.downstream)),
    ]
    .map(|end| end.and_then(|(field, name)| faults.take(ticket_name(field, name).map(Some))));
    let (parent, (upstream, downstream)) = whole(faults, parent.zip(upstream.zip(downstream)))?;
    require_own(&caller, &parent)?;
    require_tickets(api, &caller, [&upstream, &downstream]).await?;
    let mutation = Mutation {
        scope: parent.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::TicketLink(LinkCommand::Create(LinkedPair {
            upstream,
            downstream,
        })),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CreateTicketLink", request, mutation)
        .await?;
    answer(api, &parent, &receipt).await
}

/// `DeleteTicketLink`.
pub(super) async fn delete(
    service: &SlaService,
    request: &Request<v1::DeleteTicketLinkRequest>,
) -> Result<Response<v1::TicketLink>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let [firm, id] = parse_name("name", &message.name, "firms/*/ticketLinks/*")?;
    let firm = FirmId::parse(&firm).filter(|firm| *firm == caller.firm);
    let firm = firm.ok_or_else(|| Refusal::not_found(Kind::TicketLink.as_str()))?;
    let mutation = Mutation {
        scope: firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::TicketLink(LinkCommand::Delete { id }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "DeleteTicketLink", request, mutation)
        .await?;
    answer(api, &firm, &receipt).await
}

/// `ListTicketLinks`.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListTicketLinksRequest>,
) -> Result<Response<v1::ListTicketLinksResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let asked = Asked::of(message)?;
    require_own(&caller, &asked.parent)?;
    let purpose = format!(
        "ListTicketLinks:{}:{}:{}:{}",
        caller.firm, message.upstream, message.downstream, message.show_deleted
    );
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let scope = asked.parent.scope();
    let mut rows = if let Some(ids) = asked.linked(api, &scope).await? {
        let ids = ids.into_iter().filter(|id| *id > page.after);
        let keys: Vec<RecordKey> = ids
            .map(|id| RecordKey::new(&scope, Kind::TicketLink, id))
            .collect();
        let mut rows = api.ledger.store().records(&keys).await?;
        rows.sort_by(|one, other| one.key.id.cmp(&other.key.id));
        rows
    } else {
        let mut query = all_of(&scope, Kind::TicketLink, &page.after, page.limit());
        query.state = (!message.show_deleted).then(|| ACTIVE.to_owned());
        api.ledger.store().list_records(&query).await?
    };
    let next_page_token = page.cut(api, &mut rows, |row| row.key.id.clone());
    let shown = rows
        .iter()
        .map(|row| Ok(to_link(&scope, &decode::<TicketLink>(row)?)));
    let ticket_links = shown.collect::<Result<_, ApiError>>()?;
    Ok(Response::new(v1::ListTicketLinksResponse {
        ticket_links,
        next_page_token,
    }))
}

/// Which links are asked for.
struct Asked {
    parent: FirmId,
    /// The tickets that they are linked to, each with the side on which the other one stands.
    ends: Vec<(TicketName, ChainSide)>,
}

impl Asked {
    fn of(message: &v1::ListTicketLinksRequest) -> Result<Self, Refusal> {
        let mut faults = Faults::default();
        let parent = faults.take(parse_firm("parent", &message.parent).map(Some));
        let mut ends = Vec::new();
        for (field, name, side) in [
            ("upstream", &message.upstream, ChainSide::Downstream),
            ("downstream", &message.downstream, ChainSide::Upstream),
        ] {
            if !name.is_empty() {
                let name = faults.take(ticket_name(field, name).map(Some));
                ends.extend(name.map(|name| (name, side)));
            }
        }
        let filtered = !message.upstream.is_empty() || !message.downstream.is_empty();
        faults.require(
            !(filtered && message.show_deleted),
            "show_deleted",
            "not together with upstream or downstream",
        );
        let parent = whole(faults, parent)?;
        Ok(Self { parent, ends })
    }

    /// The ids of the links that fit all ends; `None` if there is no end to fit.
    async fn linked(&self, api: &Api, scope: &ScopeId) -> Result<Option<Vec<String>>, ApiError> {
        let mut fitting: Option<Vec<String>> = None;
        for (name, side) in &self.ends {
            let key = RecordKey::new(scope, Kind::LinkedTicket, name.linked_id());
            let rows = api.ledger.store().records(&[key]).await?;
            let linked = rows.first().map(decode::<LinkedTicket>).transpose()?;
            let linked = linked.map(|found| found.state).unwrap_or_default();
            let ids = linked.on(*side).map(|to| to.link.clone());
            let ids = ids.filter(|id| fitting.as_ref().is_none_or(|known| known.contains(id)));
            fitting = Some(ids.collect());
        }
        Ok(fitting)
    }
}

/// The tickets that a firm opened because of others, in the order in which it linked them.
///
/// # Errors
/// If the store fails.
pub(super) async fn downstream_of(
    api: &Api,
    firm: &FirmId,
    tickets: &[TicketName],
) -> Result<HashMap<TicketName, Vec<TicketName>>, ApiError> {
    let scope = firm.scope();
    let by_id: HashMap<String, &TicketName> = tickets
        .iter()
        .map(|name| (name.linked_id(), name))
        .collect();
    let keys: Vec<RecordKey> = by_id
        .keys()
        .map(|id| RecordKey::new(&scope, Kind::LinkedTicket, id.as_str()))
        .collect();
    let mut found = HashMap::new();
    for row in api.ledger.store().records(&keys).await? {
        let linked = decode::<LinkedTicket>(&row)?.state;
        let tickets = linked.on(ChainSide::Downstream);
        let tickets: Vec<TicketName> = tickets.map(|to| to.ticket.clone()).collect();
        if let Some(name) = by_id.get(&row.key.id).filter(|_| !tickets.is_empty()) {
            found.insert((*name).clone(), tickets);
        }
    }
    Ok(found)
}

/// A ticket from its name.
pub(super) fn ticket_name(field: &str, name: &str) -> Result<TicketName, Refusal> {
    let [partnership, ticket] = parse_name(field, name, SHAPE)?;
    Ok(TicketName {
        partnership,
        ticket,
    })
}

/// A firm's links are its own; to others there is no such firm.
fn require_own(caller: &Caller, firm: &FirmId) -> Result<(), Refusal> {
    if caller.firm == *firm {
        return Ok(());
    }
    Err(Refusal::not_found("firm"))
}

/// Refuses tickets that do not exist, or of partnerships to which the caller is a stranger.
async fn require_tickets(
    api: &Api,
    caller: &Caller,
    [upstream, downstream]: [&TicketName; 2],
) -> Result<(), ApiError> {
    let mut faults = Faults::default();
    for (field, name) in [("upstream", upstream), ("downstream", downstream)] {
        let found = api
            .get::<Ticket>(caller, &name.partnership, &name.ticket)
            .await;
        match found {
            Ok(_) => {}
            Err(ApiError(refusal)) if refusal.reason == Reason::NotFound => {
                let field = format!("ticket_link.{field}");
                faults.add(Reason::NotFound, field, "ticket not found");
            }
            Err(other) => return Err(other),
        }
    }
    Ok(faults.finish()?)
}

async fn answer(
    api: &Api,
    firm: &FirmId,
    receipt: &Receipt,
) -> Result<Response<v1::TicketLink>, ApiError> {
    let scope = firm.scope();
    let key = RecordKey::new(&scope, Kind::TicketLink, receipt.id.as_str());
    let rows = api.ledger.store().records(&[key]).await?;
    let row = rows
        .first()
        .ok_or_else(|| Refusal::not_found(Kind::TicketLink.as_str()))?;
    Ok(respond(to_link(&scope, &decode(row)?), receipt))
}

fn to_link(scope: &ScopeId, found: &Found<TicketLink>) -> v1::TicketLink {
    let LinkedPair {
        upstream,
        downstream,
    } = &found.state.pair;
    v1::TicketLink {
        name: format!("{scope}/ticketLinks/{}", found.id),
        upstream: to_name(upstream),
        downstream: to_name(downstream),
        create_time: Some(to_timestamp(found.created_at)),
        delete_time: found.state.deleted_at.map(to_timestamp),
        etag: found.etag(),
    }
}

/// A ticket's name as the contract has it.
pub(super) fn to_name(name: &TicketName) -> String {
    format!("partnerships/{}/tickets/{}", name.partnership, name.ticket)
}
