//! Chains of tickets: a firm that opened one with its partner because of another's.

use entente::proto::v1;

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House};
use super::setting::{NORTH_PSA, Pair, SOUTH_PSA, opening, ticket};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";
/// The firm in the middle.
const MIDDLE: &str = "firms/south";

/// North is served by south, and south by west. Nobody but south knows all three.
struct Chain {
    /// North and south.
    up: Pair,
    /// South, who stands where north would, and west.
    down: Pair,
}

impl Chain {
    async fn set(house: &House) -> Self {
        let up = Pair::with_a_desk(house).await;
        up.status_map(&up.south, SOUTH_PSA).await;
        let down = Pair::between(house, "south", "west").await;
        Self {
            up,
            down: down.at_a_desk().await,
        }
    }

    /// The caller in the middle.
    fn middle(&self) -> &super::house::Firm {
        &self.up.south
    }

    /// A ticket of north, of that number.
    async fn upstream(&self, number: usize) -> String {
        let id = ticket(NORTH_PSA, &number.to_string());
        let events = vec![opening("e1", &id, 0, 1)];
        self.up
            .ingest(&self.up.north, events)
            .await
            .remove(0)
            .ticket
    }

    /// A ticket that south opens with west, of that number.
    async fn downstream(&self, number: usize) -> String {
        let id = ticket(NORTH_PSA, &number.to_string());
        let events = vec![opening("e1", &id, 0, 1)];
        let results = self.down.ingest(&self.down.north, events).await;
        results[0].ticket.clone()
    }
}

