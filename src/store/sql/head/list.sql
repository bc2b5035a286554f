-- All heads after the scope named.
SELECT scope_id, sequence, hash, recorded_at
FROM head
WHERE scope_id > $1
ORDER BY scope_id
LIMIT $2
