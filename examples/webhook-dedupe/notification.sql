-- What was processed, and what is being processed.
CREATE TABLE IF NOT EXISTS notification (
	key    bytea       PRIMARY KEY, -- SHA-256 of the name of the event: names may be longer than an index takes
	owner  text        NOT NULL,    -- who has claimed it, or has done it
	done   boolean     NOT NULL DEFAULT false,
	lapses timestamptz NOT NULL     -- a claim, with its lease; what is done, when no redelivery can come any more
);
CREATE INDEX IF NOT EXISTS notification_lapses ON notification (lapses);
