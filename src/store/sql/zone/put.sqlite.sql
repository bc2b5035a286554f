-- Adds time zone data; what is there already stays as it is.
INSERT INTO zone (scope_id, digest, tzif)
SELECT added.value ->> 0, added.value ->> 1, unhex(added.value ->> 2)
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (scope_id, digest) DO NOTHING
