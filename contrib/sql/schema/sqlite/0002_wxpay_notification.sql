-- Notifications that are being processed or were processed.
CREATE TABLE wxpay_notification (
	event  BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the name of the event
	owner  TEXT    NOT NULL,             -- the delivery that has claimed it
	done   BOOLEAN NOT NULL,
	lapses INTEGER NOT NULL              -- end of the claim; if it is done, when it may be forgotten
);
CREATE INDEX wxpay_notification_lapses ON wxpay_notification (lapses);
