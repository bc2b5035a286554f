//! Prints the story, for a person who sees the project for the first time.

pub mod attainment;
pub mod bargain;
pub mod blind;
pub mod checkup;
pub mod clock;
pub mod promise;
pub mod proof;
pub mod sale;
pub mod words;

use super::desk::DESKS;
use super::history::Sent;
use super::quarter::{LocalTime, QUARTER};
use super::{Played, desk::UNEXPLAINED_STATUS};
use crate::cli::page::Page;
use words::count;

/// All of it, as it is printed; `bold` headings are for terminals.
#[must_use]
pub fn text(played: &Played, time: &LocalTime, bold: bool) -> String {
    let mut page = Page::new(bold);
    head(&mut page, played);
    promise::show(&mut page, &played.setting, &played.expectation, time);
    clock::show(&mut page, &played.quarter.explained, time);
    bargain::show(&mut page, &played.bargain);
    blind::show(&mut page, &played.blind);
    sale::show(&mut page, &played.sale);
    attainment::show(&mut page, &played.quarter);
    attainment::show_unmapped(&mut page, &played.quarter);
    proof::show(&mut page, &played.proof, &played.bargain.receipt);
    checkup::show(&mut page, &played.hurry);
    page.into_text()
}

/// Who they are and what they did.
fn head(page: &mut Page, played: &Played) {
    let setting = &played.setting;
    page.heading("Entente demo: two firms, one client, one quarter");
    page.hang(
        "Harbour IT     ",
        &format!(
            "holds the contract with {}. Office in Berlin, Monday to Friday 08:00 to 18:00, with \
             its own closed days.",
            setting.client.display_name
        ),
    );
    page.hang(
        "Nightdesk      ",
        "is the outsourced service desk. There day and night.",
    );
    page.hang(
        &format!("{:<15}", setting.carrier.display_name),
        "is the carrier of the lines. Not a party, but both have to wait for it.",
    );
    page.gap();
    page.say(
        "Harbour IT began alone and invited Nightdesk with a code that works once. Both approved \
         the terms (a discount is borne 60 to 40), and an agreement in each direction: what \
         Nightdesk owes Harbour IT on tickets, and what Harbour IT owes on its own. Each firm has \
         one API key, and all that follows went through the gRPC API with these two keys. Times are those of Berlin.",
    );
    page.gap();
    for (desk, sent) in DESKS.into_iter().zip(&played.quarter.sent) {
        let firm = if desk.office_hours_only {
            "Harbour IT"
        } else {
            "Nightdesk"
        };
        page.hang(&format!("{firm:<15}"), &sent_words(desk.system, sent));
    }
    page.gap();
    page.say(
        "Every call held its events in a shuffled order, some of them twice, and the first call of \
         each firm was made once more at the end: the order did not matter, and what was there \
         already changed nothing.",
    );
}

fn sent_words(system: &str, sent: &Sent) -> String {
    let parked = if sent.parked == 0 {
        String::new()
    } else {
        format!(
            ", {} kept until somebody says what \"{UNEXPLAINED_STATUS}\" means",
            count(sent.parked)
        )
    };
    format!(
        "sent {} events of {} tickets of {QUARTER}, from its ticket system ({system}), in {} calls: {} applied, {} \
         there already{parked}.",
        count(sent.events),
        count(sent.tickets),
        count(sent.calls),
        count(sent.applied),
        count(sent.already_applied),
    )
}
