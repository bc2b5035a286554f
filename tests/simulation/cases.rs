//! Special cases that a simulation meets rarely.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use entente::domain::command::{Action, Command};
use entente::domain::firm::FirmCommand;
use entente::domain::identity::{FirmId, PartyId, ScopeId};
use entente::domain::partnership::{PartnershipOpening, Role};
use entente::domain::record::{Kind, RecordKey};
use entente::domain::refusal::Reason;
use entente::domain::sla::agreement::{AgreementCommand, AgreementContent, AgreementType};
use entente::domain::sla::calendar::{
    CalendarException, CalendarSpecification, CivilDate, DayWindow, MinuteOfDay, Weekday,
    WeeklyWindow,
};
use entente::domain::sla::clock::{Priority, RetargetRule, ServiceLevelTarget, TargetType};
use entente::domain::sla::settings::{CalendarRevision, SettingsCommand};
use entente::domain::time::{Span, Timestamp};
use entente::ledger::queue::Urgency;
use entente::ledger::sweep::{self, Swept, sweep_once};
use entente::ledger::{Failure, Ledger, REQUESTS_KEPT_FOR, Receipt, Settings};
use entente::store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::support::clocks::ManualClock;
use crate::support::decorated_store::{Call, DecoratedStore, Hook};
use crate::support::memory_store::MemoryStore;
use crate::support::workload::{Planner, START};

/// What a test lets happen at a call, before (`true`) or after it.
type Trick = Box<dyn FnMut(Call, bool) -> Result<(), StoreError> + Send>;

/// A hook that plays one trick.
#[derive(Default)]
struct Trickster {
    trick: Mutex<Option<Trick>>,
}

impl Trickster {
    fn play(&self, trick: impl FnMut(Call, bool) -> Result<(), StoreError> + Send + 'static) {
        *self.trick.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(trick));
    }

    fn rest(&self) {
        *self.trick.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn at(&self, call: Call, before: bool) -> Result<(), StoreError> {
        let mut trick = self.trick.lock().unwrap_or_else(PoisonError::into_inner);
        trick.as_mut().map_or(Ok(()), |trick| trick(call, before))
    }
}

#[async_trait]
impl Hook for Trickster {
    async fn before(&self, call: Call) -> Result<(), StoreError> {
        self.at(call, true)
    }

    async fn after(&self, call: Call) -> Result<(), StoreError> {
        self.at(call, false)
    }

    fn makes_errors_up(&self) -> bool {
        true
    }
}

/// A ledger over a store that can be tricked.
struct House {
    ledger: Ledger,
    clock: ManualClock,
    trickster: Arc<Trickster>,
    memory: MemoryStore,
}

impl House {
    /// With the operator and the firms registered, and nothing else.
    async fn new() -> Self {
        let memory = MemoryStore::default();
        let trickster = Arc::new(Trickster::default());
        let hook: Arc<dyn Hook> = Arc::<Trickster>::clone(&trickster);
        let store = Arc::new(DecoratedStore {
            inner: Arc::new(memory.clone()),
            hook,
        });
        let clock = ManualClock::new(START);
        let (ledger, _) = Ledger::start(store, Arc::new(clock.clone()), Settings::default());
        for recipe in Planner::new(1, 0).registrations(START) {
            ledger
                .submit(recipe.command(), None, Urgency::Interactive)
                .await
                .unwrap();
        }
        Self {
            ledger,
            clock,
            trickster,
            memory,
        }
    }

    async fn submit(&self, command: &Command) -> Result<Receipt, Failure> {
        self.ledger
            .submit(command.clone(), None, Urgency::Interactive)
            .await
    }

    async fn open_partnership(&self) -> ScopeId {
        let receipt = self
            .submit(&command(&acme().scope(), "open", opening()))
            .await
            .unwrap();
        ScopeId::partnership(&receipt.id)
    }
}

fn acme() -> FirmId {
    FirmId::parse("acme").unwrap()
}

fn command(scope: &ScopeId, request_id: &str, action: Action) -> Command {
    Command {
        scope: scope.clone(),
        firm: Some(acme()),
        actor: "key".to_owned(),
        origin: request_id.to_owned(),
        request_id: request_id.to_owned(),
        digest: [1; 32],
        expected_revision: None,
        action,
        openings: Vec::new(),
    }
}

fn opening() -> Action {
    Action::Firm(FirmCommand::OpenPartnership(PartnershipOpening {
        display_name: "Together".to_owned(),
        firm_display_name: "Acme".to_owned(),
        role: Role::Prime,
        partner_display_name: "Borealis".to_owned(),
        partner_role: Role::Sub,
        external_reference: None,
    }))
}

