//! Shows the expectation with its history.

use super::words::{
    amount_with_currency, expectation_state, moment, time_of_day, time_to_the_second,
};
use crate::cli::demo::quarter::LocalTime;
use crate::cli::demo::setup::Setting;
use crate::cli::demo::stage::{PRIME, SUB, name_of};
use crate::cli::page::Page;
use crate::proto::v1::{self, ImpactScope, Place, Severity};

/// Adds the section.
pub fn show(page: &mut Page, setting: &Setting, expectation: &v1::Expectation, time: &LocalTime) {
    page.heading("1. An expectation: offered, countered, agreed, kept");
    page.say(&format!(
        "\"{}\" for {}. {} asked, {} has to keep it. Now: {}.",
        expectation.title,
        setting.client.display_name,
        name_of(&expectation.requester),
        name_of(&expectation.obligor),
        expectation_state(expectation.state()),
    ));
    page.gap();
    if let Some(five_w) = &expectation.five_w {
        show_answers(page, five_w, expectation.acceptance.as_ref(), time);
    }
    page.gap();
    page.table(
        ["", "When", "Who", "What they said"],
        history(expectation, time),
        &[],
        &[3],
    );
}

/// The answers to the five questions, as they were agreed.
fn show_answers(
    page: &mut Page,
    five_w: &v1::FiveW,
    acceptance: Option<&v1::Acceptance>,
    time: &LocalTime,
) {
    if let Some(who) = &five_w.who {
        let scope = match who.scope() {
            ImpactScope::OnePerson => "one person",
            ImpactScope::Team => "a team",
            ImpactScope::Site => "a site",
            ImpactScope::Everyone => "everyone",
            ImpactScope::Unspecified => "not stated",
        };
        page.hang(
            "Who    ",
            &format!("{scope} of {}: {}", who.people_count, who.description),
        );
    }
    if let Some(what) = &five_w.what {
        let severity = match what.severity() {
            Severity::Stopped => "work has stopped",
            Severity::Degraded => "work goes on, but worse",
            Severity::Unspecified => "not stated",
        };
        let cost = amount_with_currency(what.cost_per_hour.as_ref());
        page.hang(
            "What   ",
            &format!("{severity}: {}; it costs {cost} an hour", what.description),
        );
    }
    if let Some(when) = &five_w.when {
        page.hang(
            "When   ",
            &format!(
                "by {}, because {}",
                moment(time, when.deadline),
                when.reason
            ),
        );
    }
    if let Some(place) = &five_w.r#where {
        let words = match place.place() {
            Place::Remote => "can be done from afar",
            Place::OnSite => "somebody has to be there",
            Place::Unspecified => "not stated",
        };
        page.hang("Where  ", words);
    }
    let criteria = five_w.how.iter().flat_map(|how| &how.criteria);
    for (index, criterion) in (0_u32..).zip(criteria) {
        let mut met = acceptance.iter().flat_map(|it| &it.criteria_met);
        let met = met.any(|criterion| criterion.criterion == index);
        let mark = if index == 0 { "How    " } else { "       " };
        page.hang(
            mark,
            &format!("{} {criterion}", if met { "[met]" } else { "[   ]" }),
        );
    }
}

type Row = [String; 4];

fn history(expectation: &v1::Expectation, time: &LocalTime) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for offer in &expectation.offers {
        let deadline = offer
            .five_w
            .as_ref()
            .and_then(|five_w| five_w.when.as_ref());
        let deadline = deadline.and_then(|when| when.deadline);
        rows.push([
            format!("offer {}", offer.number),
            time_to_the_second(time, offer.offer_time),
            name_of(&offer.party_id).to_owned(),
            format!("by {}: \"{}\"", time_of_day(time, deadline), offer.message),
        ]);
    }
    if let Some(last) = expectation.offers.last() {
        let other = if last.party_id == PRIME { SUB } else { PRIME };
        rows.push([
            "agreed".to_owned(),
            time_to_the_second(time, expectation.agree_time),
            name_of(other).to_owned(),
            format!("to offer {}", last.number),
        ]);
    }
    if let Some(done) = &expectation.fulfilment {
        rows.push([
            "fulfilled".to_owned(),
            time_to_the_second(time, done.fulfil_time),
            name_of(&done.party_id).to_owned(),
            format!("\"{}\"", done.message),
        ]);
    }
    if let Some(accepted) = &expectation.acceptance {
        rows.push([
            "accepted".to_owned(),
            time_to_the_second(time, accepted.accept_time),
            name_of(&accepted.party_id).to_owned(),
            format!("\"{}\"", accepted.message),
        ]);
    }
    rows
}
