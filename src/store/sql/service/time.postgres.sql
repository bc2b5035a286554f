-- What the database's clock shows, in microseconds since 1970 in UTC.
SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS answer
