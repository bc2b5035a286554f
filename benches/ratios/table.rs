//! Figures of several rounds, and the table that shows them.

/// Minimum, median and maximum.
#[derive(Clone, Copy)]
pub struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    /// The spread of some figures; there must be at least one.
    pub fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        Self {
            min: figures[0],
            median: figures[figures.len() / 2],
            max: figures[figures.len() - 1],
        }
    }
}

/// One comparison.
struct Row {
    what: String,
    unit: &'static str,
    ours: Spread,
    peer: Spread,
    ratio: Spread,
}

/// All comparisons of a run.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds a comparison of figures taken in turn; the ratio is ours divided by the peer's.
    pub fn add(&mut self, what: &str, unit: &'static str, ours: Vec<f64>, peer: Vec<f64>) {
        let ratios = ours
            .iter()
            .zip(&peer)
            .map(|(ours, peer)| ours / peer)
            .collect();
        let row = Row {
            what: what.to_owned(),
            unit,
            ours: Spread::of(ours),
            peer: Spread::of(peer),
            ratio: Spread::of(ratios),
        };
        eprintln!("{}: ratio {}", row.what, ratio(row.ratio.median));
        self.rows.push(row);
    }

    /// Prints the table.
    pub fn print(&self) {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        println!("\n{cores} cores; minimum / median / maximum of each\n");
        println!(
            "{:<62} {:>26} {:>32} {:>32}",
            "ours against peer", "ratio", "ours", "peer"
        );
        for row in &self.rows {
            println!(
                "{:<62} {:>26} {:>32} {:>32}",
                row.what,
                show_ratio(row.ratio),
                show(row.ours, 0, row.unit),
                show(row.peer, 0, row.unit)
            );
        }
    }
}

/// Below this, a ratio reads better the other way round.
const SMALL_RATIO: f64 = 0.1;

/// A ratio; a small one as its fraction, such as `1/364`.
fn ratio(value: f64) -> String {
    if value < SMALL_RATIO {
        format!("1/{:.0}", 1.0 / value)
    } else {
        format!("{value:.2}")
    }
}

fn show_ratio(spread: Spread) -> String {
    let [min, median, max] = [spread.min, spread.median, spread.max].map(ratio);
    format!("{min} / {median} / {max} ")
}

fn show(spread: Spread, places: usize, unit: &str) -> String {
    format!(
        "{:.places$} / {:.places$} / {:.places$} {unit}",
        spread.min, spread.median, spread.max
    )
}
