-- A secret of the service.
SELECT value
FROM secret
WHERE name = $1
