//! Thinks of commands: reads a little of what there is, as a caller would, and then asks for
//! something.

use std::collections::VecDeque;

use entente::domain::identity::{FirmId, ScopeId};
use entente::domain::pricing::quote::QuoteState;
use entente::domain::record::{Kind, Record, RecordKey};
use entente::domain::time::Timestamp;
use entente::domain::world::Versioned;
use entente::ledger::rows::decode_row;
use entente::store::{ListQuery, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    AGREEMENTS, CALENDARS, DAILY, EVENTS, EXPECTATIONS, FIRMS, Hint, OUTSIDERS, QUOTES, Recipe,
    Topic, agreement_id, calendar_id, claim_id, contact_id, expectation_id, need_id, notice_id,
    opportunity_id, quote_id,
};

/// How many memberships there are before it becomes unlikely that another partnership is begun.
const PARTNERSHIPS: usize = 3;
/// What comes first, so that the rest has something to stand on.
const OPENING: [Topic; 13] = [
    Topic::OpenPartnership,
    Topic::OpenPartnership,
    Topic::Calendar(0),
    Topic::Calendar(1),
    Topic::StatusMap,
    Topic::Agreement(0),
    Topic::Agreement(1),
    Topic::Invite,
    Topic::Join,
    Topic::Calendar(0),
    Topic::Agreement(0),
    Topic::StatusMap,
    Topic::Agreement(0),
];
/// How many recipes are kept to be repeated.
const RECENT: usize = 20;

/// Thinks of recipes. What it comes up with depends on its seed and on what it reads.
pub struct Planner {
    rng: ChaCha8Rng,
    /// Numbers of this planner's recipes begin here.
    number: u64,
    recent: VecDeque<Recipe>,
    /// Which firm belongs to which partnership, as far as known.
    memberships: Vec<(&'static str, ScopeId)>,
}

impl Planner {
    /// A planner whose recipes are numbered from `first_number`.
    pub fn new(seed: u64, first_number: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self {
            rng,
            number: first_number,
            recent: VecDeque::new(),
            memberships: Vec::new(),
        }
    }

    /// The recipes that register the operator and the firms, which must come before all others.
    pub fn registrations(&mut self, now: Timestamp) -> Vec<Recipe> {
        let firms = (0..).take(FIRMS.len()).map(Some);
        let topics: Vec<Topic> = std::iter::once(None)
            .chain(firms)
            .map(Topic::Register)
            .collect();
        let scope = FirmId::operator().scope();
        topics
            .into_iter()
            .map(|topic| self.recipe(topic, "operator", &scope, Hint::default(), now))
            .collect()
    }

    /// Thinks of the next command. Now and then it is one of the last again, or another one under
    /// its request id.
    pub async fn next(&mut self, store: &dyn Store, now: Timestamp) -> Recipe {
        if !self.recent.is_empty() && self.rng.random_ratio(5, 100) {
            let index = self.rng.random_range(0..self.recent.len());
            return self.recent[index].clone();
        }
        let firm = FIRMS[[0, 0, 0, 1, 1, 1, 2][self.rng.random_range(0..7)]];
        self.look_around(store).await;
        let topic = self.topic();
        self.plan(topic, firm, store, now).await
    }

    /// Thinks of a sensible opening move, the `number`th; `None` when there is enough to stand on.
    pub async fn opening(
        &mut self,
        number: usize,
        store: &dyn Store,
        now: Timestamp,
    ) -> Option<Recipe> {
        self.look_around(store).await;
        let firm = FIRMS[usize::from(OPENING.get(number) == Some(&Topic::Join))];
        Some(self.plan(*OPENING.get(number)?, firm, store, now).await)
    }

