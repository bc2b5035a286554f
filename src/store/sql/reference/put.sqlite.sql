-- Adds references. One that stands for another record already is left alone, and the row count tells.
INSERT INTO reference (scope_id, firm_id, system, instance, reference_type, external_id, kind,
    record_id)
SELECT added.value ->> 0, added.value ->> 1, added.value ->> 2, added.value ->> 3,
    added.value ->> 4, added.value ->> 5, added.value ->> 6, added.value ->> 7
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (scope_id, firm_id, system, instance, reference_type, external_id, kind) DO UPDATE
SET record_id = excluded.record_id
WHERE reference.record_id = excluded.record_id
