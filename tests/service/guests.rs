//! Guest links: what is asked, what an answer does, and what else nobody learns or gets by them.

use entente::ledger::verify::verify_store;
use entente::proto::v1::partnership_service_client::PartnershipServiceClient;
use entente::proto::v1::{
    self, ExpectationState, GuestAnswer, GuestLinkState, guest_link::Matter,
    open_guest_link_response::Matter as Asked,
};
use tonic::transport::Channel;

use super::calls::{faulty, ok, refused, refuses};
use super::house::{Firm, HOUR, House, at, lasting};
use super::setting::{NORTH, Pair, SOUTH, five_w};

/// What a guest calls with: no key at all.
pub type Guest = PartnershipServiceClient<Channel>;

pub async fn guest(house: &House) -> Guest {
    PartnershipServiceClient::new(house.channel().await)
}

/// The request for a link for Jo.
pub fn linking(parent: &str, party: &str, matter: Matter) -> v1::CreateGuestLinkRequest {
    v1::CreateGuestLinkRequest {
        parent: parent.to_owned(),
        guest_link: Some(v1::GuestLink {
            party: party.to_owned(),
            person: "Jo Amsel".to_owned(),
            matter: Some(matter),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The only offer of an expectation.
pub fn first_offer(expectation: &str) -> Matter {
    Matter::Offer(v1::GuestOfferMatter {
        expectation: expectation.to_owned(),
        offer_number: 1,
    })
}

/// Work that is said to be done.
pub fn work(expectation: &str) -> Matter {
    Matter::Fulfilment(v1::GuestFulfilmentMatter {
        expectation: expectation.to_owned(),
    })
}

pub fn opening(code: &str) -> v1::OpenGuestLinkRequest {
    v1::OpenGuestLinkRequest {
        code: code.to_owned(),
    }
}

pub fn accepting(code: &str) -> v1::UseGuestLinkRequest {
    v1::UseGuestLinkRequest {
        code: code.to_owned(),
        answer: GuestAnswer::Accept.into(),
        ..Default::default()
    }
}

pub fn refusing(code: &str, message: &str) -> v1::UseGuestLinkRequest {
    v1::UseGuestLinkRequest {
        answer: GuestAnswer::Refuse.into(),
        message: message.to_owned(),
        ..accepting(code)
    }
}

pub async fn link(firm: &Firm, request: v1::CreateGuestLinkRequest) -> v1::CreateGuestLinkResponse {
    ok(firm.connection.partnerships().create_guest_link(request)).await
}

async fn shown(firm: &Firm, name: &str) -> v1::GuestLink {
    let request = v1::GetGuestLinkRequest {
        name: name.to_owned(),
    };
    ok(firm.connection.partnerships().get_guest_link(request)).await
}

pub async fn expectation(firm: &Firm, name: &str) -> v1::Expectation {
    let request = v1::GetExpectationRequest {
        name: name.to_owned(),
    };
    ok(firm.connection.expectations().get_expectation(request)).await
}

fn id_of(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

pub async fn assert_verified(house: &House) {
    let report = verify_store(house.store().as_ref(), None).await;
    let report = report.expect("it can be verified");
    assert!(report.is_clean(), "{report}");
}

/// Somebody at south agrees for south, once; everybody sees by whom.
pub async fn a_guest_of_a_firm_agrees_for_it(house: House) {
    let pair = Pair::active(&house).await;
    let offered = pair.offer().await;
    let made = link(
        &pair.south,
        linking(&pair.name, "", first_offer(&offered.name)),
    )
    .await;
    let created = made.guest_link.expect("the link");
    assert_eq!(created.party, SOUTH);
    assert_eq!(created.state(), GuestLinkState::Open);
    assert_eq!(created.expire_time, Some(at(72 * HOUR)));
    assert!(!created.for_placeholder);

    let mut jo = guest(&house).await;
    let question = ok(jo.open_guest_link(opening(&made.code))).await;
    assert_eq!(
        question.sentence,
        "The south firm asks Jo Amsel, on behalf of The south firm, to agree to “Payroll back in \
         time” as The north firm offers it, or to decline (until 2026-03-05T08:00:00Z)."
    );
    let Some(Asked::Offer(asked)) = question.matter else {
        panic!("another question");
    };
    let offer = asked.offer.expect("the offer");
    assert_eq!(
        (asked.kept_by.as_str(), offer.five_w),
        ("The south firm", Some(five_w(48)))
    );
    let answer = v1::UseGuestLinkRequest {
        message: "gladly".to_owned(),
        request_id: "jo-1".to_owned(),
        ..accepting(&made.code)
    };
    let used = ok(jo.use_guest_link(answer.clone())).await;
    assert_eq!(used.use_time, Some(at(0)));
    let agreed = expectation(&pair.north, &offered.name).await;
    assert_eq!(agreed.state(), ExpectationState::Agreed);
    assert_eq!(agreed.agreed_by_guest_link_id, id_of(&created.name));
    let seen = shown(&pair.north, &created.name).await;
    assert_eq!(
        (seen.state(), seen.answer(), seen.message.as_str()),
        (GuestLinkState::Used, GuestAnswer::Accept, "gladly")
    );
    assert_eq!(seen.person, "Jo Amsel");

    // The same again has the same outcome; anything else does not.
    let before = house.heads().await;
    assert_eq!(ok(jo.use_guest_link(answer.clone())).await, used);
    assert_eq!(house.heads().await, before);
    let other = v1::UseGuestLinkRequest {
        message: "not at all".to_owned(),
        ..answer
    };
    refuses(&house, "REQUEST_ID_REUSED", jo.use_guest_link(other)).await;
    let anew = accepting(&made.code);
    refuses(&house, "GUEST_LINK_USED", jo.use_guest_link(anew)).await;
    let call = jo.open_guest_link(opening(&made.code));
    refuses(&house, "GUEST_LINK_USED", call).await;
    let request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        record_kind: "guest_link".to_owned(),
        ..Default::default()
    };
    let entries = ok(pair.north.connection.journal().list_entries(request)).await;
    let actors: Vec<_> = entries.entries.iter().map(|it| it.actor.as_str()).collect();
    assert_eq!(actors.len(), 2);
    assert_eq!(actors[1], format!("guest:{}", id_of(&created.name)));
    assert_eq!(entries.entries[1].firm, "firms/south");
    assert_verified(&house).await;
    house.stop().await;
}

/// What a code that is not right is answered does not depend on what is right about it.
pub async fn a_wrong_code_tells_nothing(house: House) {
    let pair = Pair::active(&house).await;
    let offered = pair.offer().await;
    let request = v1::CreateGuestLinkRequest {
        request_id: "link-1".to_owned(),
        ..linking(&pair.name, "", first_offer(&offered.name))
    };
    let made = link(&pair.south, request.clone()).await;
    let again = link(&pair.south, request).await;
    assert_eq!(again.guest_link, made.guest_link);
    assert_eq!(again.code, "", "the secret is known to nobody any more");
    let parts: Vec<_> = made.code.split('.').collect();
    let [partnership, link, secret] = parts[..] else {
        panic!("a code has three parts");
    };
    let absent = "01900000-0000-7000-8000-000000000000";
    let mut jo = guest(&house).await;
    let mut answers = Vec::new();
    for code in [
        format!("{partnership}.{link}.{}", "a".repeat(secret.len())),
        format!("{partnership}.{link}.{secret}a"),
        format!("{partnership}.{absent}.{secret}"),
        format!("{absent}.{link}.{secret}"),
        format!("{absent}.{absent}.nonsense"),
        "nonsense".to_owned(),
        "x".repeat(5_000),
    ] {
        let used = refuses(&house, "NOT_FOUND", jo.use_guest_link(accepting(&code))).await;
        let opened = refuses(&house, "NOT_FOUND", jo.open_guest_link(opening(&code))).await;
        answers.extend([used, opened]);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let nothing = v1::UseGuestLinkRequest::default();
    let fields = ["answer", "code"];
    faulty(&house, "INVALID_FIELD", &fields, jo.use_guest_link(nothing)).await;
    let long = refusing(&made.code, &"x".repeat(5_001));
    let call = jo.use_guest_link(long);
    faulty(&house, "INVALID_FIELD", &["message"], call).await;
    house.stop().await;
}

/// Two answers at the same time, and an answer while the link is taken back: one of them happens.
pub async fn a_link_is_used_once_whoever_is_fast(house: House) {
    let pair = Pair::active(&house).await;
    for round in 0..8 {
        let offered = pair.offer().await;
        let request = linking(&pair.name, "", first_offer(&offered.name));
        let made = link(&pair.south, request).await;
        let name = made.guest_link.expect("the link").name;
        let (mut jo, mut other) = (guest(&house).await, guest(&house).await);
        if round % 2 == 0 {
            let (accepted, declined) = tokio::join!(
                jo.use_guest_link(accepting(&made.code)),
                other.use_guest_link(refusing(&made.code, "no")),
            );
            let state = expectation(&pair.north, &offered.name).await.state();
            let late = if accepted.is_ok() {
                assert_eq!(state, ExpectationState::Agreed);
                refused(async { declined }).await
            } else {
                assert_eq!(state, ExpectationState::Declined);
                declined.expect("one of them is accepted");
                refused(async { accepted }).await
            };
            assert_eq!(late.reason, "GUEST_LINK_USED");
            continue;
        }
        let mut souths = pair.south.connection.partnerships();
        let revoking = v1::RevokeGuestLinkRequest {
            name: name.clone(),
            ..Default::default()
        };
        let (used, revoked) = tokio::join!(
            jo.use_guest_link(accepting(&made.code)),
            souths.revoke_guest_link(revoking),
        );
        let state = expectation(&pair.north, &offered.name).await.state();
        if used.is_ok() {
            assert_eq!(state, ExpectationState::Agreed);
            assert_eq!(refused(async { revoked }).await.reason, "GUEST_LINK_USED");
        } else {
            assert_eq!(state, ExpectationState::Offered);
            revoked.expect("it was taken back");
            assert_eq!(refused(async { used }).await.reason, "GUEST_LINK_REVOKED");
        }
    }
    assert_verified(&house).await;
    house.stop().await;
}

/// Who may make and take back which links, and what is wrong with others.
pub async fn guest_links_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let offered = pair.offer().await;
    let mut norths = pair.north.connection.partnerships();
    let mut souths = pair.south.connection.partnerships();
    let fit = linking(&pair.name, SOUTH, first_offer(&offered.name));
    let call = norths.create_guest_link(fit.clone());
    refuses(&house, "INVALID_STATE", call).await;
    let own = linking(&pair.name, NORTH, first_offer(&offered.name));
    refuses(&house, "NOT_YOUR_OFFER", norths.create_guest_link(own)).await;
    let undone = linking(&pair.name, NORTH, work(&offered.name));
    refuses(&house, "INVALID_STATE", norths.create_guest_link(undone)).await;
    let long = v1::CreateGuestLinkRequest {
        validity: Some(lasting(15 * 24 * HOUR)),
        ..fit.clone()
    };
    let call = souths.create_guest_link(long);
    faulty(&house, "INVALID_FIELD", &["validity"], call).await;
    let elsewhere = Matter::Offer(v1::GuestOfferMatter {
        expectation: "partnerships/other/expectations/e".to_owned(),
        offer_number: 0,
    });
    let mut nameless = linking(&pair.name, "", elsewhere);
    if let Some(link) = &mut nameless.guest_link {
        link.person = String::new();
    }
    let fields = [
        "guest_link.offer.expectation",
        "guest_link.offer.offer_number",
        "guest_link.person",
    ];
    let call = souths.create_guest_link(nameless);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut empty = fit.clone();
    if let Some(link) = &mut empty.guest_link {
        link.matter = None;
    }
    let call = souths.create_guest_link(empty);
    faulty(&house, "INVALID_FIELD", &["guest_link.matter"], call).await;

    let made = link(&pair.south, fit).await;
    let name = made.guest_link.expect("the link").name;
    let revoking = v1::RevokeGuestLinkRequest {
        name: name.clone(),
        ..Default::default()
    };
    let call = norths.revoke_guest_link(revoking.clone());
    refuses(&house, "INVALID_STATE", call).await;
    let revoked = ok(souths.revoke_guest_link(revoking.clone())).await;
    assert_eq!(revoked.state(), GuestLinkState::Revoked);
    assert_eq!(ok(souths.revoke_guest_link(revoking)).await, revoked);
    let mut jo = guest(&house).await;
    let call = jo.open_guest_link(opening(&made.code));
    refuses(&house, "GUEST_LINK_REVOKED", call).await;
    let fit = linking(&pair.name, SOUTH, first_offer(&offered.name));
    let made = link(&pair.south, fit).await;
    house.pass(72 * HOUR);
    let call = jo.use_guest_link(accepting(&made.code));
    refuses(&house, "GUEST_LINK_EXPIRED", call).await;
    let request = v1::ListGuestLinksRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let listed = ok(norths.list_guest_links(request)).await.guest_links;
    let states: Vec<_> = listed.iter().map(v1::GuestLink::state).collect();
    assert_eq!(states, [GuestLinkState::Revoked, GuestLinkState::Expired]);
    house.stop().await;
}

/// The matter has moved on: by a counter-offer, say.
pub async fn a_link_about_an_older_offer(house: House) {
    let pair = Pair::active(&house).await;
    let offered = pair.offer().await;
    let fit = linking(&pair.name, "", first_offer(&offered.name));
    let made = link(&pair.south, fit).await;
    let countering = v1::CounterExpectationRequest {
        name: offered.name.clone(),
        five_w: Some(five_w(96)),
        ..Default::default()
    };
    let mut souths = pair.south.connection.expectations();
    ok(souths.counter_expectation(countering)).await;
    let mut jo = guest(&house).await;
    let call = jo.open_guest_link(opening(&made.code));
    let opened = refuses(&house, "GUEST_LINK_OUTDATED", call).await;
    assert_eq!(opened.metadata["reason"], "INVALID_STATE");
    for answer in [accepting(&made.code), refusing(&made.code, "no")] {
        let call = jo.use_guest_link(answer);
        refuses(&house, "GUEST_LINK_OUTDATED", call).await;
    }
    house.stop().await;
}
