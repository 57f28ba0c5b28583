-- The migrations that were applied.
CREATE TABLE wxpay_schema (
	name    TEXT    NOT NULL PRIMARY KEY, -- of the migration, such as 0001_wxpay_schema
	applied INTEGER NOT NULL              -- when: microseconds since 1970 in UTC, as all times in these tables
);
