-- Inserts or replaces credentials.
INSERT INTO credential (id, firm_id, credential_type, digest, permissions, expires_at, revoked_at)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::bigint[],
    $7::bigint[])
ON CONFLICT (id) DO UPDATE
SET firm_id = excluded.firm_id, credential_type = excluded.credential_type,
    digest = excluded.digest,
    permissions = excluded.permissions, expires_at = excluded.expires_at,
    revoked_at = excluded.revoked_at
