//! Something of every sort in every state, so that every RPC has something to act on.

use std::collections::BTreeMap;

use entente::proto::v1::{self, AllocationBasis};

use super::adoption::{adopting, creating, priority_map, status_map};
use super::amendments::{agreed_date, proposing};
use super::calls::ok;
use super::claims::{claiming, limiting, needing};
use super::contacts::{contact, introducing};
use super::custody;
use super::evidence::an_hour_late;
use super::guests::{linking as linking_guest, work};
use super::house::{HOUR, House, START_SECONDS};
use super::improvements::{agreeing_goal, aiming, completing, improving};
use super::interaction_stage;
use super::maps::priority_map_request;
use super::notices::{giving, moving};
use super::opportunities::hoping;
use super::remedies::{agreeing_plan, noting, planning};
use super::sale_stage;
use super::setting::{
    NORTH, NORTH_PSA, Pair, always, euros, fulfilling, invitation, joining, opening, partnership,
    ticket,
};
use super::signing::Pen;
use super::table::trusted;
use super::updates::posting;
use super::webhook_rows::{ELSEWHERE, subscribing};
use super::webhooks::endpoint_request;

/// An identifier like those that the server makes, which nothing has.
const ABSENT: &str = "01900000-0000-7000-8000-000000000000";

/// Names of what there is, by what it is for.
#[derive(Clone, Debug)]
pub struct Names(BTreeMap<&'static str, String>);

impl Names {
    /// The name of something.
    ///
    /// # Panics
    /// If the stage has nothing of that kind.
    pub fn of(&self, key: &str) -> String {
        let name = self.0.get(key);
        name.unwrap_or_else(|| panic!("nothing is called {key}"))
            .clone()
    }

    /// With another value for one of the names.
    pub fn with(mut self, key: &'static str, value: &str) -> Self {
        self.0.insert(key, value.to_owned());
        self
    }

    /// With other values for some of the names.
    pub fn with_all(mut self, names: BTreeMap<&'static str, String>) -> Self {
        self.0.extend(names);
        self
    }

    /// Those whose values are the same in `other`, although they are of one partnership only.
    pub fn shared_with(&self, other: &Self) -> Vec<&'static str> {
        let of_a_partnership = |name: &str| name.starts_with("partnerships/");
        let mut shared = Vec::new();
        for (key, name) in &self.0 {
            if of_a_partnership(name) && other.0.get(key) == Some(name) {
                shared.push(*key);
            }
        }
        shared
    }

    /// The same things in scopes that do not exist.
    pub fn in_absent_scopes(&self) -> Self {
        self.changed(1)
    }

    /// Other things, in the scopes that do exist.
    pub fn absent_within(&self) -> Self {
        self.changed(3)
    }

    /// With one part of every resource name exchanged.
    fn changed(&self, part: usize) -> Self {
        let change = |name: &String| {
            let mut parts: Vec<&str> = name.split('/').collect();
            if let Some(id) = parts.get_mut(part) {
                // Chosen identifiers begin with a letter, those that the server makes with a digit.
                let is_chosen = id.starts_with(|first: char| first.is_ascii_lowercase());
                *id = if is_chosen { "absent" } else { ABSENT };
            }
            parts.join("/")
        };
        let mut names: BTreeMap<_, _> = self
            .0
            .iter()
            .map(|(key, name)| (*key, change(name)))
            .collect();
        if part == 1 {
            names.insert("code", format!("{ABSENT}.nonsense"));
        }
        Self(names)
    }
}

