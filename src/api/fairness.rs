//! `FairnessService`: who bears the concessions of a partnership.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::convert::{money, money_refusal, parse_name, timestamp, to_money};
use super::faults::Faults;
use super::status::ApiError;
use super::text::Texts;
use super::{Api, Member, deadline, required};
use crate::domain::firm::Permission;
use crate::domain::identity::PartyId;
use crate::domain::pricing::fairness::{
    Burdens, Group, Looking, ParityError, Standing, Tally, Together, Window, jain_bps,
};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::{Basis, JointQuote};
use crate::domain::record::{Kind, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use crate::ledger::rows;
use crate::proto::google::r#type as google_type;
use crate::proto::v1;
use crate::store::ListQuery;

/// Most joint quotes of a partnership that are counted.
const QUOTES_MAX: usize = 20_000;
/// How many are read at a time; a large one has megabytes.
const QUOTES_AT_A_TIME: usize = 100;

/// `FairnessService`.
#[derive(Clone, Debug)]
pub struct FairnessService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::fairness_service_server::FairnessService for FairnessService {
    async fn get_burden_index(
        &self,
        request: Request<v1::GetBurdenIndexRequest>,
    ) -> Result<Response<v1::BurdenIndex>, Status> {
        Ok(self.index(&request).await?)
    }

    async fn propose_parity(
        &self,
        request: Request<v1::ProposeParityRequest>,
    ) -> Result<Response<v1::ParityProposal>, Status> {
        Ok(self.parity(&request).await?)
    }
}

/// Which quotes are counted.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    /// The code of a currency is enough: quotes keep the exponent of their day.
    currency: Option<Currency>,
    basis: v1::AllocationBasis,
    window: Window,
}

impl FairnessService {
    async fn index(
        &self,
        request: &Request<v1::GetBurdenIndexRequest>,
    ) -> Result<Response<v1::BurdenIndex>, ApiError> {
        let caller = self.0.caller(request, Permission::Read).await?;
        let until = deadline(request, self.0.now());
        let asked = request.get_ref();
        let (partnership, wanted) = wanted(asked)?;
        let member = self.0.member(&caller, &partnership).await?;
        let tally = self.count(&member, wanted, until).await?;
        let groups = tally
            .0
            .iter()
            .map(|(group, burdens)| to_group(*group, burdens));
        Ok(Response::new(v1::BurdenIndex {
            groups: groups.collect::<Result<_, Refusal>>()?,
        }))
    }

    async fn parity(
        &self,
        request: &Request<v1::ProposeParityRequest>,
    ) -> Result<Response<v1::ParityProposal>, ApiError> {
        let caller = self.0.caller(request, Permission::Read).await?;
        let until = deadline(request, self.0.now());
        let asked = request.get_ref();
        let [partnership] = parse_name("name", &asked.name, "partnerships/*")?;
        let concession = asked
            .concession
            .as_ref()
            .ok_or_else(|| required("concession"))?;
        let concession = money("concession", concession)?;
        let member = self.0.member(&caller, &partnership).await?;
        let wanted = Wanted {
            currency: Some(concession.currency),
            ..Wanted::default()
        };
        let tally = self.count(&member, wanted, until).await?;
        let burdens = chosen(&tally, concession.currency, asked.include_not_won);
        let parity = burdens
            .parity(concession.minor)
            .map_err(|error| refused(&error))?;
        let amount = |minor| Some(to_money(&Money::from_minor(concession.currency, minor)));
        let name_of = |party: &PartyId| {
            let found = member.partnership.state.party(party);
            found.map_or_else(|| party.to_string(), |found| found.display_name.clone())
        };
        let shares = parity.shares.iter().map(|share| v1::ParityShare {
            party_id: share.party.to_string(),
            share_bps: i32::try_from(share.share_bps).unwrap_or(i32::MAX),
            amount: amount(share.amount),
            absorbed: amount(share.absorbed),
            at_parity: amount(share.at_parity),
        });
        Ok(Response::new(v1::ParityProposal {
            shares: shares.collect(),
            full: parity.is_full(),
            explanation: parity.sentences(concession.currency, name_of).join(" "),
            sealed_quote_count: to_count(burdens.sealed + burdens.together.quotes),
        }))
    }

    /// Counts the quotes of a partnership, in portions.
    async fn count(
        &self,
        member: &Member,
        wanted: Wanted,
        until: Timestamp,
    ) -> Result<Tally, ApiError> {
        let api = self.0.as_ref();
        let mut tally = Tally::default();
        let mut read = 0;
        let mut query = ListQuery {
            scope: member.scope(),
            kind: Kind::JointQuote,
            state: None,
            after_id: String::new(),
            limit: QUOTES_AT_A_TIME,
        };
        loop {
            if api.now() > until {
                let why = "the deadline passed while counting";
                return Err(Refusal::new(Reason::DeadlineExceeded, why).into());
            }
            let found = api.ledger.store().list_records(&query).await?;
            read += found.len();
            if read > QUOTES_MAX {
                let why = format!("the partnership has more than {QUOTES_MAX} joint quotes");
                return Err(Refusal::new(Reason::ResultTooLarge, why)
                    .with("maximum", QUOTES_MAX)
                    .into());
            }
            let mut quotes = Vec::with_capacity(found.len());
            for row in &found {
                let versioned = rows::decode_row(row)?;
                let quote = JointQuote::from_record(&versioned.record).cloned();
                let is_wanted = |quote: &JointQuote| {
                    let (wanted, code) = (wanted.currency, quote.currency.code());
                    wanted.is_none_or(|known| known.code() == code)
                };
                quotes.extend(quote.filter(is_wanted));
            }
            self.add(member, wanted, &quotes, &mut tally).await?;
            match found.last() {
                Some(last) if found.len() == QUOTES_AT_A_TIME => {
                    query.after_id.clone_from(&last.key.id);
                }
                _ => return Ok(tally),
            }
        }
    }
}

