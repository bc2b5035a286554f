-- What the references stand for in the scopes named.
-- OFFSET 0 makes PostgreSQL take one key after the other, whatever it knows of the table.
SELECT found.*
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
