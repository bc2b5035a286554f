//! `GetBriefing`: what firms have to talk about.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tonic::{Request, Response};

use super::{Asked, CheckupService, measure};
use crate::api::collections::record_name;
use crate::api::convert::{parse_name, timestamp, to_timestamp};
use crate::api::dates::date;
use crate::api::faults::Faults;
use crate::api::partnership::hand_over;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Member, deadline};
use crate::domain::checkup::briefing::{
    Compared, Named, Open, Reading, Selection, Showing, Told, Turn, agenda, change_text, item_text,
    most_changed, text, week_of,
};
use crate::domain::checkup::measure::Symptom;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::hand_over::{KINDS, of_clocks, of_record};
use crate::domain::identity::PartyId;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::OPEN;
use crate::domain::time::{MICROS_PER_DAY, MICROS_PER_SECOND, Span, Timestamp};
use crate::ledger::rows;
use crate::proto::google::r#type as google_type;
use crate::proto::v1;
use crate::store::ListQuery;

/// Since when changes are told, where nobody says.
const SINCE_DEFAULT: Span = Span::from_hours(7 * 24);
/// How long ago that may be at most.
const SINCE_MAX: Span = Span::from_hours(366 * 24);
/// How many weeks ahead may be asked about.
const WEEKS_AHEAD_MAX: i64 = 52;
/// Records read at a time.
const RECORDS_AT_A_TIME: usize = 500;
/// Joint quotes read at a time; a large one has megabytes.
const QUOTES_AT_A_TIME: usize = 100;
/// Most records of a kind that are gone through; of tickets, those that are open.
const RECORDS_MAX: usize = 50_000;

/// What is asked of a briefing.
#[derive(Clone, Copy, Debug)]
struct Question {
    now: Timestamp,
    /// The week's first instant, and the first after it.
    week: (Timestamp, Timestamp),
    since: Timestamp,
    /// Until when the caller waits.
    until: Timestamp,
}

pub(super) async fn get(
    service: &CheckupService,
    request: &Request<v1::GetBriefingRequest>,
) -> Result<Response<v1::Briefing>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let now = api.now();
    let message = request.get_ref();
    let (partnership, week, since) = wanted(message, now)?;
    let member = api.member(&caller, &partnership).await?;
    let began_at = member.partnership.created_at;
    if message.since_time.is_some() && since < began_at {
        let rule = format!("must not be before the partnership began, at {began_at}");
        return Err(Refusal::field(Reason::InvalidField, "since_time", rule).into());
    }
    let question = Question {
        now,
        week,
        since: since.max(began_at),
        until: deadline(request, now),
    };
    let selection = select(api, &member, question).await?;
    let named = name(api, &member, &selection).await?;
    let (changes, showing) = changes(service, &member, question).await?;
    Ok(Response::new(to_briefing(
        &member, question, &selection, &changes, &showing, &named,
    )))
}

fn wanted(
    message: &v1::GetBriefingRequest,
    now: Timestamp,
) -> Result<(String, (Timestamp, Timestamp), Timestamp), Refusal> {
    let mut faults = Faults::default();
    let name = parse_name("name", &message.name, "partnerships/*").map(|[id]: [String; 1]| id);
    let partnership = faults.take(name);
    let this_week = week_of(now);
    let given = message.week.as_ref().map(|given| date("week", given));
    let given = faults.take(given.transpose());
    let midnight = given.and_then(|day| {
        let day = Date::new(day.year(), day.month(), day.day()).ok()?;
        let midnight = day.to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some(Timestamp::from_micros(midnight.as_microsecond()))
    });
    let week = midnight.map_or(this_week, week_of);
    let weeks = week.0.since(this_week.0).as_micros() / (7 * MICROS_PER_DAY);
    let is_near = (0..=WEEKS_AHEAD_MAX).contains(&weeks);
    faults.require(
        is_near,
        "week",
        "must be in this week or one of the next 52",
    );
    let since = message
        .since_time
        .map(|given| timestamp("since_time", given));
    let since = faults.take(since.transpose());
    let ago = |span: Span| Timestamp::from_micros(now.as_micros().saturating_sub(span.as_micros()));
    let since = since.unwrap_or_else(|| ago(SINCE_DEFAULT));
    let is_recent = (ago(SINCE_MAX)..=now).contains(&since);
    let rule = "must be no later than now, and 366 days ago at most";
    faults.require(is_recent, "since_time", rule);
    faults.finish()?;
    Ok((partnership, week, since))
}