impl FairnessService {
    /// Counts quotes with what the caller's party may read of them.
    async fn add(
        &self,
        member: &Member,
        wanted: Wanted,
        quotes: &[JointQuote],
        tally: &mut Tally,
    ) -> Result<(), ApiError> {
        let sealed = quotes.iter().flat_map(JointQuote::sealed_shares).collect();
        let party = &member.party.id;
        let texts = Texts::load(&self.0, &member.scope(), party, sealed).await?;
        let looking = Looking {
            party,
            read: &|commitment| texts.read(commitment),
        };
        for quote in quotes {
            let is_wanted = |basis: &Basis| is_wanted(basis, wanted.basis);
            tally.add(quote, &wanted.window, is_wanted, looking);
        }
        Ok(())
    }
}

fn wanted(asked: &v1::GetBurdenIndexRequest) -> Result<(String, Wanted), Refusal> {
    let mut faults = Faults::default();
    let name = parse_name("name", &asked.name, "partnerships/*").map(|[id]: [String; 1]| id);
    let partnership = faults.take(name);
    let currency = match asked.currency.as_str() {
        "" => None,
        code => faults.take(
            Currency::from_code(code)
                .map(Some)
                .map_err(|error| money_refusal("currency", &error)),
        ),
    };
    let basis = v1::AllocationBasis::try_from(asked.basis)
        .map_err(|_| Refusal::field(Reason::InvalidField, "basis", "is not a known value"));
    let basis = faults.take(basis);
    let mut instant = |field: &str, given: Option<prost_types::Timestamp>| {
        faults.take(given.map(|given| timestamp(field, given)).transpose())
    };
    let from = instant("start_time", asked.start_time);
    let to = instant("end_time", asked.end_time);
    let in_order = from.is_none_or(|from| to.is_none_or(|to| from < to));
    faults.require(in_order, "end_time", "must be later than start_time");
    faults.finish()?;
    let wanted = Wanted {
        currency,
        basis,
        window: Window { from, to },
    };
    Ok((partnership, wanted))
}

fn is_wanted(basis: &Basis, wanted: v1::AllocationBasis) -> bool {
    let all = wanted == v1::AllocationBasis::Unspecified;
    all || super::pricing::convert::split::to_basis(basis) == wanted
}

/// The burdens that count for parity: of quotes that were won, and of others if they are asked for.
fn chosen(tally: &Tally, currency: Currency, includes_not_won: bool) -> Burdens {
    let mut chosen = Burdens::default();
    for (group, burdens) in &tally.0 {
        if group.currency == currency && (group.is_won || includes_not_won) {
            chosen.take(burdens);
        }
    }
    chosen
}

fn refused(error: &ParityError) -> Refusal {
    match error {
        ParityError::NothingConceded => {
            Refusal::field(Reason::InvalidField, "concession", error.to_string())
        }
        ParityError::NothingSold => Refusal::new(Reason::InvalidState, error.to_string()),
        ParityError::Allocation(_) => out_of_range(),
    }
}

fn out_of_range() -> Refusal {
    let why = "what was sold or borne together does not fit half of a signed 64-bit number";
    Refusal::new(Reason::OutOfRange, why)
}

fn to_group(group: Group, burdens: &Burdens) -> Result<v1::BurdenGroup, Refusal> {
    let standings = burdens.standings().map_err(|_| out_of_range())?;
    Ok(v1::BurdenGroup {
        currency: group.currency.code().to_owned(),
        won: group.is_won,
        quote_count: to_count(burdens.quotes),
        sealed_quote_count: to_count(burdens.sealed),
        evenness_bps: jain_bps(&standings),
        parties: standings
            .iter()
            .map(|standing| to_party(standing, group.currency))
            .collect(),
        others_together: to_together(&burdens.together, group.currency)?,
    })
}

fn to_together(
    together: &Together,
    currency: Currency,
) -> Result<Option<v1::OthersTogether>, Refusal> {
    if together.quotes == 0 {
        return Ok(None);
    }
    let own_index_bps = together.index_bps().map_err(|_| out_of_range())?;
    let sum = |amount: i128| {
        let minor = i64::try_from(amount).ok()?;
        Some(to_money(&Money::from_minor(currency, minor)))
    };
    Ok(Some(v1::OthersTogether {
        quote_count: to_count(together.quotes),
        own_base: sum(together.own.base),
        own_absorbed: sum(together.own.absorbed),
        others_base: sum(together.others.base),
        others_absorbed: sum(together.others.absorbed),
        own_index_bps,
    }))
}

fn to_party(standing: &Standing, currency: Currency) -> v1::PartyBurden {
    let burden = &standing.burden;
    let money = |minor: i64| to_money(&Money::from_minor(currency, minor));
    // Sums that do not fit were refused with the standings.
    let sum =
        |amount: i128| -> Option<google_type::Money> { i64::try_from(amount).ok().map(money) };
    v1::PartyBurden {
        party_id: standing.party.to_string(),
        base: sum(burden.base),
        absorbed: sum(burden.absorbed),
        index_bps: standing.index_bps,
        to_parity: standing.to_parity.map(money),
        proposed_count: to_count(burden.proposed),
        at_floor_count: to_count(burden.at_floor),
        quote_count: to_count(burden.quotes),
    }
}

/// No count is anywhere near the end of 32 bits.
fn to_count(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
