-- Erases openings; what is not there needs no erasing.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
DELETE FROM sealed
WHERE ctid = ANY (ARRAY(
    SELECT found.ctid
    FROM UNNEST($1::text[], $2::text[]) AS wanted (scope_id, commitment)
    CROSS JOIN LATERAL (
        SELECT sealed.ctid
        FROM sealed
        WHERE sealed.scope_id = wanted.scope_id AND sealed.commitment = wanted.commitment
        OFFSET 0
    ) AS found
))
