//! Agreements to begin with, and requests that are only to be checked.

use entente::proto::v1::{self, AgreementKind, AgreementState, TargetType};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House};
use super::setting::{NORTH, NORTH_PSA, Pair, SOUTH, opening, target, ticket};

fn from_template(pair: &Pair, template: &str) -> v1::CreateAgreementRequest {
    v1::CreateAgreementRequest {
        parent: pair.name.clone(),
        agreement_id: "first".to_owned(),
        agreement: Some(v1::Agreement {
            obligor: SOUTH.to_owned(),
            beneficiary: NORTH.to_owned(),
            ..Default::default()
        }),
        template: format!("agreementTemplates/{template}"),
        time_zone: "Europe/Berlin".to_owned(),
        ..Default::default()
    }
}

/// All templates, two at a time.
async fn listed(pair: &Pair) -> Vec<v1::AgreementTemplate> {
    let mut norths = pair.north.connection.sla();
    let mut names = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListAgreementTemplatesRequest {
            page_size: 2,
            page_token,
        };
        let page = ok(norths.list_agreement_templates(request)).await;
        names.extend(page.agreement_templates);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return names;
        }
    }
}

/// Each template is listed with all that it fills in, and makes an agreement that can be approved.
pub async fn a_first_agreement_is_one_call(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.sla();
    let names = listed(&pair).await;
    let ids: Vec<&str> = names.iter().map(|template| &template.name[19..]).collect();
    assert_eq!(
        ids,
        ["24x7-critical", "business-hours", "respond-plan-resolve"]
    );
    for template in &names {
        let id = template.name[19..].to_owned();
        let request = v1::CreateAgreementRequest {
            agreement_id: format!("a-{id}"),
            ..from_template(&pair, &id)
        };
        let made = ok(norths.create_agreement(request)).await;
        let preset = template.agreement.clone().unwrap();
        assert_eq!((&made.targets, made.kind), (&preset.targets, preset.kind));
        assert_eq!(made.state(), AgreementState::Proposed);
        assert_eq!(made.calendar, format!("{}/calendars/{id}", pair.name));
        let request = v1::GetCalendarRequest {
            name: made.calendar,
        };
        let calendar = ok(norths.get_calendar(request)).await;
        assert_eq!(
            (calendar.revision, calendar.time_zone.as_str()),
            (1, "Europe/Berlin")
        );
        let expected = template.calendar.clone().unwrap().weekly_windows;
        assert_eq!(calendar.weekly_windows, expected);
    }
    // What is said counts more than the template, and its calendar is made once only.
    let request = v1::CreateAgreementRequest {
        agreement_id: "second".to_owned(),
        agreement: Some(v1::Agreement {
            display_name: "Our own".to_owned(),
            kind: AgreementKind::Ola.into(),
            obligor: SOUTH.to_owned(),
            beneficiary: NORTH.to_owned(),
            targets: vec![target(TargetType::Resolution, 1, 3 * HOUR)],
            ..Default::default()
        }),
        ..from_template(&pair, "business-hours")
    };
    let made = ok(norths.create_agreement(request)).await;
    assert_eq!(
        (made.display_name.as_str(), made.targets.len()),
        ("Our own", 1)
    );
    assert_eq!(
        (made.kind(), made.calendar_revision),
        (AgreementKind::Ola, 1)
    );
    let request = v1::ApproveAgreementRequest {
        name: made.name,
        hash: made.hash,
        ..Default::default()
    };
    ok(pair.south.connection.sla().approve_agreement(request)).await;
    pair.status_map(&pair.north, NORTH_PSA).await;
    let events = vec![opening("e1", &ticket(NORTH_PSA, "1"), 0, 1)];
    let opened = pair.ingest(&pair.north, events).await;
    assert!(opened[0].ticket.starts_with(&pair.name));
    house.stop().await;
}

/// Templates and zones that do not exist; what is missing even so.
pub async fn templates_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.sla();
    let request = from_template(&pair, "gold");
    faulty(
        &house,
        "NOT_FOUND",
        &["template"],
        norths.create_agreement(request),
    )
    .await;
    let request = v1::CreateAgreementRequest {
        time_zone: "Europe/Atlantis".to_owned(),
        ..from_template(&pair, "business-hours")
    };
    let refused = faulty(
        &house,
        "ZONE_UNKNOWN",
        &["time_zone"],
        norths.create_agreement(request),
    );
    assert_eq!(refused.await.metadata["time_zone"], "Europe/Atlantis");
    let request = v1::CreateAgreementRequest {
        agreement: Some(v1::Agreement::default()),
        ..from_template(&pair, "business-hours")
    };
    let fields = [
        "agreement.obligor",
        "agreement.beneficiary",
        "agreement.beneficiary",
    ];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.create_agreement(request),
    )
    .await;
    house.stop().await;
}

/// The answer is what it would be, and the refusal too; the journals stay as they are.
pub async fn what_is_only_validated_changes_nothing(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let mut norths = pair.north.connection.sla();
    let before = house.heads().await;
    let checking = v1::CreateAgreementRequest {
        validate_only: true,
        request_id: "once".to_owned(),
        ..from_template(&pair, "respond-plan-resolve")
    };
    let checked = ok(norths.create_agreement(checking.clone())).await;
    let revision = v1::ReviseAgreementRequest {
        name: format!("{}/agreements/desk", pair.name),
        agreement: Some(v1::Agreement {
            targets: vec![target(TargetType::Resolution, 1, HOUR)],
            ..pair.desk()
        }),
        validate_only: true,
        ..Default::default()
    };
    let revised = ok(norths.revise_agreement(revision.clone())).await;
    assert_eq!((revised.revision, revised.targets.len()), (1, 4));
    assert_eq!(
        revised
            .proposed_revision
            .unwrap()
            .agreement
            .unwrap()
            .targets
            .len(),
        1
    );
    assert_eq!(house.heads().await, before);
    let too_long = v1::CreateAgreementRequest {
        agreement: Some(v1::Agreement {
            targets: vec![target(TargetType::Resolution, 1, 0)],
            ..pair.desk()
        }),
        validate_only: true,
        ..pair.agreement_request("bad", pair.desk())
    };
    let fields = ["agreement.targets[0].duration"];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.create_agreement(too_long),
    )
    .await;
    let taken = v1::CreateAgreementRequest {
        validate_only: true,
        ..pair.agreement_request("desk", pair.desk())
    };
    refuses(&house, "ALREADY_EXISTS", norths.create_agreement(taken)).await;
    // Done in earnest, it is what it was said to be; the request id was not used up.
    let made = v1::CreateAgreementRequest {
        validate_only: false,
        ..checking
    };
    let made = ok(norths.create_agreement(made)).await;
    assert_eq!(made, checked);
    house.stop().await;
}
