//! `CheckupService`: how a partnership is, on what evidence, and what would change it.

mod briefing;
mod convert;
mod links;
mod notes;
mod reports;
mod scan;
mod snapshot;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use self::reports::{Question, Reports};
use self::snapshot::Snapshot;
use super::convert::{parse_name, timestamp};
use super::faults::Faults;
use super::sla::pinned::PinnedAgreements;
use super::sla::pool::Pool;
use super::status::ApiError;
use super::{Api, Member, deadline, required};
use crate::domain::checkup::{Window, WindowFault};
use crate::domain::firm::Permission;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{Span, Timestamp};
use crate::proto::v1;

pub(in crate::api) use self::convert::{measure, symptom, to_measure, to_symptom};

/// A report that nobody asked to be of a certain instant may be so old, while nothing was recorded since.
const REPORT_AGE_MAX: Span = Span::from_minutes(1);

/// `CheckupService`.
#[derive(Clone, Debug)]
pub struct CheckupService {
    api: Arc<Api>,
    agreements: Arc<PinnedAgreements>,
    /// Where a partnership's records are gone through.
    counting: Pool,
    reports: Arc<Reports>,
}

/// What is asked of a check-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Asked {
    /// As of when; `None` for now.
    pub as_of: Option<Timestamp>,
    /// From when to when; `None` for the year before that instant.
    pub window: Option<(Timestamp, Timestamp)>,
}

impl CheckupService {
    /// The service of an [`Api`], with nothing remembered yet.
    #[must_use]
    pub fn new(api: Arc<Api>) -> Self {
        Self {
            api,
            agreements: Arc::default(),
            counting: Pool::default(),
            reports: Arc::default(),
        }
    }

    /// The check-up of a partnership as one of its parties may see it, with what the parties have to say
    /// to it, the private notes of the party's own firm included.
    ///
    /// # Errors
    /// [`Reason::InvalidField`] for an instant or a window that cannot be asked about,
    /// [`Reason::ResultTooLarge`], [`Reason::DeadlineExceeded`] after `until`.
    pub async fn checkup(
        &self,
        member: &Member,
        asked: Asked,
        until: Timestamp,
    ) -> Result<v1::Checkup, ApiError> {
        let report = self.report(member, asked, until).await?;
        let mut report = Arc::unwrap_or_clone(report);
        let as_of = report.as_of_time.map(|at| timestamp("as_of_time", at));
        let as_of = as_of.transpose()?.unwrap_or_else(|| self.api.now());
        notes::add(&self.api, member, as_of, &mut report).await?;
        Ok(report)
    }

    /// The report without notes: nothing but what the partnership's journal says.
    async fn report(
        &self,
        member: &Member,
        asked: Asked,
        until: Timestamp,
    ) -> Result<Arc<v1::Checkup>, ApiError> {
        let api = self.api.as_ref();
        let now = api.now();
        check_as_of(asked.as_of, member, now)?;
        let snapshot = Snapshot::find(api, &member.scope(), asked.as_of).await?;
        let question = Question {
            scope: member.scope(),
            party: member.party.id.clone(),
            asked,
            head: snapshot.head(),
        };
        let newest = now.max(snapshot.recorded_at());
        let as_of = asked.as_of.unwrap_or(newest);
        let window = window(asked.window, as_of)?;
        if let Some(report) = self.reports.find(&question, as_of, REPORT_AGE_MAX) {
            return Ok(report);
        }
        let place = self.counting.enter().await?;
        let scan = scan::Scan {
            api,
            agreements: &self.agreements,
            place: &place,
            member,
            snapshot: &snapshot,
            as_of,
            window,
            until,
        };
        let (partnership, report) = scan.run().await?;
        let report = convert::to_checkup(member, &partnership, &report, snapshot.sequence());
        Ok(self.reports.put(question, as_of, report))
    }

    async fn get(
        &self,
        request: &Request<v1::GetCheckupRequest>,
    ) -> Result<Response<v1::Checkup>, ApiError> {
        let caller = self.api.caller(request, Permission::Read).await?;
        let until = deadline(request, self.api.now());
        let message = request.get_ref();
        let (partnership, asked) = asked(message)?;
        let member = self.api.member(&caller, &partnership).await?;
        let report = self.checkup(&member, asked, until).await?;
        Ok(Response::new(report))
    }
}

#[tonic::async_trait]
impl v1::checkup_service_server::CheckupService for CheckupService {
    async fn get_checkup(
        &self,
        request: Request<v1::GetCheckupRequest>,
    ) -> Result<Response<v1::Checkup>, Status> {
        Ok(self.get(&request).await?)
    }

    async fn create_checkup_link(
        &self,
        request: Request<v1::CreateCheckupLinkRequest>,
    ) -> Result<Response<v1::CheckupLink>, Status> {
        Ok(links::create(self, &request).await?)
    }

    async fn get_briefing(
        &self,
        request: Request<v1::GetBriefingRequest>,
    ) -> Result<Response<v1::Briefing>, Status> {
        Ok(briefing::get(self, &request).await?)
    }
}

fn asked(message: &v1::GetCheckupRequest) -> Result<(String, Asked), Refusal> {
    let mut faults = Faults::default();
    let name = parse_name("name", &message.name, "partnerships/*").map(|[id]: [String; 1]| id);
    let partnership = faults.take(name);
    let as_of = instant(&mut faults, "as_of_time", message.as_of_time);
    let mut window = None;
    if let Some(given) = &message.window {
        let mut end = |field: &str, given: Option<prost_types::Timestamp>| {
            let given = given.ok_or_else(|| required(field)).map(Some);
            let given = faults.take(given);
            instant(&mut faults, field, given)
        };
        let start = end("window.start_time", given.start_time);
        window = start.zip(end("window.end_time", given.end_time));
    }
    faults.finish()?;
    Ok((partnership, Asked { as_of, window }))
}

fn instant(
    faults: &mut Faults,
    field: &str,
    given: Option<prost_types::Timestamp>,
) -> Option<Timestamp> {
    let given = faults.take(given.map(|given| timestamp(field, given)).transpose());
    let storable = given.is_none_or(Timestamp::is_storable);
    faults.require(storable, field, "must be between the years 2000 and 2099");
    given
}

/// An instant is not before the partnership began, and not in the future.
fn check_as_of(as_of: Option<Timestamp>, member: &Member, now: Timestamp) -> Result<(), Refusal> {
    let Some(as_of) = as_of else { return Ok(()) };
    let mut faults = Faults::default();
    let began_at = member.partnership.created_at;
    let after = format!("must not be before the partnership began, at {began_at}");
    faults.require(as_of >= began_at, "as_of_time", &after);
    faults.require(as_of <= now, "as_of_time", "must not be in the future");
    faults.finish()
}

fn window(given: Option<(Timestamp, Timestamp)>, as_of: Timestamp) -> Result<Window, Refusal> {
    let Some((from, to)) = given else {
        return Ok(Window::before(as_of));
    };
    Window::new(from, to, as_of).map_err(|fault: WindowFault| {
        Refusal::field(Reason::InvalidField, "window.end_time", fault.to_string())
    })
}
