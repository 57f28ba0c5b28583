-- Calls to make once.
CREATE TABLE wxpay_outbox (
	id      bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	job     bytea   NOT NULL UNIQUE, -- SHA-256 of caller, kind of number, and number
	caller  text    NOT NULL,        -- who signs, such as mchid 1900000109
	path    text    NOT NULL,        -- template of the operation
	number  text    NOT NULL,        -- the merchant's own number
	request bytea   NOT NULL,        -- path, variables and body; sealed
	state   text    NOT NULL,        -- waiting, begun, unknown; or an end
	due     bigint,                  -- when a worker may take it: after a pause, or after a lease; null after the end
	owner   text,                    -- the worker's claim; null if nobody has it
	doubt   bigint,                  -- until when it may have been sent without a known end; null for never
	begun   integer NOT NULL,        -- how often a worker has taken it
	code    text    NOT NULL,        -- the platform's error code, empty without one
	result  bytea,                   -- the verdict or the error; sealed
	added   bigint  NOT NULL,
	ended   bigint
);
CREATE INDEX wxpay_outbox_due ON wxpay_outbox (caller, due) WHERE due IS NOT NULL;
CREATE INDEX wxpay_outbox_ended ON wxpay_outbox (caller, ended) WHERE ended IS NOT NULL;