/// Goes through what may be open.
async fn select(api: &Api, member: &Member, question: Question) -> Result<Selection, ApiError> {
    let mut selection = Selection::new(member.party.id.clone(), question.week.1);
    for kind in KINDS {
        let mut query = ListQuery {
            scope: member.scope(),
            kind,
            state: (kind == Kind::Ticket).then(|| OPEN.to_owned()),
            after_id: String::new(),
            limit: if kind == Kind::JointQuote {
                QUOTES_AT_A_TIME
            } else {
                RECORDS_AT_A_TIME
            },
        };
        let mut read = 0;
        loop {
            if api.now() > question.until {
                let why = "the deadline passed while looking for what is open";
                return Err(Refusal::new(Reason::DeadlineExceeded, why).into());
            }
            let found = api.ledger.store().list_records(&query).await?;
            read += found.len();
            if read > RECORDS_MAX {
                let kind = kind.as_str();
                let why = format!("the partnership has more than {RECORDS_MAX} records: {kind}");
                let refusal = Refusal::new(Reason::ResultTooLarge, why);
                return Err(refusal.with("maximum", RECORDS_MAX).into());
            }
            let mut records = Vec::with_capacity(found.len());
            for row in &found {
                let mut record = rows::decode_row(row)?.record;
                hand_over::close(&mut record, &member.partnership.state, question.now);
                records.push((row.key.id.clone(), record));
            }
            take(api, member, question.now, &records, &mut selection).await?;
            match found.last() {
                Some(last) if found.len() == query.limit => query.after_id.clone_from(&last.key.id),
                _ => break,
            }
        }
    }
    Ok(selection)
}

/// Notes what is open of some records.
async fn take(
    api: &Api,
    member: &Member,
    now: Timestamp,
    records: &[(String, Record)],
    selection: &mut Selection,
) -> Result<(), ApiError> {
    let partnership = &member.partnership;
    let tickets = records.iter().filter_map(|(_, record)| match record {
        Record::Ticket(ticket) => Some(ticket.as_ref()),
        _ => None,
    });
    let agreements = crate::api::sla::pinned::PinnedAgreements::default();
    let terms = agreements.of_tickets(api, partnership, tickets).await?;
    for (id, record) in records {
        let mut items = of_record(record, &partnership.state, now);
        if let Record::Ticket(ticket) = record {
            for terms in terms.of(ticket, None)? {
                let obligor = &terms.at(now).content.obligor;
                items.extend(of_clocks(obligor, &terms.clocks(ticket, now)));
            }
        }
        for item in items {
            selection.take(&Open {
                kind: record.kind(),
                id: id.clone(),
                item,
            });
        }
    }
    Ok(())
}

/// What parties and selected records are called.
async fn name(api: &Api, member: &Member, selection: &Selection) -> Result<Named, ApiError> {
    let scope = member.scope();
    let keys: BTreeSet<RecordKey> = selection
        .items()
        .map(|open| RecordKey::new(&scope, open.kind, open.id.as_str()))
        .collect();
    let keys: Vec<RecordKey> = keys.into_iter().collect();
    let mut sealed = Vec::new();
    let mut named = Named::default();
    for row in api.ledger.store().records(&keys).await? {
        let key = (row.key.kind, row.key.id.clone());
        match title(&rows::decode_row(&row)?.record) {
            Title::None => {}
            Title::Clear(title) => {
                named.titles.insert(key, title);
            }
            Title::Sealed(commitment) => sealed.push((key, commitment)),
        }
    }
    let commitments = sealed.iter().map(|(_, commitment)| commitment.clone());
    let texts = Texts::load(api, &scope, &member.party.id, commitments.collect()).await?;
    for (key, commitment) in sealed {
        let title = texts.read(&commitment);
        named.titles.extend(title.map(|title| (key, title)));
    }
    let parties = member.partnership.state.parties.iter();
    named.parties = parties
        .map(|party| (party.id.clone(), party.display_name.clone()))
        .collect();
    Ok(named)
}

/// What a record is called.
enum Title {
    None,
    Clear(String),
    Sealed(Commitment),
}

fn title(record: &Record) -> Title {
    let sealed = match record {
        Record::Expectation(expectation) => expectation.title.clone(),
        Record::Notice(notice) => notice.title.clone(),
        Record::Ticket(ticket) => ticket.title.clone(),
        Record::Activity(activity) => Some(activity.invitation.title.clone()),
        Record::SharedGoal(goal) => Some(goal.title.clone()),
        Record::Improvement(improvement) => Some(improvement.created.action.clone()),
        Record::Agreement(agreement) => {
            return Title::Clear(agreement.content.display_name.clone());
        }
        Record::JointQuote(quote) => return Title::Clear(quote.display_name.clone()),
        _ => None,
    };
    sealed.map_or(Title::None, Title::Sealed)
}

/// What changed in the check-up, and where it shows something now, the strongest first.
async fn changes(
    service: &CheckupService,
    member: &Member,
    question: Question,
) -> Result<(Vec<Compared>, Vec<Showing>), ApiError> {
    let before = Asked {
        as_of: Some(question.since),
        window: None,
    };
    let before = service.checkup(member, before, question.until).await?;
    let after = service
        .checkup(member, Asked::default(), question.until)
        .await?;
    let known: HashMap<_, _> = figures(&before)
        .map(|(side, figure)| (place(side, figure), figure))
        .collect();
    let compared = figures(&after).filter_map(|(side, figure)| {
        Some(Compared {
            party: PartyId::from_text(&side.party_id),
            measure: measure(figure.measure)?,
            currency: figure.currency.clone(),
            before: known
                .get(&place(side, figure))
                .and_then(|found| reading(found)),
            after: reading(figure),
        })
    });
    Ok((most_changed(compared.collect()), showing(&after)))
}

