-- What a reference stands for in any scope.
SELECT scope_id, firm_id, system, instance, reference_type, external_id, kind, record_id
FROM reference
WHERE firm_id = $1 AND system = $2 AND instance = $3 AND reference_type = $4 AND external_id = $5
ORDER BY scope_id, kind, record_id
LIMIT $6
