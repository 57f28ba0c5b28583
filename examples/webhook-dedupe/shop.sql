CREATE TABLE IF NOT EXISTS shop_order (
	out_trade_no   text   PRIMARY KEY,
	total          bigint NOT NULL CHECK (total > 0), -- fen
	transaction_id text,                              -- null until it is paid
	paid_at        timestamptz
);

-- How much has come in, in fen. A payment that is booked twice shows here.
CREATE TABLE IF NOT EXISTS till (
	id      integer PRIMARY KEY CHECK (id = 1),
	balance bigint  NOT NULL
);
INSERT INTO till VALUES (1, 0) ON CONFLICT DO NOTHING;

-- Each time a function has begun, whatever became of it.
CREATE TABLE IF NOT EXISTS diary (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	notification text        NOT NULL,
	instance     integer     NOT NULL, -- process id
	begun        timestamptz NOT NULL DEFAULT clock_timestamp()
);
