-- Adds openings; one that is there already stays as it is.
INSERT INTO sealed (scope_id, commitment, label, value, salt, readers)
SELECT added.value ->> 0, added.value ->> 1, added.value ->> 2, added.value ->> 3,
    unhex(added.value ->> 4), added.value ->> 5
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (scope_id, commitment) DO NOTHING