fn linking(upstream: &str, downstream: &str) -> v1::CreateTicketLinkRequest {
    v1::CreateTicketLinkRequest {
        parent: MIDDLE.to_owned(),
        ticket_link: Some(v1::TicketLink {
            upstream: upstream.to_owned(),
            downstream: downstream.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn links_of(parent: &str) -> v1::ListTicketLinksRequest {
    v1::ListTicketLinksRequest {
        parent: parent.to_owned(),
        ..Default::default()
    }
}

fn names(found: v1::ListTicketLinksResponse) -> Vec<String> {
    let links = found.ticket_links.into_iter();
    links.map(|link| link.name).collect()
}

/// A link is there once, is found from both ends, ends without a trace being lost, and is seen by
/// the firm in the middle alone.
pub async fn links_are_of_one_firm(house: House) {
    let chain = Chain::set(&house).await;
    let ups = [chain.upstream(1).await, chain.upstream(2).await];
    let downs = [chain.downstream(1).await, chain.downstream(2).await];
    let mut sla = chain.middle().connection.sla();
    let mut links = Vec::new();
    for (upstream, downstream) in [(0, 0), (0, 1), (1, 1)] {
        house.pass(1);
        let request = linking(&ups[upstream], &downs[downstream]);
        links.push(ok(sla.create_ticket_link(request)).await);
    }
    let [first, second, third] = [0, 1, 2].map(|index| links[index].name.clone());
    let before = house.heads().await;
    let again = ok(sla.create_ticket_link(linking(&ups[0], &downs[0]))).await;
    assert_eq!(again, links[0]);
    assert_eq!(house.heads().await, before, "a link was made twice");
    let all = v1::ListTicketLinksRequest {
        page_size: 2,
        ..links_of(MIDDLE)
    };
    let page = ok(sla.list_ticket_links(all.clone())).await;
    let next = v1::ListTicketLinksRequest {
        page_token: page.next_page_token.clone(),
        ..all
    };
    assert_eq!(names(page), [first.clone(), second.clone()]);
    let page = ok(sla.list_ticket_links(next)).await;
    assert_eq!(page.next_page_token, "");
    assert_eq!(names(page), [third.clone()]);
    for (upstream, downstream, expected) in [
        (Some(0), None, vec![&first, &second]),
        (None, Some(1), vec![&second, &third]),
        (Some(1), Some(1), vec![&third]),
        (Some(1), Some(0), vec![]),
    ] {
        let name = |names: &[String; 2], index: Option<usize>| {
            index.map(|index| names[index].clone()).unwrap_or_default()
        };
        let request = v1::ListTicketLinksRequest {
            upstream: name(&ups, upstream),
            downstream: name(&downs, downstream),
            ..links_of(MIDDLE)
        };
        let found = ok(sla.list_ticket_links(request)).await;
        assert_eq!(names(found).iter().collect::<Vec<_>>(), expected);
    }
    deletions(&house, &chain, &links[1]).await;
    let others = [
        (&chain.up.north, "firms/north"),
        (&chain.down.south, "firms/west"),
    ];
    for (firm, own) in others {
        let mut sla = firm.connection.sla();
        assert!(names(ok(sla.list_ticket_links(links_of(own))).await).is_empty());
        let call = sla.list_ticket_links(links_of(MIDDLE));
        refuses(&house, "NOT_FOUND", call).await;
        let request = v1::DeleteTicketLinkRequest {
            name: first.clone(),
            ..Default::default()
        };
        refuses(&house, "NOT_FOUND", sla.delete_ticket_link(request)).await;
    }
    house.stop().await;
}

async fn deletions(house: &House, chain: &Chain, link: &v1::TicketLink) {
    let mut sla = chain.middle().connection.sla();
    let deleting = v1::DeleteTicketLinkRequest {
        name: link.name.clone(),
        etag: link.etag.clone(),
        ..Default::default()
    };
    let deleted = ok(sla.delete_ticket_link(deleting.clone())).await;
    assert!(deleted.delete_time.is_some());
    let stale = sla.delete_ticket_link(deleting.clone());
    refuses(house, "ETAG_MISMATCH", stale).await;
    let again = v1::DeleteTicketLinkRequest {
        etag: String::new(),
        ..deleting
    };
    assert_eq!(ok(sla.delete_ticket_link(again)).await, deleted);
    let found = names(ok(sla.list_ticket_links(links_of(MIDDLE))).await);
    assert_eq!((found.len(), found.contains(&link.name)), (2, false));
    let whole = v1::ListTicketLinksRequest {
        show_deleted: true,
        ..links_of(MIDDLE)
    };
    let found = ok(sla.list_ticket_links(whole)).await.ticket_links;
    assert!(found.contains(&deleted));
    let request = linking(&link.upstream, &link.downstream);
    let anew = ok(sla.create_ticket_link(request)).await;
    assert_ne!(anew.name, link.name);
}

/// Tickets that are not there, or not the caller's to see, and too many of them.
pub async fn links_at_fault(house: House) {
    let chain = Chain::set(&house).await;
    let up = chain.upstream(1).await;
    let down = chain.downstream(1).await;
    let mut middle = chain.middle().connection.sla();
    let call = middle.create_ticket_link(v1::CreateTicketLinkRequest::default());
    faulty(&house, BAD, &["parent", "ticket_link"], call).await;
    let call = middle.create_ticket_link(linking("tickets/1", &chain.up.name));
    let fields = ["ticket_link.upstream", "ticket_link.downstream"];
    faulty(&house, BAD, &fields, call).await;
    let call = middle.create_ticket_link(linking(&up, &up));
    faulty(&house, BAD, &["ticket_link.downstream"], call).await;
    let absent = format!("{}/tickets/none", chain.up.name);
    let call = middle.create_ticket_link(linking(&absent, &down));
    let fields = ["ticket_link.upstream"];
    faulty(&house, "NOT_FOUND", &fields, call).await;
    // North does not learn that there is such a ticket, or such a partnership.
    let norths = |downstream: &str| v1::CreateTicketLinkRequest {
        parent: "firms/north".to_owned(),
        ..linking(&up, downstream)
    };
    let mut north = chain.up.north.connection.sla();
    let nowhere = down.replace("partnerships/0", "partnerships/1");
    let fields = ["ticket_link.downstream"];
    let there = faulty(
        &house,
        "NOT_FOUND",
        &fields,
        north.create_ticket_link(norths(&down)),
    );
    let there = there.await;
    let absent = north.create_ticket_link(norths(&nowhere));
    assert_eq!(faulty(&house, "NOT_FOUND", &fields, absent).await, there);
    let both = v1::ListTicketLinksRequest {
        upstream: up.clone(),
        show_deleted: true,
        ..links_of(MIDDLE)
    };
    let call = middle.list_ticket_links(both);
    faulty(&house, BAD, &["show_deleted"], call).await;
    house.pass(HOUR);
    for number in 1..=20 {
        let request = linking(&up, &chain.downstream(number).await);
        ok(middle.create_ticket_link(request)).await;
    }
    let request = linking(&up, &chain.downstream(21).await);
    let refused = refuses(&house, "LIMIT_REACHED", middle.create_ticket_link(request)).await;
    assert_eq!(refused.metadata["limit"], "downstream_tickets");
    house.stop().await;
}
