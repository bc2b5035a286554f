//! The service as its callers have it: a real server on a TCP port of its own and the generated
//! client, on both engines, under a clock that only moves when a test moves it.
//!
//! Each case is written once and stamped for each engine, and has a server of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support"]
mod support {
    //! What several test binaries need.
    pub mod clocks;
    pub mod postgres;
}

#[path = "service"]
mod service {
    //! The cases, by subject.
    pub mod adoption;
    pub mod amendments;
    pub mod arithmetic;
    pub mod attainment;
    pub mod authorisation;
    pub mod bad_adoption;
    pub mod bad_agreements;
    pub mod bad_amendments;
    pub mod bad_arithmetic;
    pub mod bad_calls;
    pub mod bad_events;
    pub mod bad_money;
    pub mod bad_words;
    pub mod blind;
    pub mod calls;
    pub mod chains;
    pub mod checkup_pages;
    pub mod checkup_rows;
    pub mod claims;
    pub mod clauses;
    pub mod combinations;
    pub mod concessions;
    pub mod contacts;
    pub mod cosigning;
    pub mod dead_letters;
    pub mod documents;
    pub mod ending;
    pub mod evaluations;
    pub mod evidence;
    pub mod expectation_clocks;
    pub mod expectations;
    pub mod exporting;
    pub mod fairness;
    pub mod fairness_rows;
    pub mod firm_rows;
    pub mod fulfilments;
    pub mod guest_rows;
    pub mod guests;
    pub mod guests_alone;
    pub mod handing_over;
    pub mod holidays;
    pub mod house;
    pub mod intake;
    pub mod joining;
    pub mod journal;
    pub mod json;
    pub mod keys;
    pub mod leaving;
    pub mod linked;
    pub mod load;
    pub mod maps;
    pub mod notices;
    pub mod offers;
    pub mod opportunities;
    pub mod parties;
    pub mod partnerships;
    pub mod portions;
    pub mod pricing;
    pub mod pricing_rows;
    pub mod promises;
    pub mod queues;
    pub mod quote_races;
    pub mod races;
    pub mod raw;
    pub mod recurring;
    pub mod redaction;
    pub mod retries;
    pub mod revisions;
    pub mod sale_rows;
    pub mod sale_stage;
    pub mod sales;
    pub mod sealed_sales;
    pub mod sealing;
    pub mod secrecy;
    pub mod setting;
    pub mod settlements;
    pub mod shutdown;
    pub mod sign_in;
    pub mod signing;
    pub mod signing_rows;
    pub mod simulation;
    pub mod solo;
    pub mod split_rows;
    pub mod splits;
    pub mod stage;
    pub mod subscriptions;
    pub mod table;
    pub mod targets;
    pub mod templates;
    pub mod terms;
    pub mod thresholds;
    pub mod tickets;
    pub mod traces;
    pub mod trio;
    pub mod underpinning;
    pub mod update_rows;
    pub mod updates;
    pub mod vendors;
    pub mod webhook_rows;
    pub mod webhooks;
}

use service::house::House;

/// Stamps every case for both engines.
macro_rules! on_both_engines {
    ($($module:ident::$case:ident;)*) => {
        mod sqlite {
            //! The cases on the embedded engine.
            use super::{House, service};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    service::$module::$case(House::on_sqlite().await).await;
                }
            )*
        }

        mod postgres {
            //! The cases on the engine that is a server.
            use super::{House, service};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    service::$module::$case(House::on_postgres().await).await;
                }
            )*
        }
    };
}

