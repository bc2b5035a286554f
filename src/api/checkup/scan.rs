//! Goes through the records of a partnership, a page at a time, and gathers what they tell.

use std::sync::Arc;

use crate::api::sla::pinned::PinnedAgreements;
use crate::api::sla::pool::Place;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Found, Member};
use crate::domain::checkup::burden::BurdenTally;
use crate::domain::checkup::observe::{self, Context};
use crate::domain::checkup::{Report, Tally, Window};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::partnership::Partnership;
use crate::domain::pricing::fairness::Looking;
use crate::domain::pricing::quote::JointQuote;
use crate::domain::record::{Kind, Record, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::ledger::{history, rows};
use crate::store::{ListQuery, RecordRow, StoreError};

use super::snapshot::Snapshot;

/// Most tickets of a partnership that are gone through.
const TICKETS_MAX: usize = 200_000;
/// Most records of any other kind that are gone through.
const RECORDS_MAX: usize = 50_000;
/// Most joint quotes that are gone through.
const QUOTES_MAX: usize = 20_000;
/// How many records are read at a time.
const RECORDS_AT_A_TIME: usize = 2_000;
/// How many joint quotes are read at a time; a large one has megabytes.
const QUOTES_AT_A_TIME: usize = 100;

/// What is gone through, and for whom.
pub(super) struct Scan<'scan> {
    pub api: &'scan Api,
    pub agreements: &'scan PinnedAgreements,
    pub place: &'scan Place,
    pub member: &'scan Member,
    pub snapshot: &'scan Snapshot,
    pub as_of: Timestamp,
    pub window: Window,
    /// Until when the caller waits.
    pub until: Timestamp,
}

/// What is gathered on the way.
struct Gathered {
    tally: Tally,
    burdens: BurdenTally,
}

/// Records as they were at the instant asked about, each with its id.
type Page = Vec<(String, Record)>;

