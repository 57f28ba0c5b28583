// Package legacy is a service that was moved over from PHP: maps everywhere, one global client, and
// helpers that take and return maps.
package legacy

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
)

// M is a map, as everywhere in this service.
type M map[string]interface{}

var (
	once   sync.Once
	client *wxpay.Client
	config = M{}
)

// Init reads the configuration and makes the client.
func Init(path string) (err error) {
	once.Do(func() {
		var raw []byte
		if raw, err = os.ReadFile(path); err != nil {
			return
		}
		if err = json.Unmarshal(raw, &config); err != nil {
			return
		}
		client, err = wxpay.FromEnv()
	})
	return err
}

func str(m M, key string) string {
	switch v := m[key].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		return strconv.FormatInt(v, 10)
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

func num(m M, key string) int64 {
	switch v := m[key].(type) {
	case float64:
		return int64(v)
	case int64:
		return v
	case string:
		n, _ := strconv.ParseInt(v, 10, 64)
		return n
	}
	return 0
}

// fenOf makes fen of a text in yuan without floating point.
func fenOf(yuan string) (int64, error) { return wxpay.ParseYuan(strings.TrimSpace(yuan)) }

// MakeTradeNo makes an order number.
func MakeTradeNo(prefix string) string {
	return prefix + time.Now().Format("20060102150405") + strconv.Itoa(rand.Intn(900000)+100000)
}

func merge(maps ...M) M {
	all := M{}
	for _, m := range maps {
		for key, value := range m {
			all[key] = value
		}
	}
	return all
}

func baseOrder(in M) M {
	return M{
		"appid":        str(config, "appid"),
		"mchid":        str(config, "mchid"),
		"description":  str(in, "subject"),
		"out_trade_no": str(in, "order_sn"),
		"notify_url":   str(config, "notify_url"),
		"attach":       str(in, "attach"),
		"amount":       M{"total": num(in, "fen"), "currency": "CNY"},
	}
}

// UnifiedOrder makes an order of any kind, like its namesake in the old program.
func UnifiedOrder(ctx context.Context, kind string, in M) (M, error) {
	order := baseOrder(in)
	switch kind {
	case "jsapi":
		order = merge(order, M{"payer": M{"openid": str(in, "openid")}})
	case "h5":
		order["scene_info"] = M{
			"payer_client_ip": str(in, "ip"),
			"h5_info":         M{"type": "Wap", "app_name": "商城", "app_url": "https://m.example.com"},
		}
	case "app", "native":
	default:
		return nil, errors.New("unknown kind " + kind)
	}
	res, err := client.Chain("v3/pay/transactions/{kind}", kind).Post(ctx, order)
	if err != nil {
		log.Printf("unified order %s: %v", str(in, "order_sn"), err)
		return nil, err
	}
	out := M{}
	if err := res.Decode(&out); err != nil {
		return nil, err
	}
	return out, nil
}

// JsApi makes an order for the browser of the app.
func JsApi(ctx context.Context, in M) (M, error) {
	order := baseOrder(in)
	order["payer"] = M{"openid": str(in, "openid")}
	order["time_expire"] = time.Now().Add(30 * time.Minute).Format("2006-01-02T15:04:05+08:00")
	if coupon := str(in, "goods_tag"); coupon != "" {
		order["goods_tag"] = coupon
	}
	res, err := client.At("v3", "pay", "transactions", "jsapi").Post(ctx, order)
	if err != nil {
		return nil, err
	}
	params, err := client.Invoke().JSAPI(ctx, str(config, "appid"), res.Get("prepay_id").String())
	if err != nil {
		return nil, err
	}
	return M{"code": 0, "data": params}, nil
}

// Query asks about an order and speaks the words of the old program.
func Query(ctx context.Context, sn string) (M, error) {
	res, err := client.At("v3", "pay", "transactions", "outTradeNo", "_out_trade_no_").
		Var("out_trade_no", sn).
		Query("mchid", str(config, "mchid")).
		Get(ctx)
	if err != nil {
		return nil, err
	}
	words := map[string]int{"SUCCESS": 2, "REFUND": 5, "NOTPAY": 1, "CLOSED": 4, "REVOKED": 4, "USERPAYING": 1, "PAYERROR": 3}
	state := res.Get("trade_state").String()
	status, ok := words[state]
	if !ok {
		return nil, fmt.Errorf("order %s: state %s", sn, state)
	}
	return M{
		"status": status,
		"fen":    res.Get("amount.total").Int(),
		"openid": res.Get("payer.openid").String(),
		"time":   res.Get("success_time").String(),
		"trade":  res.Get("transaction_id").String(),
	}, nil
}

// Close ends an order.
func Close(ctx context.Context, sn string) error {
	chain := client.Chain("v3/pay/transactions/out-trade-no")
	chain = chain.Chain("{out_trade_no}", sn)
	chain = chain.Chain("close")
	_, err := chain.Post(ctx, M{"mchid": str(config, "mchid")})
	return err
}

// Refund pays back, and says what is known.
func Refund(ctx context.Context, in M) (result M, err error) {
	defer func() {
		if err != nil {
			result = M{"code": 1, "msg": err.Error(), "unknown": errors.Is(err, wxpay.ErrOutcomeUnknown)}
		}
	}()
	fen, err := fenOf(str(in, "refund_money"))
	if err != nil {
		return nil, err
	}
	total, err := fenOf(str(in, "order_money"))
	if err != nil {
		return nil, err
	}
	body := M{
		"out_trade_no":  str(in, "order_sn"),
		"out_refund_no": str(in, "refund_sn"),
		"reason":        str(in, "reason"),
		"notify_url":    str(config, "refund_notify_url"),
		"amount":        M{"refund": fen, "total": total, "currency": "CNY"},
	}
	res, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, body)
	if err != nil {
		return
	}
	return M{"code": 0, "status": res.Get("status").String(), "refund_id": res.Get("refund_id").String()}, nil
}

