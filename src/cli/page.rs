//! A page of text for a terminal of 100 columns: headings, wrapped lines, tables.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
};

/// No line is longer, in characters.
pub const WIDTH: usize = 100;
/// How far what stands below a heading is set in, in characters.
const INDENT: usize = 2;
/// A table has a line below its header, and no others.
const TABLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));
/// Makes what follows bold on a terminal.
const BOLD: &str = "\u{1b}[1m";
/// Ends it.
const PLAIN: &str = "\u{1b}[0m";

/// Text that is being put together.
#[derive(Clone, Debug, Default)]
pub struct Page {
    text: String,
    /// Whether headings are bold, which only a terminal understands.
    bold: bool,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(bold: bool) -> Self {
        Self {
            text: String::new(),
            bold,
        }
    }

    /// All of it.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// A heading between empty lines.
    pub fn heading(&mut self, words: &str) {
        let (on, off) = if self.bold { (BOLD, PLAIN) } else { ("", "") };
        let rule = "─".repeat(words.chars().count());
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.gap();
        }
        for line in [&format!("{on}{words}{off}"), &rule, ""] {
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Words, in as many lines as they need.
    pub fn say(&mut self, words: &str) {
        self.hang("", words);
    }

    /// Words behind a mark; further lines begin below the first word.
    pub fn hang(&mut self, mark: &str, words: &str) {
        let hang = INDENT + mark.chars().count();
        for (index, line) in wrapped(words, WIDTH - hang).into_iter().enumerate() {
            let begin = if index == 0 {
                format!("{}{mark}", " ".repeat(INDENT))
            } else {
                " ".repeat(hang)
            };
            self.text.push_str(format!("{begin}{line}").trim_end());
            self.text.push('\n');
        }
    }

    /// A table and an empty line. Columns are counted from 0: those in `to_the_right` are set to
    /// the right, and only those in `wrapping` may be made narrower than what they hold.
    pub fn table<const COLUMNS: usize>(
        &mut self,
        header: [&str; COLUMNS],
        rows: Vec<[String; COLUMNS]>,
        to_the_right: &[usize],
        wrapping: &[usize],
    ) {
        let rows = rows.into_iter().map(Vec::from).collect();
        self.columns(&header, rows, to_the_right, wrapping);
    }

    /// As [`Page::table`], with as many columns as `header` has.
    pub fn columns(
        &mut self,
        header: &[&str],
        rows: Vec<Vec<String>>,
        to_the_right: &[usize],
        wrapping: &[usize],
    ) {
        let mut table = Table::new();
        table.load_style(TABLE);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(WIDTH - INDENT).unwrap_or(u16::MAX));
        table.set_header(header.iter().copied());
        for row in rows {
            table.add_row(row);
        }
        let last = header.len().saturating_sub(1);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if index == last { 0 } else { 2 }));
            if !wrapping.contains(&index) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            if to_the_right.contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            let line = format!("{}{line}", " ".repeat(INDENT));
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
        self.gap();
    }
}

/// Words in lines of at most `width` characters; a longer word has a line of its own.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        let used = line.chars().count();
        if used == 0 {
            line.push_str(word);
        } else if used + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_hang() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("", 7), [""]);
        let mut page = Page::new(false);
        page.hang("* ", &"word ".repeat(30));
        let text = page.into_text();
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(text.starts_with("  * word") && text.contains("\n    word"));
    }

    #[test]
    fn tables_fit_the_page() {
        let mut page = Page::new(true);
        page.heading("Heading");
        page.table(
            ["a", "b"],
            vec![["x ".repeat(90), "1".to_owned()]],
            &[1],
            &[0],
        );
        let text = page.into_text();
        assert!(text.contains("\u{1b}[1mHeading"));
        assert!(
            text.lines().all(|line| line.chars().count() <= WIDTH + 8),
            "{text}"
        );
    }
}
