//! What parties tell of their gains, as the contract writes and shows it.

use tonic::{Request, Response};

use super::guard::{Guard, outside_party_name};
use super::{Answer, party};
use crate::api::convert::{chosen_id, etag, known_enum, parse_name, to_timestamp};
use crate::api::dates::{date, to_date};
use crate::api::expectation::parse::stated;
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Found, Mutation, required};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::custody::stake::{
    ENDED, STANDING, StakeCommand, StakeDisclosure, StakeDraft, StakeNature,
};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CivilDate;
use crate::proto::google::r#type as google_type;
use crate::proto::v1;

/// Shape of a disclosure's name.
const SHAPE: &str = "partnerships/*/stakeDisclosures/*";

pub(super) async fn disclose(
    api: &Api,
    request: &Request<v1::DiscloseStakeRequest>,
) -> Answer<v1::StakeDisclosure> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.stake_disclosure.as_ref();
    let given = given.ok_or_else(|| required("stake_disclosure"))?;
    let scope = ScopeId::partnership(&partnership);
    let mut guard = Guard::new(api);
    guard.look_at("stake_disclosure_id", &asked.stake_disclosure_id);
    guard.look_at("stake_disclosure.holder", &given.holder);
    let faults = &mut guard.intake.faults;
    let id = faults.take(chosen_id("stake_disclosure_id", &asked.stake_disclosure_id));
    let nature = faults.take(nature("stake_disclosure.nature", given.nature).map(Some));
    let since = day("stake_disclosure.since", given.since.as_ref());
    let since = faults.take(since.map(Some));
    let field = "stake_disclosure.outside_party";
    let outside_party = guard.outside_party(field, &scope, &given.outside_party);
    let words = guard.text("stake_disclosure.words", &given.words);
    let (envelope, openings) = guard.finish(&asked.request_id, &asked.origin, "")?;
    let command = StakeCommand::Disclose(StakeDraft {
        id,
        holder: party(&given.holder),
        nature: nature.ok_or_else(|| required("stake_disclosure.nature"))?,
        outside_party,
        words,
        since: since.ok_or_else(|| required("stake_disclosure.since"))?,
    });
    let mutation = Mutation {
        scope,
        envelope,
        action: Action::Stake(command),
        openings,
    };
    listing::change::<StakeDisclosure, _>(api, &caller, "DiscloseStake", request, mutation).await
}

pub(super) async fn end(
    api: &Api,
    request: &Request<v1::EndStakeDisclosureRequest>,
) -> Answer<v1::StakeDisclosure> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut guard = Guard::new(api);
    let until = day("end_date", asked.end_date.as_ref());
    let until = guard.intake.faults.take(until.map(Some));
    let words = guard.text("words", &asked.words);
    let (envelope, openings) = guard.finish(&asked.request_id, &asked.origin, &asked.etag)?;
    let until = until.ok_or_else(|| required("end_date"))?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope,
        action: Action::Stake(StakeCommand::End { id, until, words }),
        openings,
    };
    let method = "EndStakeDisclosure";
    listing::change::<StakeDisclosure, _>(api, &caller, method, request, mutation).await
}

/// A day that must be given.
fn day(field: &str, given: Option<&google_type::Date>) -> Result<CivilDate, Refusal> {
    date(field, given.ok_or_else(|| required(field))?)
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetStakeDisclosureRequest>,
) -> Answer<v1::StakeDisclosure> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let found = api.get::<StakeDisclosure>(&caller, &partnership, &id).await;
    let (member, found) = found?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListStakeDisclosuresRequest>,
) -> Answer<v1::ListStakeDisclosuresResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListStakeDisclosures:{partnership}:{}", asked.state),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: state,
    };
    let keep = |_: &StakeDisclosure| true;
    let (stake_disclosures, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListStakeDisclosuresResponse {
        stake_disclosures,
        next_page_token,
    }))
}

fn nature(field: &str, value: i32) -> Result<StakeNature, Refusal> {
    Ok(match known_enum(field, value)? {
        v1::StakeNature::Unspecified => {
            return Err(Refusal::field(Reason::InvalidField, field, "is required"));
        }
        v1::StakeNature::Commission => StakeNature::Commission,
        v1::StakeNature::ResaleMargin => StakeNature::ResaleMargin,
        v1::StakeNature::ReferralFee => StakeNature::ReferralFee,
        v1::StakeNature::Ownership => StakeNature::Ownership,
        v1::StakeNature::Other => StakeNature::Other,
    })
}

const fn to_nature(nature: StakeNature) -> v1::StakeNature {
    match nature {
        StakeNature::Commission => v1::StakeNature::Commission,
        StakeNature::ResaleMargin => v1::StakeNature::ResaleMargin,
        StakeNature::ReferralFee => v1::StakeNature::ReferralFee,
        StakeNature::Ownership => v1::StakeNature::Ownership,
        StakeNature::Other => v1::StakeNature::Other,
    }
}

fn state(field: &str, value: i32) -> Result<Option<&'static str>, Refusal> {
    let state = stated::<v1::StakeDisclosureState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::StakeDisclosureState::Unspecified => None,
        v1::StakeDisclosureState::Standing => Some(STANDING),
        v1::StakeDisclosureState::Ended => Some(ENDED),
    }))
}

impl Shown for StakeDisclosure {
    type Message = v1::StakeDisclosure;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let end = self.end.as_ref().and_then(|end| end.words.clone());
        self.told.words.iter().cloned().chain(end).collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::StakeDisclosure {
        let told = &found.state.told;
        let end = found.state.end.as_ref();
        let scope = viewer.member.scope();
        let texts = &viewer.texts;
        let state = match end {
            Some(_) => v1::StakeDisclosureState::Ended,
            None => v1::StakeDisclosureState::Standing,
        };
        v1::StakeDisclosure {
            name: name_in(&scope, "stakeDisclosures", &found.id),
            holder: told.holder.to_string(),
            nature: to_nature(told.nature).into(),
            outside_party: outside_party_name(&scope, told.outside_party.as_deref()),
            words: texts.show(told.words.as_ref()),
            since: Some(to_date(told.since)),
            state: state.into(),
            end_date: end.map(|end| to_date(end.until)),
            end_words: texts.show(end.and_then(|end| end.words.as_ref())),
            party_id: told.party.to_string(),
            asserted: told.is_asserted,
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: texts.redacted_fields(found.state.commitments()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back() {
        for value in 1..=5 {
            assert_eq!(i32::from(to_nature(nature("n", value).unwrap())), value);
        }
        assert!(nature("n", 0).is_err() && nature("n", 6).is_err());
        assert_eq!(state("s", 1), Ok(Some(STANDING)));
        assert_eq!(state("s", 2), Ok(Some(ENDED)));
        assert!(state("s", 3).is_err());
    }
}
