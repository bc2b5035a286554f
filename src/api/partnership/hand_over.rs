//! What is open in a partnership, whose turn it is, and until when.

use tonic::{Request, Response};

use super::{Answer, NAME};
use crate::api::collections::record_name;
use crate::api::convert::{parse_name, to_timestamp};
use crate::api::page::Page;
use crate::api::sla::pinned::PinnedAgreements;
use crate::api::status::ApiError;
use crate::api::{Api, Member};
use crate::domain::firm::Permission;
use crate::domain::hand_over::{HandOverItem, KINDS, OpenMatter, of_clocks, of_record};
use crate::domain::identity::ScopeId;
use crate::domain::partnership::Partnership;
use crate::domain::record::{Kind, Record};
use crate::domain::sla::clock::OPEN;
use crate::domain::time::Timestamp;
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::ListQuery;

/// Records read at a time.
const RECORDS_AT_A_TIME: usize = 500;
/// Most records read for one page; if so many have nothing open, the page ends there.
const RECORDS_READ_MAX: usize = 20_000;

/// The place of an item: the sort of its record, the record's id, and its number among the record's
/// items. What comes after it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    kind: usize,
    id: String,
    items: usize,
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        Some(Self {
            kind: parts.next()?.parse().ok()?,
            items: parts.next()?.parse().ok()?,
            id: parts.next()?.to_owned(),
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}", self.kind, self.items, self.id)
    }
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::GetHandOverListRequest>,
) -> Answer<v1::HandOverList> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let [id] = parse_name("name", &message.name, NAME)?;
    let purpose = format!("GetHandOverList:{}:{id}:{}", caller.firm, message.party_id);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let place = page.place(Place::parse)?.unwrap_or_default();
    let member = api.member(&caller, &id).await?;
    let mut walk = Walk {
        api,
        member: &member,
        party: &message.party_id,
        now: api.now(),
        size: page.size,
        items: Vec::new(),
        agreements: PinnedAgreements::default(),
    };
    let next = walk.run(place).await?;
    let token = next.map(|place| api.tokens.seal(&purpose, place.to_string().as_bytes()));
    Ok(Response::new(v1::HandOverList {
        items: walk.items,
        next_page_token: token.unwrap_or_default(),
    }))
}

/// Fills one page.
struct Walk<'page> {
    api: &'page Api,
    member: &'page Member,
    party: &'page str,
    now: Timestamp,
    size: usize,
    items: Vec<v1::HandOverItem>,
    agreements: PinnedAgreements,
}

