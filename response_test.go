package wxpay_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// ordered is the response of an order query, with a byte in it that is not UTF-8.
const ordered = "{\"amount\":{\"total\":100,\"payer_total\":99.5},\"attach\":\"a\xe5\",\"success_time\":\"2018-06-08T10:34:56+08:00\"," +
	"\"trade_state\":\"SUCCESS\",\"transaction_id\":null,\"out_trade_no\":\"A1\",\"mchid\":\"1900000109\",\"x_flag\":true}"

func orderAnswer(t *testing.T, options ...wxpay.Option) *wxpay.Response {
	t.Helper()
	client := newClient(t, append(options, wxpay.WithTransport(answer{body: ordered}))...)
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "A1").Query("mchid", "1900000109").Get(context.Background())
	require.NoError(t, err)
	return res
}

func TestReadStrictly(t *testing.T) {
	res := orderAnswer(t)
	total, err := res.Fen("amount.total")
	require.NoError(t, err)
	assert.Equal(t, int64(100), total)
	total, err = res.Int("amount.total")
	require.NoError(t, err)
	assert.Equal(t, int64(100), total)
	state, err := res.Text("trade_state")
	require.NoError(t, err)
	assert.Equal(t, "SUCCESS", state)
	flag, err := res.Bool("x_flag")
	require.NoError(t, err)
	assert.True(t, flag)
	at, err := res.Time("success_time")
	require.NoError(t, err)
	assert.Equal(t, time.Date(2018, 6, 8, 2, 34, 56, 0, time.UTC), at.UTC())
	require.NoError(t, res.Need("trade_state", "amount.total"))
	require.NoError(t, res.Need())

	for name, tt := range map[string]struct {
		read func() error
		says string
	}{
		"misspelt":  {func() error { _, err := res.Fen("amount.totl"); return err }, "amount.totl is absent; the catalogue has amount.total ("},
		"elsewhere": {func() error { _, err := res.Fen("total"); return err }, "total is absent; the catalogue has amount.total ("},
		"unknown":   {func() error { _, err := res.Text("nowhere"); return err }, "nowhere is absent; the catalogue does not have it ("},
		"absent":    {func() error { _, err := res.Text("trade_type"); return err }, "trade_type is absent ("},
		"fraction": {func() error { _, err := res.Fen("amount.payer_total"); return err },
			"amount.payer_total is a number with a fraction or an exponent, not a whole number of fen ("},
		"text":    {func() error { _, err := res.Int("trade_state"); return err }, "trade_state is a text, not a whole number ("},
		"flag":    {func() error { _, err := res.Fen("x_flag"); return err }, "x_flag is true or false, not a whole number of fen ("},
		"no flag": {func() error { _, err := res.Bool("attach"); return err }, "attach is a text, not true or false ("},
		"no time": {func() error { _, err := res.Time("out_trade_no"); return err },
			"out_trade_no is another text, not a time such as 2018-06-08T10:34:56+08:00 ("},
		"need": {func() error { return res.Need("prepay_id", "trade_state", "transaction_id") },
			"prepay_id, transaction_id are absent; the catalogue does not have it ("},
		"two lines": {func() error { _, err := res.Text("a\nb"); return err }, `"a\nb" is absent (`},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.read()
			require.ErrorContains(t, err,
				"GET /v3/pay/transactions/out-trade-no/{out_trade_no}: the platform confirmed success, but decoding the response failed: "+tt.says)
			assert.ErrorIs(t, err, wxpay.StageDecode)
			assert.Equal(t, wxpay.Confirmed, wxpay.OutcomeOf(err))
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), "99")
			var failure *wxpay.CallError
			require.ErrorAs(t, err, &failure)
			assert.Same(t, res, failure.Response)
		})
	}
}

// The bytes of a user's words are no reason to fail, and no reason to read two things.
func TestAnswerThatIsNotUTF8(t *testing.T) {
	res := orderAnswer(t)
	assert.Equal(t, ordered, string(res.Raw()))
	assert.Equal(t, "a\ufffd", res.Get("attach").String())
	var decoded struct{ Attach string }
	require.NoError(t, res.Decode(&decoded))
	assert.Equal(t, "a\ufffd", decoded.Attach)
}

// A path that the catalogue does not document is logged once, and only when nothing stands there.
func TestPathsNobodyDocuments(t *testing.T) {
	var log bytes.Buffer
	res := orderAnswer(t, wxpay.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	log.Reset()
	for range 3 {
		assert.Zero(t, res.Get("amount.totl").Int())
		res.Get("amount.total")
		res.Get("trade_type")
		res.Get("x_flag")
		res.Get("promotion_detail.0.coupon_id")
		_, _ = res.Fen("payer.opend")
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2, log.String())
	assert.Contains(t, lines[0], `level=WARN msg="wxpay response has no such field, and the catalogue does not document it" method=GET path=/v3/pay/transactions/out-trade-no/{out_trade_no} field=amount.totl near=amount.total`)
	assert.Contains(t, lines[1], "field=payer.opend near=payer.openid")
}

func TestReadOfNoBody(t *testing.T) {
	client := newClient(t, wxpay.WithTransport(answer{status: 204}))
	res, err := client.Chain("v3/x").Post(context.Background(), wxpay.JSON{})
	require.NoError(t, err)
	_, err = res.Fen("amount.total")
	require.ErrorContains(t, err, "amount.total is absent (do not repeat the call")
	require.Error(t, new(wxpay.Response).Need("prepay_id"))
}
