-- Copies of the platform's certificate lists, encrypted and signed by the platform.
CREATE TABLE wxpay_key_copy (
	name    VARBINARY(255) NOT NULL PRIMARY KEY, -- chosen by the client
	content MEDIUMBLOB     NOT NULL,
	saved   BIGINT         NOT NULL
) ENGINE = InnoDB;