    async fn plan(
        &mut self,
        topic: Topic,
        firm: &str,
        store: &dyn Store,
        now: Timestamp,
    ) -> Recipe {
        let scope = self.scope_of(topic, firm);
        let firm = if matches!(topic, Topic::Register(_)) {
            "operator"
        } else {
            firm
        };
        let hint = self.read(store, topic, &scope).await.unwrap_or_default();
        let mut recipe = self.recipe(topic, firm, &scope, hint, now);
        let repeats_id = !matches!(topic, Topic::Event { .. }) && self.rng.random_ratio(4, 100);
        let of_same_caller =
            |known: &&Recipe| known.firm == recipe.firm && known.scope == recipe.scope;
        if repeats_id && let Some(known) = self.recent.iter().find(of_same_caller) {
            recipe.request_id.clone_from(&known.request_id);
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(recipe.clone());
        recipe
    }

    fn recipe(
        &mut self,
        topic: Topic,
        firm: &str,
        scope: &ScopeId,
        hint: Hint,
        now: Timestamp,
    ) -> Recipe {
        let number = self.number;
        self.number += 1;
        let event = matches!(topic, Topic::Event { .. });
        let expects = !event && hint.revision > 0 && self.rng.random_ratio(12, 100);
        let stale = u64::from(self.rng.random_ratio(25, 100));
        Recipe {
            number,
            seed: self.rng.random(),
            topic,
            firm: firm.to_owned(),
            scope: scope.to_string(),
            request_id: match topic {
                Topic::Event { event, .. } => format!("event:event-{event}"),
                _ => format!("request:{number}"),
            },
            expected_revision: expects.then(|| hint.revision - stale),
            at: now.as_micros(),
            hint,
        }
    }

    /// Learns which partnerships there are; what cannot be read stays as it was known.
    async fn look_around(&mut self, store: &dyn Store) {
        for firm in FIRMS {
            let scope = FirmId::parse(firm).expect("a firm").scope();
            let rows = store
                .list_records(&list(&scope, Kind::Membership))
                .await
                .unwrap_or_default();
            for row in rows {
                let membership = (firm, ScopeId::partnership(&row.key.id));
                if !self.memberships.contains(&membership) {
                    self.memberships.push(membership);
                }
            }
        }
    }

    fn topic(&mut self) -> Topic {
        let open = match self.memberships.len() {
            0..PARTNERSHIPS => 40,
            _ => u32::from(self.rng.random_ratio(20, 100)),
        };
        let rng = &mut self.rng;
        let choices = [
            (open, Topic::OpenPartnership),
            (1, Topic::Register(Some(rng.random_range(0..3)))),
            (3, Topic::ApiKey),
            (4, Topic::TicketLink),
            (6, Topic::Invite),
            (7, Topic::Join),
            (4, Topic::ProposeTerms),
            (5, Topic::ApproveTerms),
            (u32::from(rng.random_ratio(5, 100)), Topic::EndPartnership),
            (3, Topic::Client(rng.random_range(0..OUTSIDERS))),
            (2, Topic::OutsideParty(rng.random_range(0..OUTSIDERS))),
            (4, Topic::Calendar(rng.random_range(0..CALENDARS))),
            (2, Topic::OwnCalendar(rng.random_range(0..CALENDARS))),
            (1, Topic::OwnStatusMap),
            (3, Topic::Adoption),
            (3, Topic::StatusMap),
            (3, Topic::PriorityMap),
            (12, Topic::Agreement(rng.random_range(0..AGREEMENTS))),
            (
                40,
                Topic::Event {
                    event: rng.random_range(0..EVENTS),
                    other: rng.random_ratio(3, 100),
                },
            ),
            (60, Topic::Ticket),
            (50, Topic::Expectation(rng.random_range(0..EXPECTATIONS))),
            (12, Topic::Update(rng.random_range(0..EXPECTATIONS))),
            (20, Topic::Notice(rng.random_range(0..DAILY))),
            (8, Topic::Claim(rng.random_range(0..DAILY))),
            (12, Topic::Need(rng.random_range(0..DAILY))),
            (10, Topic::Opportunity(rng.random_range(0..DAILY))),
            (14, Topic::Sale(rng.random_range(0..QUOTES))),
            (5, Topic::Settlement),
            (8, Topic::Contact(rng.random_range(0..DAILY))),
            (50, Topic::Quote(rng.random_range(0..QUOTES))),
            (2, Topic::TickExpectation(rng.random_range(0..EXPECTATIONS))),
            (2, Topic::TickProgress(rng.random_range(0..EXPECTATIONS))),
            (1, Topic::TickNeed(rng.random_range(0..DAILY))),
            (2, Topic::TickWord),
            (2, Topic::TickQuote(rng.random_range(0..QUOTES))),
        ];
        let total: u32 = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = rng.random_range(0..total);
        for (weight, topic) in choices {
            if left < weight {
                return topic;
            }
            left -= weight;
        }
        Topic::ApiKey
    }

    fn scope_of(&mut self, topic: Topic, firm: &str) -> ScopeId {
        let own = FirmId::parse(firm).expect("a firm").scope();
        match topic {
            Topic::Register(_) => FirmId::operator().scope(),
            Topic::ApiKey | Topic::OpenPartnership | Topic::TicketLink => own,
            Topic::OwnCalendar(_) | Topic::OwnStatusMap => self.mostly(own),
            // A partnership that is not there, now and then.
            _ if self.memberships.is_empty() || self.rng.random_ratio(1, 100) => {
                ScopeId::partnership("nowhere")
            }
            _ => {
                let stranger = topic == Topic::Join || self.rng.random_ratio(4, 100);
                let fits = |member: &str| (member == firm) != stranger;
                let fitting: Vec<_> = self
                    .memberships
                    .iter()
                    .filter(|(member, _)| fits(member))
                    .collect();
                let choices = if fitting.is_empty() {
                    self.memberships.iter().collect()
                } else {
                    fitting
                };
                choices[self.rng.random_range(0..choices.len())].1.clone()
            }
        }
    }

    /// A firm's own scope, and now and then that of the first firm, whose it mostly is not.
    fn mostly(&mut self, own: ScopeId) -> ScopeId {
        if self.rng.random_ratio(90, 100) {
            return own;
        }
        FirmId::parse(FIRMS[0]).expect("a firm").scope()
    }

    /// What a caller would have read of the record concerned.
    async fn read(&mut self, store: &dyn Store, topic: Topic, scope: &ScopeId) -> Option<Hint> {
        let (kind, id) = match topic {
            Topic::Calendar(number) | Topic::OwnCalendar(number) => {
                (Kind::Calendar, calendar_id(number))
            }
            Topic::ApproveTerms => (Kind::Partnership, scope.id().to_owned()),
            Topic::Agreement(number) => (Kind::Agreement, agreement_id(number)),
            Topic::Expectation(number) => (Kind::Expectation, expectation_id(number)),
            Topic::Notice(number) => (Kind::Notice, notice_id(number)),
            Topic::Claim(number) => (Kind::Claim, claim_id(number)),
            Topic::Need(number) => (Kind::Need, need_id(number)),
            Topic::Opportunity(number) => (Kind::Opportunity, opportunity_id(number)),
            Topic::Contact(number) => (Kind::Contact, contact_id(number)),
            Topic::Quote(number) | Topic::Sale(number) => (Kind::JointQuote, quote_id(number)),
            Topic::Ticket => {
                let rows = store.list_records(&list(scope, Kind::Ticket)).await.ok()?;
                let row = rows.get(self.rng.random_range(0..rows.len().max(1)))?;
                let read = decode_row(row).ok()?;
                return Some(Hint {
                    text: row.key.id.clone(),
                    ..hint(&read)
                });
            }
            Topic::ApiKey | Topic::TicketLink => {
                let kind = if topic == Topic::ApiKey {
                    Kind::ApiKey
                } else {
                    Kind::TicketLink
                };
                let rows = store.list_records(&list(scope, kind)).await.ok()?;
                let row = rows.get(self.rng.random_range(0..rows.len().max(1)))?;
                return Some(Hint {
                    text: row.key.id.clone(),
                    revision: row.revision,
                    ..Hint::default()
                });
            }
            _ => return None,
        };
        let rows = store
            .records(&[RecordKey::new(scope, kind, id)])
            .await
            .ok()?;
        decode_row(rows.first()?)
            .ok()
            .map(|versioned| hint(&versioned))
    }
}

fn list(scope: &ScopeId, kind: Kind) -> ListQuery {
    ListQuery {
        scope: scope.clone(),
        kind,
        state: None,
        after_id: String::new(),
        limit: 100,
    }
}

fn hint(versioned: &Versioned) -> Hint {
    let state = versioned.record.state().to_owned();
    let mut hint = Hint {
        revision: versioned.revision,
        state,
        ..Hint::default()
    };
    match &versioned.record {
        Record::Partnership(partnership) => {
            hint.text = partnership
                .proposed_terms
                .as_ref()
                .map(|terms| terms.hash.clone())
                .unwrap_or_default();
        }
        Record::Agreement(agreement) => {
            let proposed = agreement.proposed.as_ref();
            let hash = proposed.map_or(&agreement.hash, |proposed| &proposed.hash);
            hint.text.clone_from(hash);
        }
        Record::Ticket(ticket) => {
            let mut late = ticket.late.iter();
            let late = late.find(|late| late.settled.is_none());
            hint.state = late.map_or_else(String::new, |late| late.fact.event_id.clone());
            hint.criteria = u32::try_from(ticket.amendments.len()).unwrap_or_default();
        }
        Record::Expectation(expectation) => {
            hint.offer_number = expectation.offers.last().map_or(0, |offer| offer.number);
            hint.criteria = u32::try_from(expectation.agreed_criteria()).unwrap_or_default();
        }
        Record::JointQuote(quote) if quote.state == QuoteState::Won => {
            let counted = quote.counted();
            hint.text = counted
                .map(|revision| revision.split.hash.clone())
                .unwrap_or_default();
        }
        Record::JointQuote(quote) if quote.state == QuoteState::Open => {
            let last = quote.revisions.last();
            hint.text = last
                .map(|revision| revision.split.hash.clone())
                .unwrap_or_default();
            last.map_or("no revision", |revision| revision.state.as_str())
                .clone_into(&mut hint.state);
        }
        _ => {}
    }
    hint
}
