//! Joint quotes as documents.

use tonic::{Request, Response};

use super::{Answer, SHAPE};
use crate::api::Api;
use crate::api::Member;
use crate::api::convert::parse_name;
use crate::api::expectation::parse::stated;
use crate::api::export::document::{Adjustment, Document, Line, Side, Sort, decimal};
use crate::api::export::{Cell, Format, csv, fitting, ubl};
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::PartyId;
use crate::domain::outsiders::Client;
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::quote::agreed::AgreedCadence;
use crate::domain::pricing::quote::blind::line_of;
use crate::domain::pricing::quote::{Cadence, JointQuote};
use crate::domain::pricing::settlement::month::today;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// The head of a table of a quote.
const HEAD: [&str; 10] = [
    "cadence",
    "portion_id",
    "party_id",
    "party",
    "description",
    "periods",
    "price_before",
    "share",
    "price_after",
    "currency",
];
/// What stands for what others bear, where it is not told apart.
const OTHERS: &str = "others together";
/// What stands for what vendors pay.
const VENDORS: &str = "vendors";

/// A quote, and what may be told of it.
struct Told<'quote> {
    quote: &'quote JointQuote,
    member: &'quote Member,
    texts: &'quote Texts,
}

pub(super) async fn export(
    api: &Api,
    request: &Request<v1::ExportJointQuoteRequest>,
) -> Answer<v1::ExportJointQuoteResponse> {
    const ACTION: &str = "ExportJointQuote";
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let format = Format::parse(asked.format)?;
    let wanted = match stated::<v1::Cadence>("cadence", asked.cadence)? {
        Some(_) => Some(super::convert::cadence("cadence", asked.cadence)?),
        None => None,
    };
    let (member, found) = api.get::<JointQuote>(&caller, &partnership, &id).await?;
    let quote = &found.state;
    let mut cadences = quote.agreed();
    cadences.retain(|cadence| wanted.is_none_or(|wanted| wanted == cadence.cadence));
    if cadences.is_empty() {
        return Err(Refusal::invalid_state("without portions", ACTION).into());
    }
    let texts = readable(api, &member, quote, &cadences).await?;
    for line in cadences.iter_mut().flat_map(|cadence| &mut cadence.lines) {
        let own = line_of(&texts.show(line.sealed.as_ref()));
        line.share = line.share.or(own.map(|own| own.share));
    }
    let told = Told {
        quote,
        member: &member,
        texts: &texts,
    };
    let content = match format {
        Format::Csv => csv(&HEAD, &told.rows(&cadences)?)?,
        Format::Ubl => {
            let [cadence] = cadences.as_slice() else {
                let rule = "must be given: the quote has several, which are never added";
                return Err(Refusal::field(Reason::InvalidField, "cadence", rule).into());
            };
            let customer = client(api, &member, quote).await?;
            ubl(&told.document(&id, cadence, customer, api)?)?
        }
    };
    let cadence = wanted.map_or_else(String::new, |cadence| format!("-{}", cadence.as_str()));
    Ok(Response::new(v1::ExportJointQuoteResponse {
        content: fitting(content)?,
        media_type: format.media_type().to_owned(),
        file_name: format.file_name(&format!("{id}{cadence}")),
    }))
}

/// What the caller may read of the descriptions and of what is borne. Costs are left aside from the
/// beginning.
async fn readable(
    api: &Api,
    member: &Member,
    quote: &JointQuote,
    cadences: &[AgreedCadence],
) -> Result<Texts, ApiError> {
    let portions = quote.portions.iter();
    let descriptions = portions.filter_map(|portion| portion.description.clone());
    let lines = cadences.iter().flat_map(|cadence| &cadence.lines);
    let sealed = lines.filter_map(|line| line.sealed.clone());
    let wanted: Vec<Commitment> = descriptions.chain(sealed).collect();
    Texts::load(api, &member.scope(), &member.party.id, wanted).await
}

/// Whom the quote is for.
async fn client(api: &Api, member: &Member, quote: &JointQuote) -> Result<Side, ApiError> {
    let Some(id) = &quote.client else {
        let (id, name) = (String::new(), String::new());
        return Ok(Side { id, name });
    };
    let key = RecordKey::new(&member.scope(), Kind::Client, id.as_str());
    let found = api.find(&key).await?;
    let client: Option<Client> = found.and_then(|versioned| match versioned.record {
        Record::Client(client) => Some(*client),
        _ => None,
    });
    Ok(Side {
        id: id.clone(),
        name: client.map_or_else(String::new, |client| client.display_name),
    })
}

