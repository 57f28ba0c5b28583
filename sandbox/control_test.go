package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// controlled sends orders to the control of a sandbox.
type controlled struct {
	t       testing.TB
	handler http.Handler
}

// do sends an order and returns status and answer.
func (c controlled) do(method, path, body string, header ...string) (int, map[string]any) {
	c.t.Helper()
	request := httptest.NewRequest(method, "http://127.0.0.1:8080"+sandbox.ControlPath+path, strings.NewReader(body))
	request.RemoteAddr = "127.0.0.1:40000"
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
			continue
		}
		if header[i] == "peer" {
			request.RemoteAddr = header[i+1]
			continue
		}
		request.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, request)
	var answer map[string]any
	require.NoErrorf(c.t, json.Unmarshal(w.Body.Bytes(), &answer), "%s", w.Body)
	return w.Code, answer
}

// ok sends an order that must be carried out.
func (c controlled) ok(method, path, body string) map[string]any {
	c.t.Helper()
	status, answer := c.do(method, path, body)
	require.Equal(c.t, 200, status, "%v", answer)
	return answer
}

// refused sends an order that must not be carried out, and returns the message.
func (c controlled) refused(method, path, body string) string {
	c.t.Helper()
	status, answer := c.do(method, path, body)
	require.Equal(c.t, 400, status, "%v", answer)
	return answer["message"].(string)
}

// TestControlOfMoney follows an order through the control API.
func TestControlOfMoney(t *testing.T) {
	s := newSandbox(t)
	defer s.Close()
	c := controlled{t, s.Control()}
	transaction := c.ok("POST", "paid-orders", `{"out_trade_no":"ORDER-0001","total":100}`)["transaction_id"].(string)
	assert.Len(t, transaction, 28)
	require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native", with(native(s), "out_trade_no", "ORDER-0002")).StatusCode)
	assert.Len(t, c.ok("POST", "pay", `{"out_trade_no":"ORDER-0002"}`)["transaction_id"], 28)
	assert.Equal(t, `pay: the order "ORDER-0002" is paid`, c.refused("POST", "pay", `{"out_trade_no":"ORDER-0002"}`))

	assert.Equal(t, map[string]any{}, c.ok("POST", "endings",
		`{"rules":[{"kind":"refund","number":"R1","state":"ABNORMAL","after":"1h"},{"kind":"refund","number":"R2"}]}`))
	c.ok("POST", "rules/relax", `{"rules":["refund-pace"]}`)
	assert.NotContains(t, c.ok("GET", "rules", "")["rules"], "refund-pace")
	for _, number := range []string{"R1", "R2", "R3"} {
		require.Equal(t, 200, ask(t, s, "POST", refundPath, refund(number, 1)).StatusCode)
	}
	assert.Equal(t, map[string]string{"R1": "PROCESSING", "R2": "PROCESSING", "R3": "SUCCESS"}, refundStates(s))
	before := c.ok("GET", "clock", "")
	moved := c.ok("POST", "clock/jump", `{"by":"2h"}`)
	at := func(answer map[string]any) time.Time {
		at, err := time.Parse(time.RFC3339Nano, answer["now"].(string))
		require.NoError(t, err)
		return at
	}
	assert.WithinDuration(t, at(before).Add(2*time.Hour), at(moved), time.Minute)
	c.ok("POST", "settle", `{"kind":"refund","number":"R2","state":"CLOSED"}`)
	assert.Equal(t, map[string]string{"R1": "ABNORMAL", "R2": "CLOSED", "R3": "SUCCESS"}, refundStates(s))
	effects := c.ok("GET", "ledger?kind=refund", "")["effects"].([]any)
	require.Len(t, effects, 3)
	assert.Equal(t, "R2", effects[1].(map[string]any)["number"])
	assert.Equal(t, "CLOSED", effects[1].(map[string]any)["state"])
	assert.Len(t, c.ok("GET", "ledger?kind=refund&kind=payment", "")["effects"], 5)
	assert.Len(t, c.ok("GET", "ledger", "")["effects"], 7)
	assert.Equal(t, true, c.ok("POST", "clock/freeze", "")["frozen"])
	assert.Equal(t, false, c.ok("POST", "clock/unfreeze", "{}")["frozen"])
	c.ok("POST", "endings", `{"rules":[]}`)

	snapshot, err := json.Marshal(c.ok("GET", "snapshot", ""))
	require.NoError(t, err)
	c.ok("POST", "reset", "")
	assert.Empty(t, c.ok("GET", "ledger", "")["effects"])
	c.ok("POST", "restore", string(snapshot))
	assert.Len(t, c.ok("GET", "ledger", "")["effects"], 7)
}

