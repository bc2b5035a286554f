//! Last act: a quote in a hurry, on which one firm bears nearly everything, and the check-up that finds it.

use super::quarter::{FIRST_DAY, HOUR_MINUTES, LocalTime};
use super::quoting::{Draft, approve, quote};
use super::setup::Setting;
use super::stage::{Actor, ORIGIN, PRIME, SUB, Stage, call, cents, euros, instant, present};
use crate::cli::CliError;
use crate::proto::v1::{self, AllocationBasis};

/// What the client wanted off, in cents.
pub const CONCESSION_CENTS: i64 = cents(3_600, 0);
/// What Nightdesk bears of it, in basis points.
pub const NIGHTDESK_BPS: i32 = 9_000;
/// Basis points of the whole.
const WHOLE_BPS: i32 = 10_000;
/// The longest window of a check-up, in seconds.
const WINDOW_MAX_SECONDS: i64 = 1_830 * 24 * 60 * 60;

/// What the act leaves behind.
#[derive(Clone, Debug)]
pub struct Hurry {
    /// The check-up as Nightdesk sees it.
    pub checkup: v1::Checkup,
    /// Where its page is, for a while, as Nightdesk sees it.
    pub link: v1::CheckupLink,
}

/// Plays the act.
///
/// # Errors
/// If the server refuses something.
pub async fn play(stage: &Stage, setting: &Setting, time: &LocalTime) -> Result<Hurry, CliError> {
    let Stage {
        harbour, nightdesk, ..
    } = stage;
    let draft = Draft {
        display_name: "A week of moving at Brandt Freight",
        harbour: vec![portion(
            "moving",
            "Moving the server room",
            cents(11_400, 0),
        )],
        nightdesk: vec![portion(
            "weekend",
            "The desk over the weekend",
            cents(9_600, 0),
        )],
    };
    let name = quote(stage, setting, time, draft).await?;
    let hash = propose(harbour, &name).await?;
    approve(nightdesk, &name, hash).await?;
    let name = &setting.partnership.name;
    let window = Some(window(stage, time).await?);
    let request = v1::GetCheckupRequest {
        name: name.clone(),
        as_of_time: None,
        window,
    };
    let mut checkups = nightdesk.checkups();
    let checkup = call("get the check-up", checkups.get_checkup(request)).await?;
    let request = v1::CreateCheckupLinkRequest {
        name: name.clone(),
        window,
        ..v1::CreateCheckupLinkRequest::default()
    };
    let link = call("make a link", checkups.create_checkup_link(request)).await?;
    Ok(Hurry { checkup, link })
}

fn portion(id: &str, description: &str, price: i64) -> v1::Portion {
    v1::Portion {
        portion_id: id.to_owned(),
        description: description.to_owned(),
        price: Some(euros(price)),
        ..v1::Portion::default()
    }
}

async fn propose(actor: &Actor, name: &str) -> Result<String, CliError> {
    let share = |party: &str, share_bps: i32| v1::PartyShare {
        party_id: party.to_owned(),
        share_bps,
    };
    let request = v1::ProposeConcessionRequest {
        name: name.to_owned(),
        concession: Some(euros(CONCESSION_CENTS)),
        basis: AllocationBasis::FixedBps.into(),
        weights: vec![
            share(PRIME, WHOLE_BPS - NIGHTDESK_BPS),
            share(SUB, NIGHTDESK_BPS),
        ],
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::ProposeConcessionRequest::default()
    };
    let mut pricing = actor.pricing();
    let quote = call("propose a concession", pricing.propose_concession(request)).await?;
    Ok(present(quote.revisions.into_iter().next_back(), "the revision")?.hash)
}

/// From the first day of the tickets to now.
async fn window(stage: &Stage, time: &LocalTime) -> Result<v1::CheckupWindow, CliError> {
    let mut partnerships = stage.nightdesk.partnerships();
    let request = v1::GetServiceInfoRequest {};
    let info = call("ask for the time", partnerships.get_service_info(request)).await?;
    let now = present(info.server_time, "its time")?;
    // Quarters of check-ups begin in UTC, an hour after those in Berlin.
    let first = time.instant(FIRST_DAY, HOUR_MINUTES)?;
    Ok(v1::CheckupWindow {
        start_time: Some(instant(first.max(now.seconds - WINDOW_MAX_SECONDS))),
        end_time: Some(now),
    })
}
