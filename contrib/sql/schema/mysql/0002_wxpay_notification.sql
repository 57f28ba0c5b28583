-- Notifications that are being processed or were processed.
CREATE TABLE wxpay_notification (
	event  BINARY(32)     NOT NULL PRIMARY KEY, -- SHA-256 of the name of the event
	owner  VARBINARY(255) NOT NULL,             -- the delivery that has claimed it
	done   BOOLEAN        NOT NULL,
	lapses BIGINT         NOT NULL,             -- end of the claim; if it is done, when it may be forgotten
	INDEX wxpay_notification_lapses (lapses)
) ENGINE = InnoDB;
