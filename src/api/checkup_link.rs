//! Links to the page of a check-up: signed by the service's own key, good for a while, stored nowhere.
//!
//! A link says all that the page needs to know: of which partnership, for which firm, as of when, over
//! which time, until when the link is good, and within which other pages it may be shown. Whoever has it
//! sees what that firm sees, so it is asked each time whether the firm is still a party.

use serde::{Deserialize, Serialize};

use super::caller::{Caller, RecognisedBy};
use crate::domain::firm::Permission;
use crate::domain::identity::FirmId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::token::TokenKey;

/// How long a link is good where nobody says how long.
pub const LIFETIME_DEFAULT: Span = Span::from_hours(1);
/// The shortest time for which a link can be good.
pub const LIFETIME_MIN: Span = Span::from_minutes(1);
/// The longest one.
pub const LIFETIME_MAX: Span = Span::from_hours(7 * 24);
/// Most sites within whose pages a check-up may be shown.
pub const FRAME_ORIGINS_MAX: usize = 4;
/// Longest name of such a site, in bytes.
pub const FRAME_ORIGIN_BYTES_MAX: usize = 100;
/// Where the pages are.
pub const PATH_PREFIX: &str = "/checkup/";
/// What tokens of links are sealed for.
const PURPOSE: &str = "checkup-link";
/// Who reads, where a journal or a log asks.
const ACTOR: &str = "checkup-link";

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckupLink {
    /// Id of the partnership.
    #[serde(rename = "p")]
    pub partnership: String,
    /// For which firm.
    #[serde(rename = "f")]
    pub firm: FirmId,
    /// As of when; whenever it is looked at, where `None`.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Over which time, from and up to; the year before, where `None`.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub window: Option<(Timestamp, Timestamp)>,
    /// From when on it is good no more.
    #[serde(rename = "u")]
    pub until: Timestamp,
    /// Within whose pages it may be shown.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub frame_origins: Vec<String>,
}

impl CheckupLink {
    /// The path of the page.
    ///
    /// # Errors
    /// [`Reason::Internal`], which the form of a link rules out.
    pub fn path(&self, tokens: &TokenKey) -> Result<String, Refusal> {
        let broken = |_| Refusal::new(Reason::Internal, "a link cannot be written");
        let content = serde_json::to_vec(self).map_err(broken)?;
        let token = tokens.seal(PURPOSE, &content);
        Ok(format!("{PATH_PREFIX}{}/{token}/", self.partnership))
    }

    /// What a token says; `None` for one that this service never gave out.
    #[must_use]
    pub fn read(tokens: &TokenKey, token: &str) -> Option<Self> {
        let content = tokens.open(PURPOSE, token)?;
        serde_json::from_slice(&content).ok()
    }

    /// Whether the link, found in the path of a partnership's page, is good.
    ///
    /// # Errors
    /// [`Reason::CheckupLinkForAnotherPartnership`], [`Reason::CheckupLinkExpired`].
    pub fn check(&self, partnership: &str, now: Timestamp) -> Result<(), Refusal> {
        if self.partnership != partnership {
            let why = "the link is for another partnership";
            return Err(Refusal::new(Reason::CheckupLinkForAnotherPartnership, why));
        }
        if now >= self.until {
            let refusal = Refusal::new(Reason::CheckupLinkExpired, "the link is good no more");
            return Err(refusal.with("expire_time", self.until));
        }
        Ok(())
    }

    /// In whose name the page is read.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller {
            firm: self.firm.clone(),
            by: RecognisedBy::Link,
            actor: ACTOR.to_owned(),
            permissions: vec![Permission::Read],
        }
    }
}

