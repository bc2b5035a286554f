//! What is made of the answers to five questions: what is missing, urgent, dear or impossible.

use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1::{
    self, ExpectationState, Feasibility, ImpactScope, ImpossibleReason, MissingAnswer, Question,
    Severity, TargetType,
};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at, lasting};
use super::setting::{NORTH, Pair, SOUTH, agreeing, cents, five_w, offering, target};

/// A deadline at which the office has been open for 7 hours: Monday at four.
const TOO_SOON: i64 = 8;
/// Ten open hours from Monday at eight, when every test begins: Tuesday at eleven.
const EARLIEST: i64 = 27;

impl Pair {
    /// An office that is open from Monday to Friday, 09:00 to 17:00 UTC.
    async fn office(&self) {
        let windows =
            (DayOfWeek::Monday.into()..=DayOfWeek::Friday.into()).map(|day| v1::WeeklyWindow {
                day,
                start: "09:00".to_owned(),
                end: "17:00".to_owned(),
            });
        let request = v1::CreateCalendarRequest {
            parent: self.name.clone(),
            calendar_id: "office".to_owned(),
            calendar: Some(v1::Calendar {
                display_name: "Office".to_owned(),
                time_zone: "UTC".to_owned(),
                weekly_windows: windows.collect(),
                ..Default::default()
            }),
            ..Default::default()
        };
        ok(self.north.connection.sla().create_calendar(request)).await;
    }

    /// The desk in office hours: 4 for priority 1, 10 for priority 2.
    fn office_desk(&self) -> v1::Agreement {
        v1::Agreement {
            calendar: format!("{}/calendars/office", self.name),
            ..self.desk()
        }
    }

    pub async fn with_an_office(house: &House) -> Self {
        let pair = Self::active(house).await;
        pair.office().await;
        pair.agreement("desk", pair.office_desk()).await;
        pair
    }

    async fn drafted(&self, five_w: v1::FiveW) -> v1::Expectation {
        let request = self.draft_request(five_w);
        ok(self
            .north
            .connection
            .expectations()
            .create_expectation(request))
        .await
    }

    async fn offered(&self, deadline_hours: i64) -> v1::Expectation {
        let draft = self.drafted(five_w(deadline_hours)).await;
        let mut norths = self.north.connection.expectations();
        ok(norths.offer_expectation(offering(&draft.name))).await
    }
}

fn knowing(name: &str, offer_number: i32) -> v1::AgreeExpectationRequest {
    v1::AgreeExpectationRequest {
        acknowledge_impossible: true,
        ..agreeing(name, offer_number)
    }
}

fn countering(name: &str, deadline_hours: i64, knows: bool) -> v1::CounterExpectationRequest {
    v1::CounterExpectationRequest {
        name: name.to_owned(),
        five_w: Some(five_w(deadline_hours)),
        acknowledge_impossible: knows,
        ..Default::default()
    }
}

fn level(expectation: &v1::Expectation) -> Feasibility {
    let feasibility = expectation.feasibility.as_ref();
    feasibility.map_or(Feasibility::Unspecified, v1::DeadlineFeasibility::level)
}

