//! d: open time over ten years against one day, and against other programs.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use entente::domain::sla::calendar::{
    CalendarException, CalendarSpecification, CivilDate, MinuteOfDay, Weekday, WeeklyWindow,
};
use entente::domain::sla::compiled::CompiledCalendar;
use entente::domain::time::{MICROS_PER_DAY, MICROS_PER_HOUR, Timestamp};
use jiff::civil::time;
use workclock::{Holidays, Schedule, Weekdays, WorkDay};

use super::Rounds;
use super::table::Table;

/// 2020-01-01T00:00:00Z in microseconds.
pub const BEGIN: i64 = 1_577_836_800_000_000;
const DAY: i64 = MICROS_PER_DAY;
const TEN_YEARS: i64 = 3_653 * DAY;
/// The dates, `(month, day)`, that are closed every year.
const HOLIDAYS: [(i8, i8); 10] = [
    (1, 1),
    (1, 6),
    (4, 3),
    (4, 6),
    (5, 1),
    (5, 14),
    (8, 15),
    (10, 3),
    (12, 25),
    (12, 26),
];
const CLOSED_YEARS: std::ops::Range<i16> = 2020..2031;
/// How many questions are asked between two looks at the clock.
const AT_A_TIME: u32 = 100;
/// Asks the Python libraries; takes the number of rounds.
const PYTHON: &str = include_str!("calendar.py");
/// The libraries, each in the version that was compared.
const LIBRARIES: [&str; 2] = ["businesstimedelta==1.0.1", "business-duration==0.68"];

/// Berlin, Monday to Friday, 9 to 17, ten holidays a year.
pub fn ours() -> CompiledCalendar {
    let minute = |minutes| MinuteOfDay::from_minutes(minutes).expect("a time of day");
    let window = |day: &Weekday| WeeklyWindow {
        day: *day,
        start: minute(9 * 60),
        end: minute(17 * 60),
    };
    let closed = |year| {
        HOLIDAYS.map(|(month, day)| {
            let date = CivilDate::new(year, month, day).expect("a date");
            CalendarException {
                first_date: date,
                last_date: date,
                windows: Vec::new(),
                description: String::new(),
            }
        })
    };
    let specification = CalendarSpecification {
        time_zone: "Europe/Berlin".to_owned(),
        weekly_windows: Weekday::ALL[..5].iter().map(window).collect(),
        exceptions: CLOSED_YEARS.flat_map(closed).collect(),
    };
    CompiledCalendar::compile_with_bundled_zone(&specification).expect("a calendar")
}

/// The same in the other program.
pub fn workclock() -> Schedule {
    let holidays = CLOSED_YEARS
        .flat_map(|year| HOLIDAYS.map(|(month, day)| jiff::civil::date(year, month, day)));
    let (start, end) = (time(9, 0, 0, 0), time(17, 0, 0, 0));
    Schedule::builder()
        .time_zone("Europe/Berlin")
        .rule(WorkDay::new(start, end, Weekdays::MON_TO_FRI))
        .rule(Holidays::new(holidays))
        .build()
        .expect("a schedule")
}

/// Nanoseconds that a question takes; it is asked about other hours each time.
fn nanoseconds(length: Duration, mut question: impl FnMut(i64)) -> f64 {
    let begun = Instant::now();
    let mut asked = 0_u32;
    while begun.elapsed() < length {
        for step in 0..AT_A_TIME {
            // Within the first eight months, so that ten years more are still known to all.
            let hour = i64::from((asked + step) % 5_800);
            question(BEGIN + hour * MICROS_PER_HOUR + 1);
        }
        asked += AT_A_TIME;
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(asked)
}

/// Measures all that is at hand.
pub fn measure(rounds: Rounds, table: &mut Table) {
    let (ours, theirs) = (ours(), workclock());
    let instant = |at| jiff::Timestamp::from_microsecond(at).expect("an instant");
    let asked = |from: i64, length: i64| {
        let (from, to) = (
            Timestamp::from_micros(from),
            Timestamp::from_micros(from + length),
        );
        black_box(ours.elapsed(black_box(from), black_box(to)));
    };
    let asked_there = |from: i64, length: i64| {
        let (from, to) = (instant(from), instant(from + length));
        black_box(theirs.between(black_box(from), black_box(to)));
    };
    // Short rounds are enough for questions that take less than a microsecond.
    let length = rounds.length / 10;
    let mut figures: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds.count {
        figures[0].push(nanoseconds(length, |from| asked(from, DAY)));
        figures[1].push(nanoseconds(length, |from| asked(from, TEN_YEARS)));
        figures[2].push(nanoseconds(length, |from| asked_there(from, DAY)));
        figures[3].push(nanoseconds(length, |from| asked_there(from, TEN_YEARS)));
    }
    let [day, years, there_day, there_years] = figures;
    table.add(
        "d open time over 10 years, against 1 day",
        "ns",
        years.clone(),
        day.clone(),
    );
    let peers = [
        ("d open time over 1 day, against workclock", &day, there_day),
        (
            "d open time over 10 years, against workclock",
            &years,
            there_years,
        ),
    ];
    for (what, ours, theirs) in peers {
        table.add(what, "ns", ours.clone(), theirs);
    }
    match python(rounds) {
        Err(reason) => eprintln!("d Python libraries LEFT OUT: {reason}"),
        Ok(found) => {
            for (library, is_day, theirs) in found {
                let (length, ours) = if is_day {
                    ("1 day", &day)
                } else {
                    ("10 years", &years)
                };
                let what = format!("d open time over {length}, against Python {library}");
                table.add(&what, "ns", ours.clone(), theirs);
            }
        }
    }
}

/// What the Python libraries take: name, whether it is about a day, and nanoseconds by round.
fn python(rounds: Rounds) -> Result<Vec<(String, bool, Vec<f64>)>, String> {
    let python = environment()?;
    let output = Command::new(python)
        .args(["-c", PYTHON, &rounds.count.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (Some(library), Some(length)) = (words.next(), words.next()) else {
            continue;
        };
        let figures: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
        if figures.len() == rounds.count {
            found.push((library.to_owned(), length == "day", figures));
        } else {
            eprintln!("d {line}");
        }
    }
    if found.is_empty() {
        return Err("none of them could be measured".to_owned());
    }
    Ok(found)
}

/// The interpreter of a virtual environment with the libraries, which is made if there is none.
fn environment() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("calendar-peers");
    let python = folder.join("bin/python");
    let run = |program: &Path, arguments: &[&str]| {
        let status = Command::new(program)
            .args(arguments)
            .stdout(Stdio::null())
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{} ended with {status}", program.display())),
            Err(error) => Err(format!("{}: {error}", program.display())),
        }
    };
    if !python.exists() {
        let path = folder.to_string_lossy();
        run(Path::new("python3"), &["-m", "venv", &path])?;
    }
    let mut arguments = vec![
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    arguments.extend(LIBRARIES);
    run(&python, &arguments)?;
    Ok(python)
}
