-- Adds references. One that stands for another record already is left alone, and the row count tells.
INSERT INTO reference (scope_id, firm_id, system, instance, reference_type, external_id, kind,
    record_id)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::text[])
ON CONFLICT (scope_id, firm_id, system, instance, reference_type, external_id, kind) DO UPDATE
SET record_id = excluded.record_id
WHERE reference.record_id = excluded.record_id
