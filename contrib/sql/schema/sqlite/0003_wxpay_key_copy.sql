-- Copies of the platform's certificate lists, encrypted and signed by the platform.
CREATE TABLE wxpay_key_copy (
	name    TEXT    NOT NULL PRIMARY KEY, -- chosen by the client
	content BLOB    NOT NULL,
	saved   INTEGER NOT NULL
);
