-- A credential by its public identifier.
SELECT id, firm_id, credential_type, digest, permissions, expires_at, revoked_at
FROM credential
WHERE id = $1
