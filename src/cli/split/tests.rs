//! Reading, dividing and telling.

use proptest::prelude::*;

use super::*;

/// A table with three amounts that can be asked for.
fn asked(concession: &str) -> Asked {
    Asked {
        concession: Some(concession.to_owned()),
        bases: vec![BasisName::Price],
        ..Asked::default()
    }
}

fn shares(outcome: &Outcome) -> Vec<i64> {
    let (_, answers) = &outcome.alternatives[0];
    let parts = &answers.as_ref().unwrap()[0].division.parts;
    parts.iter().map(|part| part.share).collect()
}

fn refused(bytes: &[u8], format: Format, asked: &Asked) -> String {
    split(bytes, format, asked).unwrap_err().told("quote")
}

#[test]
fn both_examples_say_the_same() {
    let asked = asked("500.00");
    let table = split(example::of(Format::Csv).as_bytes(), Format::Csv, &asked).unwrap();
    let object = split(example::of(Format::Json).as_bytes(), Format::Json, &asked).unwrap();
    assert_eq!(table.sheet, object.sheet);
    assert_eq!(table.alternatives, object.alternatives);
    assert_eq!(shares(&table), [28_723, 9_192, 5_000, 7_085]);
    let page = table::page(&table, false);
    for line in [
        "firewall  bolt        3,200.00    50.00*     3,150.00",
        "all                  14,950.00   500.00     14,450.00",
        "* lies at its floor",
        "Why, by price:",
    ] {
        assert!(page.contains(line), "{page}");
    }
    assert!(
        page.lines().all(|line| line.chars().count() <= 100),
        "{page}"
    );
    assert!(!table::page(&table, true).contains("Why"));
}

#[test]
fn bases_stand_side_by_side_and_the_impossible_one_below() {
    let mut asked = asked("500");
    asked.bases = vec![BasisName::Price, BasisName::Custom, BasisName::Margin];
    let outcome = split(example::of(Format::Csv).as_bytes(), Format::Csv, &asked).unwrap();
    let page = table::page(&outcome, true);
    assert!(page.contains("by price  by margin"), "{page}");
    assert!(page.contains("! custom cannot divide"), "{page}");
    assert!(page.contains("the difference is -500.00"), "{page}");
    let json: serde_json::Value =
        serde_json::from_str(&results::json(&outcome, false).unwrap()).unwrap();
    assert_eq!(
        json["alternatives"][1]["error"]["reason"],
        "WEIGHTS_INVALID"
    );
    let part = &json["alternatives"][0]["cadences"][0]["parts"][2];
    assert_eq!(
        (&part["share"], &part["at_floor"]),
        (&"50.00".into(), &true.into())
    );
    assert_eq!(part["steps"][0]["how"]["limit"]["round"], 1);
    let csv = results::csv(&outcome, true).unwrap();
    assert_eq!(csv.lines().count(), 1 + 4 + 1 + 4);
    assert!(
        csv.contains("price,one_time,firewall,bolt,EUR,50.00,3200.00,3150.00,true,"),
        "{csv}"
    );
}

#[test]
fn fixed_shares_stated_amounts_and_cadences_are_read() {
    let quote = b"id,owner,price,cadence,custom\na,acme,100,,4\nb,bolt,100,one_time,1\nc,bolt,10,monthly,2\n";
    let mut asked = asked("5");
    asked.monthly = Some("2".to_owned());
    asked.bases = vec![BasisName::FixedBps, BasisName::Custom];
    asked.shares = vec!["acme=2000".to_owned(), "bolt=8000".to_owned()];
    let outcome = split(quote, Format::Csv, &asked).unwrap();
    // Nothing of acme's is monthly.
    let (_, fixed) = &outcome.alternatives[0];
    assert_eq!(fixed.as_ref().unwrap_err().cadence, Cadence::Monthly);
    let (_, custom) = &outcome.alternatives[1];
    let custom = custom.as_ref().unwrap();
    assert_eq!(custom.len(), 2);
    assert_eq!(custom[0].division.parts[0].share, 400);
    assert!(outcome.adds_up());
}

