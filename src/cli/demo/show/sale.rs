//! Shows what both firms settle, and who bore how much of the discounts.

use super::words::{NOTHING, amount, amount_with_currency, percent};
use crate::cli::demo::sale::Sale;
use crate::cli::demo::stage::name_of;
use crate::cli::page::Page;
use crate::proto::v1;

/// Basis points in one.
const WHOLE_BPS: i64 = 10_000;

/// Adds the section.
pub fn show(page: &mut Page, sale: &Sale) {
    page.heading("5. Won, settled, and counted over time");
    let statement = &sale.statement;
    page.say(&format!(
        "Both quotes were won, and the first period of each is booked. Harbour IT bills the client \
         and draws up for {} what it owes Nightdesk of it; Nightdesk agrees to every line and says \
         when it was paid. State: {}.",
        statement.period,
        statement
            .state()
            .as_str_name()
            .trim_start_matches("SETTLEMENT_STATE_")
    ));
    page.gap();
    let mut rows: Vec<[String; 5]> = statement.lines.iter().map(line).collect();
    rows.push([
        "Owed to".to_owned(),
        name_of(&statement.payee).to_owned(),
        String::new(),
        String::new(),
        amount(statement.balance.as_ref()),
    ]);
    let header = ["Portion", "Owner", "Price", "Bears", "Due"];
    page.table(header, rows, &[2, 3, 4], &[]);
    show_burdens(page, &sale.burdens);
}

fn line(line: &v1::SettlementLine) -> [String; 5] {
    [
        line.portion_id.clone(),
        name_of(&line.payee).to_owned(),
        amount(line.price_before.as_ref()),
        amount(line.share.as_ref()),
        amount(line.due.as_ref()),
    ]
}

fn show_burdens(page: &mut Page, burdens: &v1::BurdenIndex) {
    for group in burdens.groups.iter().filter(|group| group.won) {
        page.say(&format!(
            "Who bore what of the discounts on {} quotes that were won, in {}:",
            group.quote_count, group.currency
        ));
        page.gap();
        let rows = group.parties.iter().map(|party| {
            let index = party.index_bps;
            [
                name_of(&party.party_id).to_owned(),
                amount(party.base.as_ref()),
                amount(party.absorbed.as_ref()),
                index.map_or_else(|| NOTHING.to_owned(), |bps| percent(bps, WHOLE_BPS)),
                amount_with_currency(party.to_parity.as_ref()),
            ]
        });
        let header = [
            "\nFirm",
            "\nSold",
            "\nBore",
            "Its part of the discounts\nby its part of the sales",
            "To parity\nit lacks",
        ];
        page.table(header, rows.collect(), &[1, 2, 3, 4], &[]);
    }
}
