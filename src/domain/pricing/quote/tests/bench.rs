//! A small workbench: one partnership, one quote, a clock, and commands run as the ledger does.

use crate::domain::aggregate::{Aggregate, Recorded};
use crate::domain::checkup::CheckupClauses;
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId, ScopeId};
use crate::domain::partnership::clauses::PricingClauses;
use crate::domain::partnership::standing::StandingConsent;
use crate::domain::partnership::terms::{
    FUTURE_TOLERANCE_DEFAULT, OFFER_VALIDITY_DEFAULT, PartyShare, Terms, TermsContent,
};
use crate::domain::partnership::{
    Approval, Partnership, PartnershipCreated, PartnershipEvent, Party, Role,
};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::fractions::CarriedFractions;
use crate::domain::pricing::quote::split::RevisionPlace;
use crate::domain::pricing::quote::{
    Basis, Extras, JointQuote, JointQuoteEvent, NewConcession, NewPortion, QuoteChanges,
    QuoteCommand, VendorMoney, decide, tick,
};
use crate::domain::record::{Event, EventBody, Kind, Record, RecordKey};
use crate::domain::refusal::Refusal;
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::{Need, Stop, Versioned, View, World};

/// The party that begins the partnership; its firm has the same name here.
pub const ONE: &str = "party-1";
/// The other party; its firm has the same name here.
pub const TWO: &str = "party-2";
/// The quote that every test works on.
pub const QUOTE: &str = "quote";
/// How long the quote stands.
pub const QUOTE_VALIDITY: Span = Span::from_hours(30 * 24);

pub struct Bench {
    world: World,
    pub scope: ScopeId,
    pub now: Timestamp,
    sequence: u64,
    pub partnership: Partnership,
    /// What vendors would pay, for the next quote that is created.
    pub vendor_funds: Vec<VendorMoney>,
    /// What happened to the quote, with when and by whom.
    pub history: Vec<(JointQuoteEvent, Recorded)>,
}

pub fn euro(minor: i64) -> Money {
    Money::from_minor(Currency::from_code("EUR").unwrap(), minor)
}

pub fn portion(id: &str, price: i64) -> NewPortion {
    NewPortion::new(id, euro(price))
}

/// So much at once, by a measure, by the usual rules.
pub fn conceding(concession: Money, basis: Basis) -> NewConcession {
    NewConcession {
        concession: Some(concession),
        basis,
        ..NewConcession::default()
    }
}

pub fn commitment(value: &str) -> Commitment {
    Commitment::of("test", value, &[1; 16])
}

pub fn share(party: &str, share_bps: u32) -> PartyShare {
    PartyShare {
        party: PartyId::from_text(party),
        share_bps,
    }
}

pub fn bps(shares: &[(&str, u32)]) -> Basis {
    Basis::FixedBps(
        shares
            .iter()
            .map(|(party, bps)| share(party, *bps))
            .collect(),
    )
}

