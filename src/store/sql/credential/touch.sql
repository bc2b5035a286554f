-- Notes when a credential was used.
UPDATE credential
SET last_used_at = $2
WHERE id = $1
