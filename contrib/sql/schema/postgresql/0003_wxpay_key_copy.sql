-- Copies of the platform's certificate lists, encrypted and signed by the platform.
CREATE TABLE wxpay_key_copy (
	name    text   PRIMARY KEY, -- chosen by the client
	content bytea  NOT NULL,
	saved   bigint NOT NULL
);
