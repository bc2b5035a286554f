//! Documents are read back from their bytes and checked by the rules for totals of EN 16931, which are
//! written down here a second time, in decimal text instead of minor units.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::document::{Adjustment, Document, Line, Side, Sort};
use super::{Cell, csv, ubl};
use crate::domain::pricing::money::Currency;
use crate::domain::sla::calendar::CivilDate;

/// What a document holds: the text of every leaf, by its path.
type Leaves = BTreeMap<String, Vec<String>>;

/// Reads XML that has to be well-formed.
fn leaves(xml: &[u8]) -> Leaves {
    let mut reader = Reader::from_reader(xml);
    let (mut path, mut leaves) = (Vec::new(), Leaves::new());
    let mut text = String::new();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => {
                path.push(String::from_utf8(start.name().as_ref().to_vec()).expect("text"));
                text.clear();
            }
            Event::Text(found) => text.push_str(&found.decode().expect("text")),
            Event::GeneralRef(reference) => {
                let name = reference.decode().expect("text");
                let resolved = reference.resolve_char_ref().expect("a character");
                let known = quick_xml::escape::resolve_predefined_entity(&name);
                let known = known.map(str::to_owned).or(resolved.map(String::from));
                text.push_str(&known.expect("known"));
            }
            Event::End(_) => {
                leaves.entry(path.join("/")).or_default().push(text.clone());
                path.pop();
            }
            Event::Eof => return leaves,
            _ => {}
        }
    }
}

/// A decimal number of at most so many decimal places as a whole number of the smallest.
fn scaled(text: &str, places: usize) -> i128 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    assert!(
        rest.len() <= places,
        "{text} has more than {places} decimal places"
    );
    assert!(!text.contains(','), "{text}");
    format!("{whole}{rest:0<places$}")
        .parse()
        .expect("a number")
}

/// The rules BR-CO-10 to BR-CO-16 and BR-DEC of EN 16931, and that nothing is rounded.
fn check(xml: &[u8], sort: Sort, places: usize) {
    let leaves = leaves(xml);
    let (root, totals, line) = match sort {
        Sort::Invoice => ("Invoice", "cac:LegalMonetaryTotal", "cac:InvoiceLine"),
        Sort::Quotation => (
            "Quotation",
            "cac:QuotedMonetaryTotal",
            "cac:QuotationLine/cac:LineItem",
        ),
    };
    let all = |path: &str| -> Vec<i128> {
        let found = leaves.get(&format!("{root}/{path}"));
        let found = found.map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|text| scaled(text, places)).collect()
    };
    let total = |name: &str| {
        let found = all(&format!("{totals}/cbc:{name}"));
        assert_eq!(found.len(), 1, "{name}");
        found[0]
    };
    let path = format!("{root}/cac:AllowanceCharge/cbc:ChargeIndicator");
    let indicators = leaves.get(&path).cloned().unwrap_or_default();
    let amounts = all("cac:AllowanceCharge/cbc:Amount");
    assert_eq!(indicators.len(), amounts.len());
    assert!(amounts.iter().all(|amount| *amount > 0), "never negative");
    let sum = |is_charge: &str| -> i128 {
        let pairs = indicators.iter().zip(&amounts);
        let those = pairs.filter(|(indicator, _)| *indicator == is_charge);
        those.map(|(_, amount)| amount).sum()
    };
    let codes = leaves.get(&format!(
        "{root}/cac:AllowanceCharge/cbc:AllowanceChargeReasonCode"
    ));
    for (indicator, code) in indicators.iter().zip(codes.into_iter().flatten()) {
        assert_eq!(code == "95", indicator == "false");
    }
    let lines = all(&format!("{line}/cbc:LineExtensionAmount"));
    assert!(!lines.is_empty(), "BR-16");
    let exclusive = total("TaxExclusiveAmount");
    assert_eq!(
        total("LineExtensionAmount"),
        lines.iter().sum::<i128>(),
        "BR-CO-10"
    );
    assert_eq!(total("AllowanceTotalAmount"), sum("false"), "BR-CO-11");
    assert_eq!(total("ChargeTotalAmount"), sum("true"), "BR-CO-12");
    let expected = lines.iter().sum::<i128>() - sum("false") + sum("true");
    assert_eq!(exclusive, expected, "BR-CO-13");
    // No tax is part of it: BR-CO-14 holds of nothing, and BR-CO-15 with 0.
    assert_eq!(total("TaxInclusiveAmount"), exclusive, "BR-CO-15");
    assert_eq!(total("PayableRoundingAmount"), 0);
    assert_eq!(
        total("PayableAmount"),
        total("TaxInclusiveAmount"),
        "BR-CO-16"
    );
}

fn side(name: &str) -> Side {
    Side {
        id: "party-1".to_owned(),
        name: name.to_owned(),
    }
}

