-- What the references stand for in the scopes named, with the record if it is in that scope.
SELECT reference.scope_id, reference.firm_id, reference.system, reference.instance,
    reference.reference_type, reference.external_id, reference.kind, reference.record_id,
    record.revision, record.sequence, record.state, record.due_at, record.created_at, record.updated_at,
    record.body_version, record.body
FROM jsonb_each($1) AS wanted
CROSS JOIN reference ON reference.scope_id = wanted.value ->> 0
    AND reference.firm_id = wanted.value ->> 1 AND reference.system = wanted.value ->> 2
    AND reference.instance = wanted.value ->> 3 AND reference.reference_type = wanted.value ->> 4
    AND reference.external_id = wanted.value ->> 5
LEFT JOIN record ON record.scope_id = reference.scope_id AND record.kind = reference.kind
    AND record.id = reference.record_id
