-- Credentials by their public identifiers.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
SELECT found.*
FROM UNNEST($1::text[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT id, firm_id, credential_type, digest, earlier_digest, earlier_until, permissions,
        expires_at, revoked_at, last_used_at
    FROM credential
    WHERE credential.id = wanted.id
    OFFSET 0
) AS found