on_both_engines! {
    json::every_unary_rpc_by_json;
    json::json_says_what_grpc_says;
    json::json_at_fault;
    json::queries_at_fault;
    keys::rotation_leaves_the_earlier_secret_good_for_a_while;
    keys::the_last_use_of_a_key;
    keys::keys_on_two_replicas;
    keys::trusted_identities;
    keys::trusted_identities_at_fault;
    sign_in::tokens_are_believed_of_whom_the_operator_trusts;
    sign_in::certificates_are_believed_of_whom_the_operator_trusts;
    sign_in::an_identity_of_two_firms_is_nobodys;
    sign_in::certificates_are_exchanged_while_serving;
    sign_in::handshakes_that_stall_keep_nobody_out;
    sign_in::a_firm_at_a_hundred_times_its_quota;
    sign_in::browsers_of_named_sites_may_call;
    json::grpc_web_is_answered;
    webhooks::an_endpoint_from_creation_to_its_end;
    webhooks::endpoints_at_fault;
    webhooks::senders_have_to_prove_themselves;
    webhooks::secrets_are_rotated_with_an_overlap;
    webhooks::what_comes_in_is_bounded;
    webhooks::secrets_are_nowhere_to_be_found;
    vendors::what_each_vendor_sends;
    vendors::words_that_no_map_knows_are_parked;
    vendors::what_was_deleted_is_parked_until_a_map_says;
    vendors::payloads_at_fault;
    vendors::several_tickets_at_once;
    subscriptions::entries_are_posted_in_order;
    subscriptions::sources_and_types_are_chosen;
    dead_letters::dead_letters_are_listed_and_replayed;
    dead_letters::targets_that_fail_are_disabled;
    subscriptions::replicas_share_the_work;
    subscriptions::the_deliverer_works_by_itself;
    subscriptions::secrets_of_subscriptions_are_rotated;
    subscriptions::nothing_leaves_that_watch_would_not_show;
    subscriptions::subscriptions_at_fault;
    subscriptions::private_targets_are_not_called;
    partnerships::firms_keys_and_who_am_i;
    partnerships::a_partnership_from_solo_to_ended;
    partnerships::clients_and_outside_parties;
    contacts::a_firm_writes_its_own_contacts;
    contacts::gaps_and_paths_of_a_party;
    contacts::a_placeholder_has_contacts_until_a_firm_joins;
    contacts::contacts_at_fault;
    contacts::an_expectation_tells_when_its_obligor_can_be_reached;
    parties::a_third_party_needs_every_firm;
    parties::placeholders_are_filled_one_by_one;
    parties::two_of_three_is_not_enough;
    parties::a_third_firm_does_not_answer_for_the_two;
    parties::terms_hold_between_those_who_agreed;
    exporting::each_firm_has_its_own_export;
    exporting::whoever_left_exports_what_was;
    handing_over::what_is_open_is_listed;
    handing_over::what_a_firm_owed_is_left_to_the_others;
    ending::the_end_closes_all_but_what_is_carried_on;
    ending::an_end_can_be_announced;
    ending::ends_at_fault;
    terms::revisions_of_terms_stay;
    terms::revisions_of_terms_at_fault;
    leaving::whoever_left_reads_what_was;
    leaving::of_two_nobody_leaves;
    leaving::nothing_waits_for_a_firm_that_left;
    leaving::a_stream_ends_when_its_firm_leaves;
    joining::what_a_standing_consent_covers_is_agreed_at_once;
    joining::standing_consents_at_fault;
    joining::whoever_joins_endorses_or_contests;
    joining::answers_to_assertions_at_fault;
    joining::endorsing_all_comes_past_what_is_refused;
    guests::a_guest_of_a_firm_agrees_for_it;
    guests::a_wrong_code_tells_nothing;
    guests::a_link_is_used_once_whoever_is_fast;
    guests_alone::one_firm_alone_with_a_guest_at_the_other;
    guests_alone::what_a_guest_approved_waits_for_the_firm_that_joins;
    guests::guest_links_at_fault;
    guests::a_link_about_an_older_offer;
    expectations::from_draft_to_accepted_with_counter_offers;
    expectations::silence_is_expired_and_never_consent;
    expectations::whoever_did_the_work_does_not_accept_it;
    fulfilments::e03_criterion_by_criterion_with_evidence;
    fulfilments::e03_a_dispute_ends_in_a_revised_agreement;
    fulfilments::e03_a_dispute_ends_in_acceptance_after_all;
    expectation_clocks::e01_the_clock_of_an_agreed_date;
    expectation_clocks::e01_at_the_deadline_exactly_is_met;
    offers::e07_every_offer_with_its_difference;
    offers::offers_at_fault;
    races::two_act_on_one_offer_at_once;
    races::two_act_on_one_dispute_at_once;
    intake::e02_the_impossible_is_said_before_anybody_agrees;
    intake::e02_what_time_made_impossible_is_not_agreed_unawares;
    intake::e07_an_intake_says_what_to_ask_next_and_what_is_urgent;
    intake::an_expectation_is_judged_by_the_agreement_that_is_about_it;
    linked::the_five_w_of_a_ticket_make_an_expectation;
    linked::five_w_beside_other_words;
    linked::an_expectation_comes_of_a_ticket;
    linked::an_expectation_comes_of_an_item;
    linked::links_of_expectations_at_fault;
    updates::e04_no_time_is_told_on_behalf_of_a_firm_that_did_not_give_it;
    updates::e05_silence_is_a_missed_update_once_for_each_interval;
    updates::e05_an_update_on_a_ticket_keeps_the_promise_of_a_next_one;
    updates::updates_at_fault;
    updates::updates_that_are_not_there;
    notices::e06_less_than_the_agreed_lead_time_is_a_fire_drill_for_either_firm;
    notices::from_heads_up_to_done;
    notices::notices_at_fault;
    notices::lead_times_at_fault;
    claims::claims_are_judged_by_the_other_firm;
    claims::one_firm_alone_asserts_what_became_of_a_claim;
    claims::needs_are_answered_and_limitations_come_back;
    claims::claims_and_needs_at_fault;
    opportunities::an_opportunity_from_first_hint_to_its_end;
    opportunities::opportunities_at_fault;
    sales::a_quote_is_won_and_frozen;
    sales::p12_p13_what_was_conceded_is_taken_back;
    sales::p24_a_period_is_booked_once;
    sealed_sales::p12_p13_sealed_shares_are_taken_back;
    sealed_sales::p24_a_sealed_period_is_booked_once;
    sealed_sales::p26_settling_tells_costs_only_with_consent;
    sealed_sales::a_sealed_statement_is_for_its_two_parties;
    sealed_sales::sealed_shares_of_different_terms;
    sealed_sales::two_firms_see_the_whole_burden_and_three_a_sum;
    settlements::from_draft_to_settled;
    settlements::p19_p21_credits_and_currencies;
    settlements::settlements_at_fault;
    documents::p22_a_statement_adds_up_as_a_document;
    documents::a_quote_is_a_document_for_each_cadence;
    documents::p20_nothing_after_a_sale_tells_a_cost;
    documents::p20_what_others_know_is_one_sum;
    tickets::calendars_and_agreements;
    tickets::events_in_any_order_and_their_clocks;
    tickets::statuses_that_nobody_explained;
    maps::priorities_in_own_words;
    maps::an_event_may_wait_for_two_words;
    maps::parked_events_count_when_a_map_comes;
    maps::what_else_an_event_says;
    attainment::attainment_in_both_directions;
    attainment::attainment_of_a_period;
    tickets::a_ticket_among_many_agreements;
    promises::every_promise_of_both_sides;
    promises::cycles_and_changes_are_explained;
    promises::escalations_tell_everything_once;
    promises::what_was_known_at_an_instant;
    revisions::a_revision_needs_every_firm;
    revisions::s21_a_calendar_edit_reaches_every_open_clock_at_once;
    revisions::revisions_at_fault;
    amendments::s25_an_agreed_date_is_not_moved_by_a_pause;
    amendments::s25_an_agreed_date_is_breached_after_it;
    amendments::s08_another_agreement_cancels_what_it_does_not_have;
    amendments::s08_agreements_that_cannot_be_moved_to;
    amendments::exclusions_by_two_approvals_and_by_class;
    amendments::what_one_firm_asserts_alone;
    evidence::s03_verdicts_are_revised_by_evidence_and_not_by_pauses;
    evidence::late_events_await_a_countersignature;
    evidence::what_counts_however_late;
    evidence::parked_events_may_have_come_late;
    evidence::an_exclusion_revises_what_was_journalled;
    evidence::s24_nothing_comes_to_a_ticket_after_its_merge;
    evidence::one_ticket_with_both_firms_ids;
    templates::a_first_agreement_is_one_call;
    templates::templates_at_fault;
    templates::what_is_only_validated_changes_nothing;
    queues::the_most_pressing_clock_comes_first;
    queues::clocks_are_filtered;
    queues::filters_of_clocks_at_fault;
    queues::pages_of_clocks_are_of_one_instant;
    queues::tickets_in_short;
    arithmetic::around_the_clock;
    arithmetic::when_the_clocks_change;
    arithmetic::holidays_breaks_and_half_days;
    arithmetic::deadlines_onwards_and_backwards;
    bad_arithmetic::calendars_at_fault;
    bad_arithmetic::batches_and_permissions;
    bad_arithmetic::items_at_fault;
    combinations::clocks_run_while_both_are_open;
    combinations::forms_change_from_revision_to_revision;
    combinations::combinations_at_fault;
    combinations::limits_of_combinations;
    adoption::a_calendar_is_written_once_and_adopted_twice;
    adoption::maps_are_adopted_and_parked_events_count;
    bad_adoption::sources_at_fault;
    bad_adoption::nothing_is_replaced_silently;
    bad_adoption::combinations_are_not_adopted;
    bad_adoption::a_firms_own_calendar_has_to_be_adopted;
    bad_adoption::nobody_else_sees_a_firms_own;
    holidays::holidays_become_exceptions;
    holidays::imports_at_fault;
    chains::links_are_of_one_firm;
    chains::links_at_fault;
    chains::s17_time_is_charged_along_the_chain;
    chains::chains_are_followed_downwards_only;
    underpinning::a_contract_that_ends_at_five;
    underpinning::chains_at_fault;
    simulation::a_draft_over_recorded_history;
    simulation::other_hours_over_recorded_history;
    simulation::pages_of_differences_are_of_one_instant;
    simulation::drafts_at_fault;
    simulation::too_many_tickets_ask_for_a_period;
    thresholds::each_threshold_once_in_order;
    thresholds::an_ended_agreement_raises_nothing_more;
    thresholds::two_sweepers_find_one_threshold;
    pricing::fixed_shares_approved_by_both;
    pricing::by_price_to_the_cent;
    pricing::a_stale_hash_approves_nothing;
    fairness::p18_the_burden_index_and_the_way_back;
    fairness::burdens_at_fault;
    checkup_pages::the_page_of_a_checkup;
    checkup_pages::the_page_leads_to_records;
    checkup_pages::links_that_are_not_good;
    checkup_pages::links_and_briefings_at_fault;
    checkup_pages::a_briefing_for_the_week;
    splits::p01_bases_side_by_side_explain_every_cent;
    splits::p19_p22_cadences_surcharges_and_rates;
    splits::p11_alternatives_answer_for_themselves;
    splits::p10_p25_splits_at_fault;
    concessions::p02_p08_order_means_nothing_and_zero_lines_stay;
    concessions::p10_every_currency_has_its_own_exponent;
    concessions::p11_stated_shares_equal_the_total;
    concessions::p14_p22_a_surcharge_mirrors_a_concession;
    concessions::p15_lines_add_up_to_200;
    concessions::p16_floors_and_what_they_leave_over;
    concessions::p17_edits_without_money_divide_nothing_anew;
    concessions::p23_tax_never_enters;
    concessions::p25_the_largest_amounts_are_refused_not_wrapped;
    recurring::what_recurs_is_divided_apart;
    portions::everything_said_of_a_portion_comes_back;
    portions::markups_have_caps;
    portions::portions_at_fault;
    clauses::every_broken_clause_is_named;
    clauses::small_concessions_are_approved_beforehand;
    clauses::vendors_money_comes_first;
    clauses::p07_fractions_are_carried;
    quote_races::revisions_under_concurrent_moves;
    redaction::what_is_redacted_is_nowhere_any_more;
    redaction::what_was_deleted_by_hand_is_missing;
    redaction::everybody_redacts_what_is_their_own;
    redaction::a_guests_words_are_redacted_by_the_issuer;
    redaction::redactions_at_fault;
    sealing::a_cost_reaches_nobody_else;
    signing::keys_of_both_firms;
    signing::keys_of_a_firm_that_left;
    signing::signing_keys_at_fault;
    blind::p26_two_firms_disclose_costs_only_if_both_consent;
    blind::three_firms_need_no_consent;
    blind::floors_from_costs_stay_sealed;
    blind::costs_that_are_not_there;
    evaluations::alternatives_side_by_side;
    evaluations::p27_a_stale_evaluation_proposes_nothing;
    evaluations::evaluations_at_fault;
    evaluations::bisecting_a_floor_is_counted_shown_and_stopped;
    evaluations::a_retried_evaluation_tells_nothing_new;
    evaluations::an_etag_holds_for_a_counted_proposal;
    evaluations::the_impact_is_what_the_other_works_out;
    evaluations::p20_no_answer_tells_the_others_cost;
    signing::approvals_are_signed;
    cosigning::a_cosigned_checkpoint_is_kept_and_shown;
    cosigning::cosignatures_at_fault;
    signing::signatures_of_approvals_at_fault;
    secrecy::p20_nobody_is_told_what_something_costs_the_other;
    secrecy::p20_three_firms_are_told_their_own_share;
    secrecy::p20_a_third_firm_learns_nothing_of_what_two_settle;
    journal::pages_checkpoints_and_receipts;
    journal::a_stream_goes_on_where_it_was_cut;
    journal::a_cursor_that_saw_another_journal;
    retries::the_same_request_has_the_same_outcome;
    retries::event_ids_are_used_once;
    retries::one_of_two_writers_wins;
    authorisation::every_rpc_by_every_caller;
    authorisation::every_rpc_by_one_firm_alone;
    bad_words::names_and_texts;
    bad_words::enumerations;
    bad_calls::pages_and_resource_names;
    bad_calls::messages_too_large;
    bad_calls::several_faults_are_all_listed;
    bad_money::amounts_and_currencies;
    bad_money::too_many_portions;
    bad_agreements::calendars;
    bad_agreements::targets;
    bad_agreements::terms;
    bad_amendments::amendments_at_fault;
    bad_amendments::too_many_amendments;
    bad_amendments::answers_at_fault;
    bad_amendments::further_ids_at_fault;
    bad_amendments::merges_at_fault;
    bad_amendments::windows_and_classes_at_fault;
    bad_events::batches;
    bad_events::instants;
    load::sequences_have_no_gaps;
    shutdown::silent_clients_are_cut_off;
}