impl Told<'_> {
    fn party_name(&self, party: &PartyId) -> &str {
        let party = self.member.partnership.state.party(party);
        party.map_or("", |party| party.display_name.as_str())
    }

    fn description(&self, portion_id: &str) -> String {
        let mut portions = self.quote.portions.iter();
        let portion = portions.find(|portion| portion.id == portion_id);
        self.texts
            .show(portion.and_then(|portion| portion.description.as_ref()))
    }

    fn rows(&self, cadences: &[AgreedCadence]) -> Result<Vec<Vec<Cell>>, Refusal> {
        let currency = self.quote.currency;
        let mut rows = Vec::new();
        for cadence in cadences {
            for line in &cadence.lines {
                let after = line
                    .share
                    .and_then(|share| line.price_before.checked_sub(share));
                rows.push(vec![
                    Cell::plain(cadence.cadence.as_str()),
                    Cell::plain(line.portion_id.as_str()),
                    Cell::plain(line.owner.as_str()),
                    Cell::words(self.party_name(&line.owner)),
                    Cell::words(&self.description(&line.portion_id)),
                    Cell::plain(line.periods.to_string()),
                    Cell::plain(decimal(currency, line.price_before)),
                    optional(currency, line.share),
                    optional(currency, after),
                    Cell::plain(currency.code()),
                ]);
            }
            let rest = [(OTHERS, others(cadence)?), (VENDORS, cadence.vendor_money)];
            for (who, share) in rest.into_iter().filter(|(_, share)| *share != 0) {
                let mut row = vec![Cell::plain(""); HEAD.len()];
                row[0] = Cell::plain(cadence.cadence.as_str());
                row[3] = Cell::plain(who);
                row[7] = Cell::plain(decimal(currency, share));
                row[9] = Cell::plain(currency.code());
                rows.push(row);
            }
        }
        Ok(rows)
    }

    fn document(
        &self,
        id: &str,
        cadence: &AgreedCadence,
        customer: Side,
        api: &Api,
    ) -> Result<Document, Refusal> {
        let lines = cadence.lines.iter();
        let lines = lines.map(|line| Line {
            name: line.portion_id.clone(),
            description: self.description(&line.portion_id),
            price: line.price_before,
        });
        let known = cadence.lines.iter().filter_map(|line| {
            let name = &line.portion_id;
            line.share
                .map(|share| (format!("concession on {name}"), share))
        });
        let rest = [
            (format!("concession by {OTHERS}"), others(cadence)?),
            (
                format!("concession paid by {VENDORS}"),
                cadence.vendor_money,
            ),
        ];
        let adjustments = known.chain(rest).filter(|(_, off)| *off != 0);
        let adjustments = adjustments.map(|(reason, off)| Adjustment { reason, off });
        let due = match cadence.cadence {
            Cadence::OneTime => "once",
            Cadence::Monthly => "every month",
            Cadence::Quarterly => "every quarter",
            Cadence::Yearly => "every year",
        };
        let partnership = &self.member.partnership;
        Ok(Document {
            sort: Sort::Quotation,
            id: format!("{id}-{}", cadence.cadence.as_str()),
            date: today(api.now()),
            currency: self.quote.currency,
            note: format!("{}: due {due}, before tax", self.quote.display_name),
            supplier: Side {
                id: partnership.id.clone(),
                name: partnership.state.display_name.clone(),
            },
            customer,
            lines: lines.collect(),
            adjustments: adjustments.collect(),
        })
    }
}

fn optional(currency: Currency, minor: Option<i64>) -> Cell {
    minor.map_or_else(
        || Cell::plain(""),
        |minor| Cell::plain(decimal(currency, minor)),
    )
}

/// What those bear together of whom it is not told apart.
fn others(cadence: &AgreedCadence) -> Result<i64, Refusal> {
    let told: i128 = cadence
        .lines
        .iter()
        .filter_map(|line| line.share)
        .map(i128::from)
        .sum();
    let rest = i128::from(cadence.concession) - i128::from(cadence.vendor_money) - told;
    let message = "what others bear does not fit a signed 64-bit number";
    i64::try_from(rest).map_err(|_| Refusal::new(Reason::OutOfRange, message))
}
