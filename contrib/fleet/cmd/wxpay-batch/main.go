// Command wxpay-batch makes very many calls to WeChat Pay from a list, paced by the platform's limits. "wxpay batch" runs it.
//
//	wxpay-batch FILE [METHOD] PATH     all in one process: check, queue, send, and write results; run again to go on
//	wxpay-batch submit FILE PATH       check and queue, for workers elsewhere
//	wxpay-batch work                   carry out what is queued
//	wxpay-batch status                 where the queue stands
//	wxpay-batch results                one line for each job, the unknown first
//	wxpay-batch retry                  find out what became of the unknown
//	wxpay-batch pause                  begin no more jobs until a resume
//	wxpay-batch cancel                 end the jobs that were never sent
//	wxpay-batch drain                  take no new jobs, and wait until all are done
//	wxpay-batch resume                 go on after a pause or a drain
//
// The queue is in a directory (--data), or on a NATS cluster (--nats). See the help of each command, and docs/fleet.md.
package main

import (
	"context"
	"os"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/batch"
)

func main() {
	os.Exit(batch.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