func TestControlOfMerchantsAndKeys(t *testing.T) {
	s := newSandbox(t)
	c := controlled{t, s.Control()}
	added := c.ok("POST", "merchants", `{"mchid":"1900000110"}`)
	second := s.Merchants()[1]
	assert.Equal(t, second.Merchant().APIv3Key, added["apiv3_key"])
	env := make(map[string]any)
	for _, line := range second.Env() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	assert.Equal(t, env, added["env"])
	assert.Equal(t, added, c.ok("GET", "merchant?merchant=1900000110", ""))
	assert.Len(t, c.ok("GET", "merchants", "")["merchants"], 2)
	c.ok("POST", "paid-orders?merchant=1900000110", `{"out_trade_no":"ORDER-0001","total":100}`)
	assert.Empty(t, s.Ledger.Effects())
	assert.Len(t, second.Ledger.Effects(), 2)
	assert.Equal(t, `the sandbox has no merchant "1900000199"; it has 1900000109, 1900000110`, c.refused("GET", "ledger?merchant=1900000199", ""))
	c.ok("POST", "sub-merchants", `{"sub_mchid":"1900000110"}`)
	assert.Equal(t, []any{"1900000110"}, c.ok("GET", "sub-merchants", "")["sub_merchants"])

	c.ok("POST", "keys/mode?merchant=1900000110", `{"mode":"public-key"}`)
	assert.Equal(t, 404, newCall(second, time.Now(), "GET", "/v3/certificates", nil).sign(second).send(t, s.Transport(), inProcess).StatusCode)
	assert.Contains(t, c.refused("POST", "keys/mode", `{"mode":"all"}`), `mode: there is no key mode "all"`)
	serial := c.ok("POST", "keys/certificates", `{"validity":"24h"}`)["serial"].(string)
	c.ok("POST", "keys/certificates/sign-with", `{"serial":"`+serial+`","percent":100}`)
	list := c.ok("GET", "keys/certificates", "")["certificates"].([]any)
	require.Len(t, list, 3)
	assert.Equal(t, serial, list[2].(map[string]any)["serial"])
	assert.Contains(t, c.refused("POST", "keys/certificates/remove", `{"serial":"`+serial+`"}`), "signs")
	c.ok("POST", "keys/certificates/remove", `{"serial":"`+list[0].(map[string]any)["serial"].(string)+`"}`)
	assert.Len(t, s.Keys.Certificates(), 2)
	assert.Contains(t, c.ok("POST", "keys/merchant-certificates", "")["private_key"], "PRIVATE KEY")
	c.ok("POST", "keys/public-key-share", `{"percent":12.5}`)
}

