-- What the database's clock shows, in microseconds since 1970 in UTC: this machine's own.
SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS answer
