//! How a secret amount could be recognised in bytes, and a listener that looks for it in the log.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use prost::encoding::encode_varint;
use tracing_subscriber::EnvFilter;

/// Amounts that somebody must not learn, in cents; so large that nothing else is like them.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    traces: BTreeSet<Vec<u8>>,
}

impl Secrets {
    /// Everything by which these amounts could be recognised.
    pub fn of(amounts: impl IntoIterator<Item = i64>) -> Self {
        let traces = amounts.into_iter().flat_map(traces).collect();
        Self { traces }
    }

    /// The first of the amounts' traces in the bytes.
    pub fn found_in(&self, bytes: &[u8]) -> Option<&[u8]> {
        let found = |trace: &&Vec<u8>| bytes.windows(trace.len()).any(|window| window == *trace);
        self.traces.iter().find(found).map(Vec::as_slice)
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
static LINES: Mutex<u64> = Mutex::new(0);

struct Listener;

impl Write for Listener {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        *LINES.lock().unwrap_or_else(PoisonError::into_inner) += 1;
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

/// Looks at every line that this process logs from now on, down to the finest level.
pub fn listen(secrets: &Secrets) {
    let filter = EnvFilter::new("debug,entente=trace,sqlx=trace,h2=info,hyper=info");
    WANTED.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .with_writer(|| Listener)
            .init();
        secrets.clone()
    });
}

/// How many lines were looked at, and those that hold a secret.
pub fn heard() -> (u64, Vec<String>) {
    let lines = *LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let caught = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
    (lines, caught.clone())
}
