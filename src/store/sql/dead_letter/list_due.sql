-- Dead letters that are to be tried once more, the longest due first.
SELECT scope_id, subscription_id, source_id, sequence, attempt_count, last_error, failed_at, due_at,
    version
FROM dead_letter
WHERE due_at <= $1
ORDER BY due_at, scope_id, subscription_id, source_id, sequence
LIMIT $2