/// Sets everything up.
pub async fn set(house: &House) -> (Pair, Names) {
    let pair = Pair::with_a_desk(house).await;
    let mut names = BTreeMap::from([
        ("partnership", pair.name.clone()),
        ("firm", "firms/north".to_owned()),
        ("caller", "north".to_owned()),
        ("calendar", format!("{}/calendars/always", pair.name)),
        ("agreement", format!("{}/agreements/desk", pair.name)),
        (
            "status_map",
            format!("{}/statusMaps/{NORTH_PSA}", pair.name),
        ),
    ]);
    amended(&pair, &mut names).await;
    partnerships(&pair, &mut names).await;
    trusted_by_operator(house, &mut names).await;
    outsiders(&pair, &mut names).await;
    service_levels(&pair, &mut names).await;
    firms_own(&pair, &mut names).await;
    expectations(&pair, &mut names).await;
    notices(&pair, &mut names).await;
    claims(&pair, &mut names).await;
    opportunities(&pair, &mut names).await;
    interaction_stage::set(&pair, &mut names).await;
    improvements(&pair, &mut names).await;
    custody::stage(&pair, &mut names, false).await;
    quotes(&pair, &mut names).await;
    sale_stage::set(&pair, &mut names, false).await;
    guests(&pair, &mut names).await;
    assert_eq!(
        house.running.application.api.now().as_micros() / 1_000_000,
        START_SECONDS
    );
    (pair, Names(names))
}

/// A ticket with proposals of north, and with events of north that came late.
async fn amended(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    pair.terms(an_hour_late()).await;
    let name = pair.opened("amended", 0).await;
    let mut norths = pair.north.connection.sla();
    for _ in 0..3 {
        let request = proposing(&name, agreed_date(Some(HOUR)));
        ok(norths.propose_amendment(request)).await;
    }
    let id = ticket(NORTH_PSA, "amended");
    let late = [("late-1", -2 * HOUR), ("late-2", -3 * HOUR)];
    let late = late.map(|(event, seconds)| opening(event, &id, seconds, 1));
    let results = pair.ingest(&pair.north, late.to_vec()).await;
    let awaiting = v1::IngestOutcome::AwaitingCountersignature;
    assert!(results.iter().all(|result| result.outcome() == awaiting));
    names.insert("amended", name);
}

async fn partnerships(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let mut norths = pair.north.connection.partnerships();
    for key in ["solo", "open", "over"] {
        let created = ok(norths.create_partnership(partnership(key))).await;
        names.insert(key, created.name);
    }
    let invited = ok(norths.invite_partner(invitation(&names["open"]))).await;
    names.insert("code", invited.code);
    let invited = ok(norths.invite_partner(invitation(&names["over"]))).await;
    let mut souths = pair.south.connection.partnerships();
    ok(souths.join_partnership(joining(&invited.code))).await;
    let request = v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(v1::Terms::default()),
        ..Default::default()
    };
    let proposed = ok(norths.propose_terms(request)).await.proposed_terms;
    names.insert("terms_hash", proposed.unwrap().hash);
    let request = v1::CreateApiKeyRequest {
        parent: "firms/north".to_owned(),
        api_key: Some(v1::ApiKey {
            display_name: "spare".to_owned(),
            permissions: vec![v1::Permission::Read.into()],
            ..Default::default()
        }),
        ..Default::default()
    };
    let key = ok(pair.north.connection.admin().create_api_key(request)).await;
    names.insert("api_key", key.name);
    let signing_key = Pen::new("north", 91).register(&pair.north).await;
    names.insert("signing_key", signing_key.name);
    let mut webhooks = pair.north.connection.webhooks();
    for key in ["webhook_endpoint", "webhook_endpoint_spare"] {
        let request = endpoint_request("north", &pair.name, v1::WebhookVendor::Zammad);
        let made = ok(webhooks.create_webhook_endpoint(request)).await;
        names.insert(key, made.name);
    }
    for key in ["subscription", "subscription_spare"] {
        let made = ok(webhooks.create_subscription(subscribing(&pair.name, ELSEWHERE))).await;
        names.insert(key, made.name);
    }
}

async fn trusted_by_operator(house: &House, names: &mut BTreeMap<&'static str, String>) {
    let operator = house.firm("operator").await;
    let request = v1::CreateTrustedIdentityRequest {
        parent: "firms/north".to_owned(),
        trusted_identity: Some(trusted("psa.north.example")),
        ..Default::default()
    };
    let created = ok(operator.connection.admin().create_trusted_identity(request)).await;
    names.insert("trusted_identity", created.name);
}

