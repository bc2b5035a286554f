//! Quotes, bookings, reversals and statements that are told wrongly in a journal whose chain, hashes and
//! records are right: only working them out again shows it.

use super::*;
use crate::domain::commitment::SALT_BYTES;
use crate::domain::pricing::allocation::reversal::{Recorded, reverse};
use crate::domain::pricing::booking::{
    BookedRevision, Booking, BookingEvent, BookingLine, PeriodBooked,
};
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::blind::{Costs, LINE_LABEL};
use crate::domain::pricing::quote::proposal::ShortfallPolicy;
use crate::domain::pricing::quote::sale::{
    ConcessionReversed, FinalPrice, QuoteWon, ReversedCadence, ReversedLine,
};
use crate::domain::pricing::quote::sealed::{Amount, BOOKING_LABEL, REVERSAL_LABEL};
use crate::domain::pricing::quote::split::{FIRST_PREVIOUS_HASH, RevisionPlace};
use crate::domain::pricing::quote::{
    Basis, Cadence, ConcessionProposed, ConcessionSplit, JointQuoteEvent, Outcome, Portion,
    Proposal, QuoteCreated, RevisionState, cost,
};
use crate::domain::pricing::settlement::account::{Pair, Source};
use crate::domain::pricing::settlement::month::Month;
use crate::domain::pricing::settlement::{
    LineContent, LinesDrawn, SettlementStatement, SettlementStatementEvent,
};
use crate::domain::redaction::{Redacted, RedactionEvent, RedactionReason};
use crate::domain::sla::calendar::CivilDate;

/// What each of three parties asks for its portion, and what that costs it, in cents.
const PORTIONS: [(&str, i64, i64); 3] = [
    ("a", 50_000, 40_000),
    ("b", 30_000, 25_000),
    ("c", 20_000, 10_000),
];
/// What they concede together, and what of it is taken back.
const CONCESSION: i64 = 9_000;
const TAKEN_BACK: i64 = 4_500;
/// Lines of the booking, of the reversal and of the statement.
const LINES: u64 = 3 + 3 + 2;
const QUOTE: &str = "q";

/// What is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    Nothing,
    /// One cent of the first portion's share is the second one's.
    Division,
    /// What is sealed as the first portion's line is none.
    Line,
    /// It was divided by costs, and the third portion has none.
    Unstated,
    /// The first portion is booked with a cent more than it bears.
    Booked,
    /// What is sealed as the first portion's booked share is no number.
    BookedWords,
    /// All bear another sum than was agreed.
    Borne,
    /// A cent more is taken back of the first portion, and one less of the second.
    Reversed,
    /// The first line of the statement has a cent more than was booked.
    Settled,
}

fn euro() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn day() -> CivilDate {
    CivilDate::parse("2026-02-27").unwrap()
}

fn scope() -> ScopeId {
    ScopeId::partnership("p")
}

/// A journal in the making, and the openings of what is sealed in it.
struct Journal {
    is_sealed: bool,
    lie: Lie,
    portions: Vec<Portion>,
    events: Vec<Event>,
    openings: Vec<Opening>,
}

impl Journal {
    /// Told to the end: openly and by prices, or sealed and by costs.
    fn told(is_sealed: bool, lie: Lie) -> Self {
        let mut journal = Self {
            is_sealed,
            lie,
            portions: Vec::new(),
            events: Vec::new(),
            openings: Vec::new(),
        };
        journal.create();
        let (split, shares) = journal.divide();
        let booked = journal.book(&split, &shares);
        let reversed = journal.take_back(&split, &shares);
        journal.settle(&booked, &reversed);
        journal
    }

    fn quote(&mut self, event: JointQuoteEvent) {
        self.events.push(Event::new(QUOTE, event));
    }

    fn seal(&mut self, label: &str, text: &str) -> Commitment {
        let salt = [u8::try_from(self.openings.len()).unwrap(); SALT_BYTES];
        let opening = Opening::seal(label, text, salt, Readers::EveryParty);
        let commitment = opening.commitment.clone();
        self.openings.push(opening);
        commitment
    }

    fn amount(&mut self, label: &str, amount: i64) -> Amount {
        if !self.is_sealed {
            return Amount::Open(amount);
        }
        Amount::Sealed(self.seal(label, &amount.to_string()))
    }

