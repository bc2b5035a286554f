//! What two firms do with each other beside their daily work.

use std::collections::BTreeMap;

use entente::proto::v1::Presence;

use super::activities::{inviting, presenting};
use super::calls::ok;
use super::feedback::{able, telling};
use super::setting::{Pair, SOUTH};
use super::surveys::asking;

/// Names of what there is, by what it is for.
type Names = BTreeMap<&'static str, String>;

/// By both firms, or by one firm that keeps the partnership alone.
pub async fn set(pair: &Pair, names: &mut Names) {
    let mut norths = pair.north.connection.interaction();
    for key in ["activity", "to_hold", "activity_to_cancel"] {
        let made = ok(norths.create_activity(inviting(&pair.name))).await;
        names.insert(key, made.name);
    }
    for key in ["presentation", "to_contest"] {
        let shown = presenting(&pair.name, &[(SOUTH, Presence::Present)]);
        let made = ok(norths.create_client_presentation(shown)).await;
        names.insert(key, made.name);
    }
    for key in ["survey", "survey_to_close"] {
        let made = ok(norths.create_survey(asking(&pair.name, SOUTH))).await;
        names.insert(key, made.name);
    }
    let made = ok(norths.create_feedback(telling(&pair.name, SOUTH))).await;
    names.insert("feedback", made.name);
    let made = ok(norths.create_capability(able(&pair.name))).await;
    names.insert("capability", made.name);
}
