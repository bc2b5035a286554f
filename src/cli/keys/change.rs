//! What is done to keys and trusted identities that are there, or to come.

use std::str::FromStr;

use super::list::Shown;
use super::{CreatedKey, KeyRequest, expires_at, firm_id, fresh_secret, parse_permission};
use super::{permissions_for, register, submit};
use crate::api::sign_in::is_trusted;
use crate::api::sign_in::key::format_key;
use crate::cli::{CliError, Database, Output};
use crate::domain::firm::{ApiKey, FirmCommand, Identity, Permission, TrustedIdentityCreated};
use crate::domain::identity::FirmId;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::time::Span;
use crate::server::Application;

/// A key or a trusted identity, by its resource name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    firm: FirmId,
    kind: Kind,
    id: String,
}

impl FromStr for Name {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let parts: Vec<&str> = name.split('/').collect();
        let wrong = "a name as `keys list` prints it, such as firms/acme/apiKeys/0199";
        let ["firms", firm, collection, id] = parts[..] else {
            return Err(wrong.to_owned());
        };
        let kind = match collection {
            "apiKeys" => Kind::ApiKey,
            "trustedIdentities" => Kind::TrustedIdentity,
            _ => return Err(wrong.to_owned()),
        };
        let firm = FirmId::parse(firm).ok_or(wrong)?;
        let id = id.to_owned();
        Ok(Self { firm, kind, id })
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    pub(super) database: Database,
    /// The key: `firms/{firm}/apiKeys/{id}`.
    name: Name,
    /// For how many hours the secret before it is good as well: 0 to 168.
    #[arg(long, default_value_t = 24)]
    overlap_hours: u32,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

impl Rotate {
    pub(super) async fn run(&self, application: &Application) -> Result<CreatedKey, CliError> {
        let Name { firm, kind, id } = &self.name;
        if *kind != Kind::ApiKey {
            return Err("a trusted identity has no secret".into());
        }
        let (secret, digest) = fresh_secret(application);
        let action = FirmCommand::RotateApiKey {
            id: id.clone(),
            digest,
            overlap: Span::from_hours(self.overlap_hours.into()),
        };
        submit(application, &firm.scope(), firm, action).await?;
        let key = RecordKey::new(&firm.scope(), Kind::ApiKey, id.as_str());
        let found = application.api.find(&key).await.map_err(|error| error.0)?;
        let key = found
            .as_ref()
            .and_then(|found| ApiKey::from_record(&found.record));
        Ok(CreatedKey {
            firm: firm.scope().to_string(),
            name: format!("{}/apiKeys/{id}", firm.scope()),
            api_key: format_key(id, &secret),
            permissions: key.map(|key| key.permissions.clone()).unwrap_or_default(),
        })
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    pub(super) database: Database,
    /// The key or trusted identity: `firms/{firm}/apiKeys/{id}`, for example.
    name: Name,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

impl Revoke {
    pub(super) async fn run(&self, application: &Application) -> Result<Shown, CliError> {
        let Name { firm, kind, id } = &self.name;
        let action = match kind {
            Kind::ApiKey => FirmCommand::RevokeApiKey { id: id.clone() },
            _ => FirmCommand::RevokeTrust { id: id.clone() },
        };
        submit(application, &firm.scope(), firm, action).await?;
        Shown::find(application, firm, *kind, id).await
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Trust {
    #[command(flatten)]
    pub(super) database: Database,
    /// The firm to act for; it is created if it does not exist.
    #[arg(long)]
    firm: String,
    #[command(flatten)]
    whom: Whom,
    /// Who it is, for people.
    #[arg(long, default_value = "trusted on the command line")]
    display_name: String,
    /// What it may do. [default: everything within its firm]
    #[arg(long, value_delimiter = ',', value_parser = parse_permission)]
    permissions: Vec<Permission>,
    /// Days until it is trusted no more; never, where not given.
    #[arg(long)]
    expires_in_days: Option<u32>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

/// Whom others vouch for: one of them.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Whom {
    /// The `iss` of an identity provider's tokens; with --token-subject.
    #[arg(long, requires = "token_subject", conflicts_with_all = ["certificate_dns_name", "certificate_uri"])]
    token_issuer: Option<String>,
    /// The `sub` of an identity provider's tokens; with --token-issuer.
    #[arg(long, requires = "token_issuer")]
    token_subject: Option<String>,
    /// A DNS name of a client certificate.
    #[arg(long, conflicts_with = "certificate_uri")]
    certificate_dns_name: Option<String>,
    /// A URI of a client certificate, such as `spiffe://north.example/psa`.
    #[arg(long)]
    certificate_uri: Option<String>,
}

impl Whom {
    fn identity(&self) -> Option<Identity> {
        let token = self.token_issuer.clone().zip(self.token_subject.clone());
        let token = token.map(|(issuer, subject)| Identity::Token { issuer, subject });
        let name = self.certificate_dns_name.clone();
        let uri = self.certificate_uri.clone();
        token
            .or_else(|| name.map(Identity::CertificateDns))
            .or_else(|| uri.map(Identity::CertificateUri))
    }
}

impl Trust {
    pub(super) async fn run(&self, application: &Application) -> Result<Shown, CliError> {
        let firm = firm_id(&self.firm)?;
        let identity = self.whom.identity().ok_or("say who is trusted")?;
        let request = KeyRequest {
            display_name: self.display_name.clone(),
            permissions: self.permissions.clone(),
            expires_in: self.expires_in_days.map(super::days),
        };
        register(application, &FirmId::operator(), "Operator").await?;
        if firm != FirmId::operator() {
            register(application, &firm, &self.firm).await?;
        }
        let store = application.api.ledger.store().as_ref();
        let is_taken = is_trusted(store, &identity, application.api.now()).await?;
        let created = TrustedIdentityCreated {
            display_name: request.display_name.clone(),
            identity,
            expires_at: expires_at(application, request.expires_in),
            permissions: permissions_for(&firm, request.permissions),
        };
        let action = FirmCommand::TrustIdentity { created, is_taken };
        let receipt = submit(application, &firm.scope(), &firm, action).await?;
        Shown::find(application, &firm, Kind::TrustedIdentity, &receipt.id).await
    }
}
