-- Notes subscriptions, or what became of them.
INSERT INTO subscription (scope_id, id, state)
SELECT added.value ->> 0, added.value ->> 1, added.value ->> 2
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (scope_id, id) DO UPDATE
SET state = excluded.state
