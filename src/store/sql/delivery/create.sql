-- Where the posting of a journal to a subscription begins, unless it has begun.
INSERT INTO delivery (scope_id, subscription_id, source_id, sequence, attempt_count, due_at, last_error,
    version)
VALUES ($1, $2, $3, $4, 0, $5, '', 1)
ON CONFLICT (scope_id, subscription_id, source_id) DO NOTHING
