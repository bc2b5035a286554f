-- Credentials by their public identifiers.
SELECT credential.id, credential.firm_id, credential.credential_type, credential.digest,
    credential.earlier_digest, credential.earlier_until, credential.permissions,
    credential.expires_at, credential.revoked_at, credential.last_used_at
FROM jsonb_each($1) AS wanted
CROSS JOIN credential ON credential.id = wanted.value ->> 0
