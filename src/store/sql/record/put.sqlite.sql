-- Inserts or replaces records. One whose revision would not grow is left alone, and the row count
-- tells: so a new record (revision 1) never replaces another, and no update is lost.
INSERT INTO record (scope_id, kind, id, revision, sequence, state, due_at, created_at,
    updated_at, body_version, body)
SELECT added.value ->> 0, added.value ->> 1, added.value ->> 2, added.value ->> 3,
    added.value ->> 4, added.value ->> 5, added.value ->> 6, added.value ->> 7, added.value ->> 8,
    added.value ->> 9, added.value ->> 10
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (scope_id, kind, id) DO UPDATE
SET revision = excluded.revision, sequence = excluded.sequence, state = excluded.state, due_at = excluded.due_at,
    created_at = excluded.created_at, updated_at = excluded.updated_at,
    body_version = excluded.body_version, body = excluded.body
WHERE record.revision < excluded.revision
