//! Activities: who invites to what makes the partnership grow, and whether the others come.

use super::Context;
use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Observed, Sink};
use crate::domain::identity::PartyId;
use crate::domain::interaction::activity::{Activity, ActivityPurpose, ActivityState};
use crate::domain::time::Timestamp;

/// Tells of whoever invited whether it was to something that makes the partnership grow, and whether
/// that took place; of those who are invited whether they come. An activity tells of them, too, that
/// activities are recorded: who never invites has data then.
pub fn observe<'record>(
    activity: &'record Activity,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    let invitation = &activity.invitation;
    let is_growth = invitation.purpose == ActivityPurpose::Growth;
    let counts = is_growth && activity.state != ActivityState::Cancelled;
    let held_at = activity.held.as_ref().map(|held| held.held_at);
    // What was written down afterwards counts when it was.
    let invited_at = activity.by.at.min(invitation.planned_at);
    let is_ahead = activity.state.is_ahead() && invitation.planned_at >= context.as_of;
    let inviter = (&invitation.inviter, invited_at);
    let happened = |happened| {
        if happened {
            Observed::Happened
        } else {
            Observed::DidNotHappen
        }
    };
    source.tell(
        sink,
        Measure::GrowthInvitationGaps,
        inviter,
        happened(counts),
    );
    let ahead = happened(counts && is_ahead);
    source.tell(sink, Measure::ActivitiesAhead, inviter, ahead);
    source.tell(sink, Measure::GrowthActivityAge, inviter, happened(false));
    if let Some(held_at) = held_at.filter(|_| is_growth) {
        let place = (&invitation.inviter, held_at);
        source.tell(sink, Measure::GrowthActivityAge, place, happened(true));
    }
    for party in &invitation.invited {
        for measure in [Measure::GrowthInvitationGaps, Measure::GrowthActivityAge] {
            source.tell(sink, measure, (party, invited_at), happened(false));
        }
        if let Some((at, is_turned_down)) = answer(activity, party, context) {
            let measure = Measure::InvitationsTurnedDown;
            source.case(sink, measure, (party, at), is_turned_down);
        }
    }
}

/// When it was decided whether a party that is invited comes, and whether it does not. `None` while it
/// is not, if the activity was called off, and if no firm is there to answer.
fn answer(activity: &Activity, party: &PartyId, context: Context<'_>) -> Option<(Timestamp, bool)> {
    if matches!(
        activity.state,
        ActivityState::Cancelled | ActivityState::Closed
    ) {
        return None;
    }
    if let Some(held) = &activity.held {
        return Some((held.held_at, !held.present.contains(party)));
    }
    let mut answers = activity.answers.iter();
    if let Some(answer) = answers.find(|answer| answer.invited == *party) {
        return Some((answer.by.at, !answer.accepts));
    }
    let known = context.partnership.party(party);
    let is_there = known.is_some_and(|party| party.firm.is_some());
    let planned_at = activity.invitation.planned_at;
    (is_there && planned_at < context.as_of).then_some((planned_at, true))
}
