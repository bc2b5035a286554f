-- Credentials by their digest, in the order of their identifiers.
SELECT id, firm_id, credential_type, digest, earlier_digest, earlier_until, permissions, expires_at,
    revoked_at, last_used_at
FROM credential
WHERE digest = $1
ORDER BY id
LIMIT $2
