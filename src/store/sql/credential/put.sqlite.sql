-- Inserts or replaces credentials; when one was last used stays as it is.
INSERT INTO credential (id, firm_id, credential_type, digest, earlier_digest, earlier_until,
    permissions, expires_at, revoked_at)
SELECT added.value ->> 0, added.value ->> 1, added.value ->> 2, unhex(added.value ->> 3),
    unhex(added.value ->> 4), added.value ->> 5, added.value ->> 6, added.value ->> 7,
    added.value ->> 8
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (id) DO UPDATE
SET firm_id = excluded.firm_id, credential_type = excluded.credential_type,
    digest = excluded.digest, earlier_digest = excluded.earlier_digest,
    earlier_until = excluded.earlier_until, permissions = excluded.permissions,
    expires_at = excluded.expires_at, revoked_at = excluded.revoked_at
