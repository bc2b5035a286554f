//! What a client could leave with: all that the parties keep about it, as one JSON document.
//!
//! Only what is the client's own is in it: of agreements, tickets, expectations and notices those that
//! name the client, and of outside parties those with which something is held for it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::gap_text;
use crate::api::listing::name_in;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Found, Member};
use crate::domain::aggregate::Aggregate;
use crate::domain::commitment::Commitment;
use crate::domain::contact::{ACTIVE, Contact};
use crate::domain::custody::exit_drill::{DRILL_ITEMS_MAX, DrillCounts, Held, count, gaps};
use crate::domain::custody::item::{CustodyItem, CustodyState};
use crate::domain::custody::request::HandOverRequest;
use crate::domain::expectation::{Expectation, ExpectationState};
use crate::domain::identity::ScopeId;
use crate::domain::notice::Notice;
use crate::domain::outsiders::{Client, OutsideParty};
use crate::domain::record::Stored;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::Agreement;
use crate::domain::sla::clock::OPEN;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::ledger::rows;
use crate::store::ListQuery;

/// Names the form of the document; another form gets another name.
const FORM: &str = "entente.exit.v1";
/// Largest document, in bytes.
const EXPORT_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Most records of one sort that are gone through.
const RECORDS_MAX: usize = 20_000;
/// Records read at a time.
const RECORDS_AT_A_TIME: usize = 500;

/// All that there is about a client.
#[derive(Debug)]
pub(super) struct Inventory {
    scope: ScopeId,
    client: Found<Client>,
    parties: Vec<Value>,
    items: Vec<Found<CustodyItem>>,
    requests: Vec<Found<HandOverRequest>>,
    outside_parties: Vec<Found<OutsideParty>>,
    contacts: Vec<Found<Contact>>,
    agreements: Vec<Found<Agreement>>,
    tickets: Vec<Found<Ticket>>,
    expectations: Vec<Found<Expectation>>,
    notices: Vec<Found<Notice>>,
    texts: Texts,
    now: Timestamp,
}

/// SHA-256 of a document, as hexadecimal.
pub(super) fn digest(export: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(export))
}

/// Gathers what there is about a client, with the texts that the caller may read.
///
/// # Errors
/// [`Reason::ResultTooLarge`], [`Reason::LimitReached`], or if the store fails.
pub(super) async fn collect(
    api: &Api,
    member: &Member,
    client: &Found<Client>,
) -> Result<Inventory, ApiError> {
    let id = client.id.as_str();
    let is_ours = |client: Option<&String>| client.is_some_and(|client| client == id);
    let held = Some(CustodyState::Held.as_str());
    let items = all::<CustodyItem>(api, member, held, |item| item.owner.client() == Some(id));
    let items = items.await?;
    if items.len() > DRILL_ITEMS_MAX {
        return Err(Refusal::limit("custody_items_per_exit_drill", DRILL_ITEMS_MAX).into());
    }
    let asked: BTreeSet<&String> = items.iter().flat_map(|item| &item.state.request).collect();
    let mut requests = all::<HandOverRequest>(api, member, None, |_| true).await?;
    requests.retain(|request| asked.contains(&request.id));
    let with: BTreeSet<&String> = items
        .iter()
        .flat_map(|item| &item.state.outside_party)
        .collect();
    let mut outside_parties = all::<OutsideParty>(api, member, None, |_| true).await?;
    outside_parties.retain(|outside| with.contains(&outside.id));
    let mut agreements = all::<Agreement>(api, member, None, |agreement| {
        is_ours(agreement.content.client.as_ref())
    })
    .await?;
    let in_force = &member.partnership.state.agreements_in_force;
    agreements.retain(|agreement| in_force.contains(&agreement.id));
    let under: BTreeSet<&String> = agreements.iter().map(|agreement| &agreement.id).collect();
    let tickets = all::<Ticket>(api, member, Some(OPEN), |ticket| {
        under.contains(&ticket.agreement)
    })
    .await?;
    let expectations = all::<Expectation>(api, member, None, |expectation| {
        is_ours(expectation.client.as_ref()) && is_open(expectation, api.now())
    })
    .await?;
    let notices = all::<Notice>(api, member, None, |notice| {
        is_ours(notice.client.as_ref()) && notice.state.is_open()
    })
    .await?;
    let parties = member.partnership.state.parties.iter();
    let mut found = Inventory {
        scope: member.scope(),
        client: client.clone(),
        parties: parties
            .map(|party| json!({"party_id": party.id, "display_name": party.display_name}))
            .collect(),
        contacts: all(api, member, Some(ACTIVE), |_| true).await?,
        items,
        requests,
        outside_parties,
        agreements,
        tickets,
        expectations,
        notices,
        texts: Texts::default(),
        now: api.now(),
    };
    let commitments = found.commitments();
    found.texts = Texts::load(api, &found.scope, &member.party.id, commitments).await?;
    Ok(found)
}

