-- Inserts or replaces credentials.
INSERT INTO credential (id, firm_id, credential_type, digest, permissions, expires_at, revoked_at)
SELECT added.value ->> 0, added.value ->> 1, added.value ->> 2, unhex(added.value ->> 3),
    added.value ->> 4, added.value ->> 5, added.value ->> 6
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (id) DO UPDATE
SET firm_id = excluded.firm_id, credential_type = excluded.credential_type,
    digest = excluded.digest,
    permissions = excluded.permissions, expires_at = excluded.expires_at,
    revoked_at = excluded.revoked_at
