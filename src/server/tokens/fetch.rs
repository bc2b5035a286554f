//! Asks an issuer for its keys: by HTTPS, within seconds, and not more than they can be.

use std::net::IpAddr;
use std::time::Duration;

use jsonwebtoken::jwk::Jwk;
use metrics::counter;
use reqwest::{Client, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use super::FETCHES;

/// How long an issuer may take for everything.
pub(super) const FETCH_MAX: Duration = Duration::from_secs(5);
/// Largest answer of an issuer, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Where an issuer tells about itself, below its own address.
const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// Where the keys are.
enum Place {
    /// At this address.
    Keys(Url),
    /// Where this document says, which is of this issuer.
    Discovery { document: Url, issuer: String },
}

/// Fetches the keys of one issuer.
pub(super) struct Fetcher {
    client: Client,
    place: Place,
}

/// What an issuer tells about itself, as far as it matters.
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

/// Keys as an issuer publishes them; one that nobody knows must not hide the others.
#[derive(Deserialize)]
struct Published {
    keys: Vec<serde_json::Value>,
}

impl Fetcher {
    /// Fetches keys at `url`.
    ///
    /// # Errors
    /// If the address is none that may be asked.
    pub(super) fn of_keys(url: &str) -> Result<Self, String> {
        let place = Place::Keys(safe(url).map_err(|why| format!("keys_url: {why}"))?);
        Self::new(place)
    }

    /// Fetches keys where `issuer` says.
    ///
    /// # Errors
    /// As [`Self::of_keys`].
    pub(super) fn discovering(issuer: &str) -> Result<Self, String> {
        let document = format!("{}{DISCOVERY_PATH}", issuer.trim_end_matches('/'));
        Self::new(Place::Discovery {
            document: safe(&document).map_err(|why| format!("issuer: {why}"))?,
            issuer: issuer.to_owned(),
        })
    }

    fn new(place: Place) -> Result<Self, String> {
        let (Place::Keys(url) | Place::Discovery { document: url, .. }) = &place;
        let client = Client::builder()
            .timeout(FETCH_MAX)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("entente/", env!("CARGO_PKG_VERSION")));
        let client = if is_loopback(url) {
            client.no_proxy()
        } else {
            client
        };
        let client = client.build().map_err(|error| error.to_string())?;
        Ok(Self { client, place })
    }

    /// The keys. What went wrong is logged and counted.
    pub(super) async fn fetch(&self) -> Result<Vec<Jwk>, ()> {
        match tokio::time::timeout(FETCH_MAX, self.published()).await {
            Ok(Ok(published)) => {
                counter!(FETCHES, "outcome" => "fetched").increment(1);
                let keys = published.keys.into_iter();
                Ok(keys
                    .filter_map(|key| serde_json::from_value(key).ok())
                    .collect())
            }
            Ok(Err(why)) => {
                tracing::warn!(why, "the keys of a token issuer cannot be had");
                counter!(FETCHES, "outcome" => "failed").increment(1);
                Err(())
            }
            Err(_) => {
                tracing::warn!("a token issuer does not answer in time");
                counter!(FETCHES, "outcome" => "timeout").increment(1);
                Err(())
            }
        }
    }

    async fn published(&self) -> Result<Published, String> {
        match &self.place {
            Place::Keys(url) => self.get(url.clone()).await,
            Place::Discovery { document, issuer } => {
                let found: Discovered = self.get(document.clone()).await?;
                if found.issuer != *issuer {
                    return Err(format!("{document} is of another issuer"));
                }
                self.get(safe(&found.jwks_uri)?).await
            }
        }
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, String> {
        let named = |why: &dyn std::fmt::Display| format!("{url}: {why}");
        let answer = self.client.get(url.clone()).send().await;
        let mut answer = answer.map_err(|error| named(&error.without_url()))?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(named(&answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| named(&error.without_url()))?
        {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(named(&format!("more than {ANSWER_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|error| named(&error))
    }
}

/// An address from which keys may come: nobody in between can exchange them.
fn safe(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?}: {error}"))?;
    if url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url) {
        return Ok(url);
    }
    Err(format!("{text:?} must begin with https://"))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}
