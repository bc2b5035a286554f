-- Records by key.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
SELECT found.*
FROM UNNEST($1::text[], $2::text[], $3::text[]) AS wanted (scope_id, kind, id)
CROSS JOIN LATERAL (
    SELECT scope_id, kind, id, revision, sequence, state, due_at,
        created_at, updated_at, body_version, body
    FROM record
    WHERE record.scope_id = wanted.scope_id AND record.kind = wanted.kind AND record.id = wanted.id
    OFFSET 0
) AS found
