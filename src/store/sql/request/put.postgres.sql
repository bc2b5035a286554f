-- Remembers requests. One that is remembered for ever is left alone, and the row count tells; one that
-- expires is replaced, for the caller has found that it did.
INSERT INTO request (scope_id, firm_id, request_id, digest, outcome, expires_at)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::bigint[])
ON CONFLICT (scope_id, firm_id, request_id) DO UPDATE
SET digest = excluded.digest, outcome = excluded.outcome, expires_at = excluded.expires_at
WHERE request.expires_at IS NOT NULL
