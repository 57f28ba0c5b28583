-- Calls to make once.
CREATE TABLE wxpay_outbox (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	job     BLOB    NOT NULL UNIQUE, -- SHA-256 of caller, kind of number, and number
	caller  TEXT    NOT NULL,        -- who signs, such as mchid 1900000109
	path    TEXT    NOT NULL,        -- template of the operation
	number  TEXT    NOT NULL,        -- the merchant's own number
	request BLOB    NOT NULL,        -- path, variables and body; sealed
	state   TEXT    NOT NULL,        -- waiting, begun, unknown; or an end
	due     INTEGER,                 -- when a worker may take it: after a pause, or after a lease; null after the end
	owner   TEXT,                    -- the worker's claim; null if nobody has it
	doubt   INTEGER,                 -- until when it may have been sent without a known end; null for never
	begun   INTEGER NOT NULL,        -- how often a worker has taken it
	code    TEXT    NOT NULL,        -- the platform's error code, empty without one
	result  BLOB,                    -- the verdict or the error; sealed
	added   INTEGER NOT NULL,
	ended   INTEGER
);
CREATE INDEX wxpay_outbox_due ON wxpay_outbox (caller, due) WHERE due IS NOT NULL;
CREATE INDEX wxpay_outbox_ended ON wxpay_outbox (caller, ended) WHERE ended IS NOT NULL;
