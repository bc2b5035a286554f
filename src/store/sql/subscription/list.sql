-- All subscriptions after the one named.
SELECT scope_id, id, state
FROM subscription
WHERE (scope_id, id) > ($1, $2)
ORDER BY scope_id, id
LIMIT $3
