//! Shows a discount that was divided by margins which neither firm showed.

use super::words::{NOTHING, amount, amount_with_currency, basis, read};
use crate::cli::demo::blind::Blind;
use crate::cli::demo::stage::{PRIME, SUB, name_of};
use crate::cli::page::Page;
use crate::domain::pricing::money::Money;
use crate::proto::v1::{self, Cadence};

/// Adds the section.
pub fn show(page: &mut Page, blind: &Blind) {
    let quote = &blind.seen_by_harbour;
    page.heading("4. A discount by margins that nobody shows");
    page.say(&format!(
        "Joint quote \"{}\": 12 months, amounts in {} a month. Harbour IT hands scanners on and \
         earns little on them; Nightdesk earns more. The client wants a discount, and a fixed 60 to \
         40 would leave Harbour IT with a loss. Before they divide by what each earns, each firm \
         asks what that would tell the other:",
        quote.display_name, quote.currency
    ));
    page.gap();
    show_told(page, "Harbour IT", PRIME, &blind.told_to_harbour);
    show_told(page, "Nightdesk", SUB, &blind.told_to_nightdesk);
    page.gap();
    page.say("Both consent to that, and Harbour IT compares three ways:");
    page.gap();
    show_compared(page, blind);
    show_counts(page, quote);
    page.gap();
    show_agreed(page, blind);
}

/// What a firm's figures would tell the other, as the firm itself was told.
fn show_told(page: &mut Page, firm: &str, party: &str, impact: &v1::DisclosureImpact) {
    let about_it = impact
        .disclosures
        .iter()
        .filter(|told| told.subject_party_id == party);
    for told in about_it {
        page.hang(
            &format!("{firm:<12}"),
            &format!("\"{}\"", by_name(&told.sentence)),
        );
    }
}

/// The server's sentence with the firms' names for the ids of their parties.
fn by_name(sentence: &str) -> String {
    [PRIME, SUB]
        .iter()
        .fold(sentence.to_owned(), |sentence, party| {
            sentence.replace(party, name_of(party))
        })
}

fn show_compared(page: &mut Page, blind: &Blind) {
    let portion = blind
        .seen_by_harbour
        .portions
        .iter()
        .find(|portion| portion.party_id == PRIME);
    let earned = portion.and_then(|portion| {
        let (price, cost) = (
            read(portion.price.as_ref())?,
            read(portion.internal_cost.as_ref())?,
        );
        Some(price.minor - cost.minor)
    });
    let rows = blind.compared.iter().map(|(way, found)| {
        let borne = |party: &str| {
            let splits = found.cadences.iter();
            let mut shares = splits
                .filter(|split| split.cadence() == Cadence::Monthly)
                .flat_map(|split| &split.shares)
                .filter(|share| share.party_id == party);
            read(shares.next()?.share.as_ref())
        };
        let left = borne(PRIME).zip(earned).map(|(share, earned)| {
            let left = Money::from_minor(share.currency, earned - share.minor);
            left.currency.decimal(left.minor)
        });
        let shown = |party: &str| {
            borne(party).map_or_else(
                || "sealed".to_owned(),
                |share| share.currency.decimal(share.minor),
            )
        };
        [
            basis(*way).to_owned(),
            shown(PRIME),
            shown(SUB),
            left.unwrap_or_else(|| NOTHING.to_owned()),
        ]
    });
    let header = [
        "\n\nDivided",
        "\nHarbour IT\nbears",
        "\nNightdesk\nbears",
        "Harbour IT\nstill earns\n(it sees this alone)",
    ];
    page.table(header, rows.collect(), &[1, 2, 3], &[]);
}

fn show_counts(page: &mut Page, quote: &v1::JointQuote) {
    for count in &quote.evaluation_counts {
        page.say(&format!(
            "{} tried {} ways. The other firm sees that number, and it is limited: whoever tries \
             often enough finds out what others pay.",
            name_of(&count.party_id),
            count.evaluated
        ));
    }
}

/// What each firm sees of the agreed division.
fn show_agreed(page: &mut Page, blind: &Blind) {
    let bounds = blind
        .told_before_approving
        .disclosures
        .iter()
        .filter(|told| told.subject_party_id == SUB)
        .flat_map(|told| &told.bounds);
    for bound in bounds {
        page.say(&format!(
            "Harbour IT proposes to divide by margins. Before Nightdesk approves, it asks how near \
             Harbour IT would come to what it pays: within {} a month. Only Nightdesk is told that.",
            amount_with_currency(bound.within.as_ref())
        ));
        page.gap();
    }
    page.say("Agreed by margins. What each firm sees of its own share and of the other's:");
    page.gap();
    let seen = |quote: &v1::JointQuote, party: &str| {
        let mut shares = quote
            .revisions
            .iter()
            .flat_map(|revision| &revision.cadences)
            .flat_map(|split| &split.shares)
            .filter(|share| share.party_id == party);
        let share = shares.next();
        match share.and_then(|share| share.share.as_ref()) {
            Some(money) => amount(Some(money)),
            None => "sealed".to_owned(),
        }
    };
    let rows = [PRIME, SUB].map(|party| {
        [
            name_of(party).to_owned(),
            seen(&blind.seen_by_harbour, party),
            seen(&blind.seen_by_nightdesk, party),
        ]
    });
    let header = ["\nShare of", "Seen by\nHarbour IT", "Seen by\nNightdesk"];
    page.table(header, rows.to_vec(), &[1, 2], &[]);
}
