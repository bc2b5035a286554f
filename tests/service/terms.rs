//! Every revision of terms stays readable, and any two can be compared.

use entente::proto::v1::{self, TermsRevisionState};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at, lasting};
use super::setting::{NORTH, Pair, SOUTH};

fn shared(north: i32, text: &str) -> v1::Terms {
    let share = |party: &str, share_bps| v1::PartyShare {
        party_id: party.to_owned(),
        share_bps,
    };
    v1::Terms {
        text: text.to_owned(),
        shares: vec![share(NORTH, north), share(SOUTH, 10_000 - north)],
        ..Default::default()
    }
}

async fn propose(pair: &Pair, terms: v1::Terms) {
    let request = v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(terms),
        ..Default::default()
    };
    ok(pair.south.connection.partnerships().propose_terms(request)).await;
}

fn comparing(name: &str, from: i64, to: i64) -> v1::GetTermsDifferenceRequest {
    v1::GetTermsDifferenceRequest {
        name: name.to_owned(),
        from_revision: from,
        to_revision: to,
    }
}

fn changes(difference: &v1::TermsDifference) -> Vec<(&str, &str, &str)> {
    let changes = difference.changes.iter();
    changes
        .map(|change| {
            (
                change.path.as_str(),
                change.from.as_str(),
                change.to.as_str(),
            )
        })
        .collect()
}

/// What was in force, what was only proposed and what waits now are all there, page by page.
pub async fn revisions_of_terms_stay(house: House) {
    let pair = Pair::active(&house).await;
    pair.terms(shared(5_000, "the first words")).await;
    house.pass(HOUR);
    propose(&pair, shared(6_000, "the first words")).await;
    pair.terms(shared(7_000, "the first words")).await;
    let waiting = v1::Terms {
        lateness_window: Some(lasting(HOUR)),
        ..shared(7_000, "other words")
    };
    propose(&pair, waiting).await;

    let mut norths = pair.north.connection.partnerships();
    let mut request = v1::ListTermsRevisionsRequest {
        parent: pair.name.clone(),
        page_size: 3,
        ..Default::default()
    };
    let first = ok(norths.list_terms_revisions(request.clone())).await;
    request.page_token.clone_from(&first.next_page_token);
    let second = ok(norths.list_terms_revisions(request)).await;
    assert_eq!(second.next_page_token, "");
    let all: Vec<_> = first
        .terms_revisions
        .iter()
        .chain(&second.terms_revisions)
        .collect();
    let states: Vec<_> = all.iter().map(|revision| revision.state()).collect();
    let (in_force, proposed) = (TermsRevisionState::InForce, TermsRevisionState::Proposed);
    let replaced = TermsRevisionState::Replaced;
    assert_eq!(states, [replaced, replaced, in_force, proposed]);
    let effects: Vec<_> = all.iter().map(|revision| revision.effect_time).collect();
    assert_eq!(effects, [Some(at(0)), None, Some(at(HOUR)), None]);
    assert_eq!(all[1].proposer, SOUTH);
    let request = v1::GetTermsRevisionRequest {
        name: format!("{}/termsRevisions/1", pair.name),
    };
    let got = ok(norths.get_terms_revision(request)).await;
    assert_eq!(&got, all[0]);
    let terms = got.terms.unwrap();
    assert_eq!(
        (terms.text.as_str(), terms.approvals.len()),
        ("the first words", 2)
    );

    // Equal words are equal, although each revision seals them anew.
    let latest = ok(norths.get_terms_difference(comparing(&pair.name, 0, 0))).await;
    assert_eq!((latest.from_revision, latest.to_revision), (3, 4));
    assert_eq!(latest.to_hash, all[3].terms.as_ref().unwrap().hash);
    let expected = [
        ("lateness_window", "", "3600s"),
        ("text", "the first words", "other words"),
    ];
    assert_eq!(changes(&latest), expected);
    let earlier = ok(norths.get_terms_difference(comparing(&pair.name, 2, 1))).await;
    let expected = [
        ("shares[party-1].share_bps", "6000", "5000"),
        ("shares[party-2].share_bps", "4000", "5000"),
    ];
    assert_eq!(changes(&earlier), expected);
    let same = ok(norths.get_terms_difference(comparing(&pair.name, 3, 3))).await;
    assert_eq!(changes(&same), []);
    house.stop().await;
}

/// What is not there, and what cannot be.
pub async fn revisions_of_terms_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.partnerships();
    let nothing = norths.get_terms_difference(comparing(&pair.name, 0, 0));
    refuses(&house, "INVALID_STATE", nothing).await;
    propose(&pair, shared(5_000, "")).await;
    let all = ok(norths.get_terms_difference(comparing(&pair.name, 0, 0))).await;
    assert_eq!((all.from_revision, all.changes.len()), (0, 4));
    for (from, to) in [(2, 1), (0, 2), (i64::MAX, 1)] {
        let absent = norths.get_terms_difference(comparing(&pair.name, from, to));
        refuses(&house, "NOT_FOUND", absent).await;
    }
    let negative = norths.get_terms_difference(comparing("x", -1, -1));
    let fields = ["name", "from_revision", "to_revision"];
    faulty(&house, "INVALID_FIELD", &fields, negative).await;
    for absent in ["2", "01", "one"] {
        let request = v1::GetTermsRevisionRequest {
            name: format!("{}/termsRevisions/{absent}", pair.name),
        };
        let call = norths.get_terms_revision(request);
        refuses(&house, "NOT_FOUND", call).await;
    }
    house.stop().await;
}
