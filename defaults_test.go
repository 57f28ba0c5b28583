package wxpay_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

const testAppID = "wxd678efh567hg6787"

// The order names neither mchid nor appid; Request shows what travels.
func ExampleWithDefaults() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithDefaults("1900000109", "wxd678efh567hg6787"))
	if err != nil {
		log.Fatal(err)
	}
	req, err := client.Chain("v3/pay/transactions/native").Request(context.Background(), "POST", wxpay.JSON{
		"description": "one cup", "out_trade_no": "ABC-001", "notify_url": "https://www.example.com/notify", "amount": wxpay.JSON{"total": 100},
	})
	if err != nil {
		log.Fatal(err)
	}
	body, _ := io.ReadAll(req.Body)
	fmt.Println(string(body))
	// Output: {"amount":{"total":100},"description":"one cup","notify_url":"https://www.example.com/notify","out_trade_no":"ABC-001","appid":"wxd678efh567hg6787","mchid":"1900000109"}
}

func TestDefaults(t *testing.T) {
	const native, partner = "v3/pay/transactions/native", "v3/pay/partner/transactions/native"
	const query, close = "v3/pay/transactions/out-trade-no/{out_trade_no}", "v3/pay/transactions/out-trade-no/{out_trade_no}/close"
	type own struct {
		MchID string `json:"mchid"`
		N     int    `json:"n"`
	}
	tests := []struct {
		name, method, path string
		body               any
		want               string // body, or query
	}{
		{"a map", "POST", native, wxpay.JSON{"n": 1}, `{"n":1,"appid":"` + testAppID + `","mchid":"1900000109"}`},
		{"an empty map", "POST", close, wxpay.JSON{}, `{"mchid":"1900000109"}`},
		{"a struct", "POST", close, struct{}{}, `{"mchid":"1900000109"}`},
		{"a partner", "POST", partner, wxpay.JSON{"sub_mchid": "19"}, `{"sub_mchid":"19","sp_appid":"` + testAppID + `","sp_mchid":"1900000109"}`},
		{"what is there stays", "POST", native, wxpay.JSON{"mchid": "1", "appid": nil}, `{"appid":null,"mchid":"1"}`},
		{"what is there and empty stays", "POST", close, own{N: 1}, `{"mchid":"","n":1}`},
		{"what is there as an escaped name stays", "POST", close, escaped{}, `{"\u006dchid":"1"}`},
		{"a member inside is not the body's", "POST", close, wxpay.JSON{"a": wxpay.JSON{"mchid": "1"}}, `{"a":{"mchid":"1"},"mchid":"1900000109"}`},
		{"bytes", "POST", native, []byte(`{"n":1}`), `{"n":1}`},
		{"a text", "POST", native, `{"n":1}`, `{"n":1}`},
		{"a raw message", "POST", native, json.RawMessage(`{"n":1}`), `{"n":1}`},
		{"no body", "POST", close, nil, ""},
		{"no object", "POST", close, []int{1}, `[1]`},
		{"an operation that requires neither", "POST", "v3/refund/domestic/refunds", wxpay.JSON{"n": 1}, `{"n":1}`},
		{"an unknown operation", "POST", "v3/new", wxpay.JSON{"n": 1}, `{"n":1}`},
		{"a description for direct and partner callers", "POST", "v3/joined", wxpay.JSON{"n": 1}, `{"n":1}`},
		{"a direct caller's and a partner's side by side", "POST", "v3/global/transactions/out-trade-no/{out_trade_no}/close", wxpay.JSON{"n": 1}, `{"n":1}`},
		{"who receives a store's payments", "POST", "v3/brand/partner/store/brandstores/{out_trade_no}/bindrecipient", wxpay.JSON{"n": 1}, `{"n":1}`},
		{"a merchant that a bank looks after", "POST", "v3/aggracct-bc/wb-channel/control-orders/punish", wxpay.JSON{"n": 1}, `{"n":1}`},
		{"a sub-order's merchant", "POST", "v3/combine-transactions/native", wxpay.JSON{"sub_orders": []wxpay.JSON{{"n": 1}}}, `{"sub_orders":[{"n":1}]}`},
		{"a query", "GET", query, nil, "mchid=1900000109"},
		{"a partner's query", "GET", "v3/pay/partner/transactions/out-trade-no/{out_trade_no}", nil, "sp_mchid=1900000109"},
	}
	client := newClient(t, wxpay.WithCatalog(joined{catalog.V3()}), wxpay.WithDefaults(testMerchant, testAppID))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chain := client.Chain(tt.path)
			if strings.Contains(tt.path, "{") {
				chain = chain.Var("out_trade_no", "A")
			}
			req, err := chain.Request(context.Background(), tt.method, tt.body)
			require.NoError(t, err)
			if tt.method == "GET" {
				assert.Equal(t, tt.want, req.URL.RawQuery)
				return
			}
			assert.Empty(t, req.URL.RawQuery)
			var sent []byte
			if req.Body != nil {
				sent, err = io.ReadAll(req.Body)
				require.NoError(t, err)
			}
			assert.Equal(t, tt.want, string(sent))
			requireSigned(t, req, req.URL.RequestURI(), tt.want)
		})
	}

	// The caller's own query stays as it is, and what is his stays his.
	req, err := client.Chain(query, "A").Query("mchid", "1").Query("x", 2).Request(context.Background(), "GET", nil)
	require.NoError(t, err)
	assert.Equal(t, "mchid=1&x=2", req.URL.RawQuery)
	chain, body := client.Chain(query, "A").Query("x", 2), wxpay.JSON{}
	for range 2 {
		req, err = chain.Request(context.Background(), "GET", nil)
		require.NoError(t, err)
		assert.Equal(t, "x=2&mchid=1900000109", req.URL.RawQuery)
		_, err = client.Chain(close, "A").Request(context.Background(), "POST", body)
		require.NoError(t, err)
	}
	assert.Empty(t, body)
}

