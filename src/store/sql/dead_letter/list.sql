-- The dead letters of a subscription, after the one named.
SELECT scope_id, subscription_id, source_id, sequence, attempt_count, last_error, failed_at, due_at,
    version
FROM dead_letter
WHERE scope_id = $1 AND subscription_id = $2 AND (source_id, sequence) > ($3, $4)
ORDER BY source_id, sequence
LIMIT $5