    fn create(&mut self) {
        for (index, (id, price, cost)) in PORTIONS.into_iter().enumerate() {
            let is_stated = self.is_sealed && !(self.lie == Lie::Unstated && id == "c");
            let text = cost::to_text(&Money::from_minor(euro(), cost));
            let internal_cost = is_stated.then(|| self.seal(cost::LABEL, &text));
            self.portions.push(Portion {
                id: id.to_owned(),
                owner: PartyId::numbered(index + 1),
                description: None,
                quantity: 1,
                unit_price: None,
                price: Money::from_minor(euro(), price),
                recurrence: None,
                floor_price: None,
                minimum_margin_bps: None,
                pass_through: None,
                markup_on: None,
                stake: None,
                internal_cost,
                cost_exchange: None,
                cost_band: None,
            });
        }
        let created = QuoteCreated {
            display_name: "All three".to_owned(),
            client: None,
            currency: euro(),
            expires_at: Timestamp::EARLIEST.saturating_add(Span::from_hours(24)),
            portions: self.portions.clone(),
            vendor_funds: Vec::new(),
        };
        self.quote(JointQuoteEvent::Created(created));
    }

    fn proposal(&self) -> Proposal {
        Proposal {
            concession: Money::from_minor(euro(), CONCESSION),
            recurring: Vec::new(),
            basis: if self.is_sealed {
                Basis::Cost
            } else {
                Basis::Price
            },
            rounding: Rounding::LargestRemainder,
            shortfall_policy: ShortfallPolicy::Reject,
            negotiation_round: None,
            vendor_money: Vec::new(),
            terms_revision: None,
            limits: None,
            owed: None,
        }
    }

    /// Divides, and says that all approved and the client bought. Returns the shares, too.
    fn divide(&mut self) -> (ConcessionSplit, Vec<i64>) {
        let scope = scope();
        let place = RevisionPlace {
            scope: &scope,
            quote: QUOTE,
            number: 1,
            previous_hash: FIRST_PREVIOUS_HASH,
        };
        let portions = self.portions.clone();
        let portions: Vec<&Portion> = portions.iter().collect();
        let costs = PORTIONS.map(|(id, _, cost)| (id.to_owned(), cost.unsigned_abs()));
        let costs = Costs::from(costs);
        let mut split =
            ConcessionSplit::with_costs(place, &portions, self.proposal(), &costs).unwrap();
        if self.lie == Lie::Division {
            for (line, cents) in split.cadences[0].lines.iter_mut().zip([1, -1]) {
                let Outcome::Open(line) = &mut line.outcome else {
                    panic!("it is told")
                };
                line.within_floor += cents;
                line.share += cents;
                line.price_after -= cents;
            }
        }
        let shares = split.lines().map(|line| line.open().unwrap().share);
        let shares: Vec<i64> = shares.collect();
        if self.is_sealed {
            let salts = [[7; SALT_BYTES]; 3];
            let (sealed, openings) = split.sealed(place, &portions, &salts).unwrap();
            split = sealed;
            self.openings.extend(openings);
        }
        if self.lie == Lie::Line {
            let nonsense = self.seal(LINE_LABEL, "whatever");
            split.cadences[0].lines[0].outcome = Outcome::Sealed(nonsense);
        }
        split.hash = split.hash_over(place, &portions);
        self.quote(JointQuoteEvent::ConcessionProposed(Box::new(
            ConcessionProposed {
                proposer: PartyId::numbered(1),
                split: split.clone(),
                expires_at: Timestamp::EARLIEST.saturating_add(Span::from_hours(24)),
                state: RevisionState::Approved,
                superseded: Vec::new(),
                agreed_beforehand: Vec::new(),
            },
        )));
        let price = split.cadences[0].price_after;
        self.quote(JointQuoteEvent::Won(QuoteWon {
            party: PartyId::numbered(1),
            prices: vec![FinalPrice {
                cadence: Cadence::OneTime,
                price,
                agreed: price,
                difference_to_agreed: 0,
            }],
            superseded: None,
        }));
        (split, shares)
    }

