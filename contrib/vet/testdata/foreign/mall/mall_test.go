package mall

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
)

func shop(t *testing.T) (*Shop, *sandbox.Sandbox) {
	t.Helper()
	gateway, err := sandbox.New()
	if err != nil {
		t.Fatal(err)
	}
	config := &Config{AppID: "wxd678efh567hg6787", MchID: gateway.Merchant().ID, NotifyURL: "https://shop.example.com/wxpay/notify", Expiry: time.Hour}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()), wxpay.WithDefaults(config.MchID, config.AppID))
	if err != nil {
		t.Fatal(err)
	}
	return &Shop{Config: config, Client: client, Store: NewMemory(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, gateway
}

func order(number string) *Order {
	return &Order{
		Number: number, UserID: 7, Channel: ChannelNative, State: OrderCreated, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
		Items: []Item{{SKU: "tea-1", Title: "龙井", Quantity: 2, Price: 4900}}, Freight: 1000,
	}
}

func TestPayAndRefund(t *testing.T) {
	s, gateway := shop(t)
	ctx := context.Background()
	if err := s.Store.SaveOrder(ctx, order("20261130-0001")); err != nil {
		t.Fatal(err)
	}
	start, err := s.Pay(ctx, "20261130-0001", "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if start.CodeURL == "" {
		t.Fatal("no code")
	}
	if _, err := gateway.Users.Pay("20261130-0001"); err != nil {
		t.Fatal(err)
	}
	paid, err := s.Refresh(ctx, "20261130-0001")
	if err != nil {
		t.Fatal(err)
	}
	if paid.State != OrderPaid {
		t.Fatalf("state %s", paid.State)
	}
	refund, err := s.NewRefund(ctx, "20261130-0001", 4900, "一件损坏", Item{SKU: "tea-1", Quantity: 1, Price: 4900})
	if err != nil {
		t.Fatal(err)
	}
	if refund.State != "SUCCESS" && refund.State != "PROCESSING" {
		t.Fatalf("state %s", refund.State)
	}
}

func TestCloseUnpaid(t *testing.T) {
	s, _ := shop(t)
	ctx := context.Background()
	if err := s.Store.SaveOrder(ctx, order("20261130-0002")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pay(ctx, "20261130-0002", "10.0.0.1"); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseOrder(ctx, "20261130-0002"); err != nil {
		t.Fatal(err)
	}
	closed, err := s.Store.Order(ctx, "20261130-0002")
	if err != nil || closed.State != OrderClosed {
		t.Fatal(closed, err)
	}
}
