//! A partnership of two firms, small enough to hold in a test. Every command
//! goes through `decide`, and every event through the world's `apply`.

mod clocks;
mod differences;
mod drafts;
mod judgement;
mod negotiation;
mod properties;
mod revisions;
mod standing;
mod transitions;
mod work;

use super::*;
use crate::domain::aggregate::{Aggregate, Recorded};
use crate::domain::identity::{ExternalReference, FirmId, PartyId, ScopeId};
use crate::domain::outsiders::Client;
use crate::domain::partnership::terms::OFFER_VALIDITY_DEFAULT;
use crate::domain::partnership::{
    PartnershipCreated, PartnershipEnded, PartnershipEvent, Party, PartyJoined, Role,
};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::record::{Event, EventBody, Kind, Record, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Span;
use crate::domain::world::{Need, Stop, Versioned, View, World};

/// The expectation that the tests are about.
const ID: &str = "payroll";
/// The firm that asks; it is party 1.
const ASKS: &str = "acme";
/// The firm that owes the work; it is party 2.
const OWES: &str = "bolt";
/// A tick of the world's clock.
const INSTANT: Span = Span::from_micros(1);

fn start() -> Timestamp {
    Timestamp::EARLIEST.saturating_add(Span::from_hours(24))
}

/// Beyond the default validity of an offer, so that the two do not coincide.
fn deadline() -> Timestamp {
    start().saturating_add(Span::from_hours(10 * 24))
}

fn firm_id(text: &str) -> FirmId {
    FirmId::parse(text).expect("an identifier")
}

fn party(number: usize, firm: Option<&str>) -> Party {
    Party {
        id: PartyId::numbered(number),
        firm: firm.map(firm_id),
        display_name: format!("Party {number}"),
        role: Role::Peer,
        joined_at: firm.map(|_| start()),
        left: None,
    }
}

fn sealed(text: &str) -> Commitment {
    Commitment::of("test", text, &[0; 16])
}

/// As [`sealed`], where words may be missing.
#[expect(clippy::unnecessary_wraps, reason = "most fields hold an option")]
fn words(text: &str) -> Option<Commitment> {
    Some(sealed(text))
}

/// Two criteria and a deadline.
fn answers() -> FiveW {
    FiveW {
        when: When {
            deadline: Some(deadline()),
            reason: None,
            update_interval: None,
        },
        how: How {
            criteria: vec![sealed("printed"), sealed("signed")],
        },
        ..FiveW::default()
    }
}

/// A world with one partnership, a clock, and the journal's events.
struct Scene {
    world: World,
    scope: ScopeId,
    now: Timestamp,
    journal: Vec<(Event, Recorded)>,
}

impl Scene {
    /// A partnership that only [`ASKS`] has joined.
    fn alone() -> Self {
        Self::with_parties(vec![party(1, Some(ASKS)), party(2, None)])
    }

    fn with_parties(parties: Vec<Party>) -> Self {
        let mut scene = Self {
            world: World::default(),
            scope: ScopeId::partnership("p"),
            now: start(),
            journal: Vec::new(),
        };
        scene.on_partnership(PartnershipEvent::Created(PartnershipCreated {
            display_name: "Payroll together".to_owned(),
            parties,
        }));
        scene
    }

    /// A partnership of both firms.
    fn shared() -> Self {
        let mut scene = Self::alone();
        scene.join();
        scene
    }

    /// [`OWES`] takes the placeholder's place.
    fn join(&mut self) {
        self.on_partnership(PartnershipEvent::Joined(PartyJoined {
            party: PartyId::numbered(2),
            firm: firm_id(OWES),
            display_name: "Bolt".to_owned(),
        }));
    }

    fn end(&mut self) {
        self.on_partnership(PartnershipEvent::Ended(PartnershipEnded {
            reason: None,
            from: None,
        }));
    }

    fn on_partnership(&mut self, event: PartnershipEvent) {
        let recorded = Recorded {
            sequence: 0,
            at: self.now,
            firm: Some(firm_id(ASKS)),
            actor: String::new(),
        };
        let event = Event::new("p", event);
        self.world
            .apply(&self.scope, &event, &recorded)
            .expect("it fits");
    }

    fn put(&mut self, id: &str, record: Record) {
        let key = RecordKey::new(&self.scope, record.kind(), id);
        let now = self.now;
        let found = Versioned {
            record,
            revision: 1,
            sequence: 1,
            created_at: now,
            updated_at: now,
        };
        self.world.put_record(key, Some(found));
    }

    fn expectation(&self) -> &Expectation {
        let key = RecordKey::new(&self.scope, Kind::Expectation, ID);
        match self
            .world
            .versioned(&key)
            .map(|versioned| &versioned.record)
        {
            Some(Record::Expectation(expectation)) => expectation,
            other => panic!("no expectation but {other:?}"),
        }
    }

    fn state(&self) -> ExpectationState {
        self.expectation().state
    }

    fn wait(&mut self, span: Span) -> &mut Self {
        self.now = self.now.saturating_add(span);
        self
    }

    /// Decides, loads what is missing (nothing is there), and applies what happened.
    fn run(
        &mut self,
        firm: Option<&FirmId>,
        decide: impl Fn(&View<'_>) -> Result<crate::domain::command::Decision, Stop>,
    ) -> Result<Vec<&'static str>, Refusal> {
        let decision = loop {
            let view = View {
                world: &self.world,
                scope: &self.scope,
                now: self.now,
                next_sequence: self.journal.len() as u64 + 1,
            };
            match decide(&view) {
                Ok(decision) => break decision,
                Err(Stop::Refused(refusal)) => return Err(refusal),
                Err(Stop::Missing(need)) => self.load_nothing(need),
            }
        };
        let mut types = Vec::new();
        for event in decision.events {
            let recorded = Recorded {
                sequence: self.journal.len() as u64 + 1,
                at: self.now,
                firm: firm.cloned(),
                actor: "key".to_owned(),
            };
            self.world
                .apply(&self.scope, &event, &recorded)
                .expect("what is decided applies");
            types.push(event.body.event_type());
            self.journal.push((event, recorded));
        }
        for (reference, kind, id) in &decision.references {
            self.world.add_reference(&self.scope, reference, *kind, id);
        }
        Ok(types)
    }

    /// Nothing is there of what is needed.
    fn load_nothing(&mut self, need: Need) {
        for need in need.each() {
            match need {
                Need::Record(key) => self.world.put_record(key, None),
                Need::Reference(scope, reference) => {
                    self.world.put_reference(scope, reference, Vec::new());
                }
                need => panic!("{need:?} concerns no expectation"),
            }
        }
    }

    /// Has `firm` ask; answers with the types of the events.
    fn ask(
        &mut self,
        firm: &str,
        command: &ExpectationCommand,
    ) -> Result<Vec<&'static str>, Refusal> {
        let firm = firm_id(firm);
        self.run(Some(&firm), |view| decide(command, &firm, view))
    }

    fn tick(&mut self) -> Vec<&'static str> {
        self.run(None, |view| tick(ID, view))
            .expect("a tick is not refused")
    }

    /// As [`Self::ask`], where it is certain to be accepted.
    fn go(&mut self, firm: &str, command: &ExpectationCommand) -> &mut Self {
        let events = self.ask(firm, command).expect("accepted");
        assert!(!events.is_empty(), "{command:?} changed nothing");
        self
    }

    fn reason(&mut self, firm: &str, command: &ExpectationCommand) -> Reason {
        let before = self.journal.len();
        let refusal = self.ask(firm, command).expect_err("refused");
        assert_eq!(self.journal.len(), before, "a refusal changes nothing");
        refusal.reason
    }
}