    fn book(&mut self, split: &ConcessionSplit, shares: &[i64]) -> PeriodBooked {
        let mut lines = Vec::new();
        for (portion, share) in self.portions.clone().into_iter().zip(shares) {
            let is_first = lines.is_empty();
            let more = i64::from(is_first && self.lie == Lie::Booked);
            let mut share = self.amount(BOOKING_LABEL, *share + more);
            if is_first && self.lie == Lie::BookedWords {
                share = Amount::Sealed(self.seal(BOOKING_LABEL, "some"));
            }
            lines.push(BookingLine {
                portion_id: portion.id,
                owner: portion.owner,
                price_before: portion.price.minor,
                share,
            });
        }
        let borne = CONCESSION + i64::from(self.lie == Lie::Borne);
        let booked = PeriodBooked {
            party: PartyId::numbered(1),
            quote: QUOTE.to_owned(),
            cadence: Cadence::OneTime,
            period: 1,
            date: day(),
            biller: PartyId::numbered(1),
            currency: euro(),
            revision: Some(BookedRevision {
                number: 1,
                hash: split.hash.clone(),
            }),
            lines,
            borne: self.is_sealed.then_some(borne),
        };
        let id = Booking::id_of(QUOTE, Cadence::OneTime, 1);
        let event = BookingEvent::Booked(booked.clone());
        self.events.push(Event::new(id, event));
        booked
    }

    fn take_back(&mut self, split: &ConcessionSplit, shares: &[i64]) -> Vec<ReversedLine> {
        let portions = self.portions.clone();
        let parts = portions
            .iter()
            .zip(shares)
            .map(|(portion, share)| Recorded {
                id: portion.id.clone(),
                share: *share,
                reversed: 0,
            });
        let parts: Vec<Recorded> = parts.collect();
        let taken = reverse(TAKEN_BACK, &parts).unwrap();
        let mut lines = Vec::new();
        for (portion, cents) in portions.into_iter().zip([1, -1, 0]) {
            let lie = cents * i64::from(self.lie == Lie::Reversed);
            let amount = self.amount(REVERSAL_LABEL, taken.share_of(&portion.id) + lie);
            lines.push(ReversedLine {
                portion_id: portion.id,
                owner: portion.owner,
                amount,
            });
        }
        self.quote(JointQuoteEvent::ConcessionReversed(Box::new(
            ConcessionReversed {
                party: PartyId::numbered(1),
                number: 1,
                revision: 1,
                hash: split.hash.clone(),
                biller: PartyId::numbered(1),
                date: day(),
                reason: None,
                cadences: vec![ReversedCadence {
                    cadence: Cadence::OneTime,
                    amount: TAKEN_BACK,
                    lines: lines.clone(),
                }],
            },
        )));
        lines
    }

    /// What the first party owes the second.
    fn settle(&mut self, booked: &PeriodBooked, reversed: &[ReversedLine]) {
        let booking = Booking::id_of(QUOTE, Cadence::OneTime, 1);
        let reversal = Source::Reversal {
            quote: QUOTE.to_owned(),
            number: 1,
        };
        let (mut share, price) = (booked.lines[1].share.clone(), booked.lines[1].price_before);
        if self.lie == Lie::Settled {
            share = self.amount(BOOKING_LABEL, CONCESSION);
        }
        let line = |source, period, price_before, amount| LineContent {
            source,
            quote: QUOTE.to_owned(),
            portion_id: "b".to_owned(),
            cadence: Cadence::OneTime,
            period,
            payee: PartyId::numbered(2),
            date: day(),
            corrects: None,
            price_before,
            amount,
        };
        let lines = vec![
            line(Source::Booking(booking), Some(1), price, share),
            line(reversal, None, 0, reversed[1].amount.clone()),
        ];
        let pair = Pair::of(&PartyId::numbered(1), &PartyId::numbered(2)).unwrap();
        let period = Month::parse("2026-02").unwrap();
        let id = SettlementStatement::id_of(&pair, euro(), period);
        let drawn = LinesDrawn {
            party: PartyId::numbered(1),
            pair,
            currency: euro(),
            period,
            lines,
        };
        let event = SettlementStatementEvent::LinesDrawn(drawn);
        self.events.push(Event::new(id, event));
    }

    /// An export with all openings that are there, verified.
    fn report(self) -> Report {
        let mut lines = export_of(&scope(), &self.events);
        let openings = self.openings.into_iter().map(OpeningLine::of);
        lines.extend(openings.map(Line::Opening));
        verify(&lines, &evidence())
    }

