-- Forgets an entry that was taken after all.
DELETE FROM dead_letter
WHERE scope_id = $1 AND subscription_id = $2 AND source_id = $3 AND sequence = $4
