//! The draft of a simulation: what would have been agreed instead.

use std::sync::Arc;

use crate::api::faults::Faults;
use crate::api::sla::SlaService;
use crate::api::sla::agreement::convert::{content, to_agreement};
use crate::api::sla::calendar::convert::rules;
use crate::api::sla::check::whole;
use crate::api::sla::pinned::{Pin, calendar};
use crate::api::status::ApiError;
use crate::api::{Api, Found, Member, required};
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::{Reason, Refusal, Violation};
use crate::domain::sla::agreement::{
    Agreement, AgreementContent, THRESHOLDS_BPS_DEFAULT, check_content,
};
use crate::domain::sla::calendar::{CalendarSpecification, refusal_at};
use crate::domain::sla::clock::{ClockRules, Terms, TicketEvaluation, evaluate_case};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::in_force::with_case_of;
use crate::domain::sla::simulation::require_reachable;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// A draft, ready for use.
#[derive(Debug)]
pub(super) struct Draft {
    /// The id of the agreement in whose place it is.
    pub(super) agreement: String,
    /// What its clocks run by.
    rules: ClockRules,
    /// In whose hours.
    calendar: Arc<CompiledCalendar>,
}

/// Where the draft's calendar is.
enum Source {
    /// In the request.
    Written(CalendarSpecification),
    /// In the partnership: the id, and the revision if one was asked for.
    Stored(String, Option<u32>),
    /// The one that the agreement pins.
    Own(Pin),
}

impl Draft {
    /// Reads the draft of a request, and checks it as if it were to be agreed. `faults` are those of
    /// the other fields.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub(super) async fn of(
        service: &SlaService,
        member: &Member,
        agreement: &Found<Agreement>,
        message: &v1::SimulateAgreementRequest,
        mut faults: Faults,
    ) -> Result<Self, ApiError> {
        let something = message.draft.is_some()
            || message.draft_calendar.is_some()
            || message.calendar_revision != 0;
        if !something {
            faults.take::<()>(Err(required("draft")));
        }
        let source = source(agreement, message, &mut faults);
        let content = drafted(member, agreement, message, &mut faults);
        let content = whole(faults, content)?;
        let api = service.api.as_ref();
        let calendar = match source {
            Source::Written(specification) => {
                let place = service.calculating.enter().await?;
                let compiled = place.run(move || {
                    CompiledCalendar::compile_with_bundled_zone(&specification)
                        .map_err(|found| refusal_at("draft_calendar", &found))
                });
                Arc::new(compiled.await??)
            }
            Source::Stored(id, revision) => {
                let pin = stored(api, member, id, revision).await?;
                calendar(api, &member.scope(), pin).await?
            }
            Source::Own(pin) => calendar(api, &member.scope(), pin).await?,
        };
        require_reachable("draft", &content.targets, &calendar, api.now())?;
        Ok(Self {
            agreement: agreement.id.clone(),
            rules: content.rules(),
            calendar,
        })
    }

    /// The clocks of a ticket, had the draft been in force from the beginning.
    pub(super) fn clocks(&self, ticket: &Ticket, as_of: Timestamp) -> TicketEvaluation {
        let terms = [Terms {
            from: Timestamp::EARLIEST,
            event_id: "",
            rules: &self.rules,
            calendar: &self.calendar,
        }];
        // What firms agreed about the ticket alone holds under the draft, too.
        with_case_of(ticket, &terms, |case| evaluate_case(case, as_of))
    }
}

