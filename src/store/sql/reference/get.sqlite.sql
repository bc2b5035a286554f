-- What the references stand for in the scopes named.
SELECT reference.scope_id, reference.firm_id, reference.system, reference.instance,
    reference.reference_type, reference.external_id, reference.kind, reference.record_id
FROM jsonb_each($1) AS wanted
CROSS JOIN reference ON reference.scope_id = wanted.value ->> 0
    AND reference.firm_id = wanted.value ->> 1 AND reference.system = wanted.value ->> 2
    AND reference.instance = wanted.value ->> 3 AND reference.reference_type = wanted.value ->> 4
    AND reference.external_id = wanted.value ->> 5
