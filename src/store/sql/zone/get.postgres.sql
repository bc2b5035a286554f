-- Time zone data by scope and digest.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
SELECT found.*
FROM UNNEST($1::text[], $2::text[]) AS wanted (scope_id, digest)
CROSS JOIN LATERAL (
    SELECT scope_id, digest, tzif
    FROM zone
    WHERE zone.scope_id = wanted.scope_id AND zone.digest = wanted.digest
    OFFSET 0
) AS found
