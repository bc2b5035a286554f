-- What the references stand for in the scopes named, with the record if it is in that scope.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the tables.
SELECT found.*, record.*
FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
    $6::text[]) AS wanted (scope_id, firm_id, system, instance, reference_type, external_id)
CROSS JOIN LATERAL (
    SELECT scope_id, firm_id, system, instance,
        reference_type, external_id, kind, record_id
    FROM reference
    WHERE reference.scope_id = wanted.scope_id AND reference.firm_id = wanted.firm_id
        AND reference.system = wanted.system AND reference.instance = wanted.instance
        AND reference.reference_type = wanted.reference_type
        AND reference.external_id = wanted.external_id
    OFFSET 0
) AS found
LEFT JOIN LATERAL (
    SELECT revision, sequence, state, due_at, created_at, updated_at, body_version, body
    FROM record
    WHERE record.scope_id = found.scope_id AND record.kind = found.kind
        AND record.id = found.record_id
    OFFSET 0
) AS record ON true
