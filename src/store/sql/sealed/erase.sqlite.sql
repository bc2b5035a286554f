-- Erases openings; what is not there needs no erasing.
DELETE FROM sealed
WHERE (scope_id, commitment) IN (
    SELECT erased.value ->> 0, erased.value ->> 1
    FROM jsonb_each($1) AS erased
)