/// Whether somebody still has to do something about it.
fn is_open(expectation: &Expectation, now: Timestamp) -> bool {
    use ExpectationState as State;
    !matches!(
        expectation.state_at(now),
        State::Accepted
            | State::Declined
            | State::Withdrawn
            | State::Expired
            | State::Contested
            | State::Closed
    )
}

/// All records of a sort for which `keep` holds, in the order of their ids.
async fn all<T: Stored + Clone>(
    api: &Api,
    member: &Member,
    state: Option<&str>,
    keep: impl Fn(&T) -> bool + Send,
) -> Result<Vec<Found<T>>, ApiError> {
    let mut query = ListQuery {
        scope: member.scope(),
        kind: T::KIND,
        state: state.map(str::to_owned),
        after_id: String::new(),
        limit: RECORDS_AT_A_TIME,
    };
    let mut found = Vec::new();
    let mut read = 0_usize;
    loop {
        let page = api.ledger.store().list_records(&query).await?;
        read = read.saturating_add(page.len());
        if read > RECORDS_MAX {
            return Err(too_large("records", RECORDS_MAX).into());
        }
        let is_last = page.len() < RECORDS_AT_A_TIME;
        for row in page {
            let versioned = rows::decode_row(&row)?;
            let state = T::from_record(&versioned.record).cloned();
            if let Some(mut state) = state {
                member.partnership.state.close(&mut state, api.now());
                if keep(&state) {
                    found.push(Found::new(&row.key.id, state, &versioned));
                }
            }
            query.after_id = row.key.id;
        }
        if is_last {
            return Ok(found);
        }
    }
}

fn too_large(what: &'static str, most: usize) -> Refusal {
    let message = format!("more than {most} {what}");
    Refusal::new(Reason::ResultTooLarge, message).with("maximum", most)
}

impl Inventory {
    /// Identifiers of the items, ascending.
    pub(super) fn item_ids(&self) -> Vec<String> {
        self.items.iter().map(|item| item.id.clone()).collect()
    }

    /// How much there is; the drill itself counts items and requests.
    pub(super) fn counts(&self) -> DrillCounts {
        DrillCounts {
            custody_items: count(self.items.len()),
            hand_over_requests: count(self.requests.len()),
            outside_parties: count(self.outside_parties.len()),
            contacts: count(self.contacts.len()),
            agreements: count(self.agreements.len()),
            tickets: count(self.tickets.len()),
            expectations: count(self.expectations.len()),
            notices: count(self.notices.len()),
        }
    }

    fn commitments(&self) -> Vec<Commitment> {
        let locations = self.items.iter().map(|item| item.state.location.clone());
        let people = self.contacts.iter().flat_map(|contact| {
            let content = &contact.state.content;
            let addresses = content.channels.iter();
            let addresses = addresses.map(|channel| Some(channel.address.clone()));
            addresses.chain([Some(content.person.clone())])
        });
        let tickets = self.tickets.iter().map(|ticket| ticket.state.title.clone());
        let expectations = self.expectations.iter();
        let expectations = expectations.map(|expectation| expectation.state.title.clone());
        let notices = self.notices.iter().map(|notice| notice.state.title.clone());
        locations
            .chain(people)
            .chain(tickets)
            .chain(expectations)
            .chain(notices)
            .flatten()
            .collect()
    }

