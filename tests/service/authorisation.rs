//! Every RPC that the contract has, called by everybody.

use std::collections::{BTreeMap, BTreeSet};

use entente::domain::firm::Permission;
use entente::proto::{self, v1};
use prost_reflect::DescriptorPool;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::calls::ok;
use super::checkup_rows::CHECKUP_ROWS;
use super::custody_rows::CUSTODY_ROWS;
use super::fairness_rows::FAIRNESS_ROWS;
use super::firm_rows::FIRM_ROWS;
use super::guest_rows::{GUEST_ROWS, KEYLESS};
use super::house::House;
use super::improvement_rows::IMPROVEMENT_ROWS;
use super::interaction_rows::INTERACTION_ROWS;
use super::pricing_rows::PRICING_ROWS;
use super::raw;
use super::sale_rows::SALE_ROWS;
use super::signing_rows::SIGNING_ROWS;
use super::solo::{self, ALONE};
use super::split_rows::SPLIT_ROWS;
use super::stage::{self, Names};
use super::table::{ROWS, Row};
use super::update_rows::UPDATE_ROWS;
use super::webhook_rows::WEBHOOK_ROWS;

/// Keys of firms, each made when it is first needed.
struct Keys<'house> {
    house: &'house House,
    made: BTreeMap<(&'static str, Vec<Permission>), String>,
}

impl Keys<'_> {
    /// A key with just these permissions; with all if none is named.
    async fn of(&mut self, firm: &'static str, permissions: &[Permission]) -> String {
        let wanted = (firm, permissions.to_vec());
        if let Some(key) = self.made.get(&wanted) {
            return key.clone();
        }
        let key = self.house.key(firm, permissions).await;
        self.made.insert(wanted, key.clone());
        key
    }
}

fn contract() -> BTreeSet<String> {
    let pool = DescriptorPool::decode(proto::DESCRIPTOR).unwrap();
    let services = pool
        .services()
        .filter(|service| service.package_name().starts_with("entente."));
    let name = |method: prost_reflect::MethodDescriptor| {
        format!("{}/{}", method.parent_service().full_name(), method.name())
    };
    services
        .flat_map(|service| service.methods().map(name).collect::<Vec<_>>())
        .collect()
}

/// The rows of all tables that have one for an RPC.
pub fn every_row() -> impl Iterator<Item = &'static Row> {
    ROWS.iter()
        .chain(GUEST_ROWS)
        .chain(PRICING_ROWS)
        .chain(SIGNING_ROWS)
        .chain(SPLIT_ROWS)
        .chain(FAIRNESS_ROWS)
        .chain(CHECKUP_ROWS)
        .chain(SALE_ROWS)
        .chain(INTERACTION_ROWS)
        .chain(IMPROVEMENT_ROWS)
        .chain(CUSTODY_ROWS)
        .chain(UPDATE_ROWS)
        .chain(WEBHOOK_ROWS)
}

/// No RPC is left out, and a stranger cannot tell what exists from what does not.
pub async fn every_rpc_by_every_caller(house: House) {
    let rows: BTreeSet<String> = every_row().map(|row| row.rpc.to_owned()).collect();
    assert_eq!(rows, contract(), "every RPC has one row");
    assert_eq!(rows.len(), every_row().count(), "an RPC has two rows");
    let (_, names) = stage::set(&house).await;
    let mut keys = Keys {
        house: &house,
        made: BTreeMap::new(),
    };
    let revoked = revoked_key(&house).await;
    let channel = house.channel().await;
    let mut wrong = Vec::new();
    for row in every_row().chain(FIRM_ROWS) {
        let mut check = Check {
            row,
            channel: &channel,
            wrong: &mut wrong,
        };
        check.outsiders(&mut keys, &revoked, &names).await;
        check.members(&mut keys, &names).await;
    }
    assert!(
        wrong.is_empty(),
        "{} answers are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    house.stop().await;
}

/// A partnership that one firm keeps alone: what it gets, and that a firm that is invited but has not
/// joined gets no more than a stranger.
pub async fn every_rpc_by_one_firm_alone(house: House) {
    let (_, shared) = stage::set(&house).await;
    let (_, names) = solo::set(&house, &shared).await;
    let mut keys = Keys {
        house: &house,
        made: BTreeMap::new(),
    };
    let channel = house.channel().await;
    let mut wrong = Vec::new();
    let unknown = |rpc: &str| every_row().all(|row| !row.rpc.ends_with(rpc));
    assert!(!ALONE.iter().any(|(rpc, _, _)| unknown(rpc)), "no such RPC");
    let names = names.with("caller", "north");
    for row in every_row() {
        // What is asked of no partnership is the same for everybody, alone or not.
        if (row.request)(&names) == (row.request)(&shared.clone().with("caller", "north")) {
            continue;
        }
        let mut check = Check {
            row,
            channel: &channel,
            wrong: &mut wrong,
        };
        let invited = keys.of("south", &[]).await;
        let before = house.heads().await;
        let answer = check.call(Some(&invited), &names).await;
        check.expect("a firm that is only invited", &answer, row.stranger);
        assert_eq!(house.heads().await, before, "{}", row.rpc);
        let own = keys.of("north", row.needs).await;
        let answer = check.call(Some(&own), &names).await;
        let alone = ALONE.iter().find(|(rpc, _, _)| row.rpc.ends_with(rpc));
        let expected = alone.map_or(row.own, |(_, code, _)| *code);
        check.expect("the one firm", &answer, expected);
    }
    let found = wrong.len();
    assert!(wrong.is_empty(), "{found} are wrong:\n{}", wrong.join("\n"));
    house.stop().await;
}

async fn revoked_key(house: &House) -> String {
    let firm = house.firm("north").await;
    let who = ok(firm
        .connection
        .partnerships()
        .who_am_i(v1::WhoAmIRequest {}))
    .await;
    let request = v1::RevokeApiKeyRequest {
        name: who.api_key,
        ..Default::default()
    };
    ok(house
        .firm("north")
        .await
        .connection
        .admin()
        .revoke_api_key(request))
    .await;
    firm.api_key
}

/// One row, and what was found to be wrong so far.
struct Check<'row> {
    row: &'row Row,
    channel: &'row Channel,
    wrong: &'row mut Vec<String>,
}