fn create(five_w: FiveW) -> ExpectationCommand {
    ExpectationCommand::Create {
        id: Some(ID.to_owned()),
        title: words("Payroll"),
        five_w,
        obligor: PartyId::numbered(2),
        client: None,
        agreement: None,
        reference: None,
    }
}

fn update(five_w: FiveW) -> ExpectationCommand {
    ExpectationCommand::Update {
        id: ID.to_owned(),
        title: words("Payroll, again"),
        five_w,
    }
}

fn offer() -> ExpectationCommand {
    ExpectationCommand::Offer {
        id: ID.to_owned(),
        message: words("please"),
        acknowledges_impossible: false,
    }
}

fn counter(five_w: FiveW) -> ExpectationCommand {
    ExpectationCommand::Counter {
        id: ID.to_owned(),
        offer_number: None,
        five_w,
        message: words("rather"),
        acknowledges_impossible: false,
    }
}

fn agree(offer_number: u32) -> ExpectationCommand {
    ExpectationCommand::Agree {
        id: ID.to_owned(),
        offer_number,
        acknowledges_impossible: false,
    }
}

fn decline() -> ExpectationCommand {
    ExpectationCommand::Decline {
        id: ID.to_owned(),
        reason: words("no"),
    }
}

fn withdraw() -> ExpectationCommand {
    ExpectationCommand::Withdraw {
        id: ID.to_owned(),
        reason: None,
    }
}

fn fulfil() -> ExpectationCommand {
    ExpectationCommand::Fulfil {
        id: ID.to_owned(),
        message: words("done"),
        shown: WorkShown::default(),
    }
}

/// Criteria of which nothing more is said than their indexes.
fn about(criteria: &[u32]) -> WorkShown {
    let criteria = criteria.iter().map(|index| CriterionEvidence {
        index: *index,
        evidence: Vec::new(),
        note: None,
    });
    WorkShown {
        evidence: Vec::new(),
        criteria: criteria.collect(),
    }
}

fn accept(criteria_met: &[u32]) -> ExpectationCommand {
    ExpectationCommand::AcceptFulfilment {
        id: ID.to_owned(),
        shown: about(criteria_met),
        on_behalf_of_client: false,
        message: None,
    }
}

fn dispute() -> ExpectationCommand {
    ExpectationCommand::DisputeFulfilment {
        id: ID.to_owned(),
        reason: words("not printed"),
        criteria: Vec::new(),
    }
}

/// A scene in which the draft was offered just now.
fn offered(five_w: FiveW) -> Scene {
    let mut scene = Scene::shared();
    scene.go(ASKS, &create(five_w)).go(ASKS, &offer());
    scene
}

/// A scene in which the offer was agreed just now.
fn agreed(five_w: FiveW) -> Scene {
    let mut scene = offered(five_w);
    scene.go(OWES, &agree(1));
    scene
}

fn fields(refusal: &Refusal) -> Vec<&str> {
    refusal
        .violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect()
}