    /// The document. Of the same records and gaps it is the same.
    ///
    /// # Errors
    /// [`Reason::ResultTooLarge`].
    pub(super) fn write(&self) -> Result<Vec<u8>, Refusal> {
        let document = json!({
            "form": FORM,
            "partnership": self.scope.as_str(),
            "client": {
                "name": name_in(&self.scope, "clients", &self.client.id),
                "display_name": self.client.state.display_name,
            },
            "parties": self.parties,
            "gaps": self.gaps(),
            "custody_items": self.each(&self.items, "custodyItems", |item| self.item(item)),
            "hand_over_requests": self.each(&self.requests, "handOverRequests", |request| json!({
                "state": request.state(),
                "requester": request.asked.party,
                "holder": request.asked.holder,
                "due_time": request.asked.due_at.to_string(),
            })),
            "outside_parties": self.each(&self.outside_parties, "outsideParties", |outside| json!({
                "display_name": outside.display_name,
                "kind": outside.party_type,
            })),
            "contacts": self.each(&self.contacts, "contacts", |contact| self.contact(contact)),
            "agreements": self.each(&self.agreements, "agreements", |agreement| json!({
                "display_name": agreement.content.display_name,
                "obligor": agreement.content.obligor,
                "beneficiary": agreement.content.beneficiary,
                "revision": agreement.revision,
            })),
            "tickets": self.each(&self.tickets, "tickets", |ticket| json!({
                "title": self.text(ticket.title.as_ref()),
            })),
            "expectations": self.each(&self.expectations, "expectations", |expectation| json!({
                "title": self.text(expectation.title.as_ref()),
                "obligor": expectation.obligor,
                "deadline": expectation.deadline().map(|deadline| deadline.to_string()),
            })),
            "notices": self.each(&self.notices, "notices", |notice| json!({
                "title": self.text(notice.title.as_ref()),
                "planned_time": notice.plan.planned_at.map(|at| at.to_string()),
            })),
        });
        let fault = |fault: serde_json::Error| Refusal::new(Reason::Internal, fault.to_string());
        let written = serde_json::to_vec_pretty(&document).map_err(fault)?;
        if written.len() > EXPORT_BYTES_MAX {
            return Err(too_large("bytes", EXPORT_BYTES_MAX));
        }
        Ok(written)
    }

    /// Records of a sort, each with its name before what there is to say of it.
    fn each<T>(
        &self,
        found: &[Found<T>],
        collection: &str,
        say: impl Fn(&T) -> Value,
    ) -> Vec<Value> {
        let with_name = |found: &Found<T>| {
            let mut said = say(&found.state);
            if let Some(said) = said.as_object_mut() {
                let name = name_in(&self.scope, collection, &found.id);
                said.insert("name".to_owned(), name.into());
            }
            said
        };
        found.iter().map(with_name).collect()
    }

    fn text(&self, commitment: Option<&Commitment>) -> String {
        self.texts.show(commitment)
    }

    fn item(&self, item: &CustodyItem) -> Value {
        let outside_party = item.outside_party.as_ref();
        let test = item
            .last_test()
            .map(|test| json!({"time": test.said.at.to_string(), "passed": test.said.is_passed}));
        json!({
            "kind": item.kind,
            "display_name": item.display_name,
            "holder": item.holder,
            "outside_party":
                outside_party.map(|id| name_in(&self.scope, "outsideParties", id)),
            "location": self.text(item.location.as_ref()),
            "last_test": test,
        })
    }

    fn contact(&self, contact: &Contact) -> Value {
        let content = &contact.content;
        let channels = content.channels.iter().map(|channel| {
            json!({
                "type": channel.channel_type,
                "address": self.text(Some(&channel.address)),
            })
        });
        json!({
            "party": contact.party,
            "role": content.role,
            "person": self.text(Some(&content.person)),
            "channels": channels.collect::<Vec<_>>(),
        })
    }

    /// What is missing, in words.
    fn gaps(&self) -> Vec<Value> {
        let held = self.items.iter().map(|item| Held {
            id: &item.id,
            item: &item.state,
            request: item.state.request.as_ref().and_then(|request| {
                let mut requests = self.requests.iter();
                let found = requests.find(|found| found.id == *request);
                found.map(|found| &found.state)
            }),
        });
        let held: Vec<Held<'_>> = held.collect();
        let gaps = gaps(&held, self.now);
        let said = gaps.iter().map(|gap| {
            let mut items = self.items.iter();
            let item = items.find(|item| gap.item.as_ref() == Some(&item.id));
            let item = item.map(|item| &item.state.display_name);
            json!({"gap": gap_text(gap.kind), "item": item})
        });
        said.collect()
    }
}
