package sandbox_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// visit sends a request that the sandbox knows nothing of, which costs no signature.
func visit(t testing.TB, s *sandbox.Sandbox, target string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, inProcess+target, nil)
	require.NoError(t, err)
	response, err := s.Transport().RoundTrip(request)
	require.NoError(t, err)
	response.Body.Close()
}

func numbers(entries []sandbox.Entry) []int64 {
	var list []int64
	for _, e := range entries {
		list = append(list, e.Number)
	}
	return list
}

// TestJournalInPages reads a journal backwards, while it grows and gives way.
func TestJournalInPages(t *testing.T) {
	s := newSandbox(t, sandbox.WithJournal(600, 1<<20))
	for i := range 1000 {
		visit(t, s, fmt.Sprintf("/v3/nothing/%d", i+1))
	}
	all := slices.Collect(s.Journal.Backward(0))
	require.Len(t, all, 600)
	for i, e := range all {
		require.Equal(t, int64(1000-i), e.Number)
		require.Equal(t, fmt.Sprintf("/v3/nothing/%d", 1000-i), e.Target)
	}
	for before, first := range map[int64]int64{1000: 999, 500: 499, 5000: 1000, 402: 401} {
		for e := range s.Journal.Backward(before) {
			assert.Equal(t, first, e.Number, "before %d", before)
			break
		}
	}
	assert.Empty(t, slices.Collect(s.Journal.Backward(401)), "they gave way")
	visit(t, s, "/v3/more")
	assert.Equal(t, int64(1001), s.Journal.All()[599].Number)

	var read []int64
	for e := range s.Journal.Backward(0) {
		if e.Number == 1000 {
			s.Journal.Reset()
		}
		read = append(read, e.Number)
	}
	assert.Equal(t, int64(1001), read[0])
	assert.Less(t, len(read), 600, "a reader does not go on in what was thrown away")
	visit(t, s, "/v3/after")
	assert.Equal(t, []int64{1002}, numbers(s.Journal.All()), "a number is never given twice")
}

func TestJournalAwait(t *testing.T) {
	s := newSandbox(t)
	visit(t, s, "/v3/one")
	visit(t, s, "/v3/two")
	entries, err := s.Journal.Await(t.Context(), 0)
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2}, numbers(entries))

	come := make(chan []sandbox.Entry)
	for range 2 {
		go func() {
			entries, _ := s.Journal.Await(t.Context(), 2)
			come <- entries
		}()
	}
	visit(t, s, "/v3/three")
	assert.Equal(t, []int64{3}, numbers(<-come))
	assert.Equal(t, []int64{3}, numbers(<-come))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Journal.Await(ended, 3)
	require.ErrorIs(t, err, context.Canceled)
	s.Journal.Reset()
	_, err = s.Journal.Await(ended, 0)
	require.ErrorIs(t, err, context.Canceled)
	visit(t, s, "/v3/four")
	entries, err = s.Journal.Await(t.Context(), 0)
	require.NoError(t, err)
	assert.Equal(t, []int64{4}, numbers(entries))
}

func TestJournalBoundsOfOption(t *testing.T) {
	for _, bounds := range [][2]int{{0, 1}, {1, 0}, {-1, 1}} {
		_, err := sandbox.New(sandbox.WithJournal(bounds[0], bounds[1]))
		require.ErrorContains(t, err, "at least", "%v", bounds)
	}
	s := newSandbox(t, sandbox.WithJournal(1, 1))
	visit(t, s, "/v3/one")
	visit(t, s, "/v3/two")
	assert.Equal(t, []int64{2}, numbers(s.Journal.All()), "the newest stays, however large")
}

// TestMessagesOfRejectedSignature: the journal has both sides of a signature that does not verify.
func TestMessagesOfRejectedSignature(t *testing.T) {
	s := newSandbox(t, fixed(noon))
	c := newCall(s, noon, "POST", feedPath, feed())
	c.sign(s)
	whole := c.body
	c.body = append([]byte(" "), c.body...)
	c.send(t, s.Transport(), inProcess)
	e := lastEntry(t, s)
	require.Equal(t, 401, e.Status)
	lines := strings.SplitN(e.PlatformMessage, "\n", 5)
	require.Len(t, lines, 5)
	assert.Equal(t, []string{"POST", feedPath}, lines[:2])
	assert.Equal(t, string(c.body)+"\n", lines[4])
	if e.ClientMessage != "" { // which mistake it is may be told in another way
		assert.Contains(t, e.ClientMessage, string(whole))
	}
	assert.Positive(t, e.Took)

	newCall(s, noon, "POST", feedPath, feed()).sign(s).send(t, s.Transport(), inProcess)
	assert.Empty(t, lastEntry(t, s).PlatformMessage)
}