// RefundAll pays back several orders, and collects what went wrong.
func RefundAll(ctx context.Context, list []M) map[string]error {
	failed := map[string]error{}
	for _, in := range list {
		body := map[string]any{
			"out_trade_no":  str(in, "order_sn"),
			"out_refund_no": "R" + str(in, "order_sn"),
			"amount":        map[string]any{"refund": num(in, "fen"), "total": num(in, "fen"), "currency": "CNY"},
		}
		_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, body)
		failed[str(in, "order_sn")] = err
	}
	return failed
}

// Md5Sign signs the callbacks to other services of the house. It has nothing to do with the platform.
func Md5Sign(m M, key string) string {
	var parts []string
	for name, value := range m {
		parts = append(parts, name+"="+fmt.Sprint(value))
	}
	sum := md5.Sum([]byte(strings.Join(parts, "&") + "&key=" + key))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// Proxy serves the old program during the move: it passes any path on.
func Proxy(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var body any
	if len(raw) > 0 {
		body = json.RawMessage(raw)
	}
	chain := client.Chain(r.URL.Path)
	for name, values := range r.URL.Query() {
		chain = chain.Query(name, values)
	}
	res, err := chain.Do(r.Context(), r.Method, body)
	var rejected *wxpay.APIError
	switch {
	case errors.As(err, &rejected):
		w.WriteHeader(rejected.Status)
		_, _ = w.Write(rejected.Raw)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadGateway)
	default:
		w.WriteHeader(res.Status)
		_, _ = w.Write(res.Raw())
	}
}

// SendRedPacket makes one payout for each of many winners: a number for each, not for each attempt.
func SendRedPacket(ctx context.Context, winners []string, fen int64) (sent []string, err error) {
	for i := 0; i < len(winners); i++ {
		number := MakeTradeNo("HB")
		res, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, M{
			"appid":             str(config, "appid"),
			"out_bill_no":       number,
			"transfer_scene_id": "1000",
			"openid":            winners[i],
			"transfer_amount":   fen,
			"transfer_remark":   "活动奖励",
		})
		if err != nil {
			return sent, fmt.Errorf("%s: %w", number, err)
		}
		sent = append(sent, res.Get("transfer_bill_no").String())
	}
	return sent, nil
}

// Certificates lists the platform's certificates for the operations page.
func Certificates(ctx context.Context) ([]M, error) {
	res, err := client.Chain("/v3/certificates").Get(ctx)
	if err != nil {
		return nil, err
	}
	var list []M
	for _, certificate := range res.Get("data").Array() {
		list = append(list, M{
			"serial": certificate.Get("serial_no").String(),
			"from":   certificate.Get("effective_time").String(),
			"until":  certificate.Get("expire_time").String(),
		})
	}
	return list, nil
}
