-- The references of the records named.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
SELECT found.*
FROM UNNEST($1::text[], $2::text[], $3::text[]) AS wanted (scope_id, kind, record_id)
CROSS JOIN LATERAL (
    SELECT scope_id, firm_id, system, instance,
        reference_type, external_id, kind, record_id
    FROM reference
    WHERE reference.scope_id = wanted.scope_id AND reference.kind = wanted.kind
        AND reference.record_id = wanted.record_id
    OFFSET 0
) AS found
