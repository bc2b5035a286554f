-- What is due, the longest due first.
SELECT scope_id, kind, id, due_at
FROM record
WHERE due_at <= $1
ORDER BY due_at, scope_id, kind, id
LIMIT $2
