-- Openings by scope and commitment.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
SELECT found.*
FROM UNNEST($1::text[], $2::text[]) AS wanted (scope_id, commitment)
CROSS JOIN LATERAL (
    SELECT scope_id, commitment, label, value, salt, readers
    FROM sealed
    WHERE sealed.scope_id = wanted.scope_id AND sealed.commitment = wanted.commitment
    OFFSET 0
) AS found
