-- Views for reports, for PostgreSQL. Their twins for SQLite have the same columns. What a column is
-- called and means is kept for as long as its view's version: what changes gets a view of the next
-- version beside it. docs/reports.md says what each column holds.
--
-- They read records only, and nothing that is sealed. Times are text, in UTC, to the second.

CREATE VIEW report_tickets_v1 AS
SELECT
    substr(scope_id, 14) AS partnership_id,
    id AS ticket_id,
    body::json ->> 'reporter' AS reporter_firm_id,
    body::json -> 'references' -> 0 ->> 'system' AS external_system,
    body::json -> 'references' -> 0 ->> 'id' AS external_id,
    body::json ->> 'agreement' AS agreement_id,
    (body::json ->> 'agreement_revision')::bigint AS agreement_revision,
    body::json ->> 'state' AS state,
    state AS stage,
    json_array_length(body::json -> 'facts')::bigint AS facts_count,
    json_array_length(body::json -> 'reached')::bigint AS levels_reached_count,
    to_char(to_timestamp(created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS create_time,
    to_char(to_timestamp(updated_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS update_time
FROM record
WHERE kind = 'ticket';

CREATE VIEW report_expectations_v1 AS
SELECT
    substr(scope_id, 14) AS partnership_id,
    id AS expectation_id,
    body::json ->> 'requester' AS requester_party_id,
    body::json ->> 'obligor' AS obligor_party_id,
    body::json ->> 'client' AS client_id,
    body::json ->> 'agreement' AS agreement_id,
    body::json ->> 'state' AS state,
    json_array_length(body::json -> 'offers')::bigint AS offers_count,
    json_array_length(body::json -> 'agreements')::bigint AS agreements_count,
    json_array_length(body::json -> 'fulfilments')::bigint AS fulfilments_count,
    to_char(to_timestamp(created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS create_time,
    to_char(to_timestamp(updated_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS update_time
FROM record
WHERE kind = 'expectation';

CREATE VIEW report_quotes_v1 AS
SELECT
    substr(scope_id, 14) AS partnership_id,
    id AS quote_id,
    body::json ->> 'display_name' AS display_name,
    body::json ->> 'client' AS client_id,
    body::json -> 'currency' ->> 'code' AS currency_code,
    body::json ->> 'state' AS state,
    json_array_length(body::json -> 'portions')::bigint AS portions_count,
    json_array_length(body::json -> 'revisions')::bigint AS revisions_count,
    to_char(to_timestamp((body::json ->> 'expires_at')::bigint / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS expire_time,
    to_char(to_timestamp(created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS create_time,
    to_char(to_timestamp(updated_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS update_time
FROM record
WHERE kind = 'joint_quote';