/// Runs a test in virtual time.
fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test);
}

/// Loses the answer to the next COMMIT that is carried out.
fn lose_next_commit(house: &House) {
    let mut lost = false;
    house.trickster.play(move |call, before| {
        if call == Call::Commit && !before && !lost {
            lost = true;
            return Err(StoreError::CommitUnknown("lost".to_owned()));
        }
        Ok(())
    });
}

#[test]
fn a_command_in_doubt_is_not_refused_when_its_deadline_passes() {
    run(async {
        let house = House::new().await;
        let clock = house.clock.clone();
        house.trickster.play(move |call, before| {
            if call == Call::Commit && !before {
                clock.advance(Span::from_minutes(1));
                return Err(StoreError::CommitUnknown("lost".to_owned()));
            }
            Ok(())
        });
        let open = command(&acme().scope(), "open", opening());
        let deadline = Some(START.saturating_add(Span::from_seconds(10)));
        let failure = house
            .ledger
            .submit(open.clone(), deadline, Urgency::Interactive)
            .await
            .unwrap_err();
        assert_eq!(failure.reason(), Reason::StoreUnavailable);
        house.trickster.rest();
        assert!(house.submit(&open).await.unwrap().replayed);
    });
}

#[test]
fn a_command_in_doubt_is_not_refused_when_the_next_attempt_fails_for_good() {
    run(async {
        let house = House::new().await;
        let mut commits = 0;
        house
            .trickster
            .play(move |call, before| match (call, before) {
                (Call::Commit, false) => {
                    commits += 1;
                    Err(StoreError::CommitUnknown("lost".to_owned()))
                }
                (Call::LockHeads, true) if commits > 0 => {
                    Err(StoreError::Refused("no more".to_owned()))
                }
                _ => Ok(()),
            });
        let open = command(&acme().scope(), "open", opening());
        assert_eq!(
            house.submit(&open).await.unwrap_err().reason(),
            Reason::StoreUnavailable
        );
        house.trickster.rest();
        assert!(house.submit(&open).await.unwrap().replayed);
    });
}

#[test]
fn a_retry_finishes_what_was_left_for_another_scope() {
    run(async {
        let house = House::new().await;
        lose_next_commit(&house);
        let receipt = house
            .submit(&command(&acme().scope(), "open", opening()))
            .await
            .unwrap();
        assert!(receipt.replayed, "the second attempt found the first");
        let key = RecordKey::new(
            &ScopeId::partnership(&receipt.id),
            Kind::Partnership,
            receipt.id.as_str(),
        );
        let found = house
            .memory
            .records(std::slice::from_ref(&key))
            .await
            .unwrap();
        assert_eq!(found.len(), 1, "the partnership is there without a sweep");
    });
}

#[test]
fn what_could_not_be_carried_stays_due() {
    run(async {
        let house = House::new().await;
        let mut committed = false;
        house
            .trickster
            .play(move |call, before| match (call, before) {
                (Call::Begin, true) if committed => {
                    Err(StoreError::Unavailable("made up".to_owned()))
                }
                (Call::Commit, false) => {
                    committed = true;
                    Ok(())
                }
                _ => Ok(()),
            });
        let receipt = house
            .submit(&command(&acme().scope(), "open", opening()))
            .await
            .unwrap();
        let scope = ScopeId::partnership(&receipt.id);
        assert!(
            house
                .memory
                .heads(std::slice::from_ref(&scope))
                .await
                .unwrap()
                .is_empty()
        );
        house.trickster.rest();
        assert_eq!(
            sweep_once(&house.ledger).await.unwrap(),
            Swept {
                found: 1,
                advanced: 1,
                has_more: false
            }
        );
        assert_eq!(house.memory.heads(&[scope]).await.unwrap().len(), 1);
        assert_eq!(
            sweep_once(&house.ledger).await.unwrap(),
            Swept {
                found: 0,
                advanced: 0,
                has_more: false
            }
        );
    });
}

#[test]
fn a_panic_costs_a_batch_its_answers_and_nothing_else() {
    run(async {
        let house = House::new().await;
        let mut panicked = false;
        house.trickster.play(move |call, _| {
            assert!(
                call != Call::Write || std::mem::replace(&mut panicked, true),
                "made up"
            );
            Ok(())
        });
        let open = command(&acme().scope(), "open", opening());
        assert_eq!(
            house.submit(&open).await.unwrap_err().reason(),
            Reason::StoreUnavailable
        );
        assert!(!house.submit(&open).await.unwrap().replayed);
    });
}

