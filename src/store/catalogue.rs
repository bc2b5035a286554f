//! Every statement that the store runs, by name.
//!
//! The text of `record/get` is in `sql/record/get.sql` if it serves both engines, or else in
//! `sql/record/get.postgres.sql` and `sql/record/get.sqlite.sql`. Parameters are `$1`, `$2` and so
//! on in both; what they hold is said in `call.rs`.

/// A statement in the words of both engines.
#[derive(Debug)]
pub struct Statement {
    /// Table and verb, such as `record/get`.
    pub name: &'static str,
    /// As `SQLite` reads it.
    pub sqlite: &'static str,
    /// As `PostgreSQL` reads it.
    pub postgres: &'static str,
}

macro_rules! text {
    ($name:literal) => {
        include_str!(concat!("sql/", $name, ".sql"))
    };
}

macro_rules! statements {
    ($($constant:ident = $name:literal: sqlite $sqlite:literal, postgres $postgres:literal;)*) => {
        $(
            #[doc = concat!("The statement `", $name, "`.")]
            pub static $constant: Statement =
                Statement { name: $name, sqlite: text!($sqlite), postgres: text!($postgres) };
        )*

        /// Every statement.
        pub static ALL: &[&Statement] = &[$(&$constant,)*];
    };
}

statements! {
    HEAD_GET = "head/get": sqlite "head/get.sqlite", postgres "head/get.postgres";
    // SQLite has one writer, who holds every head.
    HEAD_LOCK = "head/lock": sqlite "head/get.sqlite", postgres "head/lock.postgres";
    HEAD_LOCK_FREE = "head/lock_free": sqlite "head/get.sqlite", postgres "head/lock_free.postgres";
    HEAD_CREATE = "head/create": sqlite "head/create.sqlite", postgres "head/create.postgres";
    HEAD_PUT = "head/put": sqlite "head/put.sqlite", postgres "head/put.postgres";
    HEAD_LIST = "head/list": sqlite "head/list", postgres "head/list";
    JOURNAL_APPEND = "journal/append": sqlite "journal/append.sqlite", postgres "journal/append.postgres";
    JOURNAL_GET_HASH = "journal/get_hash": sqlite "journal/get_hash.sqlite", postgres "journal/get_hash.postgres";
    JOURNAL_LIST = "journal/list": sqlite "journal/list", postgres "journal/list";
    JOURNAL_LIST_OF_RECORD = "journal/list_of_record": sqlite "journal/list_of_record.sqlite", postgres "journal/list_of_record.postgres";
    RECORD_GET = "record/get": sqlite "record/get.sqlite", postgres "record/get.postgres";
    RECORD_PUT = "record/put": sqlite "record/put.sqlite", postgres "record/put.postgres";
    RECORD_LIST = "record/list": sqlite "record/list", postgres "record/list";
    RECORD_LIST_IN_STATE = "record/list_in_state": sqlite "record/list_in_state", postgres "record/list_in_state";
    RECORD_LIST_DUE = "record/list_due": sqlite "record/list_due", postgres "record/list_due";
    REFERENCE_GET = "reference/get": sqlite "reference/get.sqlite", postgres "reference/get.postgres";
    REFERENCE_PUT = "reference/put": sqlite "reference/put.sqlite", postgres "reference/put.postgres";
    REFERENCE_LIST_ANYWHERE = "reference/list_anywhere": sqlite "reference/list_anywhere", postgres "reference/list_anywhere";
    REFERENCE_LIST_OF_RECORDS = "reference/list_of_records": sqlite "reference/list_of_records.sqlite", postgres "reference/list_of_records.postgres";
    REQUEST_GET = "request/get": sqlite "request/get.sqlite", postgres "request/get.postgres";
    REQUEST_PUT = "request/put": sqlite "request/put.sqlite", postgres "request/put.postgres";
    REQUEST_PURGE = "request/purge": sqlite "request/purge.sqlite", postgres "request/purge.postgres";
    SEALED_GET = "sealed/get": sqlite "sealed/get.sqlite", postgres "sealed/get.postgres";
    SEALED_PUT = "sealed/put": sqlite "sealed/put.sqlite", postgres "sealed/put.postgres";
    SEALED_ERASE = "sealed/erase": sqlite "sealed/erase.sqlite", postgres "sealed/erase.postgres";
    SEALED_LIST = "sealed/list": sqlite "sealed/list", postgres "sealed/list";
    ZONE_GET = "zone/get": sqlite "zone/get.sqlite", postgres "zone/get.postgres";
    ZONE_PUT = "zone/put": sqlite "zone/put.sqlite", postgres "zone/put.postgres";
    CREDENTIAL_GET = "credential/get": sqlite "credential/get.sqlite", postgres "credential/get.postgres";
    CREDENTIAL_LIST_BY_DIGEST = "credential/list_by_digest": sqlite "credential/list_by_digest", postgres "credential/list_by_digest";
    CREDENTIAL_PUT = "credential/put": sqlite "credential/put.sqlite", postgres "credential/put.postgres";
    CREDENTIAL_TOUCH = "credential/touch": sqlite "credential/touch", postgres "credential/touch";
    SUBSCRIPTION_PUT = "subscription/put": sqlite "subscription/put.sqlite", postgres "subscription/put.postgres";
    SUBSCRIPTION_LIST = "subscription/list": sqlite "subscription/list", postgres "subscription/list";
    DELIVERY_CREATE = "delivery/create": sqlite "delivery/create", postgres "delivery/create";
    DELIVERY_PUT = "delivery/put": sqlite "delivery/put", postgres "delivery/put";
    DELIVERY_LIST = "delivery/list": sqlite "delivery/list", postgres "delivery/list";
    DEAD_LETTER_PUT = "dead_letter/put": sqlite "dead_letter/put", postgres "dead_letter/put";
    DEAD_LETTER_LIST = "dead_letter/list": sqlite "dead_letter/list", postgres "dead_letter/list";
    DEAD_LETTER_LIST_DUE = "dead_letter/list_due": sqlite "dead_letter/list_due", postgres "dead_letter/list_due";
    DEAD_LETTER_DELETE = "dead_letter/delete": sqlite "dead_letter/delete", postgres "dead_letter/delete";
    SECRET_GET = "secret/get": sqlite "secret/get", postgres "secret/get";
    SECRET_PUT = "secret/put": sqlite "secret/put", postgres "secret/put";
    SERVICE_PING = "service/ping": sqlite "service/ping", postgres "service/ping";
    SERVICE_TIME = "service/time": sqlite "service/time.sqlite", postgres "service/time.postgres";
}
