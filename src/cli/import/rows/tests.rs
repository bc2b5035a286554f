//! Reading exports: columns, values, lines, and everything that can be wrong with a row.

use super::*;

const HEADER: &str = "number,incident_state,sys_mod_count,opened_at,sys_updated_at,priority\n";

fn read_text(text: &str) -> Rows {
    read(text.as_bytes()).unwrap()
}

fn read_rows(rows: &str) -> Rows {
    read_text(&format!("{HEADER}{rows}"))
}

fn rejection(row: &str) -> String {
    let read = read_rows(row);
    assert!(read.rows.is_empty(), "{read:?}");
    assert_eq!(read.rejected.len(), 1);
    read.rejected[0].to_string()
}

#[test]
fn a_row_as_the_system_writes_it() {
    let read = read_rows(
        "INC0000045,Awaiting User Info,2,29-02-2016 01:16,29-02-2016 08:53,3 - Moderate\n",
    );
    let expected = Row {
        line: 2,
        number: "INC0000045".to_owned(),
        mod_count: 2,
        updated_at: 1_456_735_980,
        updated_text: "29-02-2016 08:53".to_owned(),
        opened_at: Some(1_456_708_560),
        priority: Some(3),
        state: Some("Awaiting User Info".to_owned()),
    };
    assert_eq!(
        read,
        Rows {
            rows: vec![expected.clone()],
            rejected: Vec::new()
        }
    );
    assert_eq!(expected.event_id(), "INC0000045/2/29-02-2016 08:53");
}

#[test]
fn columns_are_found_by_name() {
    let text = "\u{feff}priority , extra,sys_updated_at,sys_mod_count,opened_at,incident_state,number\r\n\
                1 - Critical,\"a, b\",01-01-2016 00:01,0,01-01-2016 00:00,New,INC1\r\n";
    let read = read_text(text);
    assert_eq!(read.rejected, []);
    assert_eq!(
        (read.rows[0].priority, read.rows[0].number.as_str()),
        (Some(1), "INC1")
    );
}

