-- Adds openings; one that is there already stays as it is.
INSERT INTO sealed (scope_id, commitment, label, value, salt, readers)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[])
ON CONFLICT (scope_id, commitment) DO NOTHING
