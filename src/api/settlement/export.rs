//! Settlement statements as documents.

use tonic::{Request, Response};

use super::{Answer, SHAPE};
use crate::api::convert::parse_name;
use crate::api::export::document::{Adjustment, Document, Line, Side, Sort, decimal};
use crate::api::export::{Cell, Format, csv, fitting, ubl};
use crate::api::listing::Shown;
use crate::api::text::Texts;
use crate::api::{Api, Member};
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::PartyId;
use crate::domain::pricing::settlement::account::Source;
use crate::domain::pricing::settlement::month::today;
use crate::domain::pricing::settlement::{LineContent, SettlementStatement, StatementLine};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// The head of a table of a statement.
const HEAD: [&str; 16] = [
    "line_number",
    "joint_quote",
    "portion_id",
    "cadence",
    "period",
    "reversal",
    "payee",
    "payee_name",
    "bill_date",
    "corrected_period",
    "price_before",
    "share",
    "due",
    "currency",
    "state",
    "dispute",
];

pub(super) async fn export(
    api: &Api,
    request: &Request<v1::ExportSettlementStatementRequest>,
) -> Answer<v1::ExportSettlementStatementResponse> {
    const ACTION: &str = "ExportSettlementStatement";
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let format = Format::parse(asked.format)?;
    let (member, found) = api
        .get::<SettlementStatement>(&caller, &partnership, &id)
        .await?;
    let statement = &found.state;
    let payee = named(&asked.payee, statement)?;
    let is_wanted = |line: &&StatementLine| {
        payee
            .as_ref()
            .is_none_or(|payee| line.content.payee == *payee)
    };
    let words = statement.commitments();
    let texts = Texts::load(api, &member.scope(), &member.party.id, words).await?;
    let content = match format {
        Format::Csv => {
            let lines = statement.lines.iter().filter(is_wanted);
            let rows: Vec<Vec<Cell>> = lines
                .map(|line| row(line, statement, &member, &texts))
                .collect();
            csv(&HEAD, &rows)?
        }
        Format::Ubl => {
            let lines: Vec<&LineContent> = statement
                .counted()
                .filter(is_wanted)
                .map(|line| &line.content)
                .collect();
            let Some(first) = lines.first() else {
                return Err(Refusal::invalid_state("without lines", ACTION).into());
            };
            if lines.iter().any(|line| line.payee != first.payee) {
                let rule = "must be given: something is owed to both parties";
                return Err(Refusal::field(Reason::InvalidField, "payee", rule).into());
            }
            let shares = shares(&lines, &texts)?;
            ubl(&document(&id, statement, &shares, &member, api))?
        }
    };
    let payee = payee.map_or_else(String::new, |payee| format!("-to-{payee}"));
    Ok(Response::new(v1::ExportSettlementStatementResponse {
        content: fitting(content)?,
        media_type: format.media_type().to_owned(),
        file_name: format.file_name(&format!("{id}{payee}")),
    }))
}

/// Each line with its share: a document that leaves some out would not add up.
fn shares<'line>(
    lines: &[&'line LineContent],
    texts: &Texts,
) -> Result<Vec<(&'line LineContent, i64)>, Refusal> {
    let sealed = || {
        let message = "amounts of the statement are for its two parties alone";
        Refusal::new(Reason::SharesSealed, message)
    };
    let lines = lines.iter();
    lines
        .map(|line| {
            let share = line.share(|sealed| texts.read(sealed));
            Ok((*line, share.ok_or_else(sealed)?))
        })
        .collect()
}

fn named(text: &str, statement: &SettlementStatement) -> Result<Option<PartyId>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let payee = PartyId::from_text(text);
    if statement.pair.other(&payee).is_some() {
        return Ok(Some(payee));
    }
    let rule = "must be a party of the statement";
    Err(Refusal::field(Reason::InvalidField, "payee", rule))
}

fn party(member: &Member, id: &PartyId) -> Side {
    let party = member.partnership.state.party(id);
    Side {
        id: id.to_string(),
        name: party.map_or_else(String::new, |party| party.display_name.clone()),
    }
}

fn row(
    line: &StatementLine,
    statement: &SettlementStatement,
    member: &Member,
    texts: &Texts,
) -> Vec<Cell> {
    let content = &line.content;
    let currency = statement.currency;
    let amount = |minor| Cell::plain(decimal(currency, minor));
    let read = |sealed: &Commitment| texts.read(sealed);
    let told = |minor: Option<i64>| minor.map_or_else(|| Cell::plain(""), amount);
    let reversal = match &content.source {
        Source::Booking(_) => String::new(),
        Source::Reversal { number, .. } => number.to_string(),
    };
    let period = content.period.map(|period| period.to_string());
    let corrects = content.corrects.map(|month| month.to_string());
    let dispute = line.dispute.as_ref().map(|dispute| &dispute.words);
    vec![
        Cell::plain(line.number.to_string()),
        Cell::plain(content.quote.as_str()),
        Cell::plain(content.portion_id.as_str()),
        Cell::plain(content.cadence.as_str()),
        Cell::plain(period.unwrap_or_default()),
        Cell::plain(reversal),
        Cell::plain(content.payee.as_str()),
        Cell::words(&party(member, &content.payee).name),
        Cell::plain(content.date.to_string()),
        Cell::plain(corrects.unwrap_or_default()),
        amount(content.price_before),
        told(content.share(read)),
        told(content.due(read)),
        Cell::plain(currency.code()),
        Cell::plain(line.state.as_str()),
        Cell::words(&texts.show(dispute)),
    ]
}

/// What is owed to the party to which all of these lines are.
fn document(
    id: &str,
    statement: &SettlementStatement,
    lines: &[(&LineContent, i64)],
    member: &Member,
    api: &Api,
) -> Document {
    let [first, second] = statement.pair.both();
    let payee = lines.first().map_or(first, |(line, _)| &line.payee);
    let debtor = statement.pair.other(payee).unwrap_or(second);
    let issued = statement.issued.as_ref();
    let name = |line: &LineContent| {
        let (quote, portion) = (&line.quote, &line.portion_id);
        match (&line.source, line.period) {
            (Source::Booking(_), Some(period)) => {
                let cadence = line.cadence.as_str();
                format!("{quote} {portion}, {cadence} {period}")
            }
            (Source::Reversal { number, .. }, _) => {
                format!("{quote} {portion}, reversal {number}")
            }
            (Source::Booking(_), None) => format!("{quote} {portion}"),
        }
    };
    let shares = lines.iter().filter(|(_, share)| *share != 0);
    Document {
        sort: Sort::Invoice,
        id: id.to_owned(),
        date: today(issued.map_or(api.now(), |by| by.at)),
        currency: statement.currency,
        note: format!("settlement of {}, before tax", statement.period),
        supplier: party(member, payee),
        customer: party(member, debtor),
        lines: lines
            .iter()
            .map(|(line, _)| Line {
                name: name(line),
                description: String::new(),
                price: line.price_before,
            })
            .collect(),
        adjustments: shares
            .map(|(line, share)| Adjustment {
                reason: format!("concession on {}", name(line)),
                off: *share,
            })
            .collect(),
    }
}
