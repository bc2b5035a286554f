//! A firm leaves, and the others go on.

use entente::domain::identity::ScopeId;
use entente::ledger::checkpoint;
use entente::proto::v1::{self, AgreementState, PartnershipState, watch_response::Event};

use super::calls::{ok, refuses};
use super::house::{Firm, HOUR, House, at};
use super::setting::{NORTH, Pair, SOUTH, invitation, joining, offering};
use super::trio::{Trio, WEST, desk_for, firms, further, inviting, welcoming};

/// The request to leave.
pub fn leaving(name: &str) -> v1::LeavePartnershipRequest {
    v1::LeavePartnershipRequest {
        name: name.to_owned(),
        reason: "we part as friends".to_owned(),
        ..Default::default()
    }
}

async fn entries(firm: &Firm, scope: &str) -> Vec<v1::JournalEntry> {
    let request = v1::ListEntriesRequest {
        parent: scope.to_owned(),
        page_size: 500,
        ..Default::default()
    };
    let page = ok(firm.connection.journal().list_entries(request)).await;
    assert!(page.next_page_token.is_empty());
    page.entries
}

/// It changes nothing more, reads what was recorded until it left, and stays that party for ever.
pub async fn whoever_left_reads_what_was(house: House) {
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    house.pass(HOUR);
    let mut wests = west.connection.partnerships();
    let left = ok(wests.leave_partnership(leaving(&pair.name))).await;
    let party = &left.parties[2];
    assert_eq!(party.leave_time, Some(at(HOUR)));
    assert_eq!(party.leave_reason, "we part as friends");
    assert_eq!(left.state(), PartnershipState::Active);
    let last = house.head(&pair.name).await;
    // Again, by the same firm: nothing is left to change.
    let again = ok(wests.leave_partnership(leaving(&pair.name))).await;
    assert_eq!(again, left);
    assert_eq!(house.head(&pair.name).await, last);

    let draft = pair.to_south().await;
    let mut norths = pair.north.connection.partnerships();
    let proposal = further(&pair.name);
    ok(norths.propose_party(proposal)).await;
    assert_eq!(pair.shown_to(west).await, left, "as it was then");
    let listed = ok(wests.list_partnerships(v1::ListPartnershipsRequest::default())).await;
    assert_eq!(listed.partnerships, [left]);
    let read = entries(west, &pair.name).await;
    assert_eq!(read.last().unwrap().r#type, "partnership.party_left");
    assert_eq!(read.len() as u64, last.sequence);
    assert!(entries(&pair.north, &pair.name).await.len() > read.len());
    let request = v1::GetCheckpointRequest {
        name: pair.name.clone(),
    };
    let point = ok(west.connection.journal().get_checkpoint(request)).await;
    let info = ok(wests.get_service_info(v1::GetServiceInfoRequest {})).await;
    let signed = checkpoint::verify(&point.note, &[&info.checkpoint_public_key]).unwrap();
    assert_eq!((signed.sequence, signed.hash), (last.sequence, last.hash));
    assert_eq!(signed.scope, ScopeId::parse(&pair.name).unwrap());

    let request = v1::GetExpectationRequest {
        name: draft.clone(),
    };
    let mut expectations = west.connection.expectations();
    let unread = expectations.get_expectation(request);
    let refused = refuses(&house, "PARTY_LEFT", unread).await;
    let when = refused.metadata.get("leave_sequence");
    assert_eq!(when, Some(&last.sequence.to_string()));
    assert!(refused.metadata.contains_key("leave_time"), "{refused:?}");
    let offer = expectations.offer_expectation(offering(&draft));
    refuses(&house, "PARTY_LEFT", offer).await;
    let approval = wests.approve_party(welcoming(&pair.name, "party-4"));
    refuses(&house, "PARTY_LEFT", approval).await;
    let end = wests.end_partnership(v1::EndPartnershipRequest {
        name: pair.name.clone(),
        ..Default::default()
    });
    refuses(&house, "PARTY_LEFT", end).await;
    comes_back(&house, &trio).await;
    house.stop().await;
}

/// Its place is nobody's; coming back, it is another party, and reads on.
async fn comes_back(house: &House, trio: &Trio) {
    let (pair, west) = (&trio.pair, &trio.west);
    let mut norths = pair.north.connection.partnerships();
    let taken = norths.invite_partner(inviting(&pair.name, WEST));
    refuses(house, "INVALID_FIELD", taken).await;
    let full = norths.invite_partner(invitation(&pair.name));
    refuses(house, "INVALID_STATE", full).await;
    let mut souths = pair.south.connection.partnerships();
    ok(souths.approve_party(welcoming(&pair.name, "party-4"))).await;
    let invited = ok(norths.invite_partner(invitation(&pair.name))).await;
    let mut wests = west.connection.partnerships();
    ok(wests.join_partnership(joining(&invited.code))).await;
    let back = pair.shown_to(west).await;
    let expected = [
        (NORTH, "firms/north"),
        (SOUTH, "firms/south"),
        (WEST, "firms/west"),
        ("party-4", "firms/west"),
    ];
    assert_eq!(firms(&back), expected);
    let all = entries(&pair.north, &pair.name).await.len();
    assert_eq!(entries(west, &pair.name).await.len(), all);
}

/// Where fewer than two would be left, it is the end that is asked for.
pub async fn of_two_nobody_leaves(house: House) {
    let pair = Pair::active(&house).await;
    let mut souths = pair.south.connection.partnerships();
    let early = souths.leave_partnership(leaving(&pair.name));
    refuses(&house, "INVALID_STATE", early).await;
    pair.await_a_third().await;
    let early = souths.leave_partnership(leaving(&pair.name));
    refuses(&house, "INVALID_STATE", early).await;
    let west = house.firm("west").await;
    pair.admit(&west).await;
    ok(souths.leave_partnership(leaving(&pair.name))).await;
    let mut wests = west.connection.partnerships();
    let two = wests.leave_partnership(leaving(&pair.name));
    refuses(&house, "INVALID_STATE", two).await;
    house.stop().await;
}

/// What waited for the leaver's word alone does not wait for ever: whoever approved says so again.
pub async fn nothing_waits_for_a_firm_that_left(house: House) {
    let trio = Trio::active(&house).await;
    let (pair, west) = (&trio.pair, &trio.west);
    pair.calendar().await;
    let mut norths = pair.north.connection.sla();
    let request = pair.agreement_request("desk", desk_for(pair, NORTH));
    let proposed = ok(norths.create_agreement(request)).await;
    let approving = v1::ApproveAgreementRequest {
        name: proposed.name,
        hash: proposed.hash,
        ..Default::default()
    };
    let mut souths = pair.south.connection.sla();
    ok(souths.approve_agreement(approving.clone())).await;
    let mut wests = west.connection.partnerships();
    ok(wests.leave_partnership(leaving(&pair.name))).await;
    let active = ok(norths.approve_agreement(approving)).await;
    assert_eq!(active.state(), AgreementState::Active);
    assert_eq!(active.approvals.len(), 2);
    house.stop().await;
}

/// A stream ends with the entry that says so.
pub async fn a_stream_ends_when_its_firm_leaves(house: House) {
    let trio = Trio::active(&house).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let scope = v1::WatchScope {
        scope: pair.name.clone(),
        cursor: String::new(),
    };
    let mut journal = west.connection.journal();
    let request = v1::WatchRequest {
        scopes: vec![scope],
    };
    let mut stream = ok(journal.watch(request.clone())).await;
    let mut wests = west.connection.partnerships();
    ok(wests.leave_partnership(leaving(&pair.name))).await;
    let mut norths = pair.north.connection.partnerships();
    ok(norths.propose_party(further(&pair.name))).await;
    let mut types = Vec::new();
    let mut cursor = String::new();
    let end = loop {
        match stream.message().await {
            Ok(Some(answer)) => {
                if let Some(Event::Entry(entry)) = answer.event {
                    types.push(entry.r#type);
                    cursor = answer.cursor;
                }
            }
            Ok(None) => panic!("it ends without a reason"),
            Err(status) => break super::calls::Refused::from(&status),
        }
    };
    assert_eq!(end.reason, "PARTY_LEFT");
    assert_eq!(types.last().unwrap(), "partnership.party_left");
    let mut request = request;
    request.scopes[0].cursor = cursor;
    refuses(&house, "PARTY_LEFT", journal.watch(request)).await;
    house.stop().await;
}
