-- How far the posting has come, if nobody else has changed that in between.
INSERT INTO delivery (scope_id, subscription_id, source_id, sequence, attempt_count, due_at,
    failing_since, last_error, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (scope_id, subscription_id, source_id) DO UPDATE
SET sequence = excluded.sequence, attempt_count = excluded.attempt_count, due_at = excluded.due_at,
    failing_since = excluded.failing_since, last_error = excluded.last_error,
    version = excluded.version
WHERE delivery.version = excluded.version - 1
