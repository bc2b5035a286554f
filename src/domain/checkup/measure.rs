//! What is measured: the list of all measures, each with the row it belongs to, its unit and the
//! thresholds that hold where the terms say nothing else.

use serde::{Deserialize, Serialize};

use super::INTENSITY_MAX;

/// What a row of the check-up asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symptom {
    /// Proposal after proposal, and none is shown or won.
    ChasingRainbows,
    /// One firm pays for what both concede.
    OneSideOfThePencil,
    /// The firms have nothing to do with each other beside the day's work.
    LittleInteraction,
    /// What one firm asks of the other it does not do itself.
    NoMutualRespect,
    /// What a firm can do is presented by somebody else.
    NotRepresented,
    /// Whoever needs help is not served well.
    PoorService,
    /// A firm holds what its client needs to go elsewhere.
    HeldHostage,
}

impl Symptom {
    /// Every symptom, in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::ChasingRainbows,
        Self::OneSideOfThePencil,
        Self::LittleInteraction,
        Self::NoMutualRespect,
        Self::NotRepresented,
        Self::PoorService,
        Self::HeldHostage,
    ];

    /// The question that its row answers, in English.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::ChasingRainbows => "Do we chase rainbows?",
            Self::OneSideOfThePencil => "Is only one side of the pencil sharpened?",
            Self::LittleInteraction => "Do we meet only when something is wrong?",
            Self::NoMutualRespect => "Do we hold ourselves to what we ask of each other?",
            Self::NotRepresented => "Is what each of us can do represented fairly?",
            Self::PoorService => "How is it to need help here?",
            Self::HeldHostage => "How are our clients protected from us?",
        }
    }
}

/// In what a measure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Cases of one sort among all cases; thresholds are basis points.
    Share,
    /// So much for each case; thresholds are hundredths.
    Ratio,
    /// How long it takes: the median, the lower one of two; thresholds are seconds.
    Duration,
    /// How long it has not happened; thresholds are days.
    Age,
    /// The part of the agreed periods of the window in which it did not happen; thresholds are basis
    /// points.
    Gaps,
    /// How often; thresholds are numbers.
    Count,
    /// The concession burden index; thresholds are basis points, 10,000 is parity.
    Index,
}

