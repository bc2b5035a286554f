//! `entente checkup`: how a partnership is, for people in a terminal; or a link to the page of it.

pub(in crate::cli) mod show;

use std::io::IsTerminal;
use std::process::ExitCode;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost_types::Timestamp;

use super::client::{Connection, RequestIds, ServerArguments, connect, failed, retry};
use super::{CliError, Output};
use crate::proto::v1;
use crate::server::environment::SystemRandomness;
use crate::server::json::answer::message_json;

/// Full name of a check-up's message.
const CHECKUP: &str = "entente.v1.Checkup";
/// Full name of a briefing's message.
const BRIEFING: &str = "entente.v1.Briefing";
/// Full name of a link's message.
const LINK: &str = "entente.v1.CheckupLink";

/// Print the check-up of a partnership: seven rows of figures, and what would change them.
#[derive(Debug, clap::Args)]
pub struct Checkup {
    /// The partnership: `partnerships/0199...`.
    partnership: String,
    #[command(flatten)]
    server: ServerArguments,
    /// As of when: a date, which begins in UTC, or an instant such as 2026-03-31T12:00:00Z. [default: now]
    #[arg(long, value_parser = instant)]
    as_of: Option<Timestamp>,
    /// Over which time: two dates or instants, such as 2026-01-01/2026-04-01; the end does not belong to
    /// it. [default: the 365 days before]
    #[arg(long, value_parser = window)]
    window: Option<v1::CheckupWindow>,
    /// Print a briefing for this week's call instead.
    #[arg(long, conflicts_with_all = ["as_of", "window", "link"])]
    briefing: bool,
    /// Print a link to the page of it instead, which is good for an hour.
    #[arg(long)]
    link: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Checkup {
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let request_ids = RequestIds::random(&SystemRandomness);
        let connection = connect(&self.server.server, &self.server.api_key, request_ids).await?;
        if self.link {
            self.print_link(&connection).await?;
        } else if self.briefing {
            self.print_briefing(&connection).await?;
        } else {
            self.print_checkup(&connection).await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn print_checkup(&self, connection: &Connection) -> Result<(), CliError> {
        let request = v1::GetCheckupRequest {
            name: self.partnership.clone(),
            as_of_time: self.as_of,
            window: self.window,
        };
        let checkup = retry(|| {
            let (mut client, request) = (connection.checkups(), request.clone());
            async move { client.get_checkup(request).await }
        });
        let checkup = checkup.await;
        let checkup = checkup.map_err(|status| failed("get the check-up", &status))?;
        match self.output {
            Output::Json => print_json(CHECKUP, &checkup),
            Output::Text => {
                print!("{}", show::text(&checkup, std::io::stdout().is_terminal()));
                Ok(())
            }
        }
    }

    async fn print_briefing(&self, connection: &Connection) -> Result<(), CliError> {
        let request = v1::GetBriefingRequest {
            name: self.partnership.clone(),
            ..v1::GetBriefingRequest::default()
        };
        let briefing = retry(|| {
            let (mut client, request) = (connection.checkups(), request.clone());
            async move { client.get_briefing(request).await }
        });
        let briefing = briefing.await;
        let briefing = briefing.map_err(|status| failed("get the briefing", &status))?;
        match self.output {
            Output::Json => print_json(BRIEFING, &briefing),
            Output::Text => {
                print!("{}", briefing.text);
                Ok(())
            }
        }
    }

    async fn print_link(&self, connection: &Connection) -> Result<(), CliError> {
        let request = v1::CreateCheckupLinkRequest {
            name: self.partnership.clone(),
            as_of_time: self.as_of,
            window: self.window,
            ..v1::CreateCheckupLinkRequest::default()
        };
        let link = retry(|| {
            let (mut client, request) = (connection.checkups(), request.clone());
            async move { client.create_checkup_link(request).await }
        });
        let link = link.await;
        let link = link.map_err(|status| failed("make a link", &status))?;
        match self.output {
            Output::Json => print_json(LINK, &link),
            Output::Text => {
                let server = &self.server.server;
                let scheme = if server.contains("://") {
                    ""
                } else {
                    "http://"
                };
                println!("{scheme}{}{}", server.trim_end_matches('/'), link.path);
                Ok(())
            }
        }
    }
}

fn print_json(full_name: &str, message: &impl prost::Message) -> Result<(), CliError> {
    let text = message_json(full_name, message).map_err(|refusal| refusal.message)?;
    println!("{}", String::from_utf8(text)?);
    Ok(())
}

/// A date or an instant.
fn instant(text: &str) -> Result<Timestamp, String> {
    let at = match text.parse::<jiff::Timestamp>() {
        Ok(instant) => Some(instant),
        Err(_) => text
            .parse::<Date>()
            .ok()
            .and_then(|date| date.to_zoned(TimeZone::UTC).ok())
            .map(|zoned| zoned.timestamp()),
    };
    let at = at.ok_or("write a date, as 2026-03-31, or an instant, as 2026-03-31T12:00:00Z")?;
    Ok(Timestamp {
        seconds: at.as_second(),
        // What is finer than a microsecond is no instant of the service.
        nanos: at.subsec_nanosecond() / 1_000 * 1_000,
    })
}

fn window(text: &str) -> Result<v1::CheckupWindow, String> {
    let (start, end) = text
        .split_once('/')
        .ok_or("write two dates with a slash between, as 2026-01-01/2026-04-01")?;
    Ok(v1::CheckupWindow {
        start_time: Some(instant(start)?),
        end_time: Some(instant(end)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_instants_are_read() {
        assert_eq!(instant("1970-01-02").unwrap().seconds, 86_400);
        assert_eq!(instant("1970-01-01T00:00:05Z").unwrap().seconds, 5);
        assert_eq!(
            instant("1970-01-01T00:00:00.5Z").unwrap().nanos,
            500_000_000
        );
        for bad in ["", "tomorrow", "2026-13-01", "2026-01-01/2026-02-01"] {
            assert!(instant(bad).is_err(), "{bad}");
        }
        let days = window("1970-01-01/1970-01-03").unwrap();
        assert_eq!(days.end_time.unwrap().seconds, 2 * 86_400);
        assert!(window("1970-01-01").is_err());
        assert!(window("1970-01-01/").is_err());
    }
}
