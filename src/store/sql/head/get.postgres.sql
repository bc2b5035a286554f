-- Heads of the scopes named.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
SELECT found.*
FROM UNNEST($1::text[]) AS wanted (scope_id)
CROSS JOIN LATERAL (
    SELECT scope_id, sequence, hash, recorded_at
    FROM head
    WHERE head.scope_id = wanted.scope_id
    OFFSET 0
) AS found
