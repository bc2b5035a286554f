-- Inserts or replaces credentials; when one was last used stays as it is.
INSERT INTO credential (id, firm_id, credential_type, digest, earlier_digest, earlier_until,
    permissions, expires_at, revoked_at)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::bigint[],
    $7::text[], $8::bigint[], $9::bigint[])
ON CONFLICT (id) DO UPDATE
SET firm_id = excluded.firm_id, credential_type = excluded.credential_type,
    digest = excluded.digest, earlier_digest = excluded.earlier_digest,
    earlier_until = excluded.earlier_until, permissions = excluded.permissions,
    expires_at = excluded.expires_at, revoked_at = excluded.revoked_at
