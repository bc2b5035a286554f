-- Heads of the scopes named that nobody holds, locked until the end of the transaction.
-- They are locked in the order of the names given.
SELECT found.*
FROM UNNEST($1::text[]) AS wanted (scope_id)
CROSS JOIN LATERAL (
    SELECT scope_id, sequence, hash, recorded_at
    FROM head
    WHERE head.scope_id = wanted.scope_id
    FOR UPDATE SKIP LOCKED
) AS found
