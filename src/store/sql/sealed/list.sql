-- All openings of a scope.
SELECT scope_id, commitment, label, value, salt, readers
FROM sealed
WHERE scope_id = $1 AND commitment > $2
ORDER BY commitment
LIMIT $3
