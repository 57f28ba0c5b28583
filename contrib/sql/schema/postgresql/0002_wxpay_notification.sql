-- Notifications that are being processed or were processed.
CREATE TABLE wxpay_notification (
	event  bytea   PRIMARY KEY, -- SHA-256 of the name of the event
	owner  text    NOT NULL,    -- the delivery that has claimed it
	done   boolean NOT NULL,
	lapses bigint  NOT NULL     -- end of the claim; if it is done, when it may be forgotten
);
CREATE INDEX wxpay_notification_lapses ON wxpay_notification (lapses);