/// Whether a text names a site as headers do: `https://`, a host in lower case whose first part may be
/// `*`, and perhaps a port.
#[must_use]
pub fn is_frame_origin(text: &str) -> bool {
    if text.len() > FRAME_ORIGIN_BYTES_MAX {
        return false;
    }
    let Some(rest) = text.strip_prefix("https://") else {
        return false;
    };
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let is_port = |port: &str| {
        !port.starts_with('0')
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    };
    let host = host.strip_prefix("*.").unwrap_or(host);
    let is_part = |part: &str| {
        let outer = |end: Option<char>| end.is_some_and(|end| end.is_ascii_alphanumeric());
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        outer(part.chars().next()) && outer(part.chars().next_back()) && part.bytes().all(allowed)
    };
    port.is_none_or(is_port) && host.contains('.') && host.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::EARLIEST;

    fn link() -> CheckupLink {
        CheckupLink {
            partnership: "p1".to_owned(),
            firm: FirmId::parse("acme").unwrap(),
            as_of: None,
            window: Some((NOW, NOW.saturating_add(LIFETIME_MAX))),
            until: NOW.saturating_add(LIFETIME_DEFAULT),
            frame_origins: vec!["https://psa.example".to_owned()],
        }
    }

    fn token(path: &str) -> &str {
        let rest = path.strip_prefix("/checkup/p1/").unwrap();
        rest.strip_suffix('/').unwrap()
    }

    #[test]
    fn links_are_good_for_their_partnership_until_they_end() {
        let key = TokenKey::new([1; 32]);
        let path = link().path(&key).unwrap();
        let open = |partnership, at| {
            let link = CheckupLink::read(&key, token(&path)).unwrap();
            let good = link.check(partnership, at);
            good.map(|()| link).map_err(|refusal| refusal.reason)
        };
        assert_eq!(open("p1", NOW), Ok(link()));
        let end = NOW.saturating_add(LIFETIME_DEFAULT);
        assert_eq!(open("p1", end), Err(Reason::CheckupLinkExpired));
        // Also when it is over: what is told of it is told of its own partnership.
        let elsewhere = Err(Reason::CheckupLinkForAnotherPartnership);
        assert_eq!(open("p2", NOW), elsewhere);
        assert_eq!(open("p2", end), elsewhere);
    }

    #[test]
    fn nobody_else_makes_links() {
        let key = TokenKey::new([1; 32]);
        let path = link().path(&key).unwrap();
        let genuine = token(&path);
        let other_key = link().path(&TokenKey::new([2; 32])).unwrap();
        let other_purpose = key.seal("ListTickets", &serde_json::to_vec(&link()).unwrap());
        for forged in ["", "x", &genuine[1..], token(&other_key), &other_purpose] {
            assert_eq!(CheckupLink::read(&key, forged), None, "{forged}");
        }
    }

    #[test]
    fn the_longest_link_is_no_longer_than_a_token() {
        let key = TokenKey::new([1; 32]);
        let longest = CheckupLink {
            partnership: "01990000-0000-7000-8000-000000000000".to_owned(),
            firm: FirmId::parse(&"a".repeat(63)).unwrap(),
            as_of: Some(Timestamp::LATEST),
            frame_origins: vec!["x".repeat(FRAME_ORIGIN_BYTES_MAX); FRAME_ORIGINS_MAX],
            ..link()
        };
        let path = longest.path(&key).unwrap();
        let token = path.rsplit('/').nth(1).unwrap();
        assert_eq!(CheckupLink::read(&key, token), Some(longest));
    }

    #[test]
    fn only_sites_get_into_headers() {
        for good in [
            "https://psa.example",
            "https://na.my-psa.example:8443",
            "https://*.psa.example",
        ] {
            assert!(is_frame_origin(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "http://psa.example",
            "https://psa.example/",
            "https://psa.example/path",
            "https://psa.example;script-src",
            "https://psa.example *",
            "https://*",
            "https://*.*.example",
            "https://PSA.example",
            "https://psa.example:",
            "https://psa.example:0",
            "https://psa.example:99999",
            "https://-psa.example",
            "https://psa..example",
            "https://psa.example\r\nset-cookie: a=b",
            "'self'",
            "*",
        ] {
            assert!(!is_frame_origin(bad), "{bad}");
        }
        let long = format!("https://{}.example", "a".repeat(FRAME_ORIGIN_BYTES_MAX));
        assert!(!is_frame_origin(&long));
    }
}
