// Package wxpaytest has doubles of WeChat Pay for unit tests: a client whose requests a handler of
// the test answers, and notifications for the functions of a webhook handler.
//
// A double needs no socket, no configuration and no state. Its responses and notifications carry
// valid signatures, so client and handler run their whole code. It does not check the requests: it
// answers with exactly what the test says. Package sandbox is the other half: it checks every
// request by the documented rules and keeps the state of orders and refunds. docs/testing.md says
// when to use which.
//
// All functions are safe for concurrent use. The keys are made once for a process.
package wxpaytest
