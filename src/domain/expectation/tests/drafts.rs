//! Drafts: who may change them, what they may say, what they leave open.

use super::*;

#[test]
fn only_its_author_changes_offers_or_withdraws_a_draft() {
    let mut scene = Scene::shared();
    scene.go(ASKS, &create(FiveW::default()));
    for (command, action) in [
        (update(answers()), "UpdateExpectation"),
        (offer(), "OfferExpectation"),
        (withdraw(), "WithdrawExpectation"),
    ] {
        let refusal = scene.ask(OWES, &command).expect_err("another's draft");
        assert_eq!(refusal.reason, Reason::NotYourOffer);
        let told = [
            ("state", "draft"),
            ("action", action),
            ("requester", "party-1"),
        ];
        for (key, value) in told {
            let told = (key, value.to_owned());
            assert!(refusal.metadata.contains(&told), "{refusal:?}");
        }
    }
    for command in [agree(1), decline(), counter(answers()), fulfil()] {
        assert_eq!(scene.reason(OWES, &command), Reason::InvalidState);
    }
    scene.go(ASKS, &withdraw());
    assert_eq!(scene.reason(OWES, &agree(1)), Reason::InvalidState);
    let ending = scene.expectation().ending.clone().expect("it ended");
    assert_eq!((ending.firm, ending.text), (Some(firm_id(ASKS)), None));
}

#[test]
fn strangers_find_nothing_and_the_end_stops_everything() {
    let mut scene = offered(answers());
    assert_eq!(scene.reason("crow", &create(answers())), Reason::NotFound);
    assert_eq!(scene.reason("crow", &agree(1)), Reason::NotFound);
    scene.end();
    for command in [create(answers()), agree(1), decline(), counter(answers())] {
        assert_eq!(scene.reason(OWES, &command), Reason::PartnershipEnded);
    }
    scene.wait(OFFER_VALIDITY_DEFAULT);
    assert!(scene.tick().is_empty(), "what is closed waits for nothing");
    assert_eq!(
        Scene::shared().reason(ASKS, &agree(1)),
        Reason::NotFound,
        "no such expectation"
    );
}

#[test]
fn creation_checks_client_party_and_identifiers() {
    let reference = ExternalReference {
        firm: firm_id(ASKS),
        system: "psa".to_owned(),
        instance: String::new(),
        reference_type: "project".to_owned(),
        id: "4711".to_owned(),
    };
    let command =
        |chosen: Option<&str>, number, of_client: Option<&str>| ExpectationCommand::Create {
            id: chosen.map(str::to_owned),
            title: None,
            five_w: FiveW::default(),
            obligor: PartyId::numbered(number),
            client: of_client.map(str::to_owned),
            agreement: None,
            reference: Some(reference.clone()),
        };
    let mut scene = Scene::shared();
    let refusal = scene
        .ask(ASKS, &command(Some("Bad Id"), 3, None))
        .expect_err("two faults");
    assert_eq!(fields(&refusal), ["expectation_id", "expectation.obligor"]);
    assert_eq!(
        scene.reason(ASKS, &command(None, 2, Some("bakery"))),
        Reason::NotFound
    );
    let bakery = Client {
        display_name: "Bakery".to_owned(),
    };
    scene.put("bakery", Record::Client(Box::new(bakery)));
    scene.go(ASKS, &command(Some(ID), 2, Some("bakery")));
    assert_eq!(scene.expectation().client.as_deref(), Some("bakery"));
    assert_eq!(
        scene.reason(ASKS, &create(FiveW::default())),
        Reason::AlreadyExists,
        "the id"
    );
    assert_eq!(
        scene.reason(ASKS, &command(None, 2, None)),
        Reason::AlreadyExists,
        "the reference"
    );
    let mut faulty = command(None, 2, None);
    if let ExpectationCommand::Create {
        reference: Some(reference),
        ..
    } = &mut faulty
    {
        reference.id.clear();
    }
    let refusal = scene.ask(ASKS, &faulty).expect_err("an empty id");
    assert_eq!(fields(&refusal), ["expectation.external_references[0].id"]);
}