// TestCheckout opens orders by every link that a shop can hand to its user.
func TestCheckout(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	order := func(number, way string) map[string]any {
		body := map[string]any{
			"appid": "wx0123456789abcdef", "mchid": "1900000109", "description": "衣服 " + number, "out_trade_no": number,
			"notify_url": "https://shop.example.com/notify", "amount": map[string]any{"total": 1999},
		}
		switch way {
		case "jsapi":
			body["payer"] = map[string]any{"openid": "oUSER"}
		case "h5":
			body["scene_info"] = map[string]any{"payer_client_ip": "127.0.0.1", "h5_info": map[string]any{"type": "Wap"}}
		}
		return s.want(t, 200, "", "POST", "/v3/pay/transactions/"+way, body)
	}
	native, again := order("ORDER-0001", "native"), order("ORDER-0001", "native")
	jsapi, h5 := order("ORDER-0002", "jsapi"), order("ORDER-0003", "h5")
	for link, number := range map[string]string{
		native["code_url"].(string): "ORDER-0001", again["code_url"].(string): "ORDER-0001", "ORDER-0001": "ORDER-0001",
		jsapi["prepay_id"].(string): "ORDER-0002", "prepay_id=" + jsapi["prepay_id"].(string): "ORDER-0002",
		h5["h5_url"].(string) + "&redirect_url=https%3A%2F%2Fshop.example.com": "ORDER-0003",
	} {
		page, err := s.Users.Checkout(link)
		require.NoError(t, err, link)
		assert.Equal(t, number, page.Number, link)
		assert.Equal(t, "衣服 "+number, page.Description)
		assert.Equal(t, "wx0123456789abcdef", page.AppID)
		assert.Equal(t, int64(1999), page.Total)
		assert.Equal(t, "NOTPAY", page.State)
	}
	_, err := s.Users.Checkout("weixin://wxpay/bizpayurl?pr=another")
	require.ErrorContains(t, err, "no order")
	page, err := s.Users.Checkout("ORDER-0002")
	require.NoError(t, err)
	assert.Equal(t, "oUSER", page.OpenID)

	require.Len(t, s.Users.Checkouts(), 3)
	_, err = s.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	require.Len(t, s.Users.Checkouts(), 2)
	page, err = s.Users.Checkout(native["code_url"].(string))
	require.NoError(t, err)
	assert.Equal(t, "SUCCESS", page.State)

	combined := s.want(t, 200, "", "POST", "/v3/combine-transactions/native", map[string]any{
		"combine_appid": "wx0123456789abcdef", "combine_mchid": "1900000109", "combine_out_trade_no": "COMBINED-01",
		"notify_url": "https://shop.example.com/notify",
		"sub_orders": []any{
			map[string]any{"mchid": "1900000109", "out_trade_no": "PART-0001", "description": "A", "attach": "a", "amount": map[string]any{"total_amount": 1, "currency": "CNY"}},
			map[string]any{"mchid": "1900000109", "out_trade_no": "PART-0002", "description": "B", "attach": "a", "amount": map[string]any{"total_amount": 2, "currency": "CNY"}},
		},
	})
	page, err = s.Users.Checkout(combined["code_url"].(string))
	require.NoError(t, err)
	assert.Equal(t, "COMBINED-01", page.Number)
	assert.Equal(t, "A, B", page.Description)
	assert.Equal(t, int64(3), page.Total)
	_, err = s.Users.Checkout("PART-0001")
	require.Error(t, err, "a part is paid with the whole")
	require.Len(t, s.Users.Checkouts(), 3)
	require.NoError(t, s.Users.FailPayment("COMBINED-01"))
	require.Len(t, s.Users.Checkouts(), 3, "it can still be paid")
	_, err = s.Users.Pay("COMBINED-01")
	require.NoError(t, err)
	require.Len(t, s.Users.Checkouts(), 2)
}

func TestTransferAsked(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	accepted := s.want(t, 200, "", "POST", "/v3/fund-app/mch-transfer/transfer-bills", map[string]any{
		"appid": "wx0123456789abcdef", "out_bill_no": "BILL0001", "openid": "oUSER", "transfer_amount": 100, "transfer_remark": "新会员开通有礼",
		"transfer_scene_id": "1000", "transfer_scene_report_infos": []any{map[string]any{"info_type": "活动名称", "info_content": "新会员有礼"}},
	})
	asked, err := s.Users.TransferAsked(accepted["package_info"].(string))
	require.NoError(t, err)
	assert.Equal(t, "BILL0001", asked)
	for _, unknown := range []string{"", "another"} {
		_, err = s.Users.TransferAsked(unknown)
		require.ErrorContains(t, err, "no transfer bill")
	}
}
