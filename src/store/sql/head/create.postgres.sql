-- Makes the heads that are missing.
INSERT INTO head (scope_id, sequence, hash, recorded_at)
SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bytea[], $4::bigint[])
ON CONFLICT (scope_id) DO NOTHING