func TestControlOfTroubleAndNotifications(t *testing.T) {
	s := newSandbox(t)
	defer s.Close()
	r := &receiver{t: t, s: s, answers: []int{500}}
	s.Deliveries.To(r)
	c := controlled{t, s.Control()}
	c.ok("POST", "faults", `{"rules":["429 path=/v3/certificates count=1"]}`)
	assert.Equal(t, []any{"429 path=/v3/certificates count=1"}, c.ok("GET", "faults", "")["rules"])
	assert.Contains(t, c.refused("POST", "faults", `{"rules":["x"]}`), `there is no fault "x"`)
	assert.Equal(t, 429, ask(t, s, "GET", "/v3/certificates", nil).StatusCode)
	assert.Equal(t, 200, ask(t, s, "GET", "/v3/certificates", nil).StatusCode)
	assert.Equal(t, map[string]any{"429": 1.0}, c.ok("GET", "faults/counts", "")["counts"])
	c.ok("DELETE", "faults", "")

	entries := c.ok("GET", "journal?path=/v3/*&status=429", "")["entries"].([]any)
	require.Len(t, entries, 1)
	assert.Equal(t, "429", entries[0].(map[string]any)["fault"])
	assert.Len(t, c.ok("GET", "journal?rejected=true", "")["entries"], 1)
	c.ok("POST", "journal/expect", `{"match":{"method":"GET","path":"/v3/certificates"},"times":2}`)
	status, answer := c.do("POST", "journal/expect", `{"match":{"path":"/v3/certificates","status":200},"times":2}`)
	assert.Equal(t, 409, status)
	assert.Equal(t, "expect: not as expected: 1 of /v3/certificates answered 200, wanted 2; the journal has\nGET /v3/certificates 429 (fault "+
		"429): a fault answered in place of the platform, without effect\nGET /v3/certificates 200",
		answer["message"])
	assert.Contains(t, c.ok("GET", "journal/explain", "")["explanation"], "a fault answered in place of the platform")
	c.ok("DELETE", "journal", "")
	assert.Empty(t, s.Journal.All())

	c.ok("POST", "deliveries/plans", `{"rules":[{"event":"TRANSACTION.SUCCESS","waits":["1h"]}]}`)
	sample := c.ok("GET", "sample?event=TRANSACTION.SUCCESS", "")["resource"]
	resource, err := json.Marshal(sample)
	require.NoError(t, err)
	id := c.ok("POST", "deliveries", `{"url":"`+notifyURL+`","event":"TRANSACTION.SUCCESS","resource":`+string(resource)+`,"faults":["probe"]}`)["id"].(string)
	d := c.ok("GET", "deliveries/await?id="+id+"&attempts=1", "")
	assert.Equal(t, "waiting", d["state"])
	assert.Error(t, r.verdicts()[0], "the probe")
	assert.JSONEq(t, string(resource), string(r.notices()[0].opened))
	c.ok("POST", "deliveries/resend", `{"id":"`+id+`"}`)
	d = c.ok("GET", "deliveries/await?id="+id+"&attempts=2", "")
	assert.Equal(t, "delivered", d["state"])
	require.Len(t, c.ok("GET", "deliveries", "")["deliveries"], 1)
	built := c.ok("POST", "notify", `{"event":"REFUND.SUCCESS"}`)
	assert.Contains(t, built["body"], "REFUND.SUCCESS")
	assert.Contains(t, built["header"], "Wechatpay-Signature")
	assert.Contains(t, c.refused("POST", "deliveries/plans", `{"rules":[{"after":"-1s"}]}`), "negative")
	assert.Contains(t, c.refused("POST", "deliveries/plans", `{"rules":[{"faults":["refuse"]}]}`), "cannot have the fault")
}

func TestControlMistakes(t *testing.T) {
	s := newSandbox(t)
	c := controlled{t, s.Control()}
	for want, order := range map[string][3]string{
		"out_trade_no is missing; the order takes out_trade_no":            {"POST", "pay", "{}"},
		`there is no parameter "x"; the order takes out_trade_no`:          {"POST", "pay", `{"out_trade_no":"ORDER-0001","x":1}`},
		`there is no parameter "x"; the order takes none`:                  {"POST", "reset", `{"x":1}`},
		`there is no parameter "x"; the order takes kind?`:                 {"GET", "ledger?x=1", ""},
		"the body is not a JSON object":                                    {"POST", "pay", "[]"},
		"parameters other than merchant belong into the JSON body":         {"POST", "pay?out_trade_no=ORDER-0001", ""},
		`by: a duration is a text such as "300ms", "15s" or "24h"`:         {"POST", "clock/jump", `{"by":3600}`},
		"the clock cannot go back by 1h0m0s; start another sandbox, or re": {"POST", "clock/jump", `{"by":"-1h"}`},
		"total must be an integer of 64 bits, not a string":                {"POST", "paid-orders", `{"out_trade_no":"ORDER-0001","total":"1"}`},
		"total must be an integer of 64 bits, not the number 1.5":          {"POST", "paid-orders", `{"out_trade_no":"ORDER-0001","total":1.5}`},
		"out_trade_no must be a string, not a boolean":                     {"POST", "paid-orders", `{"out_trade_no":true,"total":1}`},
		"match.status must be an integer of 64 bits, not a string":         {"POST", "journal/expect", `{"match":{"status":"x"},"times":1}`},
		"rules must be an array, not an object":                            {"POST", "faults", `{"rules":{}}`},
		"mode must be a string, not a number":                              {"POST", "keys/mode", `{"mode":1}`},
		`a refund ends in SUCCESS, CLOSED, ABNORMAL, not in "X"`:           {"POST", "endings", `{"rules":[{"kind":"refund","state":"X"}]}`},
		`a rule is for the kind "order", which has no ending`:              {"POST", "endings", `{"rules":[{"kind":"order"}]}`},
		"restore: this is no snapshot of a sandbox":                        {"POST", "restore", `{}`},
		`match: unknown field "pat"`:                                       {"POST", "journal/expect", `{"match":{"pat":"/x"},"times":1}`},
	} {
		assert.Contains(t, c.refused(order[0], order[1], order[2]), want)
	}
	status, answer := c.do("GET", "nothing", "")
	assert.Equal(t, 404, status)
	assert.Contains(t, answer["message"], "\nPOST /_sandbox/pay out_trade_no\n", "an unknown order is answered with all there are")
	status, answer = c.do("GET", "pay", "")
	assert.Equal(t, 404, status)
	assert.Equal(t, "/_sandbox/pay is for POST", answer["message"])
	status, answer = c.do("POST", "pay", `{"out_trade_no":"ORDER-0001"}`, "Content-Type", "text/plain")
	assert.Equal(t, 400, status)
	assert.Contains(t, answer["message"], "Content-Type")
}

