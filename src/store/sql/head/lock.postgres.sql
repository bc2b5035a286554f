-- Heads of the scopes named, locked until the end of the transaction; waits for those that are held.
-- They are locked in the order of the names given.
SELECT found.*
FROM UNNEST($1::text[]) AS wanted (scope_id)
CROSS JOIN LATERAL (
    SELECT scope_id, sequence, hash, recorded_at
    FROM head
    WHERE head.scope_id = wanted.scope_id
    FOR UPDATE
) AS found
