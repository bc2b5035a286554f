//! What every engine must do, case by case. A new engine proves itself here: it gets a module like
//! `sqlite` below and runs the same cases.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "conformance/database.rs"]
mod database;
#[path = "conformance/deliveries.rs"]
mod deliveries;
#[path = "conformance/lists.rs"]
mod lists;
#[path = "conformance/outages.rs"]
mod outages;
#[path = "support/postgres.rs"]
mod postgres_cluster;
#[path = "conformance/refusals.rs"]
mod refusals;
#[path = "conformance/round_trips.rs"]
mod round_trips;
#[path = "conformance/rows.rs"]
mod rows;
#[path = "conformance/schema.rs"]
mod schema;
#[path = "conformance/tls.rs"]
mod tls;
#[path = "conformance/transactions.rs"]
mod transactions;

/// Runs each case on a fresh database of each engine.
macro_rules! conformance {
    ($($module:ident::$case:ident;)*) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    crate::$module::$case(&crate::database::Database::sqlite().await).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test]
                async fn $case() {
                    crate::$module::$case(&crate::database::Database::postgres().await).await;
                }
            )*
        }
    };
}

conformance! {
    round_trips::heads_come_back;
    round_trips::entries_come_back;
    round_trips::records_come_back;
    round_trips::references_come_back;
    round_trips::references_come_with_their_records;
    round_trips::hashes_of_entries_come_back;
    round_trips::requests_come_back;
    round_trips::openings_come_back;
    round_trips::zones_come_back;
    round_trips::credentials_come_back;
    round_trips::secrets_come_back;
    round_trips::awkward_text_comes_back;
    round_trips::extreme_numbers_come_back;
    round_trips::the_largest_body_comes_back;
    round_trips::absent_keys_are_left_out;
    round_trips::no_keys_give_no_rows;
    round_trips::as_many_keys_as_allowed_may_be_asked_for;
    round_trips::everything_survives_opening_again;

    lists::records_ascend_bytewise;
    lists::records_can_be_filtered_by_state;
    lists::records_of_other_scopes_and_kinds_stay_out;
    lists::pages_are_stable_under_inserts;
    lists::limits_are_kept;
    lists::due_records_come_longest_due_first;
    lists::heads_ascend_bytewise;
    lists::entries_ascend;
    lists::entries_of_a_record_ascend;
    lists::openings_ascend;
    lists::references_are_found_in_every_scope;

    refusals::the_journal_is_append_only;
    refusals::a_sequence_is_used_once;
    refusals::a_head_only_moves_forward;
    refusals::a_new_record_must_be_new;
    refusals::a_revision_must_grow;
    refusals::a_reference_keeps_its_record;
    refusals::a_request_is_carried_out_once;
    refusals::a_key_comes_once_in_a_batch;
    refusals::bodies_are_limited;
    refusals::bodies_are_json;
    refusals::texts_have_no_zero_byte;
    refusals::numbers_beyond_the_range_are_refused;
    refusals::kinds_and_hashes_are_checked;
    refusals::too_many_keys_are_refused;
    refusals::a_failed_transaction_cannot_commit;

    transactions::dropping_rolls_back;
    transactions::writes_show_only_after_commit;
    transactions::a_transaction_sees_its_own_writes;
    transactions::heads_are_made_when_asked_for;
    transactions::heads_are_locked_in_order;
    transactions::the_second_writer_of_a_scope_waits;
    transactions::writers_of_a_scope_take_turns;
    transactions::no_update_is_lost;
    transactions::an_abandoned_statement_leaves_nothing;
    transactions::a_secret_is_chosen_once;
    transactions::expired_requests_are_purged;
    transactions::openings_and_zones_stay_as_they_are;
    transactions::openings_are_erased;
    transactions::credentials_are_replaced;
    transactions::a_closed_store_refuses_work;
    transactions::closing_waits_for_work;

    deliveries::subscriptions_are_noted_and_listed;
    deliveries::deliveries_change_from_the_version_that_was_read;
    deliveries::deliveries_ascend_by_their_keys;
    deliveries::dead_letters_come_and_go;

    schema::migrating_twice_changes_nothing;
    schema::migrating_at_once_is_safe;
    schema::an_empty_database_is_refused;
    schema::a_newer_database_is_refused;
    schema::an_altered_migration_is_refused;
}