// escaped writes a name in another way.
type escaped struct{}

func (escaped) MarshalJSON() ([]byte, error) { return []byte(`{"\u006dchid":"1"}`), nil }

// joined knows one more operation, which serves direct and partner callers.
type joined struct{ facts *catalog.Catalog }

func (j joined) Lookup(method, path string) (*fact.Operation, bool) {
	if path == "/v3/joined" {
		return &fact.Operation{Method: method, Path: path, Joined: true,
			In: fact.Request{JSON: []fact.Field{{Name: "mchid", Type: fact.String, Required: true}}}}, true
	}
	return j.facts.Lookup(method, path)
}

// Checks before sending see what travels.
func TestDefaultsAreChecked(t *testing.T) {
	client := newClient(t, wxpay.WithDefaults(testMerchant, testAppID), wxpay.WithPreflight(wxpay.PreflightStrict))
	order := nativeOrder()
	delete(order, "mchid")
	delete(order, "appid")
	require.NoError(t, client.Chain(ordersPath).Check(context.Background(), "POST", order))
	assert.NotContains(t, order, "mchid")
	require.Error(t, client.Chain(ordersPath).Check(context.Background(), "POST", `{}`))
}

func TestDefaultsMistakes(t *testing.T) {
	merchant := wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant}
	key := wxpay.WithPublicKey(testKeyID, testKeys().platform.Public())
	for says, options := range map[string][]wxpay.Option{
		"WithDefaults: both numbers are empty":                                  {wxpay.WithDefaults("", "")},
		`WithDefaults: "1900000109" is not an appid such as wx8888888888888888`: {wxpay.WithDefaults("", testMerchant)},
		`WithDefaults: mchid "19" is not the client's own`:                      {wxpay.WithDefaults("19", testAppID)},
		"since WithCatalog(nil) took the catalogue away":                        {wxpay.WithCatalog(nil), wxpay.WithDefaults(testMerchant, "")},
	} {
		_, err := wxpay.New(merchant, append(options, key)...)
		require.ErrorContains(t, err, says)
	}
	_, err := wxpay.New(wxpay.Merchant{ID: "1004", Serial: testSerial, PrivateKey: testKeys().merchant}, key, wxpay.WithScheme(apiv3.Brand()),
		wxpay.WithDefaults("1004", ""))
	require.ErrorContains(t, err, "WithDefaults is not for brands")
}

// Another merchant's client fills in nothing, since the numbers are not its own; the same merchant's does.
func TestDefaultsOfDerivedClients(t *testing.T) {
	client := newClient(t, wxpay.WithDefaults(testMerchant, testAppID))
	for id, want := range map[string]string{testMerchant: `{"mchid":"1900000109"}`, "1900000110": `{}`} {
		other, err := client.As(wxpay.Merchant{ID: id, Serial: testSerial, PrivateKey: testKeys().merchant},
			wxpay.WithPublicKey(testKeyID, testKeys().platform.Public()))
		require.NoError(t, err)
		req, err := other.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", "A").Request(context.Background(), "POST", wxpay.JSON{})
		require.NoError(t, err)
		sent, err := io.ReadAll(req.Body)
		require.NoError(t, err)
		assert.Equal(t, want, string(sent))
		assert.Equal(t, id, other.MchID())
		assert.Equal(t, testSerial, other.Serial())
	}
}

var updateDefaults = flag.Bool("update-defaults", false, "write testdata/defaults.txt anew, to be reviewed")

// Every member that is filled in was reviewed to be the caller's own, by its official label. An operation that is new was not,
// until somebody reads what it says of the member, adds it to the exceptions if that is another's, and writes the list anew.
func TestDefaultsAreReviewed(t *testing.T) {
	t.Parallel()
	client := newClient(t, quickly, wxpay.WithDefaults(testMerchant, testAppID))
	var list strings.Builder
	for operation := range catalog.V3().All() {
		if strings.HasPrefix(operation.Path, "/brand/") {
			continue
		}
		chain := client.Chain(operation.Path)
		for i := range operation.In.Path {
			chain = chain.Var(operation.In.Path[i].Name, "A")
		}
		var body any
		if operation.Method != http.MethodGet && len(operation.In.Form) == 0 {
			body = wxpay.JSON{}
		}
		req, err := chain.Request(context.Background(), operation.Method, body)
		require.NoError(t, err)
		filled := strings.Split(req.URL.RawQuery, "&")
		if body != nil {
			var members map[string]string
			require.NoError(t, json.NewDecoder(req.Body).Decode(&members))
			for _, name := range []string{"appid", "mchid", "sp_appid", "sp_mchid"} {
				if members[name] != "" {
					filled = append(filled, name)
				}
			}
		}
		for _, name := range filled {
			if name, _, _ = strings.Cut(name, "="); name != "" {
				fmt.Fprintf(&list, "%s %s %s\n", operation.Method, operation.Path, name)
			}
		}
	}
	const file = "testdata/defaults.txt"
	if *updateDefaults {
		require.NoError(t, os.WriteFile(file, []byte(list.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), list.String(), "review what is new, then go test -run TestDefaultsAreReviewed . -update-defaults")
}