fn document(sort: Sort, code: &str, prices: &[i64], offs: &[i64]) -> Document {
    let line = |price: &i64| Line {
        name: "desk".to_owned(),
        description: String::new(),
        price: *price,
    };
    let adjustment = |off: &i64| Adjustment {
        reason: "concession".to_owned(),
        off: *off,
    };
    Document {
        sort,
        id: "d-1".to_owned(),
        date: CivilDate::new(2026, 3, 2).expect("a day"),
        currency: Currency::from_code(code).expect("known"),
        note: String::new(),
        supplier: side("North"),
        customer: side("South"),
        lines: prices.iter().map(line).collect(),
        adjustments: offs
            .iter()
            .filter(|off| **off != 0)
            .map(adjustment)
            .collect(),
    }
}

#[test]
fn p22_three_per_cent_off_adds_up_and_nothing_is_rounded() {
    // 3 % of 1,000.01, divided over three things.
    let golden = document(
        Sort::Invoice,
        "EUR",
        &[33_334, 33_333, 33_334],
        &[1_000, 1_000, 1_000],
    );
    let xml = ubl(&golden).expect("it fits");
    check(&xml, Sort::Invoice, 2);
    let leaves = leaves(&xml);
    let payable = &leaves["Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"];
    assert_eq!(payable, &["970.01"]);
}

#[test]
fn p23_a_surcharge_is_a_positive_charge() {
    for sort in [Sort::Invoice, Sort::Quotation] {
        let golden = document(sort, "EUR", &[10_000], &[-250, 100]);
        let xml = ubl(&golden).expect("it fits");
        check(&xml, sort, 2);
        let text = String::from_utf8(xml).expect("text");
        assert!(text.contains("<cbc:ChargeIndicator>true</cbc:ChargeIndicator>"));
        assert!(text.contains("<cbc:Amount currencyID=\"EUR\">2.50</cbc:Amount>"));
    }
}

#[test]
fn amounts_have_the_decimal_places_of_their_currency() {
    for (code, places, payable) in [("JPY", 0, "900"), ("EUR", 2, "9.00"), ("KWD", 3, "0.900")] {
        let golden = document(Sort::Quotation, code, &[1_000], &[100]);
        let xml = ubl(&golden).expect("it fits");
        check(&xml, Sort::Quotation, places);
        let leaves = leaves(&xml);
        assert_eq!(
            leaves["Quotation/cac:QuotedMonetaryTotal/cbc:PayableAmount"],
            [payable]
        );
    }
}

#[test]
fn whatever_people_wrote_stays_text() {
    let mut golden = document(Sort::Invoice, "EUR", &[1], &[1]);
    let written = "</cbc:Name><x a=\"&'\">]]> \u{1f600} \n line";
    written.clone_into(&mut golden.lines[0].description);
    format!("{written}\u{ffff}\u{1}").clone_into(&mut golden.supplier.name);
    let xml = ubl(&golden).expect("it fits");
    check(&xml, Sort::Invoice, 2);
    let leaves = leaves(&xml);
    let path = "Invoice/cac:InvoiceLine/cac:Item/cbc:Description";
    assert_eq!(leaves[path], [written]);
    let name = "Invoice/cac:AccountingSupplierParty/cac:Party/cac:PartyName/cbc:Name";
    assert_eq!(leaves[name], [format!("{written}\u{fffd}\u{fffd}")]);
}

#[test]
fn totals_that_do_not_fit_are_refused() {
    let huge = document(Sort::Invoice, "EUR", &[i64::MAX, i64::MAX], &[]);
    assert!(ubl(&huge).is_err());
}

#[test]
fn spreadsheets_see_no_formulas() {
    let rows: Vec<Vec<Cell>> = [
        "=1+1", "+1", "-1", "@x", " =1", "\t=1", "\n1", "a=1", "a,\"b\"",
    ]
    .iter()
    .map(|text| vec![Cell::words(text), Cell::plain("-1")])
    .collect();
    let bytes = csv(&["words", "number"], &rows).expect("written");
    let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
    let read: Vec<(String, String)> = reader
        .records()
        .map(|record| record.expect("a record"))
        .map(|record| (record[0].to_owned(), record[1].to_owned()))
        .collect();
    let words: Vec<_> = read.iter().map(|(words, _)| words.as_str()).collect();
    let expected = [
        "'=1+1", "'+1", "'-1", "'@x", "' =1", "'\t=1", "'\n1", "a=1", "a,\"b\"",
    ];
    assert_eq!(words, expected);
    assert!(read.iter().all(|(_, number)| number == "-1"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever the prices and the shares.
    #[test]
    fn every_document_adds_up(
        prices in proptest::collection::vec(0_i64..1_000_000_000_000, 1..40),
        offs in proptest::collection::vec(-1_000_000_000_i64..1_000_000_000, 0..40),
        is_invoice: bool,
    ) {
        let sort = if is_invoice { Sort::Invoice } else { Sort::Quotation };
        let xml = ubl(&document(sort, "EUR", &prices, &offs)).expect("it fits");
        check(&xml, sort, 2);
    }
}
