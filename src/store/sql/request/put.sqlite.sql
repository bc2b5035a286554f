-- Remembers requests. One that is remembered for ever is left alone, and the row count tells; one that
-- expires is replaced, for the caller has found that it did.
INSERT INTO request (scope_id, firm_id, request_id, digest, outcome, expires_at)
SELECT added.value ->> 0, added.value ->> 1, added.value ->> 2, unhex(added.value ->> 3),
    added.value ->> 4, added.value ->> 5
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (scope_id, firm_id, request_id) DO UPDATE
SET digest = excluded.digest, outcome = excluded.outcome, expires_at = excluded.expires_at
WHERE request.expires_at IS NOT NULL