#[test]
fn p06_p10_faults_are_told_with_their_places() {
    let csv = |quote: &str| refused(quote.as_bytes(), Format::Csv, &asked("5"));
    let json = |quote: &str| refused(quote.as_bytes(), Format::Json, &asked("5"));
    assert_eq!(
        csv("id,owner,price,floor\na,acme,7.5,1\nb,bolt,10,11\nb,bolt,ten,10\n"),
        "quote, line 4, column price: \"ten\" is not an amount such as 1234.50, without grouping and \
         without a currency"
    );
    assert_eq!(
        csv("id,owner,price,floor\na,acme,7.5,1\nb,bolt,10,11\nb,bolt,10,10\n"),
        "quote, line 3, column floor: 11.00 is above the price 10.00\n       \
         quote, line 4, column id: is given more than once"
    );
    assert!(
        csv("id,owner,flor\n").starts_with("quote, line 1: \"flor\" is not one of the columns id,")
    );
    assert!(csv("id,owner\n").starts_with("quote, line 1, column price: is needed"));
    assert!(csv("").starts_with("quote, line 1, column id: is needed"));
    assert!(csv("id,owner,price\n").starts_with("slices: 1 to 200 are needed"));
    assert_eq!(
        csv("id,owner,price\na,b\n"),
        "quote, line 2: has 2 columns, and the first line has 3"
    );
    assert_eq!(
        json("{\"slices\": [\n {\"id\": \"a\", \"owner\": \"b\", \"price\": \"5.001\"}]}"),
        "quote, line 2, character 38, price: \"5.001\" is finer than the minor unit of EUR, which has 2 \
         decimal places"
    );
    assert_eq!(
        json("{\"slices\": [\n {\"id\": \"a\", \"owner\": \"b\", \"price\": 5}]}"),
        "quote, line 2, column price: write amounts as text, such as \"1234.50\""
    );
    assert!(json("{\"slices\": [\n {\"id\": 1.5}]}").starts_with("quote, line 2, character "));
    assert!(json("{\"slices\": [], \"total\": 1}").contains("unknown field `total`"));
    let mut other = asked("5");
    other.currency = Some("USD".to_owned());
    let euros = br#"{"currency": "EUR", "slices": [{"id": "a", "owner": "b", "price": "5"}]}"#;
    assert_eq!(
        refused(euros, Format::Json, &other),
        "--currency: USD is asked for, and the quote is in EUR"
    );
    other.currency = Some("XAU".to_owned());
    assert!(refused(b"id,owner,price\n", Format::Csv, &other).contains("no minor unit"));
    let mut wrong = asked("5,00");
    wrong.shares = vec!["acme".to_owned(), "b=1".to_owned(), "b=2".to_owned()];
    let all = refused(b"id,owner,price\na,b,10\n", Format::Csv, &wrong);
    assert_eq!(all.lines().count(), 3, "{all}");
}

#[test]
fn many_faults_are_cut_short() {
    let rows: Vec<String> = (0..30).map(|index| format!("{index},b,x\n")).collect();
    let quote = format!("id,owner,price\n{}", rows.concat());
    let told = refused(quote.as_bytes(), Format::Csv, &asked("5"));
    assert!(told.ends_with("and 10 more"), "{told}");
}

/// What is fed to the program when its quotes are tried with whatever there is.
#[test]
fn a_small_collection_of_quotes_never_panics() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/split");
    let mut divided = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if let Ok(outcome) = from_bytes(&std::fs::read(&path).unwrap()) {
            assert!(outcome.adds_up(), "{}", path.display());
            for brief in [true, false] {
                assert!(!table::page(&outcome, brief).is_empty());
                results::json(&outcome, brief).unwrap();
                results::csv(&outcome, brief).unwrap();
            }
            divided += outcome
                .alternatives
                .iter()
                .filter(|(_, answer)| answer.is_ok())
                .count();
        }
    }
    assert!(divided >= 20, "{divided}");
}

/// Something like a table.
fn tables() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        "[0-9]{1,18}(\\.[0-9]{1,3})?",
        "-?[0-9]{1,4}",
        Just(String::new()),
        "[a-z\",;\n]{0,4}",
    ];
    let row = (0..6_u8, "[xyz]", value.clone(), value.clone(), value);
    (any::<u8>(), proptest::collection::vec(row, 0..8)).prop_map(|(first, rows)| {
        let rows = rows.into_iter().map(|(id, owner, price, cost, floor)| {
            format!("{id},{owner},{price},{cost},{floor}\n")
        });
        let quote = format!("id,owner,price,cost,floor\n{}", rows.collect::<String>());
        let mut bytes = vec![first & !1];
        bytes.extend(quote.into_bytes());
        bytes
    })
}

proptest! {
    #[test]
    fn p15_whatever_bytes_there_are(bytes in prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        tables(),
    ]) {
        if let Ok(outcome) = from_bytes(&bytes) {
            prop_assert!(outcome.adds_up());
        }
    }
}
