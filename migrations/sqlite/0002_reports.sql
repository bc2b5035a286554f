-- Views for reports, for SQLite. Their twins for PostgreSQL have the same columns. What a column is
-- called and means is kept for as long as its view's version: what changes gets a view of the next
-- version beside it. docs/reports.md says what each column holds.
--
-- They read records only, and nothing that is sealed. Times are text, in UTC, to the second.

CREATE VIEW report_tickets_v1 AS
SELECT
    substr(scope_id, 14) AS partnership_id,
    id AS ticket_id,
    body ->> '$.reporter' AS reporter_firm_id,
    body ->> '$.references[0].system' AS external_system,
    body ->> '$.references[0].id' AS external_id,
    body ->> '$.agreement' AS agreement_id,
    CAST(body ->> '$.agreement_revision' AS INTEGER) AS agreement_revision,
    body ->> '$.state' AS state,
    state AS stage,
    json_array_length(body, '$.facts') AS facts_count,
    json_array_length(body, '$.reached') AS levels_reached_count,
    strftime('%Y-%m-%dT%H:%M:%SZ', created_at / 1000000, 'unixepoch') AS create_time,
    strftime('%Y-%m-%dT%H:%M:%SZ', updated_at / 1000000, 'unixepoch') AS update_time
FROM record
WHERE kind = 'ticket';

CREATE VIEW report_expectations_v1 AS
SELECT
    substr(scope_id, 14) AS partnership_id,
    id AS expectation_id,
    body ->> '$.requester' AS requester_party_id,
    body ->> '$.obligor' AS obligor_party_id,
    body ->> '$.client' AS client_id,
    body ->> '$.agreement' AS agreement_id,
    body ->> '$.state' AS state,
    json_array_length(body, '$.offers') AS offers_count,
    json_array_length(body, '$.agreements') AS agreements_count,
    json_array_length(body, '$.fulfilments') AS fulfilments_count,
    strftime('%Y-%m-%dT%H:%M:%SZ', created_at / 1000000, 'unixepoch') AS create_time,
    strftime('%Y-%m-%dT%H:%M:%SZ', updated_at / 1000000, 'unixepoch') AS update_time
FROM record
WHERE kind = 'expectation';

CREATE VIEW report_quotes_v1 AS
SELECT
    substr(scope_id, 14) AS partnership_id,
    id AS quote_id,
    body ->> '$.display_name' AS display_name,
    body ->> '$.client' AS client_id,
    body ->> '$.currency.code' AS currency_code,
    body ->> '$.state' AS state,
    json_array_length(body, '$.portions') AS portions_count,
    json_array_length(body, '$.revisions') AS revisions_count,
    strftime('%Y-%m-%dT%H:%M:%SZ', CAST(body ->> '$.expires_at' AS INTEGER) / 1000000, 'unixepoch') AS expire_time,
    strftime('%Y-%m-%dT%H:%M:%SZ', created_at / 1000000, 'unixepoch') AS create_time,
    strftime('%Y-%m-%dT%H:%M:%SZ', updated_at / 1000000, 'unixepoch') AS update_time
FROM record
WHERE kind = 'joint_quote';
