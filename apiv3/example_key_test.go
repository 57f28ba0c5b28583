package apiv3_test

// publicPEM is a public key out of the test vectors, on one line with literal \n as an environment variable carries it.
const publicPEM = `-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwlWT6HC8Qfl+51yjjvwc\nyQrV6D2G2ln0xdCFDgUzBamCq8RLmRuG6W7/VSlFTp/41bXfQ0tUZVPD7d2xqsyJ\n24VY24JR0o2Z45ywtSsRuMKC/5Z0MEVz5rE3sNseIl5kS+zF1jyvIeTMm6U68YD1\nZu12+QoW5UDgF0ex6V3lWlGjyB61ojQjQayLnli/6qTi1LN1ZisII4TA+idQK/gR\nI0Xr2nCzggO/s/ml6+7sGXPmYxOrrKnOrmC6Dncvq5FXzSymk7o+SUpsNqkB6iFz\ndheQxdV7a8YcUBfiq6kBB61R3V9uT+C/6TkgF95xSSZrEgdn/sgmIkQ4QGrEok2s\nCQIDAQAB\n-----END PUBLIC KEY-----`
