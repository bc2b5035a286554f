//! Partnerships, parties and terms between the contract and the domain.

use super::checkup_clauses::{checkup_clauses, to_checkup_clauses};
use super::clauses::{pricing_clauses, to_pricing_clauses};
use super::standing::{standing_consents, to_standing_consent};
use crate::api::convert::{known_enum, span, to_approval, to_duration, to_timestamp};
use crate::api::expectation::{notice_kind, to_notice_kind};
use crate::api::text::{Sealer, Texts};
use crate::api::{Found, required};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::notice::NoticeKind;
use crate::domain::partnership::terms::{
    EXCLUSION_CLASSES_MAX, ExclusionClass, FUTURE_TOLERANCE_DEFAULT, NoticeLeadTime,
    OFFER_VALIDITY_DEFAULT, PartyShare, Terms, TermsContent,
};
use crate::domain::partnership::{
    Invitation, PARTIES_MAX, Partnership, PartnershipState, Party, ProposedParty, Role,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::text::TERMS_TEXT_BYTES_MAX;
use crate::domain::time::{Span, Timestamp};
use crate::proto::v1;

/// A role that a caller names.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn role(field: &str, value: i32) -> Result<Role, Refusal> {
    match known_enum(field, value)? {
        v1::PartyRole::Prime => Ok(Role::Prime),
        v1::PartyRole::Sub => Ok(Role::Sub),
        v1::PartyRole::Peer => Ok(Role::Peer),
        v1::PartyRole::Unspecified => {
            Err(Refusal::field(Reason::InvalidField, field, "is required"))
        }
    }
}

fn to_role(role: Role) -> v1::PartyRole {
    match role {
        Role::Prime => v1::PartyRole::Prime,
        Role::Sub => v1::PartyRole::Sub,
        Role::Peer => v1::PartyRole::Peer,
    }
}

fn to_state(state: PartnershipState) -> v1::PartnershipState {
    match state {
        PartnershipState::Solo => v1::PartnershipState::Solo,
        PartnershipState::Invited => v1::PartnershipState::Invited,
        PartnershipState::Active => v1::PartnershipState::Active,
        PartnershipState::Ended => v1::PartnershipState::Ended,
    }
}

/// A partnership as the contract shows it: `references` are the caller's own, `texts` hold the
/// sealed text that the caller's party may read.
#[must_use]
pub fn to_partnership(
    found: &Found<Partnership>,
    references: Vec<v1::ExternalReference>,
    texts: &Texts,
    now: Timestamp,
) -> v1::Partnership {
    let partnership = &found.state;
    let show = |terms: &Option<Terms>| terms.as_ref().map(|terms| to_terms(terms, texts));
    v1::Partnership {
        name: format!("partnerships/{}", found.id),
        display_name: partnership.display_name.clone(),
        state: to_state(partnership.state_at(now)).into(),
        parties: (partnership.parties.iter())
            .map(|party| to_party(party, texts))
            .collect(),
        terms: show(&partnership.terms),
        proposed_terms: show(&partnership.proposed_terms),
        external_references: references,
        create_time: Some(to_timestamp(found.created_at)),
        end_time: partnership.ended_at.map(to_timestamp),
        etag: found.etag(),
        proposed_parties: (partnership.proposed_parties.iter())
            .map(to_proposed_party)
            .collect(),
        invitations: partnership.invitations.iter().map(to_invitation).collect(),
    }
}

fn to_proposed_party(proposed: &ProposedParty) -> v1::ProposedParty {
    v1::ProposedParty {
        party_id: proposed.id.to_string(),
        display_name: proposed.display_name.clone(),
        role: to_role(proposed.role).into(),
        approvals: proposed.approvals.iter().map(to_approval).collect(),
    }
}

fn to_invitation(invitation: &Invitation) -> v1::Invitation {
    let firm = invitation.firm.as_ref();
    v1::Invitation {
        party_id: invitation.party.to_string(),
        firm: firm.map_or_else(String::new, |firm| firm.scope().as_str().to_owned()),
        expire_time: Some(to_timestamp(invitation.expires_at)),
    }
}

fn to_party(party: &Party, texts: &Texts) -> v1::Party {
    let left = party.left.as_ref();
    v1::Party {
        party_id: party.id.as_str().to_owned(),
        firm: party
            .firm
            .as_ref()
            .map(|firm| firm.scope().as_str().to_owned())
            .unwrap_or_default(),
        display_name: party.display_name.clone(),
        role: to_role(party.role).into(),
        join_time: party.joined_at.map(to_timestamp),
        leave_time: left.map(|left| to_timestamp(left.at)),
        leave_reason: texts.show(left.and_then(|left| left.reason.as_ref())),
    }
}

/// A revision of terms as the contract shows it.
#[must_use]
pub fn to_terms(terms: &Terms, texts: &Texts) -> v1::Terms {
    let to_share = |share: &PartyShare| v1::PartyShare {
        party_id: share.party.as_str().to_owned(),
        share_bps: i32::try_from(share.share_bps).unwrap_or(i32::MAX),
    };
    v1::Terms {
        revision: i64::from(terms.revision),
        text: texts.show(terms.content.text.as_ref()),
        redacted_fields: texts.redacted_fields(terms.content.text.clone()),
        shares: terms.content.shares.iter().map(to_share).collect(),
        offer_validity: Some(to_duration(terms.content.offer_validity)),
        future_tolerance: Some(to_duration(terms.content.future_tolerance)),
        approvals: terms.approvals.iter().map(to_approval).collect(),
        hash: terms.hash.clone(),
        lateness_window: terms.content.lateness_window.map(to_duration),
        exclusion_classes: terms
            .content
            .exclusion_classes
            .iter()
            .map(to_class)
            .collect(),
        standing_consents: terms
            .content
            .standing_consents
            .iter()
            .map(to_standing_consent)
            .collect(),
        notice_lead_times: terms
            .content
            .notice_lead_times
            .iter()
            .map(to_lead_time)
            .collect(),
        pricing_clauses: to_pricing_clauses(&terms.content.pricing_clauses),
        checkup_clauses: to_checkup_clauses(&terms.content.checkup_clauses),
    }
}

