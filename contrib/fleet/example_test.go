package fleet_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A file of member feeds: checked, queued, carried out at the merchant's rate, and what came of
// each line.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	engine, err := fleet.Embedded(dir) // or fleet.Connect
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	limiter, err := fleet.NewLimiter(ctx, engine, fleet.WithRules(middleware.Rule{PerSecond: 100}))
	if err != nil {
		log.Fatal(err)
	}
	gateway, err := sandbox.New(sandbox.WithLenientCards()) // in production there is none
	if err != nil {
		log.Fatal(err)
	}
	if err := gateway.Rules.Relax(sandbox.Rates); err != nil { // the limiter above was told another rate than the documented one
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()),
		wxpay.WithPreflight(wxpay.PreflightStrict), wxpay.WithLimiter(fleet.Marking(limiter)))
	if err != nil {
		log.Fatal(err)
	}
	keys, err := fleet.ParseKeys(strings.Repeat("5a", 32)) // from your store of secrets
	if err != nil {
		log.Fatal(err)
	}
	queue, err := fleet.OpenQueue(ctx, engine, fleet.QueueConfig{Client: client, Keys: keys})
	if err != nil {
		log.Fatal(err)
	}

	file := strings.NewReader(`{"brand_id":"1004","card_id":"c","user_card_code":"7","openid":"o","out_request_no":"F1","cell_message":"15_1200_1"}
{"brand_id":"1004","card_id":"c","user_card_code":"8","openid":"o","cell_message":"15_1200_1"}
{"brand_id":"1004","card_id":"c","user_card_code":"9","openid":"o","out_request_no":"F2","cell_message":"15_1200_1"}
`)
	sheet := fleet.Sheet{File: "feeds.ndjson", Path: "v3/brand/partner/card-member/user-feeds"}
	submitted, err := queue.Submit(ctx, sheet.NDJSON(file), fleet.Intake{Reject: func(e *fleet.LineError) { fmt.Println(e) }})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("queued:", submitted.Queued)

	working, stop := context.WithCancel(ctx)
	stopped := make(chan error)
	go func() { stopped <- (&fleet.Worker{Queue: queue, Marked: true}).Run(working) }()
	if err := queue.Idle(ctx); err != nil {
		log.Fatal(err)
	}
	stop()
	if err := <-stopped; err != nil {
		log.Fatal(err)
	}
	summary, err := queue.Summary(ctx, fleet.Filter{})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range summary {
		fmt.Println(c.State, c.Code, c.Jobs)
	}
	// Output:
	// feeds.ndjson, line 2: the merchant's own number is missing: it is expected in out_request_no
	// queued: 2
	// succeeded  2
}
