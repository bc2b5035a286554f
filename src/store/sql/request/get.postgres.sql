-- Requests that were carried out.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
SELECT found.*
FROM UNNEST($1::text[], $2::text[], $3::text[]) AS wanted (scope_id, firm_id, request_id)
CROSS JOIN LATERAL (
    SELECT scope_id, firm_id, request_id, digest, outcome,
        expires_at
    FROM request
    WHERE request.scope_id = wanted.scope_id AND request.firm_id = wanted.firm_id
        AND request.request_id = wanted.request_id
    OFFSET 0
) AS found
