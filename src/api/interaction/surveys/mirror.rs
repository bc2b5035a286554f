//! Answers to a blind mirror: sealed for their own party, with what is needed to reveal all of them if
//! this is the last one.

use prost::Message;
use tonic::{Request, Response};

use super::super::{Answer, mutation};
use super::SHAPE;
use super::convert::ratings;
use crate::api::caller::Caller;
use crate::api::convert::parse_name;
use crate::api::expectation::parse::Intake;
use crate::api::listing;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope};
use crate::domain::commitment::{Commitment, Opening, Readers};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::interaction::InteractionCommand;
use crate::domain::interaction::survey::mirror::{
    COMMENT_LABEL, MirrorRating, Openings, RATINGS_LABEL, is_unread, to_text,
};
use crate::domain::interaction::survey::{Survey, SurveyCommand};
use crate::domain::partnership::PARTIES_MAX;
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::{FREE_TEXT_BYTES_MAX, require_free_text};
use crate::proto::v1;

/// How often a command is tried before a survey that others answer meanwhile is given up on: each of
/// them does so once.
const ATTEMPTS_MAX: usize = PARTIES_MAX + 1;

/// A command on a survey, but for what has to be read for it.
struct Asked<'request> {
    caller: &'request Caller,
    method: &'request str,
    partnership: String,
    id: String,
    envelope: Envelope,
}

pub(super) async fn answer(
    api: &Api,
    caller: &Caller,
    request: &Request<v1::AnswerSurveyRequest>,
) -> Answer<v1::Survey> {
    let message = request.get_ref();
    let [partnership, id] = parse_name("name", &message.name, SHAPE)?;
    let asked = Asked {
        caller,
        method: "AnswerSurvey",
        partnership,
        id: id.clone(),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
    };
    let given = parse(api, message)?;
    let comment = message.mirror_comment.as_str();
    asked
        .run(api, request, |party, openings| {
            let readers = || Readers::Parties(vec![party.clone()]);
            let text = to_text(&given);
            let ratings = Opening::seal(RATINGS_LABEL, &text, api.salt(), readers());
            let comment = Opening::seal(COMMENT_LABEL, comment, api.salt(), readers());
            openings.sealed.extend([ratings.clone(), comment.clone()]);
            let command = SurveyCommand::AnswerMirror {
                id: id.clone(),
                ratings: ratings.commitment.clone(),
                comment: comment.commitment.clone(),
                openings: Openings::default(),
            };
            (command, vec![ratings, comment])
        })
        .await
}

pub(super) async fn close(
    api: &Api,
    caller: &Caller,
    request: &Request<v1::CloseSurveyRequest>,
) -> Answer<v1::Survey> {
    let message = request.get_ref();
    let [partnership, id] = parse_name("name", &message.name, SHAPE)?;
    let asked = Asked {
        caller,
        method: "CloseSurvey",
        partnership,
        id: id.clone(),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
    };
    asked
        .run(api, request, |_, _| {
            let (id, openings) = (id.clone(), Openings::default());
            (SurveyCommand::Close { id, openings }, Vec::new())
        })
        .await
}

fn parse(api: &Api, message: &v1::AnswerSurveyRequest) -> Result<Vec<MirrorRating>, ApiError> {
    let mut intake = Intake::new(api);
    let mut given = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, rating) in message
        .mirror_ratings
        .iter()
        .take(PARTIES_MAX + 1)
        .enumerate()
    {
        let field = format!("mirror_ratings[{index}].ratings");
        given.push(MirrorRating {
            about: PartyId::from_text(&rating.party_id),
            ratings: ratings(&mut intake, &field, &rating.ratings),
        });
    }
    let mut violations = Violations::default();
    let (field, comment) = ("mirror_comment", &message.mirror_comment);
    require_free_text(&mut violations, field, comment, FREE_TEXT_BYTES_MAX);
    intake.faults.take(violations.finish());
    intake.finish()?;
    Ok(given)
}

impl Asked<'_> {
    /// Runs it with the openings that it may need: again, if somebody else answered meanwhile. `make`
    /// adds the caller's own openings to those that are there, and says which are to be kept.
    async fn run<M: Message>(
        &self,
        api: &Api,
        request: &Request<M>,
        make: impl Fn(&PartyId, &mut Openings) -> (SurveyCommand, Vec<Opening>) + Send,
    ) -> Answer<v1::Survey> {
        let (partnership, id) = (self.partnership.as_str(), self.id.as_str());
        for _ in 0..ATTEMPTS_MAX {
            let (member, found) = api.get::<Survey>(self.caller, partnership, id).await?;
            let mut brought = Openings {
                sealed: sealed(api, &member.scope(), &found.state).await?,
                ..Openings::default()
            };
            let (mut command, mut kept) = make(&member.party.id, &mut brought);
            brought.comments = for_everybody(api, &brought.sealed).collect();
            kept.extend(brought.comments.values().cloned());
            if let SurveyCommand::AnswerMirror { openings, .. }
            | SurveyCommand::Close { openings, .. } = &mut command
            {
                *openings = brought;
            }
            let command = InteractionCommand::Survey(command);
            let mutation = mutation(partnership, self.envelope.clone(), command, kept);
            let run = api.run(self.caller, self.method, request, mutation);
            match run.await {
                Err(error) if is_unread(&error.0) => {}
                Err(error) => return Err(error),
                Ok(receipt) => {
                    let answer =
                        listing::changed::<Survey>(api, self.caller, partnership, &receipt);
                    let answer: Response<v1::Survey> = answer.await?;
                    return Ok(answer);
                }
            }
        }
        let message = "others answer the survey at the same time; ask again";
        Err(Refusal::new(Reason::EtagMismatch, message).into())
    }
}

/// The openings of the answers so far, whoever may read them.
async fn sealed(api: &Api, scope: &ScopeId, survey: &Survey) -> Result<Vec<Opening>, ApiError> {
    if !survey.is_mirror() || !survey.state.is_open() {
        return Ok(Vec::new());
    }
    let answers = survey.mirror.iter().map(|answer| &answer.sealed);
    let commitments: Vec<Commitment> = answers
        .flat_map(|answer| [answer.ratings.clone(), answer.comment.clone()])
        .collect();
    Ok(api.ledger.store().openings(scope, &commitments).await?)
}

/// The comments among these, sealed anew for every party; by the commitment by which each was sealed.
fn for_everybody<'sealed>(
    api: &'sealed Api,
    sealed: &'sealed [Opening],
) -> impl Iterator<Item = (Commitment, Opening)> + 'sealed {
    let comments = sealed.iter();
    let comments = comments.filter(|it| it.label == COMMENT_LABEL && !it.value.is_empty());
    comments.map(|comment| {
        let salt = api.salt();
        let opened = Opening::seal(COMMENT_LABEL, &comment.value, salt, Readers::EveryParty);
        (comment.commitment.clone(), opened)
    })
}