    /// Erases the openings under a label, as their owners may.
    fn erase(&mut self, label: &str) {
        let (gone, left) = std::mem::take(&mut self.openings)
            .into_iter()
            .partition(|opening| opening.label == label);
        self.openings = left;
        let gone: Vec<Opening> = gone;
        for opening in gone {
            let redacted = RedactionEvent::Redacted(Redacted {
                label: opening.label,
                reason: RedactionReason::PersonAsked,
            });
            let event = Event::new(opening.commitment.as_str(), redacted);
            self.events.push(event);
        }
    }
}

fn found(is_sealed: bool, lie: Lie) -> Vec<Cause> {
    let report = Journal::told(is_sealed, lie).report();
    report.faults.into_iter().map(|fault| fault.cause).collect()
}

fn of_portion(portion: &str) -> Vec<Cause> {
    vec![Cause::BookingFalse(portion.to_owned())]
}

#[test]
fn what_is_told_as_it_was_is_worked_out_again() {
    for is_sealed in [false, true] {
        let report = Journal::told(is_sealed, Lie::Nothing).report();
        assert!(report.is_clean(), "{report}");
        let counts = (report.totals.divisions, report.totals.sales);
        assert_eq!(counts, (1, LINES), "{report}");
    }
}

#[test]
fn a_false_division_is_noticed() {
    for is_sealed in [false, true] {
        let causes = found(is_sealed, Lie::Division);
        assert_eq!(causes, [Cause::DivisionFalse(1)], "{is_sealed}");
    }
    // Nor does it help to divide by what nobody stated, or to seal what is no line.
    for lie in [Lie::Unstated, Lie::Line] {
        assert_eq!(found(true, lie), [Cause::DivisionFalse(1)], "{lie:?}");
    }
}

#[test]
fn a_false_booking_is_noticed() {
    for is_sealed in [false, true] {
        assert_eq!(found(is_sealed, Lie::Booked), of_portion("a"));
    }
    assert_eq!(found(true, Lie::BookedWords), of_portion("a"));
    assert_eq!(found(true, Lie::Borne), of_portion("all"));
}

#[test]
fn a_false_reversal_is_noticed() {
    for is_sealed in [false, true] {
        let causes = found(is_sealed, Lie::Reversed);
        assert_eq!(causes, [Cause::ReversalFalse(1)], "{is_sealed}");
    }
}

#[test]
fn a_false_statement_is_noticed() {
    for is_sealed in [false, true] {
        let causes = found(is_sealed, Lie::Settled);
        assert_eq!(causes, [Cause::StatementFalse(1)], "{is_sealed}");
    }
}

#[test]
fn nothing_is_said_of_what_cannot_be_read() {
    let lies = [Lie::Nothing, Lie::Division, Lie::Line, Lie::Booked];
    for lie in lies.into_iter().chain([Lie::Reversed]) {
        let mut journal = Journal::told(true, lie);
        journal.openings.clear();
        let report = journal.report();
        assert!(report.is_clean(), "{lie:?}: {report}");
        // Three costs, and three shares divided, booked and taken back.
        assert!(report.totals.sealed >= 3 * 4, "{report}");
        // What two records say must be the same, whatever it is.
        let counts = (report.totals.divisions, report.totals.sales);
        assert_eq!(counts, (0, 2), "{lie:?}: {report}");
    }
    // To see that a statement has another amount, nobody has to read it.
    let mut journal = Journal::told(true, Lie::Settled);
    journal.openings.clear();
    let causes = journal.report().faults.into_iter().map(|fault| fault.cause);
    assert_eq!(causes.collect::<Vec<_>>(), [Cause::StatementFalse(1)]);
}

#[test]
fn erased_costs_leave_the_division_open_and_the_rest_told() {
    for (lie, expected) in [
        (Lie::Nothing, vec![]),
        (Lie::Division, vec![]),
        (Lie::Booked, of_portion("a")),
    ] {
        let mut journal = Journal::told(true, lie);
        journal.erase(cost::LABEL);
        let report = journal.report();
        assert_eq!((report.totals.erased, report.totals.divisions), (3, 0));
        assert_eq!((report.totals.sealed, report.totals.sales), (0, LINES));
        let causes = report.faults.into_iter().map(|fault| fault.cause);
        assert_eq!(causes.collect::<Vec<_>>(), expected, "{lie:?}");
    }
}