#[test]
fn an_update_that_changes_nothing_is_no_event() {
    let mut scene = Scene::shared();
    scene
        .go(ASKS, &create(FiveW::default()))
        .go(ASKS, &update(answers()));
    assert_eq!(scene.ask(ASKS, &update(answers())), Ok(Vec::new()));
    assert_eq!(scene.expectation().title, words("Payroll, again"));
    let untitled = ExpectationCommand::Update {
        id: ID.to_owned(),
        title: None,
        five_w: answers(),
    };
    scene.go(ASKS, &untitled);
    assert_eq!(scene.expectation().title, None);
    let mut faulty = answers();
    faulty.who.people_count = Some(0);
    assert_eq!(scene.reason(ASKS, &update(faulty)), Reason::InvalidField);
}

#[test]
fn answers_are_checked_whole_at_their_limits() {
    let euro = Currency::from_code("EUR").expect("a currency");
    let with = |people, cents, micros, criteria: usize| FiveW {
        who: Who {
            people_count: Some(people),
            ..Who::default()
        },
        what: What {
            cost_per_hour: Some(Money::from_minor(euro, cents)),
            ..What::default()
        },
        when: When {
            deadline: Some(Timestamp::from_micros(micros)),
            reason: None,
            update_interval: None,
        },
        how: How {
            criteria: vec![sealed("x"); criteria],
        },
        ..FiveW::default()
    };
    let last = Timestamp::LATEST.as_micros() - 1;
    for good in [
        with(1, 0, last, 20),
        with(1_000_000, i64::MAX, 946_684_800_000_000, 0),
    ] {
        Scene::shared().go(ASKS, &create(good));
    }
    for bad in [
        with(0, -1, last + 1, 21),
        with(1_000_001, i64::MIN, i64::MIN, 10_000),
    ] {
        let refusal = Scene::shared()
            .ask(ASKS, &create(bad))
            .expect_err("four faults");
        assert_eq!(
            fields(&refusal),
            [
                "expectation.five_w.who.people_count",
                "expectation.five_w.what.cost_per_hour",
                "expectation.five_w.when.deadline",
                "expectation.five_w.how.criteria"
            ]
        );
    }
}

#[test]
fn questions_are_open_until_their_comparable_part_is_answered() {
    use Question::{How, What, When, Where, Who};
    let mut five_w = FiveW::default();
    five_w.who.description = words("the bakers");
    assert_eq!(five_w.unanswered(), [Who, What, When, Where, How]);
    five_w.who.scope = Some(ImpactScope::Team);
    five_w.what.severity = Some(Severity::Stopped);
    assert_eq!(five_w.unanswered(), [When, Where, How]);
    let scene = offered(answers());
    assert_eq!(scene.expectation().five_w.unanswered(), [Who, What, Where]);
    five_w = answers();
    five_w.who.scope = Some(ImpactScope::OnePerson);
    five_w.what.severity = Some(Severity::Degraded);
    five_w.r#where.place = Some(Place::OnSite);
    assert_eq!(five_w.unanswered(), []);
}

#[test]
fn unknown_fields_are_not_read() {
    let body = serde_json::to_string(offered(answers()).expectation()).expect("JSON");
    assert!(serde_json::from_str::<Expectation>(&body).is_ok());
    for part in [
        "{\"title\"",
        "{\"scope\"",
        "{\"criteria\"",
        "{\"number\"",
        "{\"place\"",
    ] {
        let changed = body.replacen(part, &part.replace('{', "{\"new\":1,"), 1);
        assert_ne!(changed, body, "{part}");
        assert!(
            serde_json::from_str::<Expectation>(&changed).is_err(),
            "{part}"
        );
    }
}
