-- The migrations that were applied.
CREATE TABLE wxpay_schema (
	name    text   PRIMARY KEY, -- of the migration, such as 0001_wxpay_schema
	applied bigint NOT NULL     -- when: microseconds since 1970 in UTC, as all times in these tables
);
