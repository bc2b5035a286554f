//! The page of a check-up: what stands on it, as words, numbers and paths, and the template that puts
//! it together. Whatever is a text here is escaped there.

use std::sync::LazyLock;

use askama::Template;
use sha2::{Digest, Sha256};

use crate::domain::refusal::{Reason, Refusal};

/// The one style of the page, in the page itself.
pub const STYLE: &str = include_str!("../../../templates/checkup.css");
/// Most bytes of a page.
pub const PAGE_BYTES_MAX: usize = 50 * 1024;

/// A page.
#[derive(Clone, Debug, Template)]
#[template(path = "checkup.html")]
pub struct Page {
    /// [`STYLE`].
    pub style: &'static str,
    /// Who the firms are.
    pub title: String,
    /// What else there is to know beforehand.
    pub facts: Vec<Fact>,
    /// Every party, as columns are headed.
    pub sides: Vec<String>,
    /// Whether there are more columns than fit a phone.
    pub is_wide: bool,
    /// One for each symptom.
    pub rows: Vec<Row>,
    /// How intensities are drawn.
    pub meters: &'static [Meter],
    /// Which quarters the charts show.
    pub quarters: String,
    /// Width of every chart, in its own units.
    pub width: usize,
    /// What stands at the end.
    pub closing: Vec<String>,
}

/// Something to know.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// What it is like.
    pub words: String,
}

/// One symptom.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its anchor.
    pub id: &'static str,
    /// What it asks.
    pub question: String,
    /// What that means.
    pub asks: &'static str,
    /// How strongly it shows, of each party.
    pub levels: Vec<Level>,
    /// One line for each measure.
    pub figures: Vec<Line>,
    /// What would change it.
    pub changes: Vec<String>,
    /// The records behind it, some of them.
    pub records: Vec<RecordLink>,
    /// How many of how many are linked.
    pub records_summary: String,
    /// What nobody recorded anything of; empty if there is nothing of the sort.
    pub unknown: String,
    /// Notes and replies.
    pub notes: Vec<Note>,
}

/// An intensity.
#[derive(Clone, Debug)]
pub struct Level {
    /// `0` to `4`, or `n` without data.
    pub code: char,
    /// The same with its word.
    pub word: &'static str,
    /// In how many quarters it showed; empty without data.
    pub often: String,
}

/// One measure, of all parties.
#[derive(Clone, Debug)]
pub struct Line {
    /// What is measured.
    pub name: String,
    /// From which levels on it is how bad; empty for what is only shown.
    pub unit: String,
    /// Each party's figure.
    pub cells: Vec<Cell>,
}

/// One measure of one party.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// What it came to; empty without data.
    pub value: String,
    /// Its intensity; empty for what is only shown.
    pub code: String,
    /// What it rests on, and where it is going.
    pub basis: String,
    /// The chart in words; empty where there is no chart.
    pub label: String,
    /// The chart.
    pub chart: super::chart::Chart,
}

/// A record behind a figure.
#[derive(Clone, Debug)]
pub struct RecordLink {
    /// Where its history can be read.
    pub href: String,
    /// What it is.
    pub words: String,
}

/// What somebody has to say about a row.
#[derive(Clone, Debug)]
pub struct Note {
    /// Who said it, and when.
    pub by: String,
    /// What was said.
    pub text: String,
    /// Whether it answers the one before.
    pub is_reply: bool,
    /// Whether nobody else sees it.
    pub is_private: bool,
}

/// How an intensity is drawn.
#[derive(Clone, Debug)]
pub struct Meter {
    /// As [`Level::code`].
    pub code: char,
    /// As [`Level::word`].
    pub word: &'static str,
    /// What is drawn; the only text that the page takes as it is.
    pub shape: &'static str,
}

/// The intensities from 0 to 4, and no data.
pub const METERS: [Meter; 6] = [
    Meter {
        code: '0',
        word: "0 none",
        shape: r#"<path class="e" d="M0 0h14v13H0zM16 0h14v13H16zM32 0h14v13H32zM48 0h14v13H48z"/>"#,
    },
    Meter {
        code: '1',
        word: "1 slight",
        shape: r#"<path class="i1" d="M0 0h14v13H0z"/><path class="e" d="M16 0h14v13H16zM32 0h14v13H32zM48 0h14v13H48z"/>"#,
    },
    Meter {
        code: '2',
        word: "2 noticeable",
        shape: r#"<path class="i2" d="M0 0h14v13H0zM16 0h14v13H16z"/><path class="e" d="M32 0h14v13H32zM48 0h14v13H48z"/>"#,
    },
    Meter {
        code: '3',
        word: "3 strong",
        shape: r#"<path class="i3" d="M0 0h14v13H0zM16 0h14v13H16zM32 0h14v13H32z"/><path class="e" d="M48 0h14v13H48z"/>"#,
    },
    Meter {
        code: '4',
        word: "4 severe",
        shape: r#"<path class="i4" d="M0 0h14v13H0zM16 0h14v13H16zM32 0h14v13H32zM48 0h14v13H48z"/>"#,
    },
    Meter {
        code: 'n',
        word: "no data",
        shape: r#"<path class="o" d="M.5.5h61v12H.5z"/>"#,
    },
];

/// How an intensity is drawn; no data, where `None`.
#[must_use]
pub fn meter(intensity: Option<i32>) -> &'static Meter {
    let no_data = METERS.len() - 1;
    let index = intensity.map_or(no_data, |intensity| {
        usize::try_from(intensity).map_or(no_data, |index| index.min(no_data - 1))
    });
    &METERS[index]
}

/// The page as HTML.
///
/// # Errors
/// [`Reason::Internal`], which only a broken template can lead to.
pub fn html(page: &impl Template) -> Result<String, Refusal> {
    let broken = |_| Refusal::new(Reason::Internal, "the page cannot be written");
    page.render().map_err(broken)
}

/// What a browser may do with the page: use its own style, which it recognises by its hash, and be
/// shown within pages of `frames` (such as `https://psa.example`), and nothing else.
#[must_use]
pub fn content_security_policy(frames: &[String]) -> String {
    static HASH: LazyLock<String> =
        LazyLock::new(|| data_encoding::BASE64.encode(&Sha256::digest(STYLE)));
    let frames = if frames.is_empty() {
        "'none'".to_owned()
    } else {
        frames.join(" ")
    };
    let style = HASH.as_str();
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors {frames}"
    )
}