#[test]
fn a_file_without_the_columns_is_refused_with_one_error() {
    let error = read("number,incident_state,priority\nINC1,New,1\n".as_bytes())
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("does not name sys_mod_count, opened_at, sys_updated_at"),
        "{error}"
    );
    for text in ["", "\n", "PNG\u{0}\u{1}"] {
        assert!(read(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn a_question_mark_and_nothing_mean_missing() {
    for missing in ["?", ""] {
        let read = read_rows(&format!(
            "INC1,{missing},0,{missing},01-01-2016 00:01,{missing}\n"
        ));
        let row = &read.rows[0];
        assert_eq!(
            (&row.state, row.opened_at, row.priority),
            (&None, None, None)
        );
        assert_eq!(
            rejection(&format!("{missing},New,0,?,01-01-2016 00:01,1\n")),
            "line 2: number is missing"
        );
        let reason = rejection(&format!("INC1,New,{missing},?,{missing},1\n"));
        assert_eq!(
            reason,
            "line 2: sys_mod_count is missing; sys_updated_at is missing"
        );
    }
}

#[test]
fn bad_values_are_named_all_at_once() {
    let reason = rejection("INC1,New,minus,32-01-2016 00:00,2016-01-01 00:00,Low\n");
    for column in [
        "sys_mod_count \"minus\"",
        "opened_at \"32-01-2016",
        "sys_updated_at \"2016-01",
        "priority \"Low\"",
    ] {
        assert!(reason.contains(column), "{column} in {reason}");
    }
    for (state, count, opened, updated, priority) in [
        ("New", "-1", "?", "01-01-2016 00:00", "1"),
        ("New", "1.5", "?", "01-01-2016 00:00", "1"),
        ("New", "9223372036854775808", "?", "01-01-2016 00:00", "1"),
        ("New", "0", "?", "30-02-2016 00:00", "1"),
        ("New", "0", "?", "01-01-2016 24:00", "1"),
        ("New", "0", "?", "01-01-2016", "1"),
        ("New", "0", "?", "01-01-2016 00:00:00", "1"),
        ("New", "0", "01-13-2016 00:00", "01-01-2016 00:00", "1"),
        ("New", "0", "?", "01-01-2016 00:00", "0 - None"),
        ("New", "0", "?", "01-01-2016 00:00", "6 - Whenever"),
        ("New", "0", "?", "01-01-2016 00:00", "33 - Moderate"),
        ("New", "0", "?", "01-01-2016 00:00", "-3"),
        ("a\u{7}b", "0", "?", "01-01-2016 00:00", "1"),
        (&"x".repeat(129), "0", "?", "01-01-2016 00:00", "1"),
    ] {
        rejection(&format!(
            "INC1,{state},{count},{opened},{updated},{priority}\n"
        ));
    }
}

#[test]
fn the_rest_survives_and_lines_are_right() {
    let rows = "INC1,New,0,?,01-01-2016 00:00,1\r\n\
                INC2,New,x,?,01-01-2016 00:00,1\r\n\
                INC3,New,0\r\n\
                INC4,New,0,?,01-01-2016 00:00,1,more\r\n\
                \"INC5\",\"New\",0,?,\"01-01-2016 00:00\",\"1\"\r\n\
                \r\n\
                INC6,\"in two\r\nlines\",0,?,01-01-2016 00:00,1\r\n\
                INC7,New,y,?,01-01-2016 00:00,1";
    for rows in [rows.to_owned(), rows.replace('\r', "")] {
        let read = read_rows(&rows);
        let numbers: Vec<_> = read
            .rows
            .iter()
            .map(|row| (row.line, row.number.as_str()))
            .collect();
        assert_eq!(numbers, [(2, "INC1"), (6, "INC5")]);
        let rejected: Vec<_> = read.rejected.iter().map(ToString::to_string).collect();
        let expected = [
            "line 3: sys_mod_count \"x\" is not a count",
            "line 4: has 3 columns instead of 6",
            "line 5: has 7 columns instead of 6",
            "line 8: incident_state has control characters",
            "line 10: sys_mod_count \"y\" is not a count",
        ];
        assert_eq!(rejected, expected);
    }
}

#[test]
fn bytes_that_are_not_text_hurt_only_their_own_row() {
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes
        .extend_from_slice(b"INC1,N\xff,0,?,01-01-2016 00:00,1\nINC2,New,0,?,01-01-2016 00:00,1\n");
    let read = read(bytes.as_slice()).unwrap();
    assert_eq!(
        read.rejected[0].to_string(),
        "line 2: incident_state is not UTF-8"
    );
    assert_eq!(read.rows[0].number, "INC2");
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    let mut lines = [
        "INC2,New,0,?,01-01-2016 00:00,1\n",
        "INC1,Active,1,?,01-01-2016 00:05,1\n",
        "INC1,Resolved,2,?,01-01-2016 00:05,1\n",
        "INC2,Active,10,?,02-01-2015 00:00,1\n",
        "INC1,New,0,?,01-01-2016 00:00,1\n",
    ];
    let ids = |lines: &[&str]| {
        read_rows(&lines.concat())
            .rows
            .iter()
            .map(Row::event_id)
            .collect::<Vec<_>>()
    };
    let expected = [
        "INC2/10/02-01-2015 00:00",
        "INC1/0/01-01-2016 00:00",
        "INC2/0/01-01-2016 00:00",
        "INC1/1/01-01-2016 00:05",
        "INC1/2/01-01-2016 00:05",
    ];
    assert_eq!(ids(&lines), expected);
    lines.reverse();
    assert_eq!(ids(&lines), expected);
}

#[test]
fn a_reader_that_fails_is_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let error = read(HEADER.as_bytes().chain(Broken))
        .unwrap_err()
        .to_string();
    assert!(error.contains("the disk is gone"), "{error}");
}