pub async fn outsiders(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let mut norths = pair.north.connection.partnerships();
    let request = v1::CreateClientRequest {
        parent: pair.name.clone(),
        client: Some(v1::Client {
            display_name: "Brandt Freight".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    names.insert("client", ok(norths.create_client(request)).await.name);
    let request = v1::CreateOutsidePartyRequest {
        parent: pair.name.clone(),
        outside_party: Some(v1::OutsideParty {
            display_name: "Coastal Fibre".to_owned(),
            kind: v1::OutsidePartyKind::Carrier.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let outside_party = ok(norths.create_outside_party(request)).await;
    names.insert("outside_party", outside_party.name);
    for key in ["contact", "former_contact"] {
        let request = introducing(&pair.name, "", contact(&pair.name, "always", 1, &[1]));
        names.insert(key, ok(norths.create_contact(request)).await.name);
    }
}

async fn service_levels(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let events = vec![opening("e1", &ticket(NORTH_PSA, "1"), 0, 1)];
    let results = pair.ingest(&pair.north, events).await;
    names.insert("ticket", results[0].ticket.clone());
    let events = vec![opening("e1", &ticket(NORTH_PSA, "2"), 0, 1)];
    let results = pair.ingest(&pair.north, events).await;
    names.insert("other_ticket", results[0].ticket.clone());
    let mut norths = pair.north.connection.sla();
    let linking = v1::CreateTicketLinkRequest {
        parent: "firms/north".to_owned(),
        ticket_link: Some(v1::TicketLink {
            upstream: names["ticket"].clone(),
            downstream: names["other_ticket"].clone(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let link = ok(norths.create_ticket_link(linking)).await;
    names.insert("ticket_link", link.name);
    let map = priority_map_request(pair, &[("P1", 1), ("P2", 2)]);
    let map = ok(norths.update_priority_map(map)).await;
    names.insert("priority_map", map.name);
    let proposal = pair.agreement_request("proposed", pair.desk());
    let proposed = ok(norths.create_agreement(proposal)).await;
    names.insert("proposed", proposed.name);
    names.insert("proposed_hash", proposed.hash);
    let ending = pair.agreement("ending", pair.desk()).await;
    names.insert("ending", ending.name);
}

async fn firms_own(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let mut norths = pair.north.connection.sla();
    let calendar = creating("firms/north", "office", always());
    let own = ok(norths.create_calendar(calendar)).await;
    let adopted = adopting(&pair.name, &own.name);
    ok(norths.adopt_revision(adopted)).await;
    names.insert("adopted", format!("{}/calendars/office", pair.name));
    names.insert("own_calendar", own.name);
    let map = status_map("firms/north/statusMaps/words", &["New"]);
    let map = ok(norths.update_status_map(map)).await;
    names.insert("own_status_map", map.name);
    let map = priority_map("firms/north/priorityMaps/words", &[("P2", 2)]);
    let map = ok(norths.update_priority_map(map)).await;
    names.insert("own_priority_map", map.name);
}

async fn expectations(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    for key in ["draft", "to_offer"] {
        names.insert(key, pair.draft().await.name);
    }
    for key in ["to_counter", "to_agree", "to_decline", "to_withdraw"] {
        names.insert(key, pair.offer().await.name);
    }
    names.insert("to_fulfil", pair.agreed().await.name);
    let update = posting(&names["to_fulfil"], "it goes well");
    let mut souths = pair.south.connection.expectations();
    names.insert("update", ok(souths.post_update(update)).await.name);
    for key in ["to_accept", "to_dispute"] {
        let agreed = pair.agreed().await;
        let mut souths = pair.south.connection.expectations();
        ok(souths.fulfil_expectation(fulfilling(&agreed.name))).await;
        names.insert(key, agreed.name);
    }
}

pub async fn notices(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let mut norths = pair.north.connection.expectations();
    for (key, is_confirmed) in [
        ("notice", false),
        ("to_confirm", false),
        ("to_complete", true),
        ("to_call_off", true),
    ] {
        let request = giving(&pair.name, moving(Some(HOUR)), is_confirmed);
        names.insert(key, ok(norths.create_notice(request)).await.name);
    }
}

pub async fn claims(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let mut norths = pair.north.connection.expectations();
    let request = claiming(&pair.name, v1::SupportLevel::Supported);
    names.insert("claim", ok(norths.create_claim(request)).await.name);
    for key in ["need", "to_limit", "to_review"] {
        let need = ok(norths.create_need(needing(&pair.name))).await;
        names.insert(key, need.name);
    }
    let request = limiting(&names["to_review"], HOUR);
    ok(norths.accept_limitation(request)).await;
}

/// What the parties hope to sell.
pub async fn opportunities(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let mut norths = pair.north.connection.opportunities();
    for key in ["opportunity", "to_close"] {
        let created = ok(norths.create_opportunity(hoping(&pair.name))).await;
        names.insert(key, created.name);
    }
}

/// What the parties want to reach, and what is to be better; where nobody else is there, all goals are
/// agreed.
pub async fn improvements(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let mut norths = pair.north.connection.improvements();
    for key in ["shared_goal", "agreed_goal", "goal_to_close"] {
        let goal = ok(norths.create_shared_goal(aiming(&pair.name))).await;
        if key != "shared_goal" && !goal.asserted {
            let mut souths = pair.south.connection.improvements();
            ok(souths.agree_shared_goal(agreeing_goal(&goal.name))).await;
        }
        names.insert(key, goal.name);
    }
    for key in [
        "improvement",
        "to_verify",
        "to_reopen",
        "to_reopen_south",
        "to_drop",
    ] {
        let made = ok(norths.create_improvement(improving(&pair.name))).await;
        if key != "to_drop" {
            ok(norths.complete_improvement(completing(&made.name))).await;
        }
        names.insert(key, made.name);
    }
    for key in ["remedy_plan", "agreed_plan", "plan_to_close"] {
        let plan = ok(norths.create_remedy_plan(planning(&pair.name))).await;
        if key == "agreed_plan" && !plan.asserted {
            let mut souths = pair.south.connection.improvements();
            ok(souths.agree_remedy_plan(agreeing_plan(&plan.name))).await;
        }
        names.insert(key, plan.name);
    }
    let note = noting(&pair.name, "we were three people short");
    let note = ok(norths.create_checkup_note(note)).await;
    names.insert("checkup_note", note.name);
}

async fn quotes(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let keys = [
        ("quote", "quote_hash"),
        ("to_approve", "approve_hash"),
        ("to_reject", "reject_hash"),
        ("to_take_back", "take_back_hash"),
    ];
    for (key, hash) in keys {
        let quote = pair.quote(&[("a", 500)], &[("b", 500)]).await;
        let request = v1::ProposeConcessionRequest {
            name: quote.name.clone(),
            concession: Some(euros(100)),
            basis: AllocationBasis::Price.into(),
            ..Default::default()
        };
        let mut pricing = pair.north.connection.pricing();
        let proposed = ok(pricing.propose_concession(request)).await;
        names.insert(hash, proposed.revisions[0].hash.clone());
        names.insert(key, quote.name);
    }
}

/// Work of south that somebody at north may accept, and links by which to do so.
async fn guests(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let agreed = pair.agreed().await.name;
    let mut souths = pair.south.connection.expectations();
    ok(souths.fulfil_expectation(fulfilling(&agreed))).await;
    for (key, code) in [
        ("guest_link", "guest_code"),
        ("link_to_revoke", "revoked_code"),
    ] {
        let request = linking_guest(&pair.name, NORTH, work(&agreed));
        let mut norths = pair.north.connection.partnerships();
        let made = ok(norths.create_guest_link(request)).await;
        names.insert(key, made.guest_link.unwrap().name);
        names.insert(code, made.code);
    }
    names.insert("to_guest", agreed);
}
