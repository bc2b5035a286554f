-- Hashes of entries.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
SELECT found.*
FROM UNNEST($1::text[], $2::bigint[]) AS wanted (scope_id, sequence)
CROSS JOIN LATERAL (
    SELECT scope_id, sequence, hash
    FROM journal
    WHERE journal.scope_id = wanted.scope_id AND journal.sequence = wanted.sequence
    OFFSET 0
) AS found
