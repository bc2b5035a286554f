//! Opportunities: who brought a sale, whether it is worth it, what went into it, and how it ended.

use entente::proto::google::r#type::Date;
use entente::proto::v1::{self, OpportunityState, Qualification, SaleReason};

use super::calls::{faulty, ok, refuses};
use super::house::House;
use super::setting::{NORTH, Pair, SOUTH};

/// The request for an opportunity.
pub fn hoping(parent: &str) -> v1::CreateOpportunityRequest {
    v1::CreateOpportunityRequest {
        parent: parent.to_owned(),
        opportunity: Some(v1::Opportunity {
            display_name: "Second warehouse".to_owned(),
            client_plan: "show them the first one".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn renaming(name: &str, display_name: &str) -> v1::UpdateOpportunityRequest {
    v1::UpdateOpportunityRequest {
        opportunity: Some(v1::Opportunity {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn qualifying(name: &str, qualification: Qualification) -> v1::SetQualificationRequest {
    let is_not = qualification == Qualification::NotQualified;
    v1::SetQualificationRequest {
        name: name.to_owned(),
        qualification: qualification.into(),
        facts: "they have signed the lease".to_owned(),
        reason: if is_not { "no budget" } else { "" }.to_owned(),
        ..Default::default()
    }
}

pub fn spending(name: &str, minutes: i32, client_facing: bool) -> v1::RecordEffortRequest {
    v1::RecordEffortRequest {
        name: name.to_owned(),
        effort: Some(v1::EffortEntry {
            minutes,
            client_facing,
            date: Some(Date {
                year: 2026,
                month: 3,
                day: 1,
            }),
            note: "a walk through the hall".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn ending(
    name: &str,
    state: OpportunityState,
    reason: SaleReason,
) -> v1::CloseOpportunityRequest {
    v1::CloseOpportunityRequest {
        name: name.to_owned(),
        state: state.into(),
        reason: reason.into(),
        words: "they chose somebody nearer".to_owned(),
        ..Default::default()
    }
}

/// Both firms see what each put into it, and whose word it was.
pub async fn an_opportunity_from_first_hint_to_its_end(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.opportunities();
    let mut souths = pair.south.connection.opportunities();
    let mut request = hoping(&pair.name);
    let own = v1::ExternalReference {
        system: "crm".to_owned(),
        r#type: "deal".to_owned(),
        id: "77".to_owned(),
        ..Default::default()
    };
    let given = request.opportunity.as_mut().unwrap();
    given.external_references = vec![own.clone()];
    SOUTH.clone_into(&mut given.brought_by);
    let created = ok(norths.create_opportunity(request.clone())).await;
    assert_eq!(created.external_references, [own]);
    assert_eq!(
        (created.brought_by.as_str(), created.state()),
        (SOUTH, OpportunityState::Open)
    );
    let taken = norths.create_opportunity(request);
    refuses(&house, "ALREADY_EXISTS", taken).await;
    ok(norths.record_effort(spending(&created.name, 30, true))).await;
    ok(souths.record_effort(spending(&created.name, 90, false))).await;
    ok(souths.set_qualification(qualifying(&created.name, Qualification::Qualified))).await;
    let mut change = renaming(&created.name, "");
    let opportunity = change.opportunity.as_mut().unwrap();
    "ask for the floor plan".clone_into(&mut opportunity.client_plan);
    let quote = pair.quote(&[("a", 500)], &[]).await;
    opportunity.joint_quotes = vec![quote.name.clone()];
    let changed = ok(souths.update_opportunity(change)).await;
    assert_eq!(changed.display_name, "Second warehouse");
    assert_eq!(changed.joint_quotes, [quote.name]);
    assert!(
        changed.external_references.is_empty(),
        "they are north's own"
    );
    let authors = changed.plans.iter().map(|plan| plan.party_id.as_str());
    assert_eq!(authors.collect::<Vec<_>>(), [NORTH, SOUTH]);
    let minutes = changed.effort_totals.iter();
    let minutes = minutes.map(|total| (total.client_facing_minutes, total.drafted_minutes));
    assert_eq!(minutes.collect::<Vec<_>>(), [(30, 0), (0, 90)]);
    let lost = ending(
        &created.name,
        OpportunityState::Lost,
        SaleReason::Competitor,
    );
    let lost = ok(norths.close_opportunity(lost)).await;
    let outcome = lost.outcome.clone().unwrap();
    assert_eq!(
        (outcome.reason(), outcome.party_id.as_str()),
        (SaleReason::Competitor, NORTH)
    );
    let read = v1::GetOpportunityRequest {
        name: created.name.clone(),
    };
    let read = ok(souths.get_opportunity(read)).await;
    assert_eq!(read.outcome, lost.outcome);
    assert_eq!(read.effort[1].note, "a walk through the hall");
    let again = ending(
        &created.name,
        OpportunityState::Won,
        SaleReason::Unspecified,
    );
    refuses(&house, "INVALID_STATE", souths.close_opportunity(again)).await;
    ok(norths.create_opportunity(hoping(&pair.name))).await;
    listed_by_state(&pair).await;
    house.stop().await;
}

/// Two are there: one is open, one was lost.
async fn listed_by_state(pair: &Pair) {
    let mut souths = pair.south.connection.opportunities();
    for (state, count) in [
        (OpportunityState::Unspecified, 2),
        (OpportunityState::Open, 1),
        (OpportunityState::Lost, 1),
        (OpportunityState::Won, 0),
    ] {
        let wanted = v1::ListOpportunitiesRequest {
            parent: pair.name.clone(),
            state: state.into(),
            ..Default::default()
        };
        let listed = ok(souths.list_opportunities(wanted)).await;
        assert_eq!(listed.opportunities.len(), count, "{state:?}");
    }
}

/// Every fault at once, and nothing changes.
pub async fn opportunities_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.opportunities();
    let mut bad = hoping(&pair.name);
    let given = bad.opportunity.as_mut().unwrap();
    "clients/x".clone_into(&mut given.client);
    given.joint_quotes = vec!["x".to_owned(), String::new()];
    "x".repeat(5_001).clone_into(&mut given.client_plan);
    let fields = [
        "opportunity.client",
        "opportunity.joint_quotes[0]",
        "opportunity.joint_quotes[1]",
        "opportunity.client_plan",
    ];
    let call = norths.create_opportunity(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut nameless = hoping(&pair.name);
    let given = nameless.opportunity.as_mut().unwrap();
    given.display_name.clear();
    "party-9".clone_into(&mut given.brought_by);
    let fields = ["opportunity.display_name", "opportunity.brought_by"];
    let call = norths.create_opportunity(nameless);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let name = ok(norths.create_opportunity(hoping(&pair.name))).await.name;
    let mut unknown = renaming(&name, "x");
    unknown.update_mask = Some(prost_types::FieldMask {
        paths: vec!["display_name".to_owned(), "state".to_owned()],
    });
    let call = norths.update_opportunity(unknown);
    faulty(&house, "INVALID_FIELD", &["update_mask.paths[1]"], call).await;
    let mut effort = spending(&name, -1, true);
    effort.effort.as_mut().unwrap().date = Some(Date {
        year: 2026,
        month: 2,
        day: 30,
    });
    let fields = ["effort.minutes", "effort.date"];
    let call = norths.record_effort(effort);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let call = norths.record_effort(spending(&name, 0, true));
    faulty(&house, "INVALID_FIELD", &["effort.minutes"], call).await;
    let call = norths.close_opportunity(ending(&name, OpportunityState::Open, SaleReason::Price));
    faulty(&house, "INVALID_FIELD", &["state"], call).await;
    let call = norths.close_opportunity(ending(
        &name,
        OpportunityState::Lost,
        SaleReason::Unspecified,
    ));
    faulty(&house, "INVALID_FIELD", &["reason"], call).await;
    let mut stale = qualifying(&name, Qualification::Qualified);
    "\"9\"".clone_into(&mut stale.etag);
    refuses(&house, "ETAG_MISMATCH", norths.set_qualification(stale)).await;
    house.stop().await;
}

/// Three that were drafted for and lost: the check-up says so of whoever brought them, to both firms.
pub async fn the_checkup_tells_of_rainbows(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.opportunities();
    let mut names = Vec::new();
    for _ in 0..3 {
        let name = ok(norths.create_opportunity(hoping(&pair.name))).await.name;
        ok(norths.record_effort(spending(&name, 90, false))).await;
        let lost = ending(&name, OpportunityState::Lost, SaleReason::NoBudget);
        ok(norths.close_opportunity(lost)).await;
        names.push(name);
    }
    house.pass(60);
    let request = v1::GetCheckupRequest {
        name: pair.name.clone(),
        ..Default::default()
    };
    let mut rows = Vec::new();
    for firm in [&pair.north, &pair.south] {
        let checkup = ok(firm.connection.checkups().get_checkup(request.clone())).await;
        let rainbows = |row: &v1::CheckupRow| row.symptom() == v1::Symptom::ChasingRainbows;
        rows.push(checkup.rows.into_iter().find(rainbows).unwrap());
    }
    assert_eq!(rows[0], rows[1], "both are told the same");
    let figure = |side: usize, measure: v1::CheckupMeasure| {
        let mut figures = rows[0].sides[side].figures.iter();
        figures.find(|found| found.measure() == measure).unwrap()
    };
    for measure in [
        v1::CheckupMeasure::OpportunitiesNotWon,
        v1::CheckupMeasure::PursuedUnqualified,
        v1::CheckupMeasure::TimeOnDrafts,
    ] {
        assert_eq!(figure(0, measure).intensity, Some(4), "{measure:?}");
        assert_eq!(figure(1, measure).value, None, "{measure:?}");
    }
    let mut records = figure(0, v1::CheckupMeasure::OpportunitiesNotWon)
        .records
        .clone();
    records.sort();
    names.sort();
    assert_eq!(records, names);
    house.stop().await;
}