/// Open always, or for one hour of one day only.
fn hours(always: bool) -> CalendarSpecification {
    let at = |hour: u16| MinuteOfDay::from_minutes(hour * 60).unwrap();
    let week = Weekday::ALL.iter().map(|day| WeeklyWindow {
        day: *day,
        start: at(0),
        end: at(24),
    });
    let date = CivilDate::new(2030, 1, 1).unwrap();
    let once = CalendarException {
        first_date: date,
        last_date: date,
        windows: vec![DayWindow {
            start: at(9),
            end: at(10),
        }],
        description: String::new(),
    };
    CalendarSpecification {
        time_zone: "UTC".to_owned(),
        weekly_windows: if always { week.collect() } else { Vec::new() },
        exceptions: if always { Vec::new() } else { vec![once] },
    }
}

fn calendar(scope: &ScopeId, request_id: &str, always: bool) -> Command {
    command(
        scope,
        request_id,
        Action::Settings(SettingsCommand::CreateCalendar {
            id: Some("hours".to_owned()),
            display_name: "Hours".to_owned(),
            specification: hours(always),
        }),
    )
}

fn agreement(scope: &ScopeId, request_id: &str) -> Command {
    let target = ServiceLevelTarget {
        target_type: TargetType::Resolution,
        priority: Priority::HIGHEST,
        duration: Span::from_hours(2),
    };
    let content = AgreementContent {
        display_name: "Service levels".to_owned(),
        agreement_type: AgreementType::Sla,
        obligor: PartyId::numbered(1),
        beneficiary: PartyId::numbered(2),
        client: None,
        targets: vec![target],
        calendar: "hours".to_owned(),
        calendar_revision: 0,
        response_by_state: true,
        pausing_states: Vec::new(),
        thresholds_bps: Vec::new(),
        retarget_rule: RetargetRule::default(),
        reopen_rules: Vec::new(),
        escalation_levels: Vec::new(),
        priority_matrix: Vec::new(),
    };
    command(
        scope,
        request_id,
        Action::Agreement(AgreementCommand::Create {
            id: None,
            content,
            calendar: None,
        }),
    )
}

#[test]
fn a_calendar_that_was_never_stored_is_not_remembered() {
    run(async {
        let house = House::new().await;
        let scope = house.open_partnership().await;
        house.trickster.play(|call, _| match call {
            Call::Write => Err(StoreError::Unavailable("made up".to_owned())),
            _ => Ok(()),
        });
        let lost = vec![
            calendar(&scope, "lost 1", true),
            agreement(&scope, "lost 2"),
        ];
        for answer in house
            .ledger
            .submit_all(lost, None::<Timestamp>, Urgency::Interactive)
            .await
        {
            assert_eq!(answer.unwrap_err().reason(), Reason::StoreUnavailable);
        }
        house.trickster.rest();
        assert!(
            house
                .ledger
                .calendars()
                .get(&scope, &CalendarRevision::id_of("hours", 1))
                .is_none()
        );
        house
            .submit(&calendar(&scope, "kept", false))
            .await
            .unwrap();
        let failure = house
            .submit(&agreement(&scope, "too long"))
            .await
            .unwrap_err();
        assert_eq!(
            failure.reason(),
            Reason::TargetUnreachable,
            "judged by the calendar that is stored"
        );
    });
}

/// A request is answered from memory for a week, and forgotten soon after that, by the sweeper.
#[test]
fn requests_are_forgotten_after_their_time() {
    run(async {
        let house = House::new().await;
        let open = command(&acme().scope(), "open", opening());
        assert!(!house.submit(&open).await.unwrap().replayed);
        let stop = CancellationToken::new();
        let sweeper = tokio::spawn(sweep::run(house.ledger.clone(), stop.clone()));
        // Just before its time is over it is remembered, however often the sweeper came by.
        let almost = REQUESTS_KEPT_FOR.saturating_sub(Span::from_seconds(1));
        house.clock.advance(almost);
        tokio::time::sleep(Duration::from_mins(3)).await;
        assert!(house.submit(&open).await.unwrap().replayed);
        house.clock.advance(Span::from_seconds(2));
        tokio::time::sleep(Duration::from_mins(3)).await;
        assert!(!house.submit(&open).await.unwrap().replayed, "forgotten");
        stop.cancel();
        sweeper.await.unwrap();
    });
}
