//! The end of a partnership, and what is carried on beyond it.

use tonic::Request;

use super::{Answer, NAME, respond_with};
use crate::api::convert::{parse_name, timestamp};
use crate::api::text::Sealer;
use crate::api::{Api, Envelope, Mutation};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::partnership::PartnershipCommand;
use crate::domain::partnership::ending::{CARRIED_MAX, CarriedOn, CarriedRecord, EndAsked};
use crate::domain::record::Kind;
use crate::domain::text::FREE_TEXT_BYTES_MAX;
use crate::proto::v1;

pub(super) async fn end_partnership(
    api: &Api,
    request: &Request<v1::EndPartnershipRequest>,
) -> Answer<v1::Partnership> {
    let caller = api.caller(request, Permission::Admin).await?;
    caller.require(Permission::Approve)?;
    let message = request.get_ref();
    let [id] = parse_name("name", &message.name, NAME)?;
    let mut sealer = Sealer::for_every_party(api);
    let reason = sealer.text("reason", &message.reason, FREE_TEXT_BYTES_MAX);
    let from = message
        .effective_time
        .map(|at| timestamp("effective_time", at));
    let from = from.and_then(|from| sealer.violations.take(from));
    let carried = carried(&mut sealer, &id, &message.carried);
    let asked = EndAsked {
        reason,
        from,
        carried,
    };
    let mutation = Mutation {
        scope: ScopeId::partnership(&id),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        openings: sealer.finish()?,
        action: Action::Partnership(PartnershipCommand::End(asked)),
    };
    let receipt = api
        .run(&caller, "EndPartnership", request, mutation)
        .await?;
    respond_with(api, &caller, &id, &receipt).await
}

fn carried(
    sealer: &mut Sealer<'_>,
    partnership: &str,
    given: &[v1::CarriedRecord],
) -> Vec<CarriedRecord> {
    if given.len() > CARRIED_MAX {
        let most = format!("no more than {CARRIED_MAX}");
        sealer.violations.add("carried", most);
        return Vec::new();
    }
    let mut taken = Vec::with_capacity(given.len());
    for (index, given) in given.iter().enumerate() {
        let field = |name: &str| format!("carried[{index}].{name}");
        let named = named(&given.name, partnership);
        let rule = "must be an expectation or a ticket of the partnership";
        sealer
            .violations
            .require(named.is_some(), &field("name"), rule);
        let bytes_max = FREE_TEXT_BYTES_MAX;
        let carried = CarriedOn {
            destination: sealer.text(&field("destination"), &given.destination, bytes_max),
            note: sealer.text(&field("note"), &given.note, bytes_max),
        };
        taken.extend(named.map(|(kind, id)| CarriedRecord { kind, id, carried }));
    }
    taken
}

fn named(name: &str, partnership: &str) -> Option<(Kind, String)> {
    let shapes = [
        (Kind::Expectation, "partnerships/*/expectations/*"),
        (Kind::Ticket, "partnerships/*/tickets/*"),
    ];
    shapes.into_iter().find_map(|(kind, shape)| {
        let [parent, id] = parse_name::<2>("name", name, shape).ok()?;
        (parent == partnership).then_some((kind, id))
    })
}