/// All figures, with their sides.
fn figures(checkup: &v1::Checkup) -> impl Iterator<Item = (&v1::CheckupSide, &v1::CheckupFigure)> {
    let sides = checkup.rows.iter().flat_map(|row| &row.sides);
    sides.flat_map(|side| side.figures.iter().map(move |figure| (side, figure)))
}

fn place<'checkup>(
    side: &'checkup v1::CheckupSide,
    figure: &'checkup v1::CheckupFigure,
) -> (&'checkup str, i32, &'checkup str) {
    (&side.party_id, figure.measure, &figure.currency)
}

fn reading(figure: &v1::CheckupFigure) -> Option<Reading> {
    let value = figure.value.as_ref()?;
    Some(Reading {
        level: value.level,
        intensity: figure.intensity.and_then(|found| u8::try_from(found).ok()),
        text: value.text.clone(),
    })
}

fn showing(checkup: &v1::Checkup) -> Vec<Showing> {
    let mut showing = Vec::new();
    // Both are in the order of the symptoms.
    for (symptom, row) in Symptom::ALL.into_iter().zip(&checkup.rows) {
        for side in &row.sides {
            let intensity = side.intensity.and_then(|found| u8::try_from(found).ok());
            let Some(intensity) = intensity.filter(|intensity| *intensity > 0) else {
                continue;
            };
            let worst = side
                .figures
                .iter()
                .find(|figure| figure.intensity == side.intensity);
            let change = worst.and_then(|figure| {
                let change = figure.change.as_ref()?;
                Some(format!("{}: {}", figure.label, change.text))
            });
            showing.push(Showing {
                symptom,
                party: PartyId::from_text(&side.party_id),
                intensity,
                change: change.unwrap_or_default(),
            });
        }
    }
    showing.sort_by_key(|showing| std::cmp::Reverse(showing.intensity));
    showing
}

fn to_briefing(
    member: &Member,
    question: Question,
    selection: &Selection,
    changes: &[Compared],
    showing: &[Showing],
    named: &Named,
) -> v1::Briefing {
    let told = Told {
        party: &member.party.id,
        now: question.now,
        week: question.week.0,
        since: question.since,
        selection,
        changes,
        showing,
        named,
    };
    let items = |turn: &Turn| {
        let items = turn.items.iter();
        items
            .map(|open| to_item(member, open, named, question.now))
            .collect()
    };
    let count = |turn: &Turn| i32::try_from(turn.count).unwrap_or(i32::MAX);
    let agenda = agenda(told);
    v1::Briefing {
        partnership: member.scope().to_string(),
        as_of_time: Some(to_timestamp(question.now)),
        week: to_date(question.week.0),
        since_time: Some(to_timestamp(question.since)),
        owed_by_caller: items(&selection.own),
        owed_by_caller_count: count(&selection.own),
        owed_to_caller: items(&selection.others),
        owed_to_caller_count: count(&selection.others),
        due: items(&selection.due),
        due_count: count(&selection.due),
        changes: changes
            .iter()
            .map(|change| to_change(change, named))
            .collect(),
        text: text(told, &agenda),
        agenda,
    }
}

fn to_date(at: Timestamp) -> Option<google_type::Date> {
    let seconds = at.as_micros().div_euclid(MICROS_PER_SECOND);
    let instant = jiff::Timestamp::from_second(seconds).ok()?;
    let date = instant.to_zoned(TimeZone::UTC).date();
    Some(google_type::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    })
}

fn to_item(member: &Member, open: &Open, named: &Named, now: Timestamp) -> v1::BriefingItem {
    let name = record_name(&member.scope(), open.kind, &open.id);
    v1::BriefingItem {
        matter: hand_over::to_matter(open.item.matter).into(),
        name,
        title: named.title(open).to_owned(),
        party_ids: open.item.parties.iter().map(ToString::to_string).collect(),
        due_time: open.item.until.map(to_timestamp),
        overdue: open.is_overdue(now),
        text: item_text(open, named, now),
    }
}

fn to_change(change: &Compared, named: &Named) -> v1::BriefingChange {
    let words = |reading: &Option<Reading>| {
        let reading = reading.as_ref();
        reading.map_or_else(String::new, |reading| reading.text.clone())
    };
    let intensity = |reading: &Option<Reading>| {
        let reading = reading.as_ref();
        reading.and_then(|reading| reading.intensity).map(i32::from)
    };
    v1::BriefingChange {
        party_id: change.party.to_string(),
        measure: super::to_measure(change.measure).into(),
        currency: change.currency.clone(),
        before: words(&change.before),
        after: words(&change.after),
        intensity_before: intensity(&change.before),
        intensity_after: intensity(&change.after),
        text: change_text(change, named),
    }
}