impl Check<'_> {
    async fn call(&self, key: Option<&str>, names: &Names) -> Result<(), Status> {
        let message = (self.row.request)(names);
        raw::call(self.channel, key, self.row.rpc, message, 1)
            .await
            .map(|_| ())
    }

    fn expect(&mut self, who: &str, answer: &Result<(), Status>, expected: Code) {
        let code = answer.as_ref().err().map_or(Code::Ok, Status::code);
        if code != expected {
            let message = answer.as_ref().err().map_or("", Status::message);
            self.wrong.push(format!(
                "{} by {who}: {code:?}, not {expected:?}: {message}",
                self.row.rpc
            ));
        }
    }

    /// Those who may not: none of their calls changes anything.
    async fn outsiders(&mut self, keys: &mut Keys<'_>, revoked: &str, names: &Names) {
        let whole = keys.of("north", &[]).await;
        let stranger = keys.of("stranger", &[]).await;
        let mut lacking = Vec::new();
        for needed in self.row.needs {
            let rest: Vec<_> = Permission::ALL
                .iter()
                .copied()
                .filter(|held| {
                    ![Some(*needed), Some(Permission::Operator), self.row.or].contains(&Some(*held))
                })
                .collect();
            lacking.push(keys.of("north", &rest).await);
        }
        let before = keys.house.heads().await;
        let (id, _) = whole.rsplit_once('_').unwrap();
        let forged = format!("{id}_{}", "a".repeat(52));
        let guest = names.of("guest_code");
        let unknown = format!("entente_0190-unknown_{}", "a".repeat(52));
        let keyless = [
            ("nobody", None),
            ("a forged key", Some(forged.as_str())),
            ("an unknown key", Some(unknown.as_str())),
            ("nonsense", Some("nonsense")),
            ("a revoked key", Some(revoked)),
            // The code of a link that can be used is no key.
            ("a guest's code", Some(guest.as_str())),
        ];
        let expected = if KEYLESS.contains(&self.row.rpc) {
            self.row.stranger
        } else {
            Code::Unauthenticated
        };
        for (who, key) in keyless {
            let answer = self.call(key, names).await;
            self.expect(who, &answer, expected);
        }
        for key in &lacking {
            let answer = self.call(Some(key), names).await;
            self.expect(
                "a key that lacks a permission",
                &answer,
                Code::PermissionDenied,
            );
        }
        self.stranger(&stranger, names).await;
        if self.row.stranger != Code::Ok && keys.house.heads().await != before {
            self.wrong.push(format!(
                "{}: a refused call changed a journal",
                self.row.rpc
            ));
        }
    }

    /// To a stranger everything looks as if it were not there.
    async fn stranger(&mut self, key: &str, names: &Names) {
        let (id, _) = names
            .of("code")
            .split_once('.')
            .map(|(id, rest)| (id.to_owned(), rest.to_owned()))
            .unwrap();
        let existing = names
            .clone()
            .with("code", &format!("{id}.nonsense"))
            .with("caller", "stranger");
        let answer = self.call(Some(key), &existing).await;
        self.expect("a stranger", &answer, self.row.stranger);
        let Err(answer) = answer else { return };
        for absent in [existing.in_absent_scopes(), existing.absent_within()] {
            let Err(other) = self.call(Some(key), &absent).await else {
                self.wrong
                    .push(format!("{}: what is absent was found", self.row.rpc));
                continue;
            };
            let same = (answer.code(), answer.message(), answer.details())
                == (other.code(), other.message(), other.details());
            if !same {
                self.wrong.push(format!(
                    "{}: a stranger is told {:?} of what exists, and {:?} of what does not",
                    self.row.rpc,
                    super::calls::Refused::from(&answer),
                    super::calls::Refused::from(&other)
                ));
            }
        }
    }

    /// The firms of the partnership, with keys that have just the permissions that are needed.
    async fn members(&mut self, keys: &mut Keys<'_>, names: &Names) {
        let own = (
            keys.of("north", self.row.needs).await,
            "north",
            self.row.own,
        );
        let partner = (
            keys.of("south", self.row.needs).await,
            "south",
            self.row.partner,
        );
        // What is refused changes nothing, so it comes first.
        let calls = if self.row.partner == Code::Ok {
            [own, partner]
        } else {
            [partner, own]
        };
        for (key, firm, expected) in calls {
            let answer = self
                .call(Some(&key), &names.clone().with("caller", firm))
                .await;
            self.expect(firm, &answer, expected);
        }
    }
}