// TestControlIsForThisMachine: pages in browsers, other machines, and names that lead here by a trick are refused.
func TestControlIsForThisMachine(t *testing.T) {
	s := newSandbox(t)
	open := newSandbox(t, sandbox.WithNetwork("sandbox"))
	for name, test := range map[string]struct {
		header []string
		opened bool // what WithNetwork permits
	}{
		"a foreign page":            {[]string{"Origin", "https://evil.example"}, false},
		"a page of this machine":    {[]string{"Origin", "http://127.0.0.1:8080"}, false},
		"a page without a name":     {[]string{"Origin", "null"}, false},
		"a link":                    {[]string{"Referer", "https://evil.example/"}, false},
		"an image":                  {[]string{"Sec-Fetch-Site", "cross-site"}, false},
		"a script":                  {[]string{"Sec-Fetch-Site", "same-origin"}, false},
		"a form without a referrer": {[]string{"Sec-Fetch-Site", "none"}, false},
		"a rebound name":            {[]string{"Host", "evil.example:8080"}, false},
		"a name like ours":          {[]string{"Host", "127.0.0.1.evil.example"}, false},
		"no host":                   {[]string{"Host", ""}, false},
		"another machine":           {[]string{"peer", "10.0.0.7:1234"}, true},
		"its address":               {[]string{"Host", "10.0.0.7:8080"}, true},
		"its name":                  {[]string{"Host", "sandbox:8080"}, true},
	} {
		status, answer := controlled{t, s.Control()}.do("POST", "reset", "", test.header...)
		assert.Equal(t, 403, status, name)
		assert.NotEmpty(t, answer["message"], name)
		status, _ = controlled{t, open.Control()}.do("POST", "reset", "", test.header...)
		assert.Equal(t, map[bool]int{true: 200, false: 403}[test.opened], status, name)
	}
	for name, header := range map[string][]string{
		"localhost": {"Host", "localhost:8080"}, "IPv6": {"Host", "[::1]:8080"}, "without a port": {"Host", "127.0.0.1"}, "IPv6 peer": {"peer", "[::1]:99"},
	} {
		status, answer := controlled{t, s.Control()}.do("POST", "reset", "", header...)
		assert.Equal(t, 200, status, "%s: %v", name, answer)
	}
	status, _ := controlled{t, s.Control()}.do("GET", "clock", "", "Sec-Fetch-Site", "none")
	assert.Equal(t, 200, status, "an address that somebody typed")
}

// TestServerServesControl beside the platform's paths, on the same port.
func TestServerServesControl(t *testing.T) {
	server := sandbox.Start(t)
	response, err := http.Post(server.URL+"/_sandbox/paid-orders", "application/json", strings.NewReader(`{"out_trade_no":"ORDER-0001","total":1}`))
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, 200, response.StatusCode, "%s", body)
	assert.Len(t, server.Ledger.Effects(), 2)
	assert.Empty(t, server.Journal.All(), "control is not journalled")
	_, err = server.Listen("0.0.0.0:0")
	assert.ErrorContains(t, err, "loopback addresses only")
	open := newSandbox(t, sandbox.WithNetwork())
	everywhere, err := open.Listen("0.0.0.0:0")
	require.NoError(t, err)
	require.NoError(t, everywhere.Close())
}
