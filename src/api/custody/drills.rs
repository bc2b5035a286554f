//! Drills for a client's leaving, as the contract writes and shows them.

mod export;

use tonic::{Request, Response};

use super::Answer;
use super::guard::{Guard, client_name};
use crate::api::convert::{etag, parse_name, to_timestamp};
use crate::api::expectation::parse::client;
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::custody::exit_drill::{DrillCounts, DrillGap, ExitDrill, GapKind, RunExitDrill};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::outsiders::Client;
use crate::proto::v1;

/// Shape of a drill's name.
const SHAPE: &str = "partnerships/*/exitDrills/*";

pub(super) async fn run(
    api: &Api,
    request: &Request<v1::RunExitDrillRequest>,
) -> Answer<v1::RunExitDrillResponse> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let scope = ScopeId::partnership(&partnership);
    let mut guard = Guard::new(api);
    let id = guard.client("client", &scope, &asked.client);
    let is_given = !asked.client.is_empty();
    let rule = "must not be empty";
    guard.intake.faults.require(is_given, "client", rule);
    let (envelope, openings) = guard.finish(&asked.request_id, &asked.origin, "")?;
    let id = id.ok_or_else(|| required("client"))?;
    let (member, client) = api.get::<Client>(&caller, &partnership, &id).await?;
    let found = export::collect(api, &member, &client).await?;
    let export = found.write()?;
    let command = RunExitDrill {
        id: None,
        client: id,
        items: found.item_ids(),
        counts: found.counts(),
        export_digest: export::digest(&export),
    };
    let mutation = Mutation {
        scope,
        envelope,
        action: Action::ExitDrill(command),
        openings,
    };
    let receipt = api.run(&caller, "RunExitDrill", request, mutation).await?;
    let drill = api
        .get::<ExitDrill>(&caller, &partnership, &receipt.id)
        .await;
    let (member, drill) = drill?;
    // A retry shows the drill that was run; what there is now may be something else.
    let is_its_own = drill.state.run.export_digest == export::digest(&export);
    let response = v1::RunExitDrillResponse {
        exit_drill: Some(listing::show(api, &member, drill).await?),
        export: if is_its_own { export } else { Vec::new() },
    };
    Ok(respond(response, &receipt))
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetExitDrillRequest>,
) -> Answer<v1::ExitDrill> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<ExitDrill>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListExitDrillsRequest>,
) -> Answer<v1::ListExitDrillsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let scope = ScopeId::partnership(&partnership);
    let client = client("client", &scope, &asked.client)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListExitDrills:{partnership}:{}", asked.client),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: None,
    };
    let keep = |found: &ExitDrill| {
        let client = client.as_ref();
        client.is_none_or(|client| found.run.client == *client)
    };
    let (exit_drills, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListExitDrillsResponse {
        exit_drills,
        next_page_token,
    }))
}

/// What is missing, in English.
pub(super) const fn gap_text(kind: GapKind) -> &'static str {
    match kind {
        GapKind::NothingRecorded => "nothing that is held for the client is recorded",
        GapKind::NeverTested => "nobody ever tried whether it could be handed over",
        GapKind::TestedLongAgo => "nobody tried within a year whether it could be handed over",
        GapKind::TestFailed => "it could not be handed over when that was last tried",
        GapKind::NoLocation => "it is not said where it is kept",
        GapKind::Withheld => "it was asked for, and its holder withholds it",
        GapKind::Overdue => "it was asked for, and the time has passed",
    }
}

const fn to_gap_kind(kind: GapKind) -> v1::ExitGapKind {
    match kind {
        GapKind::NothingRecorded => v1::ExitGapKind::NothingRecorded,
        GapKind::NeverTested => v1::ExitGapKind::NeverTested,
        GapKind::TestedLongAgo => v1::ExitGapKind::TestedLongAgo,
        GapKind::TestFailed => v1::ExitGapKind::TestFailed,
        GapKind::NoLocation => v1::ExitGapKind::NoLocation,
        GapKind::Withheld => v1::ExitGapKind::Withheld,
        GapKind::Overdue => v1::ExitGapKind::Overdue,
    }
}

fn to_counts(counts: &DrillCounts) -> v1::ExitDrillCounts {
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    v1::ExitDrillCounts {
        custody_items: number(counts.custody_items),
        hand_over_requests: number(counts.hand_over_requests),
        outside_parties: number(counts.outside_parties),
        contacts: number(counts.contacts),
        agreements: number(counts.agreements),
        tickets: number(counts.tickets),
        expectations: number(counts.expectations),
        notices: number(counts.notices),
    }
}

impl Shown for ExitDrill {
    type Message = v1::ExitDrill;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        Vec::new()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::ExitDrill {
        let run = &found.state.run;
        let scope = viewer.member.scope();
        let to_gap = |gap: &DrillGap| v1::ExitGap {
            kind: to_gap_kind(gap.kind).into(),
            custody_item: gap
                .item
                .as_ref()
                .map_or_else(String::new, |id| name_in(&scope, "custodyItems", id)),
            text: gap_text(gap.kind).to_owned(),
        };
        v1::ExitDrill {
            name: name_in(&scope, "exitDrills", &found.id),
            client: client_name(&scope, Some(&run.client)),
            party_id: run.party.to_string(),
            holders: run.holders.iter().map(ToString::to_string).collect(),
            counts: Some(to_counts(&run.counts)),
            gaps: run.gaps.iter().map(to_gap).collect(),
            export_digest: run.export_digest.clone(),
            create_time: Some(to_timestamp(found.created_at)),
            etag: etag(found.revision),
        }
    }
}
