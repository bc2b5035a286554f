//! Pages of lists (AIP-158).

use super::Api;
use super::status::ApiError;
use crate::domain::refusal::{Reason, Refusal};

/// Page size where the caller names none.
pub const PAGE_SIZE_DEFAULT: usize = 50;
/// Largest page; a larger wish is cut down to it.
pub const PAGE_SIZE_MAX: usize = 500;

/// A page that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many items at most.
    pub size: usize,
    /// Key of the last item of the page before; empty for the first page.
    pub after: String,
    purpose: String,
}

impl Page {
    /// Reads a page request. `purpose` binds the token to the method, the parent and the filters.
    ///
    /// # Errors
    /// A negative size, or a token that was not given out for this list.
    pub fn parse(api: &Api, purpose: &str, size: i32, token: &str) -> Result<Self, ApiError> {
        let size = usize::try_from(size).map_err(|_| {
            Refusal::field(Reason::InvalidField, "page_size", "must not be negative")
        })?;
        let size = if size == 0 {
            PAGE_SIZE_DEFAULT
        } else {
            size.min(PAGE_SIZE_MAX)
        };
        let after = if token.is_empty() {
            Some(String::new())
        } else {
            open(api, purpose, token)
        };
        let after = after.ok_or_else(not_of_this_list)?;
        Ok(Self {
            size,
            after,
            purpose: purpose.to_owned(),
        })
    }

    /// Where the page before ended, for lists whose tokens say more than an id; `None` for the first
    /// page.
    ///
    /// # Errors
    /// [`Reason::PageTokenInvalid`] if `parse` makes nothing of it.
    pub fn place<T>(&self, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Refusal> {
        if self.after.is_empty() {
            return Ok(None);
        }
        parse(&self.after).map(Some).ok_or_else(not_of_this_list)
    }

    /// The limit to read with: one more than the page holds, to see whether there is another.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.size + 1
    }

    /// Cuts what was read down to the page and makes the token of the next one; `key` names an item.
    pub fn cut<T>(&self, api: &Api, items: &mut Vec<T>, key: impl Fn(&T) -> String) -> String {
        if items.len() <= self.size {
            return String::new();
        }
        items.truncate(self.size);
        items.last().map_or_else(String::new, |last| {
            api.tokens.seal(&self.purpose, key(last).as_bytes())
        })
    }
}

fn not_of_this_list() -> Refusal {
    let described = "was not given out for this list";
    Refusal::field(Reason::PageTokenInvalid, "page_token", described)
}

fn open(api: &Api, purpose: &str, token: &str) -> Option<String> {
    String::from_utf8(api.tokens.open(purpose, token)?).ok()
}
