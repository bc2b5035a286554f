//! Content lines: `NAME;PARAMETER=value:value`, folded over several lines of text.

use super::IcalendarFault;

/// One content line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The line of the text on which it begins, from 1.
    pub number: usize,
    /// Its name, in capital letters.
    pub name: String,
    parameters: Vec<(String, String)>,
    /// What follows the colon, as it is written.
    pub value: String,
}

impl Line {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The fault of this line.
    pub(super) fn fault(&self, what: impl Into<String>) -> IcalendarFault {
        IcalendarFault::new(self.number, what)
    }

    /// The value as text, with its escapes undone.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut characters = self.value.chars();
        while let Some(character) = characters.next() {
            if character != '\\' {
                text.push(character);
                continue;
            }
            match characters.next() {
                Some('n' | 'N') => text.push(' '),
                Some(escaped) => text.push(escaped),
                None => {}
            }
        }
        text
    }
}

/// The content lines of a text; blank lines are passed over.
pub(super) fn lines(text: &str) -> Result<Vec<Line>, IcalendarFault> {
    let mut whole: Vec<(usize, String)> = Vec::new();
    for (index, piece) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if let Some(more) = piece.strip_prefix([' ', '\t']) {
            match whole.last_mut() {
                Some((_, line)) => line.push_str(more),
                None => return Err(IcalendarFault::new(index + 1, "continues no line")),
            }
        } else if !piece.trim().is_empty() {
            whole.push((index + 1, piece.to_owned()));
        }
    }
    whole
        .into_iter()
        .map(|(number, line)| {
            read(number, &line)
                .ok_or_else(|| IcalendarFault::new(number, "is not of the form NAME:value"))
        })
        .collect()
}

fn read(number: usize, line: &str) -> Option<Line> {
    let colon = unquoted(line, ':')?;
    let (head, value) = (&line[..colon], &line[colon + 1..]);
    let mut parts = Vec::new();
    let mut rest = head;
    while let Some(semicolon) = unquoted(rest, ';') {
        parts.push(&rest[..semicolon]);
        rest = &rest[semicolon + 1..];
    }
    parts.push(rest);
    let mut parts = parts.into_iter();
    let name = parts.next().filter(|name| is_name(name))?;
    let parameters = parts.map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim_matches('"').to_owned();
        is_name(name).then(|| (name.to_ascii_uppercase(), value))
    });
    Some(Line {
        number,
        name: name.to_ascii_uppercase(),
        parameters: parameters.collect::<Option<_>>()?,
        value: value.to_owned(),
    })
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_part)
}

/// Where a character first stands outside of quotation marks.
fn unquoted(text: &str, wanted: char) -> Option<usize> {
    let mut is_quoted = false;
    text.char_indices()
        .find(|(_, character)| {
            is_quoted ^= *character == '"';
            !is_quoted && *character == wanted
        })
        .map(|(at, _)| at)
}
