//! How a secret amount could be recognised in bytes, and a listener that looks for it in the log.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use aho_corasick::AhoCorasick;
use prost::encoding::encode_varint;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Layer};

/// Traces no longer than this are not looked for in lines: the digits of a time.
const SHORT_BYTES: usize = 7;

/// Amounts that somebody must not learn, in cents; so large that nothing else is like them.
#[derive(Clone, Debug)]
pub struct Secrets(AhoCorasick);

impl Secrets {
    /// Everything by which these amounts could be recognised.
    pub fn of(amounts: impl IntoIterator<Item = i64>) -> Self {
        let traces: Vec<Vec<u8>> = amounts.into_iter().flat_map(traces).collect();
        Self(AhoCorasick::new(traces).unwrap())
    }

    /// Those by which they could be recognised in lines with times in them, whose digits could be those of
    /// a number of euros by chance.
    pub fn in_lines(amounts: impl IntoIterator<Item = i64>) -> Self {
        let traces = amounts.into_iter().flat_map(traces);
        let long: Vec<Vec<u8>> = traces.filter(|trace| trace.len() > SHORT_BYTES).collect();
        Self(AhoCorasick::new(long).unwrap())
    }

    /// The first of the amounts' traces in the bytes.
    pub fn found_in<'bytes>(&self, bytes: &'bytes [u8]) -> Option<&'bytes [u8]> {
        let found = self.0.find(bytes)?;
        Some(&bytes[found.range()])
    }
}

/// As text with and without separators, and as numbers in every form in which bytes hold them.
fn traces(cents: i64) -> Vec<Vec<u8>> {
    assert!(
        cents.unsigned_abs() > 10_000_000,
        "{cents} could be there by chance"
    );
    let (units, rest) = (cents / 100, (cents % 100).abs());
    let thousands = format!("{},{:03}", units / 1_000, (units % 1_000).abs());
    let millions = format!(
        "{},{:03},{:03}",
        units / 1_000_000,
        (units / 1_000 % 1_000).abs(),
        (units % 1_000).abs()
    );
    let texts = [
        cents.to_string(),
        format!("{units}.{rest:02}"),
        format!("{units},{rest:02}"),
        units.to_string(),
        thousands,
        millions,
    ];
    let mut traces: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    for number in [cents, units] {
        for plain in [
            number.cast_unsigned(),
            ((number << 1) ^ (number >> 63)).cast_unsigned(),
        ] {
            let mut varint = Vec::new();
            encode_varint(plain, &mut varint);
            traces.push(varint);
        }
        traces.push(number.to_be_bytes().to_vec());
        traces.push(number.to_le_bytes().to_vec());
        let text = number.to_string();
        traces.push(data_encoding::HEXLOWER.encode(text.as_bytes()).into_bytes());
    }
    traces
}

/// Lines of the log that hold a secret.
static CAUGHT: Mutex<Vec<String>> = Mutex::new(Vec::new());
static WANTED: OnceLock<Secrets> = OnceLock::new();
/// Lines that were looked at.
static LINES: AtomicU64 = AtomicU64::new(0);
/// How many cases listen at present.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

struct Listener;

impl Write for Listener {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.fetch_add(1, Ordering::Relaxed);
        if WANTED
            .get()
            .is_some_and(|secrets| secrets.found_in(line).is_some())
        {
            let mut caught = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
            caught.push(String::from_utf8_lossy(line).into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As long as there is one, every line that this process logs is looked at, down to the finest level.
pub struct Listening;

impl Listening {
    /// Begins to listen for secrets: always the same ones.
    pub fn to(secrets: &Secrets) -> Self {
        WANTED.get_or_init(|| {
            let listened = dynamic_filter_fn(|_, _| LISTENERS.load(Ordering::Relaxed) > 0);
            let levels = EnvFilter::new("debug,entente=trace,h2=info,hyper=info");
            let lines = tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(|| Listener);
            let lines = lines.with_filter(levels).with_filter(listened);
            tracing_subscriber::registry().with(lines).init();
            secrets.clone()
        });
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

/// How many lines were looked at so far, and those that hold a secret.
pub fn heard() -> (u64, Vec<String>) {
    let caught = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
    (LINES.load(Ordering::Relaxed), caught.clone())
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}