fn source(
    agreement: &Found<Agreement>,
    message: &v1::SimulateAgreementRequest,
    faults: &mut Faults,
) -> Source {
    let revision = u32::try_from(message.calendar_revision);
    faults.require(
        revision.is_ok(),
        "calendar_revision",
        "must be 1 or more, or 0 for the default",
    );
    let revision = revision.ok().filter(|revision| *revision > 0);
    let named = message
        .draft
        .as_ref()
        .is_some_and(|draft| !draft.calendar.is_empty());
    if let Some(written) = &message.draft_calendar {
        faults.require(
            !named && message.calendar_revision == 0,
            "draft_calendar",
            "not together with draft.calendar or calendar_revision",
        );
        let specification = rules("draft_calendar", written.into(), faults);
        return Source::Written(specification);
    }
    let content = &agreement.state.content;
    match revision {
        None if !named => Source::Own((content.calendar.clone(), content.calendar_revision)),
        // Its form is checked with the rest of the draft.
        _ if named => {
            let name = message.draft.as_ref().map_or("", |draft| &draft.calendar);
            let id = name.rsplit('/').next().unwrap_or_default();
            Source::Stored(id.to_owned(), revision)
        }
        _ => Source::Stored(content.calendar.clone(), revision),
    }
}

/// What the draft says: what it leaves open is as in the agreement.
fn drafted(
    member: &Member,
    agreement: &Found<Agreement>,
    message: &v1::SimulateAgreementRequest,
    faults: &mut Faults,
) -> Option<AgreementContent> {
    let stored = to_agreement(&member.scope(), agreement);
    let mut draft = message.draft.clone().unwrap_or_else(|| stored.clone());
    if draft.kind == 0 {
        draft.kind = stored.kind;
    }
    for (written, own) in [
        (&mut draft.display_name, &stored.display_name),
        (&mut draft.obligor, &stored.obligor),
        (&mut draft.beneficiary, &stored.beneficiary),
        (&mut draft.client, &stored.client),
        (&mut draft.calendar, &stored.calendar),
    ] {
        if written.is_empty() {
            written.clone_from(own);
        }
    }
    for (field, is_same) in [
        ("draft.kind", draft.kind == stored.kind),
        ("draft.obligor", draft.obligor == stored.obligor),
        ("draft.beneficiary", draft.beneficiary == stored.beneficiary),
        ("draft.client", draft.client == stored.client),
    ] {
        faults.require(is_same, field, "must be that of the agreement, or empty");
    }
    let read = read(member, &draft).map_err(|refusal| at_draft(&refusal));
    faults.take(read.map(Some))
}

fn read(member: &Member, draft: &v1::Agreement) -> Result<AgreementContent, Refusal> {
    let mut faults = Faults::default();
    let content = content(&member.partnership.id, draft, &mut faults);
    let mut content = whole(faults, content)?;
    if content.thresholds_bps.is_empty() {
        content.thresholds_bps = THRESHOLDS_BPS_DEFAULT.to_vec();
    }
    check_content(&content, &member.partnership.state)?;
    Ok(content)
}

/// The same faults, where the request has them.
fn at_draft(refusal: &Refusal) -> Refusal {
    let violations = refusal.violations.iter().map(|violation| {
        let below = violation.field.strip_prefix("agreement");
        Violation {
            field: format!("draft{}", below.unwrap_or(&violation.field)),
            description: violation.description.clone(),
        }
    });
    Refusal::fields(refusal.reason, violations.collect())
}

/// The revision asked for of a calendar of the partnership, or its latest.
async fn stored(
    api: &Api,
    member: &Member,
    id: String,
    revision: Option<u32>,
) -> Result<Pin, ApiError> {
    let key = RecordKey::new(&member.scope(), Kind::Calendar, id.as_str());
    let found = api.find(&key).await?.map(|found| found.record);
    let Some(Record::Calendar(calendar)) = found else {
        let none = "no such calendar";
        return Err(Refusal::field(Reason::NotFound, "draft.calendar", none).into());
    };
    let latest = calendar.latest_revision;
    let revision = revision.unwrap_or(latest);
    if revision > latest {
        let none = "no such revision";
        return Err(Refusal::field(Reason::NotFound, "calendar_revision", none).into());
    }
    Ok((id, revision))
}
