-- Adds time zone data; what is there already stays as it is.
INSERT INTO zone (scope_id, digest, tzif)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::bytea[])
ON CONFLICT (scope_id, digest) DO NOTHING