fn to_lead_time(found: &NoticeLeadTime) -> v1::NoticeLeadTime {
    v1::NoticeLeadTime {
        kind: to_notice_kind(found.kind).into(),
        lead_time: Some(to_duration(found.lead_time)),
    }
}

fn to_class(class: &ExclusionClass) -> v1::ExclusionClass {
    v1::ExclusionClass {
        class_id: class.id.clone(),
        display_name: class.display_name.clone(),
        longest: Some(to_duration(class.longest)),
    }
}

/// The commitments behind which a partnership's text lies.
pub(super) fn commitments(partnership: &Partnership) -> Vec<Commitment> {
    let terms = [&partnership.terms, &partnership.proposed_terms];
    let texts = terms
        .into_iter()
        .flatten()
        .filter_map(|terms| terms.content.text.clone());
    let left = partnership
        .parties
        .iter()
        .filter_map(|party| party.left.as_ref());
    let reasons = left.filter_map(|left| left.reason.clone());
    texts.chain(reasons).collect()
}

/// What terms say, as a caller wrote them; what is wrong is noted in `sealer`.
pub(super) fn terms_content(sealer: &mut Sealer<'_>, terms: &v1::Terms) -> TermsContent {
    let text = sealer.text("terms.text", &terms.text, TERMS_TEXT_BYTES_MAX);
    let violations = &mut sealer.violations;
    let mut duration = |field: &str, value: Option<prost_types::Duration>, default: Span| {
        let Some(value) = value else { return default };
        violations.take(span(field, value)).unwrap_or(default)
    };
    let offer_validity = duration(
        "terms.offer_validity",
        terms.offer_validity,
        OFFER_VALIDITY_DEFAULT,
    );
    let future_tolerance = duration(
        "terms.future_tolerance",
        terms.future_tolerance,
        FUTURE_TOLERANCE_DEFAULT,
    );
    let lateness_window = terms
        .lateness_window
        .and_then(|window| violations.take(span("terms.lateness_window", window)));
    let exclusion_classes = classes(sealer, &terms.exclusion_classes);
    let notice_lead_times = lead_times(sealer, &terms.notice_lead_times);
    let shares = shares(sealer, &terms.shares);
    let standing_consents = standing_consents(sealer, &terms.standing_consents);
    TermsContent {
        text,
        shares,
        offer_validity,
        future_tolerance,
        lateness_window,
        exclusion_classes,
        standing_consents,
        notice_lead_times,
        pricing_clauses: pricing_clauses(&mut sealer.violations, terms.pricing_clauses.as_ref()),
        checkup_clauses: checkup_clauses(&mut sealer.violations, terms.checkup_clauses.as_ref()),
    }
}

fn lead_times(sealer: &mut Sealer<'_>, given: &[v1::NoticeLeadTime]) -> Vec<NoticeLeadTime> {
    const FIELD: &str = "terms.notice_lead_times";
    let violations = &mut sealer.violations;
    if given.len() > NoticeKind::ALL.len() {
        violations.add(FIELD, "each kind once");
        return Vec::new();
    }
    let mut taken = Vec::with_capacity(given.len());
    for (index, given) in given.iter().enumerate() {
        let field = format!("{FIELD}[{index}].lead_time");
        let lead_time = given.lead_time.ok_or_else(|| required(&field));
        let lead_time = lead_time.and_then(|lead_time| span(&field, lead_time));
        let lead_time = violations.take(lead_time);
        let kind = violations.take(notice_kind(&format!("{FIELD}[{index}].kind"), given.kind));
        if let (Some(kind), Some(lead_time)) = (kind, lead_time) {
            taken.push(NoticeLeadTime { kind, lead_time });
        }
    }
    taken
}

fn classes(sealer: &mut Sealer<'_>, classes: &[v1::ExclusionClass]) -> Vec<ExclusionClass> {
    let violations = &mut sealer.violations;
    if classes.len() > EXCLUSION_CLASSES_MAX {
        let most = format!("no more than {EXCLUSION_CLASSES_MAX}");
        violations.add("terms.exclusion_classes", most);
        return Vec::new();
    }
    let mut taken = Vec::with_capacity(classes.len());
    for (index, class) in classes.iter().enumerate() {
        let field = format!("terms.exclusion_classes[{index}].longest");
        let longest = class.longest.ok_or_else(|| required(&field));
        let longest = longest.and_then(|longest| span(&field, longest));
        if let Some(longest) = violations.take(longest) {
            taken.push(ExclusionClass {
                id: class.class_id.clone(),
                display_name: class.display_name.clone(),
                longest,
            });
        }
    }
    taken
}

fn shares(sealer: &mut Sealer<'_>, shares: &[v1::PartyShare]) -> Vec<PartyShare> {
    let violations = &mut sealer.violations;
    if shares.len() > PARTIES_MAX {
        violations.add("terms.shares", format!("no more than {PARTIES_MAX}"));
        return Vec::new();
    }
    let mut taken = Vec::with_capacity(shares.len());
    for (index, share) in shares.iter().enumerate() {
        match u32::try_from(share.share_bps) {
            Ok(share_bps) => taken.push(PartyShare {
                party: PartyId::from_text(&share.party_id),
                share_bps,
            }),
            Err(_) => violations.add(
                format!("terms.shares[{index}].share_bps"),
                "must not be negative",
            ),
        }
    }
    taken
}
