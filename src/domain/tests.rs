//! A partnership of two firms, small enough to hold in a test. Every command goes through the one
//! `decide`, and every event through the world's `apply`.

use super::aggregate::{GUEST_ACTOR, Recorded};
use super::command::{Action, Command, decide};
use super::commitment::Commitment;
use super::guest_link::GuestLinkUse;
use super::identity::{FirmId, PartyId, ScopeId, derived_id};
use super::journal::Hash;
use super::partnership::terms::{Terms, TermsContent};
use super::partnership::{Partnership, PartnershipState, Party, Role};
use super::record::{Kind, Record, RecordKey, Stored};
use super::refusal::{Reason, Refusal};
use super::time::{Span, Timestamp};
use super::world::{Need, Stop, Versioned, View, World};

/// The firm that is party 1.
pub(super) const FIRST: &str = "acme";
/// The firm that is party 2.
pub(super) const SECOND: &str = "bolt";

/// When a scene begins.
pub(super) fn start() -> Timestamp {
    Timestamp::EARLIEST.saturating_add(Span::from_hours(24))
}

/// So many hours after the beginning.
pub(super) fn hours(hours: i64) -> Timestamp {
    start().saturating_add(Span::from_hours(hours))
}

/// The commitment to some words.
pub(super) fn sealed(text: &str) -> Commitment {
    Commitment::of("test", text, &[0; 16])
}

fn party(number: usize, firm: Option<&str>) -> Party {
    Party {
        id: PartyId::numbered(number),
        firm: firm.map(|firm| FirmId::parse(firm).expect("an identifier")),
        display_name: format!("Party {number}"),
        role: Role::Peer,
        joined_at: firm.map(|_| start()),
        left: None,
    }
}

/// A world with one partnership, and a clock.
pub(super) struct Scene {
    world: World,
    pub(super) scope: ScopeId,
    /// The present instant.
    pub(super) now: Timestamp,
    pub(super) sequence: u64,
}

impl Scene {
    /// A partnership of both firms.
    pub(super) fn shared(content: Option<TermsContent>) -> Self {
        Self::with_second(Some(SECOND), content)
    }

    /// A partnership that only [`FIRST`] has joined.
    pub(super) fn alone() -> Self {
        Self::with_second(None, None)
    }

    fn with_second(second: Option<&str>, content: Option<TermsContent>) -> Self {
        let mut scene = Self {
            world: World::default(),
            scope: ScopeId::partnership("p"),
            now: start(),
            sequence: 0,
        };
        scene.put_partnership(second, content);
        scene
    }

    /// The second party is [`SECOND`] from now on.
    pub(super) fn join(&mut self) {
        self.put_partnership(Some(SECOND), None);
    }

    /// The partnership ends now.
    pub(super) fn end(&mut self) {
        let mut partnership: Partnership = self.get::<Partnership>("p").clone();
        partnership.state = PartnershipState::Ended;
        partnership.ended_at = Some(self.now);
        self.put("p", Record::Partnership(Box::new(partnership)));
    }

    /// Other terms are in force from now on.
    pub(super) fn put_terms(&mut self, content: Option<TermsContent>) {
        self.put_partnership(Some(SECOND), content);
    }

    fn put_partnership(&mut self, second: Option<&str>, content: Option<TermsContent>) {
        let terms = content.map(|content| Terms {
            revision: 1,
            content,
            hash: String::new(),
            approvals: Vec::new(),
        });
        let partnership = Partnership {
            terms,
            ..Partnership::new("Both", vec![party(1, Some(FIRST)), party(2, second)])
        };
        self.put("p", Record::Partnership(Box::new(partnership)));
    }

    /// A record that is there.
    pub(super) fn put(&mut self, id: &str, record: Record) {
        let found = Versioned {
            revision: 1,
            sequence: 1,
            created_at: self.now,
            updated_at: self.now,
            record,
        };
        let key = RecordKey::new(&self.scope, found.record.kind(), id);
        self.world.put_record(key, Some(found));
    }

    /// The hash of an entry that is there.
    pub(super) fn put_entry_hash(&mut self, sequence: u64, hash: Hash) {
        self.world
            .put_entry_hash(self.scope.clone(), sequence, hash);
    }

