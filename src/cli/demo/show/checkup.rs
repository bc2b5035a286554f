//! Shows the check-up, with what is wrong on one side of the pencil.

use super::words::amount_with_currency;
use crate::cli::checkup::show::{glance, legend, show_row};
use crate::cli::demo::hurry::{CONCESSION_CENTS, Hurry};
use crate::cli::demo::stage::euros;
use crate::cli::page::Page;
use crate::proto::v1::Symptom;
use crate::server::checkup::words;

/// Adds the section.
pub fn show(page: &mut Page, hurry: &Hurry) {
    let checkup = &hurry.checkup;
    page.heading("9. The check-up: who pays?");
    page.say(&format!(
        "A third quote was in a hurry, and Nightdesk bore nine tenths of the {} that the client wanted \
         off, just this once. Each time there was a reason. This is what it comes to, as everything else \
         that was recorded, on one scale for both; what nobody recorded is no data.",
        amount_with_currency(Some(&euros(CONCESSION_CENTS)))
    ));
    page.gap();
    glance(page, checkup);
    let shown = [Symptom::OneSideOfThePencil, Symptom::NoMutualRespect];
    for row in checkup
        .rows
        .iter()
        .filter(|row| shown.contains(&row.symptom()))
    {
        show_row(page, checkup, row);
        page.gap();
    }
    legend(page);
    page.gap();
    page.say(&format!(
        "The same for {} as a page for a browser or a tab of a PSA: entente demo --serve prints a link.",
        words::parties(checkup)
    ));
}