impl Scan<'_> {
    /// The partnership as it was, and the report.
    pub(super) async fn run(&self) -> Result<(Arc<Partnership>, Report), ApiError> {
        let partnership = Arc::new(self.partnership().await?);
        let parties = partnership.parties.iter().map(|party| party.id.clone());
        let mut gathered = Gathered {
            tally: Tally::new(parties.collect(), self.as_of, self.window),
            burdens: BurdenTally::new(self.window),
        };
        let tickets = (Kind::Ticket, TICKETS_MAX);
        let others = observe::KINDS.map(|kind| (kind, RECORDS_MAX));
        let quotes = (Kind::JointQuote, QUOTES_MAX);
        for (kind, most) in others.into_iter().chain([tickets, quotes]) {
            gathered = self.kind(&partnership, (kind, most), gathered).await?;
        }
        let usual = crate::domain::checkup::CheckupClauses::default();
        let terms = partnership.terms.as_ref();
        let clauses = terms.map_or(&usual, |terms| &terms.content.checkup_clauses);
        let began_at = self.member.partnership.created_at;
        let report = Report::new(&gathered.tally, &gathered.burdens, clauses, began_at);
        Ok((partnership, report))
    }

    /// The partnership as it was.
    async fn partnership(&self) -> Result<Partnership, ApiError> {
        let id = &self.member.partnership.id;
        let key = RecordKey::new(&ScopeId::partnership(id), Kind::Partnership, id.as_str());
        let store = self.api.ledger.store();
        let rows = store.records(std::slice::from_ref(&key)).await?;
        let found = match rows.first() {
            Some(row) => self.snapshot.of(self.api, row).await?,
            None => None,
        };
        let found = found.as_ref().map(|versioned| &versioned.record);
        let found = found.and_then(Partnership::from_record).cloned();
        Ok(found.ok_or_else(|| Refusal::not_found("partnership"))?)
    }

    /// Goes through all records of a kind. While one page is gone through, the next is read.
    async fn kind(
        &self,
        partnership: &Arc<Partnership>,
        (kind, most): (Kind, usize),
        mut gathered: Gathered,
    ) -> Result<Gathered, ApiError> {
        let at_a_time = match kind {
            Kind::JointQuote => QUOTES_AT_A_TIME,
            _ => RECORDS_AT_A_TIME,
        };
        let mut query = ListQuery {
            scope: self.member.scope(),
            kind,
            state: None,
            after_id: String::new(),
            limit: at_a_time,
        };
        let store = self.api.ledger.store();
        let mut rows = store.list_records(&query).await?;
        let mut read = 0;
        while !rows.is_empty() {
            self.check_deadline()?;
            read += rows.len();
            if read > most {
                return Err(too_many(kind, most).into());
            }
            let last = rows.last().filter(|_| rows.len() == at_a_time);
            let last = last.map(|row| row.key.id.clone());
            let next = async {
                match last {
                    None => Ok(Vec::new()),
                    Some(last) => {
                        query.after_id = last;
                        Ok(store.list_records(&query).await?)
                    }
                }
            };
            let page = self.page(partnership, kind, rows, gathered);
            (rows, gathered) = tokio::try_join!(next, page)?;
        }
        Ok(gathered)
    }

    fn check_deadline(&self) -> Result<(), Refusal> {
        if self.api.now() <= self.until {
            return Ok(());
        }
        let why = "the deadline passed while counting";
        Err(Refusal::new(Reason::DeadlineExceeded, why))
    }

    async fn page(
        &self,
        partnership: &Arc<Partnership>,
        kind: Kind,
        rows: Vec<RecordRow>,
        gathered: Gathered,
    ) -> Result<Gathered, ApiError> {
        let mut page = self.decoded(rows).await?;
        if let Some(ended_at) = partnership.over_at(self.as_of) {
            for (_, record) in &mut page {
                record.close(ended_at);
            }
        }
        match kind {
            Kind::Ticket => self.tickets(partnership, page, gathered).await,
            Kind::JointQuote => self.quotes(partnership, page, gathered).await,
            _ => self.records(partnership, page, gathered).await,
        }
    }

    /// The records as they were: most of them as they are, the others from their entries.
    async fn decoded(&self, rows: Vec<RecordRow>) -> Result<Page, ApiError> {
        let (same, changed): (Vec<RecordRow>, Vec<RecordRow>) =
            rows.into_iter().partition(|row| self.snapshot.has(row));
        let decode = move || {
            let rows = same.into_iter();
            rows.map(|row| Ok((rows::decode_row(&row)?.record, row.key.id)))
                .map(|read: Result<_, StoreError>| read.map(|(record, id)| (id, record)))
                .collect::<Result<Page, StoreError>>()
        };
        let mut page = self.place.run(decode).await??;
        let store = self.api.ledger.store().as_ref();
        for row in changed {
            let found = history::as_of(store, &row.key, self.snapshot.sequence()).await?;
            page.extend(found.map(|versioned| (row.key.id, versioned.record)));
            self.check_deadline()?;
        }
        Ok(page)
    }

    async fn records(
        &self,
        partnership: &Arc<Partnership>,
        page: Page,
        mut gathered: Gathered,
    ) -> Result<Gathered, ApiError> {
        let (partnership, as_of) = (Arc::clone(partnership), self.as_of);
        let work = move || {
            let context = Context {
                partnership: &partnership,
                as_of,
            };
            for (id, record) in &page {
                observe::record(id, record, context, &mut gathered.tally);
            }
            gathered
        };
        self.place.run(work).await
    }

    async fn tickets(
        &self,
        partnership: &Arc<Partnership>,
        page: Page,
        mut gathered: Gathered,
    ) -> Result<Gathered, ApiError> {
        let tickets = page.iter();
        let tickets = tickets.filter_map(|(_, record)| Ticket::from_record(record));
        let current: &Found<Partnership> = &self.member.partnership;
        let asked = (Arc::clone(partnership), self.as_of);
        let agreements = self.agreements;
        let in_force = agreements
            .of_tickets_at(self.api, current, asked, tickets)
            .await?;
        let (partnership, as_of) = (Arc::clone(partnership), self.as_of);
        let work = move || {
            let context = Context {
                partnership: &partnership,
                as_of,
            };
            for (id, record) in &page {
                if let Record::Ticket(ticket) = record {
                    let terms = in_force.of(ticket, Some(as_of))?;
                    observe::ticket::observe(id, ticket, &terms, context, &mut gathered.tally);
                }
            }
            Ok::<_, Refusal>(gathered)
        };
        Ok(self.place.run(work).await??)
    }

    /// Joint quotes with what the caller's party may read of them.
    async fn quotes(
        &self,
        partnership: &Arc<Partnership>,
        page: Page,
        mut gathered: Gathered,
    ) -> Result<Gathered, ApiError> {
        let quotes = || {
            let records = page.iter();
            records.filter_map(|(id, record)| Some((id, JointQuote::from_record(record)?)))
        };
        let sealed = quotes().flat_map(|(_, quote)| quote.sealed_shares());
        let party: &PartyId = &self.member.party.id;
        let texts = Texts::load(self.api, &self.member.scope(), party, sealed.collect()).await?;
        let looking = Looking {
            party,
            read: &|commitment| texts.read(commitment),
        };
        for (id, quote) in quotes() {
            gathered.burdens.add(id, quote, looking);
        }
        self.records(partnership, page, gathered).await
    }
}

fn too_many(kind: Kind, most: usize) -> Refusal {
    let kind = kind.as_str();
    let why = format!("the partnership has more than {most} records of the kind {kind}");
    Refusal::new(Reason::ResultTooLarge, why).with("maximum", most)
}
