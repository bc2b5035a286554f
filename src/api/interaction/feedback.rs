//! Feedback and what its receivers say to it.

use tonic::{Request, Response};

use super::parse::{party, to_by};
use super::topics::{to_topic, topic};
use super::{Answer, mutation};
use crate::api::convert::{etag, known_enum, parse_name, to_timestamp};
use crate::api::expectation::parse::{Intake, stated};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Envelope, Found, required};
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::interaction::InteractionCommand;
use crate::domain::interaction::feedback::{
    Feedback, FeedbackCommand, FeedbackDraft, FeedbackReply, Tone,
};
use crate::domain::refusal::Refusal;
use crate::proto::v1;

/// Shape of the name of feedback.
const SHAPE: &str = "partnerships/*/feedback/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateFeedbackRequest>,
) -> Answer<v1::Feedback> {
    const FIELD: &str = "feedback";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.feedback.as_ref().ok_or_else(|| required(FIELD))?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let tone = known_enum("feedback.tone", given.tone);
    let tone = intake.faults.take(tone.map(from_tone));
    let text = intake.required_text("feedback.text", &given.text);
    let topic = topic("feedback.topic", &scope, &given.topic);
    let topic = intake.faults.take(topic);
    let openings = intake.finish()?;
    let (Some(tone), Some(text)) = (tone, text) else {
        return Err(required(FIELD).into());
    };
    let draft = FeedbackDraft {
        giver: party(&given.giver),
        receiver: PartyId::from_text(&given.receiver),
        tone,
        text,
        topic,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let command = InteractionCommand::Feedback(FeedbackCommand::Give(draft));
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<Feedback, _>(api, &caller, "CreateFeedback", request, mutation).await
}

pub(super) async fn reply(
    api: &Api,
    request: &Request<v1::ReplyToFeedbackRequest>,
) -> Answer<v1::Feedback> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let text = intake.required_text("text", &asked.text);
    let heard = heard("heard_tone", asked.heard_tone);
    let heard = intake.faults.take(heard);
    let openings = intake.finish()?;
    let text = text.ok_or_else(|| required("text"))?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = FeedbackCommand::Reply { id, text, heard };
    let command = InteractionCommand::Feedback(command);
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<Feedback, _>(api, &caller, "ReplyToFeedback", request, mutation).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetFeedbackRequest>,
) -> Answer<v1::Feedback> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Feedback>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListFeedbackRequest>,
) -> Answer<v1::ListFeedbackResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListFeedback:{partnership}"),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: None,
    };
    let every = |_: &Feedback| true;
    let (feedback, next_page_token) = listing::list(api, &member, wanted, every).await?;
    Ok(Response::new(v1::ListFeedbackResponse {
        feedback,
        next_page_token,
    }))
}

/// A tone that may be left out.
fn heard(field: &str, value: i32) -> Result<Option<Tone>, Refusal> {
    Ok(stated::<v1::FeedbackTone>(field, value)?.and_then(from_tone))
}

const fn from_tone(tone: v1::FeedbackTone) -> Option<Tone> {
    Some(match tone {
        v1::FeedbackTone::Unspecified => return None,
        v1::FeedbackTone::Praise => Tone::Praise,
        v1::FeedbackTone::Suggestion => Tone::Suggestion,
        v1::FeedbackTone::Complaint => Tone::Complaint,
        v1::FeedbackTone::Ultimatum => Tone::Ultimatum,
    })
}

const fn to_tone(tone: Option<Tone>) -> v1::FeedbackTone {
    match tone {
        None => v1::FeedbackTone::Unspecified,
        Some(Tone::Praise) => v1::FeedbackTone::Praise,
        Some(Tone::Suggestion) => v1::FeedbackTone::Suggestion,
        Some(Tone::Complaint) => v1::FeedbackTone::Complaint,
        Some(Tone::Ultimatum) => v1::FeedbackTone::Ultimatum,
    }
}

impl Shown for Feedback {
    type Message = v1::Feedback;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let reply = self.reply.as_ref().map(|reply| reply.said.text.clone());
        let text = self.given.text.clone();
        std::iter::once(text).chain(reply).collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Feedback {
        let feedback = &found.state;
        let given = &feedback.given;
        let scope = viewer.member.scope();
        let reply = feedback.reply.as_ref();
        v1::Feedback {
            name: name_in(&scope, "feedback", &found.id),
            giver: given.giver.to_string(),
            receiver: given.receiver.to_string(),
            tone: to_tone(Some(given.tone)).into(),
            text: viewer.texts.show(Some(&given.text)),
            topic: to_topic(&scope, given.topic.as_ref()),
            reply: reply.map(|reply| to_reply(reply, viewer)),
            asserted: given.is_asserted,
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(feedback.commitments()),
        }
    }
}

fn to_reply(reply: &FeedbackReply, viewer: &Viewer<'_>) -> v1::FeedbackReply {
    let (party_id, firm) = to_by(&reply.by);
    v1::FeedbackReply {
        text: viewer.texts.show(Some(&reply.said.text)),
        heard_tone: to_tone(reply.said.heard).into(),
        party_id,
        firm,
        reply_time: Some(to_timestamp(reply.by.at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back() {
        for value in 0..=4 {
            let known = heard("t", value).unwrap();
            assert_eq!(i32::from(to_tone(known)), value);
        }
        assert!(heard("t", 5).is_err());
    }
}
