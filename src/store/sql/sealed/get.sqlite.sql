-- Openings by scope and commitment.
SELECT sealed.scope_id, sealed.commitment, sealed.label, sealed.value, sealed.salt, sealed.readers
FROM jsonb_each($1) AS wanted
CROSS JOIN sealed ON sealed.scope_id = wanted.value ->> 0 AND sealed.commitment = wanted.value ->> 1
