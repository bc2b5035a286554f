-- An entry that was given up, or what became of it, if nobody else has changed that in between.
INSERT INTO dead_letter (scope_id, subscription_id, source_id, sequence, attempt_count, last_error,
    failed_at, due_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (scope_id, subscription_id, source_id, sequence) DO UPDATE
SET attempt_count = excluded.attempt_count, last_error = excluded.last_error,
    failed_at = excluded.failed_at, due_at = excluded.due_at, version = excluded.version
WHERE dead_letter.version = excluded.version - 1
