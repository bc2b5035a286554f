//! What a browser shows instead of a check-up.

use askama::Template;

use super::page;
use crate::domain::refusal::{Reason, Refusal};

/// A page that says why there is none.
#[derive(Debug, Template)]
#[template(path = "checkup_fault.html")]
struct Page<'refusal> {
    style: &'static str,
    title: &'static str,
    advice: &'static str,
    reason: &'static str,
    message: &'refusal str,
}

/// The page of a refusal.
///
/// # Errors
/// [`Reason::Internal`], which only a broken template can lead to.
pub fn html(refusal: &Refusal) -> Result<String, Refusal> {
    let (title, advice) = words(refusal.reason);
    page::html(&Page {
        style: page::STYLE,
        title,
        advice,
        reason: refusal.reason.as_str(),
        message: &refusal.message,
    })
}

const fn words(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::CheckupLinkExpired => (
            "This link is good no more",
            "Links to a check-up end after a while. Ask whoever sent it for a new one.",
        ),
        Reason::CheckupLinkForAnotherPartnership => (
            "This link is for another partnership",
            "The address was put together from two. Use the link as it was sent.",
        ),
        Reason::NotFound | Reason::PartyLeft => (
            "There is nothing here",
            "The link is incomplete, or what it led to is not for its reader any more.",
        ),
        _ => (
            "The check-up cannot be shown now",
            "Try it again in a minute.",
        ),
    }
}
