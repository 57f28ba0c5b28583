-- Calls to make once.
CREATE TABLE wxpay_outbox (
	id      BIGINT         NOT NULL AUTO_INCREMENT PRIMARY KEY,
	job     BINARY(32)     NOT NULL UNIQUE, -- SHA-256 of caller, kind of number, and number
	caller  VARBINARY(255) NOT NULL,        -- who signs, such as mchid 1900000109
	path    VARBINARY(255) NOT NULL,        -- template of the operation
	number  VARBINARY(255) NOT NULL,        -- the merchant's own number
	request MEDIUMBLOB     NOT NULL,        -- path, variables and body; sealed
	state   VARBINARY(32)  NOT NULL,        -- waiting, begun, unknown; or an end
	due     BIGINT,                         -- when a worker may take it: after a pause, or after a lease; null after the end
	owner   VARBINARY(255),                 -- the worker's claim; null if nobody has it
	doubt   BIGINT,                         -- until when it may have been sent without a known end; null for never
	begun   INTEGER        NOT NULL,        -- how often a worker has taken it
	code    VARBINARY(255) NOT NULL,        -- the platform's error code, empty without one
	result  MEDIUMBLOB,                     -- the verdict or the error; sealed
	added   BIGINT         NOT NULL,
	ended   BIGINT,
	INDEX wxpay_outbox_due (caller, due),
	INDEX wxpay_outbox_ended (caller, ended)
) ENGINE = InnoDB;
