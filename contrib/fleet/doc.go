// Package fleet makes very many calls to WeChat Pay APIv3, in one process or on many machines,
// under one limit that they share: bulk jobs that take hours or days, survive the death of any
// process, and send a number again only where [wxpay.Chain.Ensure] would.
//
// The queue, the results and the shared limit live in NATS JetStream, and so do notifications, of
// which package relay takes care. [Embedded] runs it inside the process, with its files in a
// directory and no listening socket; [Connect] uses a server or a cluster that you run. All else is
// the same for both, so that a job can begin on one machine and move to three when it is outgrown.
//
// It is the wrong choice for calls whose response somebody waits for: call the client, which has a
// queue and limits of its own. It is the wrong choice for a few thousand calls in a process that need
// not survive: a loop over Ensure with wxpay.WithLimiter makes them. It makes a client no faster:
// a bulk job waits for the platform's limit.
//
// # Promises
//
// An [Engine] is safe for concurrent use. A job that JetStream has acknowledged outlives the
// process (kill -9), and in a cluster of three also the loss of one machine. [WithSync] tells what
// a loss of power can take from a single machine. No error text or log record holds a key, a body
// or an identity.
//
// The package is experimental: a minor version may change it, and the form of its records with it.
//
// # Where the rules come from
//
// The limits on calls are those of the catalogue,
// https://pay.weixin.qq.com/doc/v3/merchant/4012791858 and the pages of the operations, checked in
// November 2026. The promises of JetStream come from https://docs.nats.io/nats-concepts/jetstream
// and from the source of nats-server 2.15.
//
// Guide: docs/fleet.md.
package fleet