/// A deadline that calendar and target cannot meet is answered with the earliest that they can
/// (E02); it is agreed only if both say that they know.
pub async fn e02_the_impossible_is_said_before_anybody_agrees(house: House) {
    let pair = Pair::with_an_office(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let draft = pair.drafted(five_w(TOO_SOON)).await;
    let judged = draft.feasibility.unwrap();
    assert_eq!(judged.level(), Feasibility::Impossible);
    assert_eq!(judged.reason(), ImpossibleReason::TooLittleWorkingTime);
    assert_eq!(judged.earliest_feasible_time, Some(at(EARLIEST * HOUR)));
    assert_eq!(judged.working_time_needed, Some(lasting(10 * HOUR)));
    assert_eq!(judged.working_time_available, Some(lasting(7 * HOUR)));
    // It may be asked for all the same, and the offer keeps what was made of it.
    let name = draft.name.as_str();
    let offered = ok(norths.offer_expectation(offering(name))).await;
    assert_eq!(offered.offers[0].feasibility, Some(judged));
    let silent = refuses(
        &house,
        "DEADLINE_IMPOSSIBLE",
        souths.agree_expectation(agreeing(name, 1)),
    );
    let answer = silent.await;
    assert_eq!(
        answer.metadata["not_acknowledged_by"],
        format!("{NORTH},{SOUTH}")
    );
    assert_eq!(
        answer.metadata["earliest_feasible_time"],
        "2026-03-03T11:00:00Z"
    );
    assert_eq!(answer.metadata["agreement"], "desk");
    let alone = refuses(
        &house,
        "DEADLINE_IMPOSSIBLE",
        souths.agree_expectation(knowing(name, 1)),
    );
    assert_eq!(alone.await.metadata["not_acknowledged_by"], NORTH);

    ok(souths.counter_expectation(countering(name, TOO_SOON, true))).await;
    let unaware = norths.agree_expectation(agreeing(name, 2));
    let answer = refuses(&house, "DEADLINE_IMPOSSIBLE", unaware).await;
    assert_eq!(answer.metadata["not_acknowledged_by"], NORTH);
    let agreed = ok(norths.agree_expectation(knowing(name, 2))).await;
    assert_eq!(agreed.state(), ExpectationState::Agreed);
    let knew = agreed
        .offers
        .iter()
        .map(|offer| offer.acknowledges_impossible);
    assert_eq!(knew.collect::<Vec<_>>(), [false, true]);

    // Nobody has to acknowledge what can be done, however tight.
    let offered = pair.offered(EARLIEST).await;
    assert_eq!(level(&offered), Feasibility::Tight);
    ok(souths.agree_expectation(agreeing(&offered.name, 1))).await;
    let roomy = pair.offered(48).await;
    assert_eq!(level(&roomy), Feasibility::Feasible);
    house.stop().await;
}

/// What was feasible when it was offered is judged anew when it is agreed (E02).
pub async fn e02_what_time_made_impossible_is_not_agreed_unawares(house: House) {
    let pair = Pair::with_an_office(&house).await;
    let offered = pair.offered(EARLIEST).await;
    house.pass(2 * HOUR);
    let mut souths = pair.south.connection.expectations();
    let late = souths.agree_expectation(agreeing(&offered.name, 1));
    let answer = refuses(&house, "DEADLINE_IMPOSSIBLE", late).await;
    assert_eq!(
        answer.metadata["earliest_feasible_time"],
        "2026-03-03T12:00:00Z"
    );
    // The way out is a counter-offer with a deadline that can be met.
    let countered = ok(souths.counter_expectation(countering(&offered.name, 28, false))).await;
    assert_eq!(level(&countered), Feasibility::Tight);
    assert_eq!(countered.offers[0].feasibility, offered.feasibility);
    let mut norths = pair.north.connection.expectations();
    let agreed = ok(norths.agree_expectation(agreeing(&offered.name, 2))).await;
    assert_eq!(agreed.judged_by.unwrap().judge_time, Some(at(2 * HOUR)));
    house.stop().await;
}

/// Answers may be partial or vague; what is missing is said, and priority and cost follow from what
/// is there. Earlier offers keep their own (E07).
pub async fn e07_an_intake_says_what_to_ask_next_and_what_is_urgent(house: House) {
    let pair = Pair::active(&house).await;
    let empty = pair.drafted(v1::FiveW::default()).await;
    assert_eq!((empty.unanswered.len(), empty.gaps.len()), (5, 5));
    assert_eq!((empty.priority, empty.cost_of_delay), (0, None));
    let mut vague = five_w(48);
    vague.who.as_mut().unwrap().people_count = 0;
    vague.when.as_mut().unwrap().reason = String::new();
    vague.r#where = None;
    let vague = pair.drafted(vague).await;
    assert_eq!(vague.unanswered, [i32::from(Question::Where)]);
    let gaps = vague.gaps.iter().map(|gap| (gap.question(), gap.missing()));
    let expected = [
        (Question::Who, MissingAnswer::PeopleCount),
        (Question::When, MissingAnswer::DeadlineReason),
        (Question::Where, MissingAnswer::Place),
    ];
    assert_eq!(gaps.collect::<Vec<_>>(), expected);
    assert!(vague.gaps.iter().all(|gap| !gap.sentence.is_empty()));

    // Without an agreement: the default matrix, all hours, and no word about the deadline.
    let offered = pair.offered(48).await;
    assert!(offered.gaps.is_empty());
    assert_eq!((offered.priority, offered.feasibility), (2, None));
    let cost = offered.cost_of_delay.unwrap();
    assert_eq!(cents(cost.per_hour.as_ref()), 40_050);
    assert_eq!(cents(cost.per_day.as_ref()), 24 * 40_050);
    assert_eq!(cents(cost.until_deadline.as_ref()), 48 * 40_050);

    // With one: its matrix, its open hours.
    pair.office().await;
    let entry = v1::PriorityMatrixEntry {
        scope: ImpactScope::Team.into(),
        severity: Severity::Stopped.into(),
        priority: 1,
    };
    let desk = v1::Agreement {
        priority_matrix: vec![entry],
        ..pair.office_desk()
    };
    let approved = pair.agreement("desk", desk.clone()).await;
    assert_eq!(approved.priority_matrix, [entry]);
    let mut souths = pair.south.connection.expectations();
    let countered = ok(souths.counter_expectation(countering(&offered.name, 48, false))).await;
    let priorities = countered.offers.iter().map(|offer| offer.priority);
    assert_eq!(priorities.collect::<Vec<_>>(), [2, 1]);
    assert_eq!(level(&countered), Feasibility::Feasible);
    let cost = countered.cost_of_delay.unwrap();
    assert_eq!(cents(cost.per_day.as_ref()), 8 * 40_050);
    assert_eq!(cents(cost.until_deadline.as_ref()), 16 * 40_050);

    let twice = v1::Agreement {
        priority_matrix: vec![entry, entry],
        ..desk
    };
    let request = pair.agreement_request("twice", twice);
    let mut agreements = pair.north.connection.sla();
    let refused = agreements.create_agreement(request);
    faulty(
        &house,
        "INVALID_FIELD",
        &["agreement.priority_matrix[1]"],
        refused,
    )
    .await;
    house.stop().await;
}

/// The agreement named, or the only one in force that the obligor owes.
pub async fn an_expectation_is_judged_by_the_agreement_that_is_about_it(house: House) {
    let pair = Pair::with_an_office(&house).await;
    let named = |agreement: &str| {
        let mut request = pair.draft_request(five_w(48));
        let expectation = request.expectation.as_mut().unwrap();
        expectation.agreement = format!("{}/agreements/{agreement}", pair.name);
        request
    };
    let mut norths = pair.north.connection.expectations();
    let unknown = norths.create_expectation(named("gold"));
    refuses(&house, "AGREEMENT_NOT_ACTIVE", unknown).await;
    // Owed the other way round, it is not about what south has to keep.
    let in_return = v1::Agreement {
        obligor: NORTH.to_owned(),
        beneficiary: SOUTH.to_owned(),
        ..pair.office_desk()
    };
    pair.agreement("ours", in_return).await;
    let ours = norths.create_expectation(named("ours"));
    faulty(&house, "INVALID_FIELD", &["expectation.agreement"], ours).await;
    let only = pair.drafted(five_w(48)).await;
    let desk = format!("{}/agreements/desk", pair.name);
    assert_eq!(only.judged_by.unwrap().agreement, desk);
    assert_eq!(only.agreement, "");

    // Of several, one has to be named.
    let gold = v1::Agreement {
        targets: vec![target(TargetType::Resolution, 2, HOUR)],
        ..pair.office_desk()
    };
    pair.agreement("gold", gold).await;
    let unclear = pair.drafted(five_w(48)).await;
    assert_eq!((unclear.priority, unclear.feasibility), (2, None));
    assert_eq!(unclear.judged_by.unwrap().agreement, "");
    let clear = ok(norths.create_expectation(named("gold"))).await;
    assert_eq!(clear.agreement, format!("{}/agreements/gold", pair.name));
    let basis = clear.judged_by.unwrap();
    assert_eq!(
        (&basis.agreement, basis.agreement_revision),
        (&clear.agreement, 1)
    );
    let judged = clear.feasibility.unwrap();
    assert_eq!(judged.earliest_feasible_time, Some(at(2 * HOUR)));
    house.stop().await;
}
