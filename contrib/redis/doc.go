// Package wxredis keeps on a server of Redis or Valkey what the processes of a shop share:
// processed notifications, rate limits, and the platform's certificates.
//
//	rdb := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: addresses})
//	store, err := wxredis.New(rdb, wxredis.WithProcesses(4))
//
//	client, err := wxpay.New(merchant,
//		wxpay.WithLimiter(store),
//		wxpay.WithCertificates(wxpay.StoreIn(store)))
//	handler, err := webhook.New(receiver, webhook.WithDeduper(store))
//
// Do not use it where the notification's number can be stored in the transaction that changes the
// order: a database forgets nothing that it has committed.
//
// # What a server may forget
//
// A server without an append-only file forgets what it has not saved when it is killed; with
// appendfsync everysec, the last seconds. A replica that takes over (Sentinel, Cluster) knows only
// what has reached it: replication is asynchronous. A server whose maxmemory-policy is not
// noeviction may drop keys. A forgotten event is processed again if it is delivered again, so a
// function must be idempotent, here as with every [webhook.Deduper]. A forgotten limit begins anew:
// once, up to twice the rate may begin within a second. A forgotten certificate list is fetched
// again.
//
// # When the server cannot be used
//
// That is: it is away, hangs for two seconds, is full, loads its data, refuses the password, or is a
// replica. A delivery gets 503, and the platform delivers again ([WithDeliveriesPassing] lets it
// pass). A request with a limit is kept back and not sent; after [WithProcesses] each process keeps
// its share of the rate by itself, and asks the server again after a second. If only some of the
// processes are cut off, or in the second in which the server goes or comes back, all together may
// reach twice the rate. A client goes on with the certificates that it has, or fetches the list from
// the platform.
//
// # Keys
//
// All keys begin with the prefix, "wxpay:": event:… and limit:… are digests, keys:… has the
// merchant's number. No value holds a secret: the certificate list is kept as the platform
// encrypted and signed it. Anybody who can write to the server can make an event look processed.
// A key with a value of another program is an error that names it, and stays as it is. The channel
// of messages to those who wait is ended.
//
// Every step is one Lua script over one key, called by its digest (EVALSHA), and by its text where
// the server does not know it: in a cluster no hash tag is needed. An event takes about 170 bytes
// for 25 hours; a limit, about 20 bytes for each request of the last second.
//
// Guide: contrib/redis/README.md.
package wxredis