macro_rules! measures {
    ($($(#[$meta:meta])* $variant:ident = $name:literal, $symptom:ident, $unit:ident, $thresholds:expr, $label:literal;)*) => {
        /// What is measured of each party. More is worse, wherever there are thresholds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Measure { $($(#[$meta])* $variant,)* }

        impl Measure {
            /// Every measure, in the order of the report.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, as it is stored.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The row that it belongs to.
            #[must_use]
            pub const fn symptom(self) -> Symptom {
                match self { $(Self::$variant => Symptom::$symptom,)* }
            }

            /// In what it counts.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)* }
            }

            /// From which levels on its intensity is 1, 2, 3 and 4, where the terms say nothing else;
            /// `None` for what is only shown.
            #[must_use]
            pub const fn default_thresholds(self) -> Option<Thresholds> {
                match self { $(Self::$variant => $thresholds,)* }
            }

            /// What it counts, in a few English words.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }
    };
}

/// From which levels on the intensity is 1, 2, 3 and 4, ascending, in the unit of the measure.
pub type Thresholds = [i64; INTENSITY_MAX as usize];

measures! {
    /// Of the opportunities that the party brought and that ended, those that were not won.
    OpportunitiesNotWon = "opportunities_not_won", ChasingRainbows, Share, Some([6_000, 7_500, 9_000, 10_000]), "opportunities brought and not won";
    /// Of these, those on which time was spent although nobody ever found them qualified.
    PursuedUnqualified = "pursued_unqualified", ChasingRainbows, Share, Some([2_000, 4_000, 6_000, 8_000]), "opportunities pursued unqualified";
    /// Of these, those that never had a plan for the client.
    WithoutClientPlan = "without_client_plan", ChasingRainbows, Share, Some([2_000, 4_000, 6_000, 8_000]), "opportunities without a plan for the client";
    /// Of the time that the party spent on opportunities, what the client never saw.
    TimeOnDrafts = "time_on_drafts", ChasingRainbows, Share, Some([5_000, 7_000, 8_500, 9_500]), "time that only went into drafts";
    /// How many minutes the party spent for each opportunity won.
    MinutesPerWin = "minutes_per_win", ChasingRainbows, Ratio, None, "minutes spent for each sale won";
    /// Since when no client saw anything that the party does about opportunities.
    LastShown = "last_shown", ChasingRainbows, Age, Some([90, 180, 270, 365]), "since a client last saw something";
    /// Of the joint quotes in which the party has a portion and that ended, those that were not won.
    QuotesNotWon = "quotes_not_won", ChasingRainbows, Share, Some([6_000, 7_500, 9_000, 10_000]), "joint quotes not won";
    /// Of the expectations that the party asked for and that have a priority, those of priority 1 or 2.
    UrgentRequests = "urgent_requests", ChasingRainbows, Share, Some([3_000, 5_000, 7_000, 9_000]), "requests called urgent";
    /// The concession burden index of the party, in one currency.
    BurdenIndex = "burden_index", OneSideOfThePencil, Index, Some([11_500, 13_000, 16_000, 20_000]), "concession burden index";
    /// Of what the party passes on of other suppliers, what is not passed on at cost.
    PassThroughMarkedUp = "pass_through_marked_up", OneSideOfThePencil, Share, Some([2_500, 5_000, 7_500, 9_000]), "passed on with a markup";
    /// How far the party uses up what may be marked up of another one's portion.
    MarkupOfCap = "markup_of_cap", OneSideOfThePencil, Share, Some([7_000, 8_500, 9_500, 10_000]), "use of markup caps";
    /// From when a client asked the party for a concession to when the partner was told.
    TimeToTellPartner = "time_to_tell_partner", OneSideOfThePencil, Duration, Some([14_400, 86_400, 172_800, 604_800]), "time to tell the partner of a client's wish";
    /// How long nothing took place that makes the partnership grow and that the party invited to.
    GrowthActivityAge = "growth_activity_age", LittleInteraction, Age, Some([45, 90, 180, 365]), "since a growth activity that it invited to";
    /// The agreed periods in which the party invited to nothing that makes the partnership grow.
    GrowthInvitationGaps = "growth_invitation_gaps", LittleInteraction, Gaps, Some([2_500, 5_000, 7_500, 10_000]), "agreed periods without an invitation";
    /// Of the invitations to the party, those that it declined, left without an answer or did not come to.
    InvitationsTurnedDown = "invitations_turned_down", LittleInteraction, Share, Some([2_000, 4_000, 6_000, 8_000]), "invitations turned down or left without an answer";
    /// What the party has invited to that makes the partnership grow and that is still ahead.
    ActivitiesAhead = "activities_ahead", LittleInteraction, Count, None, "activities ahead to which it invited";
    /// Of the targets that the party owed and that were decided, those that it missed.
    TargetsMissed = "targets_missed", NoMutualRespect, Share, Some([500, 1_000, 2_000, 4_000]), "targets missed";
    /// As [`Self::TargetsMissed`], only first and next responses.
    ResponsesMissed = "responses_missed", NoMutualRespect, Share, Some([500, 1_000, 2_000, 4_000]), "responses missed";
    /// Of the expectations with an agreed date that are decided, those that the party missed.
    AgreedDatesMissed = "agreed_dates_missed", NoMutualRespect, Share, Some([500, 1_000, 2_000, 4_000]), "agreed dates missed";
    /// Of the confirmed notices that the party gave, those with less than the agreed lead time.
    FireDrills = "fire_drills", NoMutualRespect, Share, Some([1_000, 2_000, 4_000, 6_000]), "notices given too late";
    /// Of the offers that the party had to answer, those on which it let the time run out.
    OffersUnanswered = "offers_unanswered", NoMutualRespect, Share, Some([1_000, 2_000, 4_000, 6_000]), "offers left without an answer";
    /// Of the tickets on which the party waits for the other, those of priority 1 or 2.
    UrgentTickets = "urgent_tickets", NoMutualRespect, Share, Some([3_000, 5_000, 7_000, 9_000]), "tickets called urgent";
    /// By how many points others rated the party below the best score in blind mirrors.
    MirrorSeenByOthers = "mirror_seen_by_others", NoMutualRespect, Ratio, Some([100, 150, 200, 300]), "points below 5 in the blind mirror, seen by others";
    /// By how many points the party rated itself above what others did in blind mirrors.
    MirrorBlindSpot = "mirror_blind_spot", NoMutualRespect, Ratio, Some([50, 100, 150, 200]), "points by which it sees itself better than others do";
    /// Feedback of the party that it, or who received it, calls an ultimatum.
    Ultimatums = "ultimatums", NoMutualRespect, Count, Some([1, 2, 3, 5]), "ultimatums given";
    /// Of the claims that the party made and that were judged, those that were not kept.
    ClaimsNotKept = "claims_not_kept", NotRepresented, Share, Some([500, 1_000, 2_000, 4_000]), "claims not kept";
    /// Of the portions of others that the party showed to clients, those whose owners were kept out.
    OwnersKeptOut = "owners_kept_out", NotRepresented, Share, Some([500, 1_000, 2_000, 4_000]), "portions of others shown to clients with their owners kept out";
    /// Of the portions of others that the party showed to clients, those whose owners were not there.
    OwnersNotThere = "owners_not_there", NotRepresented, Share, Some([2_000, 4_000, 6_000, 8_000]), "portions of others shown to clients without their owners";
    /// From when the client first spoke to when the party opened a ticket.
    TimeToOpen = "time_to_open", PoorService, Duration, Some([900, 3_600, 14_400, 86_400]), "time to open a ticket";
    /// From a ticket's opening to when the party first handed it on to the other firm, where it did.
    TimeToEscalate = "time_to_escalate", PoorService, Duration, Some([14_400, 43_200, 86_400, 259_200]), "time to escalate";
    /// Of the tickets that the party finished, those that had to be opened again.
    ReopenedAfterClosing = "reopened_after_closing", PoorService, Share, Some([500, 1_000, 2_000, 4_000]), "tickets opened again after closing";
    /// How many different people the client met on one ticket.
    PeopleMet = "people_met", PoorService, Ratio, Some([200, 300, 400, 600]), "people met on one ticket";
    /// Of the updates that the party owed, those that it did not give in time.
    UpdatesMissed = "updates_missed", PoorService, Share, Some([500, 1_000, 2_000, 4_000]), "updates missed";
    /// Of the work that the party said was done, that which the other firm disputed.
    WorkDisputed = "work_disputed", PoorService, Share, Some([500, 1_000, 2_000, 4_000]), "work disputed";
    /// By how many points the party rated itself below the best score; only shown.
    RatedByItself = "rated_by_itself", PoorService, Ratio, None, "points below 5, rated by itself";
    /// By how many points other parties rated the party below the best score.
    RatedByPartner = "rated_by_partner", PoorService, Ratio, Some([100, 150, 200, 300]), "points below 5, rated by its partners";
    /// By how many points clients rated the party below the best score.
    RatedByClient = "rated_by_client", PoorService, Ratio, Some([100, 150, 200, 300]), "points below 5, rated by clients";
    /// By how many points vendors rated the party below the best score.
    RatedByVendor = "rated_by_vendor", PoorService, Ratio, Some([100, 150, 200, 300]), "points below 5, rated by vendors";
    /// The same by all others, of one question: those who respond first.
    RatedFirstResponders = "rated_first_responders", PoorService, Ratio, Some([100, 150, 200, 300]), "points below 5: those who respond first";
    /// The same by all others, of one question: opening and escalating.
    RatedOpeningAndEscalating = "rated_opening_and_escalating", PoorService, Ratio, Some([100, 150, 200, 300]), "points below 5: opening and escalating";
    /// The same by all others, of one question: channels and contacts.
    RatedChannelsAndContacts = "rated_channels_and_contacts", PoorService, Ratio, Some([100, 150, 200, 300]), "points below 5: channels and contacts";
    /// The same by all others, of one question: status updates.
    RatedStatusUpdates = "rated_status_updates", PoorService, Ratio, Some([100, 150, 200, 300]), "points below 5: status updates";
    /// The same by all others, of one question: satisfied, not merely closed.
    RatedSatisfiedNotMerelyClosed = "rated_satisfied_not_merely_closed", PoorService, Ratio, Some([100, 150, 200, 300]), "points below 5: satisfied, not merely closed";
    /// The same by all others, of one question: help to grow.
    RatedHelpToGrow = "rated_help_to_grow", PoorService, Ratio, Some([100, 150, 200, 300]), "points below 5: help to grow";
    /// Of what the party holds for others, that which no passed test within a year showed to be ready for handing over.
    ItemsUntested = "items_untested", HeldHostage, Share, Some([1_000, 2_500, 5_000, 7_500]), "held items without a passed test within a year";
    /// Of what was asked back from the party, that which it withheld or did not hand over in time.
    HandOversLate = "hand_overs_late", HeldHostage, Share, Some([500, 1_000, 2_000, 4_000]), "requests to hand over withheld or late";
    /// Since when nobody tried whether a client could leave with what the party holds for it.
    ExitDrillAge = "exit_drill_age", HeldHostage, Age, Some([183, 365, 548, 730]), "days since the last exit drill";
    /// How often the party told by what it gains. It is only shown: to tell is no fault.
    StakesDisclosed = "stakes_disclosed", HeldHostage, Count, None, "stakes disclosed";
    /// Of the people that the party named to be turned to, those that were gone within a year.
    ContactsGone = "contacts_gone", HeldHostage, Share, Some([2_000, 4_000, 6_000, 8_000]), "named people gone within a year";
    /// Of the improvements that the party was to make, those that it did not make in time.
    ImprovementsLate = "improvements_late", PoorService, Share, Some([1_000, 2_500, 5_000, 7_500]), "improvements not made in time";
    /// Of the shared goals that the party answers for, those that were missed.
    GoalsMissed = "goals_missed", PoorService, Share, Some([2_500, 5_000, 7_500, 9_000]), "shared goals missed";
    /// Of the steps of remedy plans that the party was to take, those that it did not take in time.
    RemedyStepsLate = "remedy_steps_late", PoorService, Share, Some([1_000, 2_500, 5_000, 7_500]), "steps of remedy plans not taken in time";
}
