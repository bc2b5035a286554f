-- How far all posting has come, after the one named.
SELECT scope_id, subscription_id, source_id, sequence, attempt_count, due_at, failing_since, last_error,
    version
FROM delivery
WHERE (scope_id, subscription_id, source_id) > ($1, $2, $3)
ORDER BY scope_id, subscription_id, source_id
LIMIT $4
