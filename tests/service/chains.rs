//! Chains of tickets: a firm that opened one with its partner because of another's.

use entente::proto::v1::{self, ChargedPartyKind, TargetType};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, MINUTE, at};
use super::setting::{NORTH_PSA, Pair, SOUTH, SOUTH_PSA, opening, status, ticket};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";
/// The firm in the middle.
const MIDDLE: &str = "firms/south";

/// North is served by south, and south by west. Nobody but south knows all three.
pub struct Chain {
    /// North and south.
    pub up: Pair,
    /// South, who stands where north would, and west.
    pub down: Pair,
}

impl Chain {
    pub async fn set(house: &House) -> Self {
        let up = Pair::with_a_desk(house).await;
        up.status_map(&up.south, SOUTH_PSA).await;
        let down = Pair::between(house, "south", "west").await;
        Self {
            up,
            down: down.at_a_desk().await,
        }
    }

    /// The caller in the middle.
    pub fn middle(&self) -> &super::house::Firm {
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

/// The request for a link of the firm in the middle.
pub fn linking(upstream: &str, downstream: &str) -> v1::CreateTicketLinkRequest {
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
    assert_eq!(names(page), [third.as_str()]);
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

/// A ticket with its changes of status, each after so many minutes; the first one opens it. Its name.
pub async fn life(pair: &Pair, number: usize, changes: &[(i64, &str)]) -> String {
    let id = ticket(NORTH_PSA, &number.to_string());
    let events = changes.iter().enumerate().map(|(index, (minutes, state))| {
        let name = format!("e{index}");
        match index {
            0 => opening(&name, &id, minutes * MINUTE, 1),
            _ => status(&name, &id, minutes * MINUTE, state),
        }
    });
    let results = pair.ingest(&pair.north, events.collect()).await;
    assert!(results.iter().all(|result| result.error.is_none()));
    results[0].ticket.clone()
}

fn charges_of(name: &str) -> v1::GetChainChargesRequest {
    v1::GetChainChargesRequest {
        name: name.to_owned(),
        r#type: TargetType::Resolution.into(),
        page_size: 500,
        ..Default::default()
    }
}

/// From minute to minute, in which partnership, and who.
type Line = (i64, i64, String, String);

fn lines(found: &v1::ChainCharges) -> Vec<Line> {
    let minutes = |instant: Option<prost_types::Timestamp>| {
        (instant.unwrap().seconds - at(0).seconds) / MINUTE
    };
    let intervals = found.intervals.iter();
    intervals
        .map(|piece| {
            let interval = piece.interval.as_ref().unwrap();
            let party = piece.charged_to.clone().unwrap_or_default();
            let who = match party.kind() {
                ChargedPartyKind::Party => party.name,
                kind => format!("{kind:?}"),
            };
            let (from, to) = (minutes(interval.start_time), minutes(interval.end_time));
            (from, to, party.partnership, who)
        })
        .collect()
}

/// Minutes by partnership and party, in the order of the minutes.
fn totals(found: &v1::ChainCharges) -> Vec<(i64, String, String)> {
    let mut totals: Vec<_> = found
        .totals
        .iter()
        .map(|total| {
            let party = total.party.clone().unwrap();
            let minutes = total.charged.unwrap().seconds / MINUTE;
            (minutes, party.partnership, party.name)
        })
        .collect();
    totals.sort();
    totals
}

/// The partnership and the three lives of a chain of four firms, linked by the one in the middle.
pub async fn a_chain_of_four(house: &House, chain: &Chain) -> (Pair, [String; 3]) {
    let further = Pair::between(house, "south", "east")
        .await
        .at_a_desk()
        .await;
    house.pass(6 * HOUR);
    let upstream = [
        (0, "New"),
        (30, "Open"),
        (180, "Waiting"),
        (195, "Open"),
        (300, "Done"),
    ];
    let upstream = life(&chain.up, 1, &upstream).await;
    let down = [(60, "New"), (120, "Waiting"), (150, "Open"), (210, "Done")];
    let down = life(&chain.down, 1, &down).await;
    let last = life(&further, 1, &[(75, "New"), (105, "Done")]).await;
    let mut sla = chain.middle().connection.sla();
    for (upstream, downstream) in [(&upstream, &down), (&down, &last)] {
        ok(sla.create_ticket_link(linking(upstream, downstream))).await;
    }
    (further, [upstream, down, last])
}

/// S17: time is charged per party on every hand-off, A to B to C and on to D, and adds up.
pub async fn s17_time_is_charged_along_the_chain(house: House) {
    let chain = Chain::set(&house).await;
    let (further, [upstream, down, last]) = a_chain_of_four(&house, &chain).await;
    let mut middle = chain.middle().connection.sla();
    let found = ok(middle.get_chain_charges(charges_of(&upstream))).await;
    let line = |from, to, pair: &Pair, who: &str| (from, to, pair.name.clone(), who.to_owned());
    let (up, west) = (&chain.up, &chain.down);
    assert_eq!(
        lines(&found),
        [
            line(0, 60, up, SOUTH),
            line(60, 75, west, SOUTH),
            line(75, 105, &further, SOUTH),
            line(105, 120, west, SOUTH),
            // West waits for the client, and so does not have the ball.
            line(120, 150, up, SOUTH),
            line(150, 180, west, SOUTH),
            line(180, 195, up, "Client"),
            line(195, 210, west, SOUTH),
            line(210, 300, up, SOUTH),
        ]
    );
    let total = |minutes, pair: &Pair, who: &str| (minutes, pair.name.clone(), who.to_owned());
    assert_eq!(
        totals(&found),
        [
            total(15, up, ""),
            total(30, &further, SOUTH),
            total(75, west, SOUTH),
            total(180, up, SOUTH),
        ]
    );
    let said_by: Vec<_> = found.intervals[1..4]
        .iter()
        .map(|piece| {
            let event = piece.downstream_event_id.as_str();
            (piece.downstream_ticket.as_str(), event)
        })
        .collect();
    let expected = [
        (down.as_str(), "e0"),
        (last.as_str(), "e0"),
        (down.as_str(), "e0"),
    ];
    assert_eq!(said_by, expected);
    // North knows nothing of west, and what it is told adds up to the same.
    let mut north = chain.up.north.connection.sla();
    let norths = ok(north.get_chain_charges(charges_of(&upstream))).await;
    assert_eq!(totals(&norths), [total(15, up, ""), total(285, up, SOUTH)]);
    assert!(
        norths
            .intervals
            .iter()
            .all(|piece| piece.downstream_ticket.is_empty())
    );
    assert_eq!(norths.clock, found.clock);
    let mut west = chain.down.south.connection.sla();
    let call = west.get_chain_charges(charges_of(&upstream));
    refuses(&house, "NOT_FOUND", call).await;
    pages(&chain, &upstream, &found).await;
    house.stop().await;
}

async fn pages(chain: &Chain, upstream: &str, whole: &v1::ChainCharges) {
    let mut middle = chain.middle().connection.sla();
    let (mut intervals, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::GetChainChargesRequest {
            page_size: 2,
            page_token,
            ..charges_of(upstream)
        };
        let page = ok(middle.get_chain_charges(request)).await;
        assert_eq!((&page.totals, &page.clock), (&whole.totals, &whole.clock));
        intervals.extend(page.intervals);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(intervals, whole.intervals);
}

/// Circles end, deleted links count no more, other instants and bad input are answered as by
/// `ExplainClock`.
pub async fn chains_are_followed_downwards_only(house: House) {
    let chain = Chain::set(&house).await;
    let (_, [upstream, down, last]) = a_chain_of_four(&house, &chain).await;
    let mut middle = chain.middle().connection.sla();
    let before = ok(middle.get_chain_charges(charges_of(&upstream))).await;
    for downstream in [&upstream, &down] {
        ok(middle.create_ticket_link(linking(&last, downstream))).await;
    }
    let found = ok(middle.get_chain_charges(charges_of(&upstream))).await;
    assert_eq!(found.intervals, before.intervals);
    let early = v1::GetChainChargesRequest {
        as_of_time: Some(at(90 * MINUTE)),
        ..charges_of(&upstream)
    };
    let found = ok(middle.get_chain_charges(early)).await;
    let minutes: Vec<_> = totals(&found).into_iter().map(|total| total.0).collect();
    assert_eq!(minutes, [15, 15, 60]);
    let links = v1::ListTicketLinksRequest {
        upstream: upstream.clone(),
        ..links_of(MIDDLE)
    };
    let link = names(ok(middle.list_ticket_links(links)).await).remove(0);
    let deleting = v1::DeleteTicketLinkRequest {
        name: link,
        ..Default::default()
    };
    ok(middle.delete_ticket_link(deleting)).await;
    let found = ok(middle.get_chain_charges(charges_of(&upstream))).await;
    let own = (285, chain.up.name.clone(), SOUTH.to_owned());
    assert_eq!(totals(&found)[1..], [own]);
    let bad = v1::GetChainChargesRequest {
        name: chain.up.name.clone(),
        cycle: -1,
        ..Default::default()
    };
    let call = middle.get_chain_charges(bad);
    faulty(&house, BAD, &["name", "type", "cycle"], call).await;
    let absent = v1::GetChainChargesRequest {
        cycle: 2,
        ..charges_of(&upstream)
    };
    refuses(&house, "NOT_FOUND", middle.get_chain_charges(absent)).await;
    let early = v1::GetChainChargesRequest {
        as_of_time: Some(at(-HOUR)),
        ..charges_of(&upstream)
    };
    refuses(&house, "OUT_OF_RANGE", middle.get_chain_charges(early)).await;
    house.stop().await;
}
