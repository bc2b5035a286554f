//! How many fire drills each party caused.

use std::collections::BTreeMap;

use tonic::{Request, Response};

use crate::api::convert::{parse_name, timestamp};
use crate::api::status::ApiError;
use crate::api::{Api, Member};
use crate::domain::firm::Permission;
use crate::domain::identity::PartyId;
use crate::domain::notice::Notice;
use crate::domain::record::{Kind, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::ListQuery;

/// Most notices of a partnership that one call goes through.
const NOTICES_MAX: usize = 20_000;
/// How many are read at a time.
const NOTICES_AT_A_TIME: usize = 500;

/// A period of time, open where an end is not given.
#[derive(Clone, Copy, Debug)]
struct Period {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Period {
    fn parse(asked: &v1::GetFireDrillCountsRequest) -> Result<Self, Refusal> {
        let instant = |field, given: Option<prost_types::Timestamp>| {
            given.map(|given| timestamp(field, given)).transpose()
        };
        let start = instant("start_time", asked.start_time)?;
        let end = instant("end_time", asked.end_time)?;
        if let (Some(first), Some(last)) = (start, end)
            && last < first
        {
            let rule = "must not be before start_time";
            let refusal = Refusal::field(Reason::TimesOutOfOrder, "end_time", rule);
            return Err(refusal
                .with("earlier", "start_time")
                .with("later", "end_time"));
        }
        Ok(Self { start, end })
    }

    fn has(self, instant: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= instant) && self.end.is_none_or(|end| instant < end)
    }
}

/// What a party caused.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    fire_drills: u32,
    confirmed: u32,
}

pub(super) async fn count(
    api: &Api,
    request: &Request<v1::GetFireDrillCountsRequest>,
) -> Result<Response<v1::GetFireDrillCountsResponse>, ApiError> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("name", &asked.name, "partnerships/*")?;
    let period = Period::parse(asked)?;
    let member = api.member(&caller, &partnership).await?;
    let counts = counted(api, &member, period).await?;
    let parties = member.partnership.state.parties.iter();
    let counts = parties.map(|party| {
        let count = counts.get(&party.id).copied().unwrap_or_default();
        v1::FireDrillCount {
            party_id: party.id.to_string(),
            fire_drills: i32::try_from(count.fire_drills).unwrap_or(i32::MAX),
            confirmed_notices: i32::try_from(count.confirmed).unwrap_or(i32::MAX),
        }
    });
    let counts = counts.collect();
    Ok(Response::new(v1::GetFireDrillCountsResponse { counts }))
}

async fn counted(
    api: &Api,
    member: &Member,
    period: Period,
) -> Result<BTreeMap<PartyId, Count>, ApiError> {
    let mut counts: BTreeMap<PartyId, Count> = BTreeMap::new();
    let mut query = ListQuery {
        scope: member.scope(),
        kind: Kind::Notice,
        state: None,
        after_id: String::new(),
        limit: NOTICES_AT_A_TIME,
    };
    let mut read = 0;
    loop {
        let found = api.ledger.store().list_records(&query).await?;
        read += found.len();
        if read > NOTICES_MAX {
            return Err(too_many().into());
        }
        for row in &found {
            let versioned = rows::decode_row(row)?;
            if let Some(notice) = Notice::from_record(&versioned.record) {
                let count = counts.entry(notice.giver.clone()).or_default();
                add(count, notice, period);
            }
        }
        match found.last() {
            Some(last) if found.len() == NOTICES_AT_A_TIME => {
                query.after_id.clone_from(&last.key.id);
            }
            _ => return Ok(counts),
        }
    }
}

fn add(count: &mut Count, notice: &Notice, period: Period) {
    let confirmed = notice.confirmed_at.is_some_and(|at| period.has(at));
    count.confirmed = count.confirmed.saturating_add(u32::from(confirmed));
    let told = notice.fire_drills.iter().map(|drill| drill.told_at);
    for _ in told.filter(|told_at| period.has(*told_at)) {
        count.fire_drills = count.fire_drills.saturating_add(1);
    }
}

fn too_many() -> Refusal {
    let described = format!("more than {NOTICES_MAX} notices");
    Refusal::new(Reason::ResultTooLarge, described)
        .with("limit", "notices")
        .with("maximum", NOTICES_MAX)
}
