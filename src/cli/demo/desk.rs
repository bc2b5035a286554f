//! The two service desks: what each of them owes, and the words of its PSA.

use crate::proto::v1::TicketState;

/// How many priorities the agreements have targets for: 1 (highest) to 4.
pub const PRIORITIES: usize = 4;

/// One firm's service desk and the ticket system (PSA) behind it.
#[derive(Debug)]
pub struct Desk {
    /// Id of the agreement under which it owes.
    pub agreement: &'static str,
    /// The PSA's name in external references.
    pub system: &'static str,
    /// What its ticket numbers begin with.
    pub prefix: &'static str,
    /// Whether it works in office hours only, or around the clock.
    pub office_hours_only: bool,
    /// How fast it answers, in minutes of its own hours, for the priorities 1 to 4.
    pub response_minutes: [i64; PRIORITIES],
    /// How fast it resolves, in minutes of its own hours, for the priorities 1 to 4.
    pub resolution_minutes: [i64; PRIORITIES],
    /// The PSA's words.
    pub words: Words,
    /// How many tickets come on a working day: at least and at most.
    pub per_working_day: (i64, i64),
    /// How many tickets come on any other day: at least and at most.
    pub per_free_day: (i64, i64),
    /// How likely a ticket comes in each hour of the day, as weights.
    pub arrival_weights: [u32; 24],
    /// What its tickets are about.
    pub titles: &'static [&'static str],
}

/// What a PSA calls the states of a ticket.
#[derive(Debug)]
pub struct Words {
    /// Nobody has begun.
    pub new: &'static str,
    /// Being worked on.
    pub working: &'static str,
    /// The client is awaited.
    pub on_client: &'static str,
    /// The other firm is awaited.
    pub on_partner: &'static str,
    /// An outside party is awaited.
    pub on_outside_party: &'static str,
    /// Said to be solved.
    pub resolved: &'static str,
    /// Finished.
    pub closed: &'static str,
}

impl Words {
    /// Each word with the state that it means.
    #[must_use]
    pub fn meanings(&self) -> [(&'static str, TicketState); 7] {
        [
            (self.new, TicketState::New),
            (self.working, TicketState::InProgress),
            (self.on_client, TicketState::WaitingOnClient),
            (self.on_partner, TicketState::WaitingOnPartner),
            (self.on_outside_party, TicketState::WaitingOnOutsideParty),
            (self.resolved, TicketState::Resolved),
            (self.closed, TicketState::Closed),
        ]
    }
}

/// A status that Nightdesk's technicians began to use without telling anybody what it means.
pub const UNEXPLAINED_STATUS: &str = "Scheduled";

/// Nightdesk answers the client's people around the clock; it owes Harbour IT.
pub const NIGHTDESK: Desk = Desk {
    agreement: "service-desk",
    system: "autotask",
    prefix: "N",
    office_hours_only: false,
    response_minutes: [15, 30, 120, 240],
    resolution_minutes: [4 * 60, 8 * 60, 24 * 60, 72 * 60],
    words: Words {
        new: "New",
        working: "In Progress",
        on_client: "Waiting Customer",
        on_partner: "Escalated to Harbour IT",
        on_outside_party: "Waiting Vendor",
        resolved: "Complete",
        closed: "Closed",
    },
    per_working_day: (3, 5),
    per_free_day: (1, 2),
    arrival_weights: [
        1, 1, 1, 1, 1, 2, 4, 8, 12, 12, 10, 9, 6, 9, 9, 8, 7, 5, 3, 3, 2, 2, 1, 1,
    ],
    titles: &[
        "Password expired, locked out",
        "Mail does not arrive on the phone",
        "Printer at the loading dock prints blank pages",
        "Cannot open the shared folder of dispatch",
        "Headset has no sound in calls",
        "Freight application is slow",
        "Laptop does not wake up",
        "New colleague needs an account",
        "Scanner sends to the wrong address",
        "VPN drops every few minutes",
        "Suspicious mail reported",
        "Second screen stays black",
        "Label printer is offline",
        "Calendar invitations show the wrong hour",
    ],
};

/// Harbour IT takes what Nightdesk cannot solve, in its office hours; it owes Nightdesk.
pub const HARBOUR: Desk = Desk {
    agreement: "second-line",
    system: "halopsa",
    prefix: "H",
    office_hours_only: true,
    response_minutes: [30, 60, 4 * 60, 8 * 60],
    resolution_minutes: [4 * 60, 8 * 60, 16 * 60, 40 * 60],
    words: Words {
        new: "New",
        working: "In Progress",
        on_client: "With User",
        on_partner: "With Nightdesk",
        on_outside_party: "With Supplier",
        resolved: "Resolved",
        closed: "Closed",
    },
    per_working_day: (1, 2),
    per_free_day: (0, 1),
    arrival_weights: [
        0, 0, 0, 0, 0, 0, 1, 4, 10, 12, 11, 9, 6, 9, 10, 8, 7, 4, 2, 1, 1, 0, 0, 0,
    ],
    titles: &[
        "Server room is too warm",
        "Restore of a deleted folder",
        "Firewall blocks the customs portal",
        "Backup job failed twice",
        "Database of the freight application is locked",
        "Certificate of the mail gateway runs out",
        "New access point for hall 3",
        "Line to the depot is down",
        "Group policy maps the wrong drive",
        "Storage is nearly full",
    ],
};

/// Both desks; the tickets of each come from its own PSA.
pub const DESKS: [&Desk; 2] = [&NIGHTDESK, &HARBOUR];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_map_explains_the_unexplained_status() {
        for desk in DESKS {
            assert!(
                desk.words
                    .meanings()
                    .iter()
                    .all(|(word, _)| *word != UNEXPLAINED_STATUS)
            );
            assert!(desk.titles.iter().all(|title| title.len() <= 200));
        }
    }
}