pub fn refusal_of<T: std::fmt::Debug>(result: Result<T, Stop>) -> Refusal {
    match result {
        Err(Stop::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

fn party(id: &str, joined: bool) -> Party {
    Party {
        id: PartyId::from_text(id),
        firm: FirmId::parse(id).filter(|_| joined),
        display_name: id.to_owned(),
        role: Role::Peer,
        joined_at: None,
        left: None,
    }
}

impl Bench {
    /// Of two firms.
    pub fn active() -> Self {
        Self::with(vec![party(ONE, true), party(TWO, true)])
    }

    /// Of one firm and a placeholder.
    pub fn solo() -> Self {
        Self::with(vec![party(ONE, true), party(TWO, false)])
    }

    fn with(parties: Vec<Party>) -> Self {
        let display_name = "p".to_owned();
        let created = PartnershipEvent::Created(PartnershipCreated {
            display_name,
            parties,
        });
        let beginning = Recorded {
            sequence: 1,
            at: Timestamp::EARLIEST,
            firm: FirmId::parse(ONE),
            actor: "key".to_owned(),
        };
        let partnership = Partnership::apply(None, &created, &beginning).unwrap();
        let mut bench = Self {
            world: World::default(),
            scope: ScopeId::partnership("p"),
            now: Timestamp::EARLIEST,
            sequence: 0,
            partnership,
            vendor_funds: Vec::new(),
            history: Vec::new(),
        };
        bench.put_partnership();
        bench
    }

    /// Makes what was changed in the partnership known to decisions.
    pub fn put_partnership(&mut self) {
        let partnership = Record::Partnership(Box::new(self.partnership.clone()));
        self.put(Kind::Partnership, "p", partnership);
    }

    /// Puts a record into the world.
    pub fn put(&mut self, kind: Kind, id: &str, record: Record) {
        let now = self.now;
        let found = Versioned {
            record,
            revision: 1,
            sequence: 1,
            created_at: now,
            updated_at: now,
        };
        self.world
            .put_record(RecordKey::new(&self.scope, kind, id), Some(found));
    }

    /// The placeholder becomes a firm.
    pub fn join(&mut self) {
        self.partnership.parties[1] = party(TWO, true);
        self.put_partnership();
    }

    /// Terms with these shares come into force.
    pub fn terms(&mut self, shares: &[(&str, u32)]) {
        self.agree(shares, PricingClauses::default(), Vec::new());
    }

    /// Terms come into force that both parties approved.
    pub fn agree(
        &mut self,
        shares: &[(&str, u32)],
        pricing_clauses: PricingClauses,
        standing_consents: Vec<StandingConsent>,
    ) {
        let approval = |party: &str| Approval {
            party: PartyId::from_text(party),
            firm: FirmId::parse(party),
            at: self.now,
            actor: "key".to_owned(),
        };
        let content = TermsContent {
            text: None,
            shares: shares
                .iter()
                .map(|(party, bps)| share(party, *bps))
                .collect(),
            offer_validity: OFFER_VALIDITY_DEFAULT,
            future_tolerance: FUTURE_TOLERANCE_DEFAULT,
            lateness_window: None,
            exclusion_classes: Vec::new(),
            standing_consents,
            notice_lead_times: Vec::new(),
            pricing_clauses,
            checkup_clauses: CheckupClauses::default(),
        };
        let hash = String::new();
        self.partnership.terms = Some(Terms {
            revision: 1,
            content,
            hash,
            approvals: vec![approval(ONE), approval(TWO)],
        });
        self.put_partnership();
    }

    /// Runs a decision until all is loaded that it asks for, and applies it.
    fn run(
        &mut self,
        by: Option<&str>,
        decided: impl Fn(&View<'_>) -> Result<Decision, Stop>,
    ) -> Result<Decision, Stop> {
        loop {
            let scope = self.scope.clone();
            let next_sequence = self.sequence + 1;
            let view = View {
                world: &self.world,
                scope: &scope,
                now: self.now,
                next_sequence,
            };
            match decided(&view) {
                Ok(decision) => return Ok(self.applied(by, decision)),
                Err(Stop::Missing(Need::Record(key))) => self.world.put_record(key, None),
                Err(Stop::Missing(Need::Reference(scope, reference))) => {
                    self.world.put_reference(scope, reference, Vec::new());
                }
                Err(stop) => return Err(stop),
            }
        }
    }

    fn applied(&mut self, by: Option<&str>, decision: Decision) -> Decision {
        for event in &decision.events {
            self.sequence += 1;
            let recorded = by.map_or_else(|| self.recorded_by_nobody(), |by| self.recorded(by));
            self.world.apply(&self.scope, event, &recorded).unwrap();
            self.note(event, recorded);
        }
        decision
    }

    /// Every event survives its way through the journal.
    fn note(&mut self, event: &Event, recorded: Recorded) {
        let body = match &event.body {
            EventBody::JointQuote(body) => body,
            EventBody::Reference(_) | EventBody::CarriedFractions(_) => return,
            other => panic!("only quotes change here, not {other:?}"),
        };
        let payload = body.payload().unwrap();
        let read = JointQuoteEvent::decode(body.event_type(), body.event_version(), &payload);
        assert_eq!(&read.unwrap(), body);
        self.history.push((body.clone(), recorded));
    }

    pub fn recorded(&self, by: &str) -> Recorded {
        let firm = FirmId::parse(by);
        Recorded {
            sequence: self.sequence,
            at: self.now,
            firm,
            actor: "key".to_owned(),
        }
    }

    fn recorded_by_nobody(&self) -> Recorded {
        Recorded {
            sequence: self.sequence,
            at: self.now,
            firm: None,
            actor: String::new(),
        }
    }

    pub fn command(&mut self, by: &str, command: &QuoteCommand) -> Result<Decision, Stop> {
        let firm = FirmId::parse(by).unwrap();
        self.run(Some(by), |view| decide(command, &firm, view))
    }

    /// Changes something that changes no money.
    pub fn update(&mut self, by: &str, changes: QuoteChanges) -> Result<Decision, Stop> {
        let id = QUOTE.to_owned();
        self.command(by, &QuoteCommand::Update { id, changes })
    }

    /// Another quote's concession was approved, and this is what parties are owed now.
    pub fn owe(&mut self, owed: &[(&str, i64)]) {
        let owed = owed.iter();
        let owed = owed.map(|(party, owed)| (PartyId::from_text(party), *owed));
        let fractions = CarriedFractions {
            owed: owed.collect(),
        };
        let id = CarriedFractions::id_of(euro(0).currency);
        let record = Record::CarriedFractions(Box::new(fractions));
        self.put(Kind::CarriedFractions, &id, record);
    }

    /// What a party is owed of fractions, in billionths of a cent.
    pub fn owed(&self, party: &str) -> i64 {
        let id = CarriedFractions::id_of(euro(0).currency);
        let key = RecordKey::new(&self.scope, Kind::CarriedFractions, &id);
        match self.world.versioned(&key).map(|found| &found.record) {
            Some(Record::CarriedFractions(found)) => found.owed[&PartyId::from_text(party)],
            _ => 0,
        }
    }

    pub fn tick(&mut self) -> Decision {
        self.run(None, |view| tick(QUOTE, view)).unwrap()
    }

    pub fn create(&mut self, by: &str, prices: &[(&str, i64)]) {
        let portions: Vec<_> = prices
            .iter()
            .map(|(id, price)| portion(id, *price))
            .collect();
        self.create_with(by, &portions).unwrap();
    }

    pub fn create_with(&mut self, by: &str, portions: &[NewPortion]) -> Result<Decision, Stop> {
        let command = QuoteCommand::Create {
            id: Some(QUOTE.to_owned()),
            display_name: "New office".to_owned(),
            client: None,
            currency: euro(0).currency,
            expires_at: self.now.saturating_add(QUOTE_VALIDITY),
            portions: portions.to_vec(),
            vendor_funds: self.vendor_funds.clone(),
            references: None,
        };
        self.command(by, &command)
    }

    pub fn add(&mut self, by: &str, portion: NewPortion) -> Result<Decision, Stop> {
        self.command(
            by,
            &QuoteCommand::AddPortion {
                id: QUOTE.to_owned(),
                portion,
            },
        )
    }

    pub fn propose(&mut self, by: &str, minor: i64, basis: Basis) -> Result<Decision, Stop> {
        self.propose_money(by, euro(minor), basis)
    }

    pub fn propose_money(
        &mut self,
        by: &str,
        concession: Money,
        basis: Basis,
    ) -> Result<Decision, Stop> {
        self.propose_all(by, conceding(concession, basis))
    }

    pub fn propose_all(&mut self, by: &str, concession: NewConcession) -> Result<Decision, Stop> {
        let id = QUOTE.to_owned();
        let extras = Extras::default();
        self.command(
            by,
            &QuoteCommand::ProposeConcession {
                id,
                concession,
                extras,
            },
        )
    }

    /// Approves the latest revision.
    pub fn approve(&mut self, by: &str) -> Result<Decision, Stop> {
        let hash = self.quote().last_hash().to_owned();
        self.approve_hash(by, &hash)
    }

    pub fn approve_hash(&mut self, by: &str, hash: &str) -> Result<Decision, Stop> {
        let (id, hash) = (QUOTE.to_owned(), hash.to_owned());
        self.command(by, &QuoteCommand::ApproveConcession { id, hash })
    }

    pub fn reject(&mut self, by: &str, hash: &str) -> Result<Decision, Stop> {
        let (id, hash, reason) = (QUOTE.to_owned(), hash.to_owned(), Some(commitment("no")));
        self.command(by, &QuoteCommand::RejectConcession { id, hash, reason })
    }

    pub fn withdraw(&mut self, by: &str, hash: &str) -> Result<Decision, Stop> {
        let (id, hash) = (QUOTE.to_owned(), hash.to_owned());
        self.command(by, &QuoteCommand::WithdrawConcession { id, hash })
    }

    pub fn quote(&self) -> &JointQuote {
        let key = RecordKey::new(&self.scope, Kind::JointQuote, QUOTE);
        match self.world.versioned(&key).map(|found| &found.record) {
            Some(Record::JointQuote(quote)) => quote,
            other => panic!("expected the quote, not {other:?}"),
        }
    }

    pub fn place<'bench>(
        &'bench self,
        number: u32,
        previous_hash: &'bench str,
    ) -> RevisionPlace<'bench> {
        RevisionPlace {
            scope: &self.scope,
            quote: QUOTE,
            number,
            previous_hash,
        }
    }

    /// The payloads of all that happened.
    pub fn payloads(&self) -> Vec<Vec<u8>> {
        self.history
            .iter()
            .map(|(event, _)| event.payload().unwrap())
            .collect()
    }

    pub fn created_event(&self) -> JointQuoteEvent {
        self.history[0].0.clone()
    }
}
