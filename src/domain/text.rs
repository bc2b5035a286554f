//! Rules for text that people and other programs send.

use super::identity::{ExternalReference, REFERENCE_PART_BYTES_MAX};
use super::refusal::Violations;

/// Longest name for people, in bytes.
pub const DISPLAY_NAME_BYTES_MAX: usize = 200;
/// Longest free text in most fields, in bytes.
pub const FREE_TEXT_BYTES_MAX: usize = 5_000;
/// Longest text of terms, in bytes.
pub const TERMS_TEXT_BYTES_MAX: usize = 20_000;

/// Whether text has control characters other than line feed and tab.
#[must_use]
pub fn has_control_characters(text: &str) -> bool {
    text.chars()
        .any(|character| character.is_control() && !matches!(character, '\n' | '\t'))
}

/// A name for people: 1 to 200 bytes, one line, not blank.
pub fn require_display_name(violations: &mut Violations, field: &str, text: &str) {
    if text.trim().is_empty() {
        violations.add(field, "must not be empty");
    } else if text.len() > DISPLAY_NAME_BYTES_MAX {
        violations.add(
            field,
            format!("no more than {DISPLAY_NAME_BYTES_MAX} bytes"),
        );
    } else if text.chars().any(char::is_control) {
        violations.add(field, "no control characters");
    }
}

/// Free text: up to `bytes_max`, no control characters but line feed and tab.
pub fn require_free_text(violations: &mut Violations, field: &str, text: &str, bytes_max: usize) {
    if text.len() > bytes_max {
        violations.add(field, format!("no more than {bytes_max} bytes"));
    } else if has_control_characters(text) {
        violations.add(field, "no control characters other than line feed and tab");
    }
}

/// A short text that another program chose: 1 to `bytes_max` bytes without control characters.
pub fn require_token(violations: &mut Violations, field: &str, text: &str, bytes_max: usize) {
    if text.is_empty() {
        violations.add(field, "must not be empty");
    } else if text.len() > bytes_max {
        violations.add(field, format!("no more than {bytes_max} bytes"));
    } else if text.chars().any(char::is_control) {
        violations.add(field, "no control characters");
    }
}

/// An external reference: every part up to 128 bytes; only the instance may be empty.
pub fn require_reference(violations: &mut Violations, field: &str, reference: &ExternalReference) {
    let parts = [
        ("system", &reference.system),
        ("type", &reference.reference_type),
        ("id", &reference.id),
    ];
    for (name, part) in parts {
        require_token(
            violations,
            &format!("{field}.{name}"),
            part,
            REFERENCE_PART_BYTES_MAX,
        );
    }
    if !reference.instance.is_empty() {
        let field = format!("{field}.instance");
        require_token(
            violations,
            &field,
            &reference.instance,
            REFERENCE_PART_BYTES_MAX,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::refusal::Refusal;

    fn check(rule: impl Fn(&mut Violations)) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        rule(&mut violations);
        violations.finish()
    }

    #[test]
    fn names_at_the_limit_and_beyond() {
        let longest = "x".repeat(DISPLAY_NAME_BYTES_MAX);
        assert!(check(|v| require_display_name(v, "n", &longest)).is_ok());
        for bad in [
            "",
            "  ",
            &"x".repeat(DISPLAY_NAME_BYTES_MAX + 1),
            "a\nb",
            "a\u{0}b",
        ] {
            assert!(
                check(|v| require_display_name(v, "n", bad)).is_err(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn free_text_keeps_lines() {
        assert!(check(|v| require_free_text(v, "t", "a\n\tb", 5)).is_ok());
        assert!(check(|v| require_free_text(v, "t", "abcdef", 5)).is_err());
        assert!(check(|v| require_free_text(v, "t", "a\u{7}", 5)).is_err());
    }
}
