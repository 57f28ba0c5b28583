package aorder

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
)

type sequence struct{ n int }

func (s *sequence) Next(context.Context) (string, error) {
	s.n++
	return "WM20261120" + strconv.Itoa(1000+s.n), nil
}

func newTestService(t *testing.T) Service {
	t.Helper()
	gateway := sandbox.Start(t)
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	ids := AppIDs{Official: "wxd678efh567hg6787", Mini: "wxd678efh567hg6787", App: "wxd678efh567hg6787"}
	return NewService(NewMemoryRepository(), NewWechatGateway(client, ids, "https://o2o.example.com/wxpay/notify/pay"), &sequence{})
}

func TestPayByEveryChannel(t *testing.T) {
	s := newTestService(t)
	for channel, want := range map[Channel]string{
		ChannelJSAPI: "paySign", ChannelMini: "paySign", ChannelApp: "prepayid", ChannelH5: "mweb_url",
	} {
		o, err := s.Create(t.Context(), CreateCommand{
			UserID: 1, OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", StoreID: "S001", StoreName: "老王面馆", Channel: channel,
			Dishes: []Dish{{SKU: "N01", Name: "牛肉面", Quantity: 2, Price: 1800}}, DeliveryFee: 500,
		})
		if err != nil {
			t.Fatal(err)
		}
		params, err := s.Pay(t.Context(), o.No, PrepayOption{ClientIP: "203.0.113.9", RedirectURL: "https://o2o.example.com/", Platform: "iOS"})
		if err != nil {
			t.Fatalf("%s: %v", channel, err)
		}
		text, err := json.Marshal(params)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s %v", channel, text, err)
		}
		if err := s.Cancel(t.Context(), o.No); err != nil {
			t.Errorf("%s 取消: %v", channel, err)
		}
	}
}
