-- The references of the records named.
SELECT reference.scope_id, reference.firm_id, reference.system, reference.instance,
    reference.reference_type, reference.external_id, reference.kind, reference.record_id
FROM jsonb_each($1) AS wanted
CROSS JOIN reference ON reference.scope_id = wanted.value ->> 0
    AND reference.kind = wanted.value ->> 1 AND reference.record_id = wanted.value ->> 2
