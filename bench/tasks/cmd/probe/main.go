// Command probe does one task in every client against the sandbox, and prints the fate of a mistake
// in each.
//
//	go run ./cmd/probe place
//
// The mistake is in the sources that it is compiled of: see ../table.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/bench/tasks"
	"github.com/wxpay-go/wxpay/bench/tasks/attribute"
	"github.com/wxpay-go/wxpay/bench/tasks/declarative"
	"github.com/wxpay-go/wxpay/bench/tasks/gopay"
	"github.com/wxpay-go/wxpay/bench/tasks/official"
	"github.com/wxpay-go/wxpay/bench/tasks/pure"
	"github.com/wxpay-go/wxpay/bench/tasks/requests"
	"github.com/wxpay-go/wxpay/bench/tasks/resty"
	"github.com/wxpay-go/wxpay/bench/tasks/typed"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

var clients = map[string]func(tasks.Config) (tasks.Tasks, error){
	"declarative": declarative.New, "attribute": attribute.New, "pure": pure.New, "resty": resty.New, "requests": requests.New,
	"typed": typed.New, "official": official.New, "gopay": gopay.New,
}

var order = tasks.Order{
	Number: "ABC-001", Description: "one cup", OpenID: "obLatjnx9gnqzS4myYGmLZ7LgLBA", NotifyURL: "https://www.example.com/notify", Total: 100,
}

// evening is a time whose day in Beijing is another than in UTC.
var evening = time.Now().UTC().AddDate(0, 0, -4).Truncate(24 * time.Hour).Add(20 * time.Hour)

// scenarios do a task. They report whether the mistake cannot have been made, by what was sent, and
// the error of the task.
var scenarios = map[string]func(context.Context, tasks.Tasks, *sandbox.Sandbox) (cannot bool, err error){
	"place": func(ctx context.Context, client tasks.Tasks, _ *sandbox.Sandbox) (bool, error) {
		_, err := client.Place(ctx, order)
		return false, err
	},
	"query": func(ctx context.Context, client tasks.Tasks, gateway *sandbox.Sandbox) (bool, error) {
		if _, err := gateway.Users.AddPaidOrder(order.Number, 500); err != nil {
			return false, err
		}
		_, total, err := client.Query(ctx, order.Number)
		return err == nil && total == 500, err
	},
	"slash": func(ctx context.Context, client tasks.Tasks, gateway *sandbox.Sandbox) (bool, error) {
		_, _, err := client.Query(ctx, "ABC/001")
		sent := gateway.Journal.All()
		return len(sent) == 0 || strings.Contains(sent[0].Target, "ABC%2F001"), err
	},
	"transfer": func(ctx context.Context, client tasks.Tasks, gateway *sandbox.Sandbox) (bool, error) {
		_, err := client.Transfer(ctx, tasks.Transfer{
			Number: "T20261122", OpenID: order.OpenID, UserName: "张三", Scene: "1000", Remark: "奖金", Amount: 200_000,
		})
		sent := gateway.Journal.All()
		return len(sent) > 0 && !bytes.Contains(sent[0].Body, []byte("张三")), err
	},
	"day": func(ctx context.Context, client tasks.Tasks, gateway *sandbox.Sandbox) (bool, error) {
		_, err := client.Bill(ctx, evening)
		sent := gateway.Journal.All()
		right := evening.Add(8 * time.Hour).Format(time.DateOnly)
		return len(sent) > 0 && strings.Contains(sent[0].Target, "bill_date="+right), err
	},
	"digest": func(ctx context.Context, client tasks.Tasks, gateway *sandbox.Sandbox) (bool, error) {
		if err := gateway.Faults.Inject(fault.Rule{Kind: fault.WrongDigest, Path: "/v3/bill/tradebill", Count: 1}); err != nil {
			return false, err
		}
		_, err := client.Bill(ctx, evening)
		return err != nil, err
	},
	"forged": func(_ context.Context, client tasks.Tasks, gateway *sandbox.Sandbox) (bool, error) {
		taken := false
		handler, err := client.Notifications(func(string, int64) error { taken = true; return nil })
		if err != nil {
			return false, err
		}
		req, err := gateway.Deliveries.Notify("TRANSACTION.SUCCESS", map[string]any{"out_trade_no": "ABC-001", "amount": map[string]any{"total": 100}})
		if err != nil {
			return false, err
		}
		req.Header.Set("Wechatpay-Nonce", "0123456789")
		handler.ServeHTTP(httptest.NewRecorder(), req)
		return !taken, nil
	},
}

func main() {
	scenario, ok := scenarios[os.Args[len(os.Args)-1]]
	if !ok {
		log.Fatal("no such scenario")
	}
	fates := make(map[string]string)
	for name, newClient := range clients {
		fate, err := probe(newClient, scenario)
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		fates[name] = fate
	}
	text, err := json.Marshal(fates)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}

// probe tells the fate of the mistake in one client, and why.
func probe(newClient func(tasks.Config) (tasks.Tasks, error), scenario func(context.Context, tasks.Tasks, *sandbox.Sandbox) (bool, error)) (string, error) {
	gateway, err := sandbox.New(sandbox.WithBillRows(10))
	if err != nil {
		return "", err
	}
	if err := gateway.Rules.Relax(sandbox.Rates); err != nil {
		return "", err
	}
	var logged bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelWarn})))
	m := gateway.Merchant()
	client, err := newClient(tasks.Config{
		MchID: m.ID, Serial: m.Serial, AppID: "wxd678efh567hg6787", APIv3Key: m.APIv3Key, PublicKeyID: gateway.Keys.PublicKeyID(),
		Key: m.PrivateKey, PublicKey: gateway.Keys.PublicKey(), Transport: gateway.Transport(),
	})
	if err != nil {
		return "", err
	}
	cannot, failure := scenario(context.Background(), client, gateway)
	refused := false
	for _, entry := range gateway.Journal.All() {
		refused = refused || entry.Status >= http.StatusBadRequest
	}
	switch {
	case cannot:
		return "cannot", nil
	case logged.Len() > 0, failure != nil && !refused:
		return "told", nil
	case failure != nil:
		return "refused", nil
	}
	return "silent", nil
}
