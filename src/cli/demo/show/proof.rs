//! Shows what verifying the journal found.

use std::collections::BTreeMap;

use super::words::{count, digits};
use crate::cli::demo::proof::Proof;
use crate::cli::demo::quoting::Receipt;
use crate::cli::page::Page;

/// Adds the section.
pub fn show(page: &mut Page, proof: &Proof, receipt: &Receipt) {
    page.heading("8. The journal, verified");
    let mut named: BTreeMap<&str, u64> = BTreeMap::new();
    for (kind, number) in &proof.kinds {
        *named.entry(words(kind)).or_default() += number;
    }
    let mut kinds: Vec<(&str, u64)> = named.into_iter().collect();
    kinds.sort_by_key(|(kind, number)| (std::cmp::Reverse(*number), *kind));
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, number)| format!("{} about {kind}", count(number)))
        .collect();
    page.say(&format!(
        "The partnership's journal has {} entries: {}.",
        count(proof.head.sequence),
        kinds.join(", ")
    ));
    page.gap();
    show_chain(page, proof);
    check(
        page,
        proof.receipt_found,
        &format!(
            "When Harbour IT approved the discount it was given a receipt: entry {}, hash {}... \
             That entry is there, with that hash.",
            count(receipt.sequence),
            digits(&receipt.hash)
        ),
    );
    show_database(page, proof);
    page.gap();
    page.say(if proof.holds() {
        "Each firm can check all of this again by itself, without trusting the server."
    } else {
        "SOMETHING IS WRONG: see the lines above that do not say ok."
    });
}

fn show_chain(page: &mut Page, proof: &Proof) {
    let found = match &proof.chain {
        Ok(()) => "Nightdesk read all of them through the API and computed every hash anew: each \
                   entry follows from the one before."
            .to_owned(),
        Err(fault) => format!("Nightdesk read all of them through the API: {fault}."),
    };
    check(page, proof.chain.is_ok(), &found);
    let found = match &proof.checkpoint {
        Ok(signed) => format!(
            "The server signed the end of it: entry {}, hash {}... The signature is right, and a \
             firm that keeps it can prove later what the journal was.",
            count(signed.sequence),
            digits(&data_encoding::HEXLOWER.encode(&signed.hash))
        ),
        Err(fault) => format!("The signed checkpoint: {fault}."),
    };
    check(page, proof.checkpoint_agrees(), &found);
    let found = match &proof.altered {
        Some((sequence, fault)) => format!(
            "One bit changed in a copy of entry {} is noticed: \"{fault}\".",
            count(*sequence)
        ),
        None => "One bit changed in a copy is NOT noticed.".to_owned(),
    };
    check(page, proof.altered.is_some(), &found);
}

fn show_database(page: &mut Page, proof: &Proof) {
    let totals = &proof.database.totals;
    check(
        page,
        proof.database.is_clean(),
        &format!(
            "The whole database, as `entente verify` checks it: {} journals with {} entries were \
             replayed, {} records follow from them, {} sealed values match their commitments.",
            count(proof.database.scopes_count),
            count(totals.entries),
            count(totals.records),
            count(totals.openings)
        ),
    );
    for fault in &proof.database.faults {
        page.hang("    ", &format!("{fault}"));
    }
}

fn check(page: &mut Page, good: bool, words: &str) {
    page.hang(if good { "ok      " } else { "WRONG   " }, words);
}

/// A kind of record as people write it.
fn words(kind: &str) -> &str {
    match kind {
        "ticket" => "tickets",
        "joint_quote" => "the quotes",
        "terms_revision" => "the firms' terms",
        "booking" => "what was booked",
        "settlement_account" | "settlement_statement" => "what is settled",
        "partnership" => "the partnership",
        "expectation" => "the expectation",
        "agreement" => "agreements",
        "status_map" => "what statuses mean",
        "priority_map" => "what priorities mean",
        "unmapped_word" => "words without a meaning",
        "calendar" | "calendar_revision" | "calendar_combination" | "zone" => "calendars",
        "reference" => "ids in the firms' own systems",
        "client" | "outside_party" => "clients and outside parties",
        "carry" => "messages to the firms' own journals",
        other => other,
    }
}
