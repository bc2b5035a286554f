//! Shows the joint quote, the rounds about its concession, and the split cent by cent.

use super::words::{amount, amount_with_currency, basis, concession_state, count, read};
use crate::cli::demo::bargain::Bargain;
use crate::cli::demo::stage::{PRIME, SUB, name_of};
use crate::cli::page::Page;
use crate::domain::pricing::money::Money;
use crate::proto::v1;

/// Adds the section.
pub fn show(page: &mut Page, bargain: &Bargain) {
    let quote = &bargain.seen_by_harbour;
    page.heading("3. A discount, split to the cent");
    page.say(&format!(
        "Joint quote \"{}\", all amounts in {}. Each firm sees its own costs only; those of the \
         other are sealed.",
        quote.display_name, quote.currency
    ));
    page.gap();
    show_portions(page, bargain);
    show_rounds(page, quote);
    page.gap();
    if let Some(revision) = quote.revisions.last() {
        show_split(page, bargain, revision);
    }
}

fn show_portions(page: &mut Page, bargain: &Bargain) {
    let cost = |portion: &v1::Portion| match &portion.internal_cost {
        Some(cost) => amount(Some(cost)),
        None if portion.cost_sealed => "sealed".to_owned(),
        None => "not stated".to_owned(),
    };
    let both = bargain
        .seen_by_harbour
        .portions
        .iter()
        .zip(&bargain.seen_by_nightdesk.portions);
    let rows = both.map(|(by_harbour, by_nightdesk)| {
        [
            by_harbour.portion_id.clone(),
            by_harbour.description.clone(),
            name_of(&by_harbour.party_id).to_owned(),
            amount(by_harbour.price.as_ref()),
            cost(by_harbour),
            cost(by_nightdesk),
        ]
    });
    let header = [
        "\nPortion",
        "\nWhat",
        "\nOwner",
        "\nPrice",
        "Cost seen by\nHarbour IT",
        "Cost seen by\nNightdesk",
    ];
    page.table(header, rows.collect(), &[3, 4, 5], &[1]);
}

fn show_rounds(page: &mut Page, quote: &v1::JointQuote) {
    let rows = quote.revisions.iter().map(|revision| {
        let borne = |party: &str| {
            total(
                revision
                    .cadences
                    .iter()
                    .flat_map(|cadence| &cadence.shares)
                    .filter(|share| share.party_id == party),
                |share| share.share.as_ref(),
            )
        };
        let outcome = concession_state(revision.state());
        let outcome = if revision.reject_reason.is_empty() {
            outcome
        } else {
            format!("{outcome}: \"{}\"", revision.reject_reason)
        };
        [
            revision.number.to_string(),
            name_of(&revision.proposer).to_owned(),
            amount(revision.concession.as_ref()),
            basis(revision.basis()).to_owned(),
            borne(PRIME),
            borne(SUB),
            outcome,
        ]
    });
    let header = [
        "\nRound",
        "\nProposed by",
        "\nDiscount",
        "\nDivided",
        "Harbour IT\nbears",
        "Nightdesk\nbears",
        "\nOutcome",
    ];
    page.table(header, rows.collect(), &[2, 4, 5], &[6]);
    page.say("Each round is the whole discount, not a bit more of it, and names the round before by its hash.");
}

fn show_split(page: &mut Page, bargain: &Bargain, revision: &v1::ConcessionRevision) {
    page.say(&format!(
        "Round {} to the cent: {} {}.",
        revision.number,
        amount_with_currency(revision.concession.as_ref()),
        basis(revision.basis())
    ));
    page.gap();
    let lines = &bargain.explanation.lines;
    let mut rows: Vec<[String; 8]> = lines.iter().filter_map(split_row).collect();
    let shares = || lines.iter().filter_map(|line| line.share.as_ref());
    let mut sum = ["Sum", "", "", "", "", "", "", ""].map(str::to_owned);
    sum[1] = total(shares(), |share| share.price_before.as_ref());
    sum[6] = total(shares(), |share| share.share.as_ref());
    sum[7] = total(shares(), |share| share.price_after.as_ref());
    rows.push(sum);
    let header = [
        "\nPortion",
        "\nPrice",
        "Share,\nrounded down",
        "Left over,\npart of a cent",
        "Its\nrank",
        "Spare\ncent",
        "\nBears",
        "Price\nafter",
    ];
    page.table(header, rows, &[1, 2, 3, 4, 5, 6, 7], &[]);
    page.say(
        "Rounding down leaves some cents over. They go to the largest parts that were cut off, one \
         cent each. In the server's own words:",
    );
    for line in &bargain.explanation.lines {
        page.hang("· ", &line.sentence);
    }
}

fn split_row(line: &v1::AllocationLine) -> Option<[String; 8]> {
    let share = line.share.as_ref()?;
    // The last step is the one among the portions.
    let step = line.steps.last()?;
    let floor =
        read(step.share.as_ref()).map(|money| money.currency.decimal(step.exact_floor_minor_units));
    Some([
        share.portion_id.clone(),
        amount(share.price_before.as_ref()),
        floor.unwrap_or_default(),
        fraction(step.remainder, step.weight_total),
        if step.remainder_rank > 0 {
            count(step.remainder_rank)
        } else {
            String::new()
        },
        if step.spare_unit {
            "yes".to_owned()
        } else {
            String::new()
        },
        amount(share.share.as_ref()),
        amount(share.price_after.as_ref()),
    ])
}

/// A part of one as a decimal fraction, cut off after four digits.
fn fraction(part: i64, whole: i64) -> String {
    let digits = i128::from(part) * 10_000 / i128::from(whole.max(1));
    format!("0.{digits:04}")
}

fn total<'a>(
    shares: impl Iterator<Item = &'a v1::AllocationShare>,
    part: fn(&v1::AllocationShare) -> Option<&crate::proto::google::r#type::Money>,
) -> String {
    let sum = shares
        .filter_map(|share| read(part(share)))
        .reduce(|sum, money| {
            Money::from_minor(sum.currency, sum.minor.saturating_add(money.minor))
        });
    sum.map(|sum| sum.currency.decimal(sum.minor))
        .unwrap_or_default()
}