    /// The record `id`.
    pub(super) fn get<T: Stored>(&self, id: &str) -> &T {
        let key = RecordKey::new(&self.scope, T::KIND, id);
        let found = self.world.versioned(&key);
        let state = found.and_then(|versioned| T::from_record(&versioned.record));
        state.expect("it is there")
    }

    /// Lets hours pass.
    pub(super) fn wait(&mut self, hours: i64) -> &mut Self {
        self.now = self.now.saturating_add(Span::from_hours(hours));
        self
    }

    /// Has `firm` ask; answers with the types of the events. Nothing is there but what was put.
    pub(super) fn ask(&mut self, firm: &str, action: Action) -> Result<Vec<&'static str>, Refusal> {
        let firm = FirmId::parse(firm).expect("an identifier");
        self.run(Some(&firm), action)
    }

    /// As [`Self::ask`], where it is certain to be accepted and to change something.
    pub(super) fn go(&mut self, firm: &str, action: Action) -> &mut Self {
        let events = self.ask(firm, action).expect("accepted");
        assert!(!events.is_empty(), "nothing changed");
        self
    }

    /// Why `firm` is refused; nothing has changed then.
    pub(super) fn reason(&mut self, firm: &str, action: Action) -> Reason {
        let before = self.sequence;
        let refusal = self.ask(firm, action).expect_err("refused");
        assert_eq!(self.sequence, before);
        refusal.reason
    }

    /// The sweeper comes by.
    pub(super) fn tick(&mut self, kind: Kind, id: &str) -> Vec<&'static str> {
        let id = id.to_owned();
        let ticked = self.run(None, Action::Tick { kind, id });
        ticked.expect("a tick is not refused")
    }

    /// The identifier that the next command makes.
    pub(super) fn next_id(&self) -> String {
        derived_id(&self.scope, self.sequence + 1, 0, self.now)
    }

    /// Has a guest answer, for a firm or in the place of one.
    pub(super) fn answer(
        &mut self,
        firm: Option<&str>,
        answer: GuestLinkUse,
    ) -> Result<Vec<&'static str>, Refusal> {
        let firm = firm.map(|firm| FirmId::parse(firm).expect("an identifier"));
        self.run(firm.as_ref(), Action::UseGuestLink(answer))
    }

    fn run(&mut self, firm: Option<&FirmId>, action: Action) -> Result<Vec<&'static str>, Refusal> {
        let actor = match &action {
            Action::UseGuestLink(answer) => format!("{GUEST_ACTOR}{}", answer.id),
            _ => "key".to_owned(),
        };
        let command = Command {
            scope: self.scope.clone(),
            firm: firm.cloned(),
            actor: actor.clone(),
            origin: String::new(),
            request_id: String::new(),
            digest: Hash::default(),
            expected_revision: None,
            action,
            openings: Vec::new(),
        };
        let decision = loop {
            let view = View {
                world: &self.world,
                scope: &self.scope,
                now: self.now,
                next_sequence: self.sequence + 1,
            };
            match decide(&command, &view) {
                Ok(decision) => break decision,
                Err(Stop::Refused(refusal)) => return Err(refusal),
                Err(Stop::Missing(need)) => {
                    need.each().into_iter().for_each(|need| self.load(need));
                }
            }
        };
        let mut types = Vec::new();
        for event in decision.events {
            self.sequence += 1;
            let recorded = Recorded {
                sequence: self.sequence,
                at: self.now,
                firm: firm.cloned(),
                actor: actor.clone(),
            };
            let applied = self.world.apply(&self.scope, &event, &recorded);
            applied.expect("what is decided applies");
            types.push(event.body.event_type());
        }
        Ok(types)
    }

    /// What is asked for and is not there yet, is not there at all.
    fn load(&mut self, need: Need) {
        match need {
            Need::Record(key) => self.world.put_record(key, None),
            Need::Reference(scope, reference) => {
                self.world.put_reference(scope, reference, Vec::new());
            }
            need => panic!("{need:?} was not expected"),
        }
    }
}