impl Walk<'_> {
    /// Goes on from `place`; returns where the next page does.
    async fn run(&mut self, mut place: Place) -> Result<Option<Place>, ApiError> {
        let mut records_read = 0;
        while let Some(kind) = KINDS.get(place.kind) {
            let records = self.read(*kind, &place).await?;
            records_read += records.len();
            let is_last = records.len() < RECORDS_AT_A_TIME;
            let mut skipped = place.items;
            for (id, record) in records {
                let items = self.open(&record).await?;
                for (number, item) in items.iter().enumerate().skip(skipped) {
                    if self.items.len() == self.size {
                        let place = Place {
                            kind: place.kind,
                            id,
                            items: number,
                        };
                        return Ok(Some(place));
                    }
                    self.take(*kind, &id, item);
                }
                (place.id, place.items) = (id, items.len());
                skipped = 0;
            }
            if is_last {
                place = Place {
                    kind: place.kind + 1,
                    ..Place::default()
                };
            } else if records_read >= RECORDS_READ_MAX {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// The next records of a kind, the one at `place` first if anything of it may be left.
    async fn read(&self, kind: Kind, place: &Place) -> Result<Vec<(String, Record)>, ApiError> {
        let scope = self.member.scope();
        let store = self.api.ledger.store();
        let mut found = Vec::new();
        if place.items > 0 || !place.id.is_empty() {
            let key = crate::domain::record::RecordKey::new(&scope, kind, place.id.as_str());
            found = store.records(&[key]).await?;
        }
        let query = ListQuery {
            scope,
            kind,
            state: (kind == Kind::Ticket).then(|| OPEN.to_owned()),
            after_id: place.id.clone(),
            limit: RECORDS_AT_A_TIME.saturating_sub(found.len()),
        };
        found.extend(store.list_records(&query).await?);
        let mut records = Vec::with_capacity(found.len());
        for row in found {
            let record = rows::decode_row(&row)?.record;
            records.push((row.key.id, record));
        }
        Ok(records)
    }

    async fn open(&self, record: &Record) -> Result<Vec<HandOverItem>, ApiError> {
        let partnership = &self.member.partnership;
        let mut record = record.clone();
        close(&mut record, &partnership.state, self.now);
        let record = &record;
        let mut items = of_record(record, &partnership.state, self.now);
        if let Record::Ticket(ticket) = record {
            let tickets = std::iter::once(ticket.as_ref());
            let agreements = &self.agreements;
            let found = agreements
                .of_tickets(self.api, partnership, tickets)
                .await?;
            for terms in found.of(ticket, None)?.into_iter().rev() {
                let clocks = terms.clocks(ticket, self.now);
                let obligor = &terms.at(self.now).content.obligor;
                items.splice(0..0, of_clocks(obligor, &clocks));
            }
        }
        Ok(items)
    }

    fn take(&mut self, kind: Kind, id: &str, item: &HandOverItem) {
        let is_asked = self.party.is_empty()
            || item
                .parties
                .iter()
                .any(|party| party.as_str() == self.party);
        if is_asked {
            self.items
                .push(to_item(&self.member.scope(), kind, id, item));
        }
    }
}

/// What the end has made of a record by now.
pub(in crate::api) fn close(record: &mut Record, partnership: &Partnership, now: Timestamp) {
    match record {
        Record::Expectation(state) => partnership.close(state.as_mut(), now),
        Record::Notice(state) => partnership.close(state.as_mut(), now),
        Record::Need(state) => partnership.close(state.as_mut(), now),
        Record::Opportunity(state) => partnership.close(state.as_mut(), now),
        Record::Ticket(state) => partnership.close(state.as_mut(), now),
        Record::Agreement(state) => partnership.close(state.as_mut(), now),
        Record::JointQuote(state) => partnership.close(state.as_mut(), now),
        Record::Activity(state) => partnership.close(state.as_mut(), now),
        Record::SharedGoal(state) => partnership.close(state.as_mut(), now),
        Record::Improvement(state) => partnership.close(state.as_mut(), now),
        _ => {}
    }
}

fn to_item(scope: &ScopeId, kind: Kind, id: &str, item: &HandOverItem) -> v1::HandOverItem {
    v1::HandOverItem {
        matter: to_matter(item.matter).into(),
        name: record_name(scope, kind, id),
        amendment_id: item.amendment.clone().unwrap_or_default(),
        party_ids: item.parties.iter().map(ToString::to_string).collect(),
        until_time: item.until.map(to_timestamp),
    }
}

/// What is open, as the contract names it.
pub(in crate::api) const fn to_matter(matter: OpenMatter) -> v1::OpenMatter {
    match matter {
        OpenMatter::Expectation => v1::OpenMatter::Expectation,
        OpenMatter::Notice => v1::OpenMatter::Notice,
        OpenMatter::Need => v1::OpenMatter::Need,
        OpenMatter::Opportunity => v1::OpenMatter::Opportunity,
        OpenMatter::Limitation => v1::OpenMatter::Limitation,
        OpenMatter::Ticket => v1::OpenMatter::Ticket,
        OpenMatter::Amendment => v1::OpenMatter::Amendment,
        OpenMatter::Agreement => v1::OpenMatter::Agreement,
        OpenMatter::ProposedAgreement => v1::OpenMatter::ProposedAgreement,
        OpenMatter::Quote => v1::OpenMatter::Quote,
        OpenMatter::Settlement => v1::OpenMatter::Settlement,
        OpenMatter::CustodyItem => v1::OpenMatter::CustodyItem,
        OpenMatter::HandOverRequest => v1::OpenMatter::HandOverRequest,
        OpenMatter::Activity => v1::OpenMatter::Activity,
        OpenMatter::SharedGoal => v1::OpenMatter::SharedGoal,
        OpenMatter::Improvement => v1::OpenMatter::Improvement,
        OpenMatter::Contact => v1::OpenMatter::Contact,
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn places_come_back() {
        let place = Place {
            kind: 3,
            id: "0199-ab".to_owned(),
            items: 2,
        };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        for bad in ["", "1", "1:x:id", "x:1:id"] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
