-- Inserts or replaces records. One whose revision would not grow is left alone, and the row count
-- tells: so a new record (revision 1) never replaces another, and no update is lost.
INSERT INTO record (scope_id, kind, id, revision, sequence, state, due_at, created_at,
    updated_at, body_version, body)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
    $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[])
ON CONFLICT (scope_id, kind, id) DO UPDATE
SET revision = excluded.revision, sequence = excluded.sequence, state = excluded.state, due_at = excluded.due_at,
    created_at = excluded.created_at, updated_at = excluded.updated_at,
    body_version = excluded.body_version, body = excluded.body
WHERE record.revision < excluded.revision
