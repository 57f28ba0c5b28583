//go:build go1.25

package api_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
)

// TestStemIsNeverChanged derives from one stem of each kind in parallel, steps, values and settings alike, and looks
// whether a branch sees another one's, or the stem any of them.
func TestStemIsNeverChanged(t *testing.T) {
	client, _ := recording(t)
	transactions := api.V3(client).Pay().Transactions()                 // carries the client
	order := transactions.OutTradeNo().OutTradeNo("stem")               // carries a value, has verbs and children
	orders := api.V3(client).Lovefeast().Users().Openid("o-1").Orders() // carries a value, has no verbs
	query := order.Query("mchid", "stem").Header("X-Stem", "1")         // has settings

	request := func(chain wxpay.Chain, method string) (target, header string) {
		req, err := chain.Request(context.Background(), method, nil)
		if !assert.NoError(t, err) {
			return "", ""
		}
		return req.URL.RequestURI(), req.Header.Get("X-Branch")
	}
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Go(func() {
			id := fmt.Sprintf("branch-%d", i)

			target, _ := request(transactions.OutTradeNo().OutTradeNo(id).Chain(), "GET")
			assert.Equal(t, "/v3/pay/transactions/out-trade-no/"+id, target)

			target, _ = request(order.Close().Query("of", id).Chain(), "POST")
			assert.Equal(t, "/v3/pay/transactions/out-trade-no/stem/close?of="+id, target)

			target, _ = request(orders.OutTradeNo().OutTradeNo(id).Chain(), "GET")
			assert.Equal(t, "/v3/lovefeast/users/o-1/orders/out-trade-no/"+id, target)

			target, header := request(query.Query("of", id).Header("X-Branch", id).Timeout(time.Minute).Chain(), "GET")
			assert.Equal(t, "/v3/pay/transactions/out-trade-no/stem?mchid=stem&of="+id, target)
			assert.Equal(t, id, header)
		})
	}
	wait.Wait()

	target, header := request(query.Chain(), "GET")
	assert.Equal(t, "/v3/pay/transactions/out-trade-no/stem?mchid=stem", target)
	assert.Empty(t, header)
	target, _ = request(order.Chain(), "GET")
	assert.Equal(t, "/v3/pay/transactions/out-trade-no/stem", target)
}

// TestMistakesAreRemembered: what the plain chain refuses, the pure chain refuses, with the verb.
func TestMistakesAreRemembered(t *testing.T) {
	client, wire := recording(t)
	ctx := context.Background()
	for name, call := range map[string]api.GetCall{
		"an empty value":        api.V3(client).Pay().Transactions().ID().TransactionID(""),
		"a value that is a dot": api.V3(client).Pay().Transactions().ID().TransactionID(".."),
		"a query of no use":     api.V3(client).Certificates().Query("at", 1.5),
		"a header of our own":   api.V3(client).Certificates().Header("Authorization", "x"),
		"no time":               api.V3(client).Certificates().Timeout(0),
		"no client":             api.V3(nil).Certificates(),
		"nothing at all":        {},
	} {
		_, err := call.Get(ctx)
		var mistake *wxpay.CallError
		require.ErrorAs(t, err, &mistake, name)
		assert.Equal(t, wxpay.StageBuild, mistake.Stage, name)
		_, err = call.GetAsync(ctx).Wait(ctx)
		require.ErrorAs(t, err, &mistake, name)
		assert.Equal(t, wxpay.NotSent, mistake.Outcome, name)
	}
	assert.Empty(t, wire.seen)
}

// TestSettingsOfChain fails when the plain chain has a setting that the sets of verbs lack.
func TestSettingsOfChain(t *testing.T) {
	chain := reflect.TypeFor[wxpay.Chain]()
	paths := map[string]bool{"Chain": true, "At": true, "Var": true, "Vars": true, "RawVar": true} // what makes the path
	sets := []reflect.Type{reflect.TypeFor[api.GetEachCall](), reflect.TypeFor[api.PostEnsureResolveCall]()}
	settings := 0
	for i := range chain.NumMethod() {
		method := chain.Method(i)
		if paths[method.Name] || method.Type.NumOut() != 1 || method.Type.Out(0) != chain {
			continue
		}
		settings++
		i := slices.IndexFunc(sets, func(set reflect.Type) bool { _, ok := set.MethodByName(method.Name); return ok })
		if !assert.GreaterOrEqual(t, i, 0, "%s is missing: add it to the settings or abilities of api/internal/gen and run go generate ./api", method.Name) {
			continue
		}
		own, _ := sets[i].MethodByName(method.Name)
		assert.Equal(t, sets[i], own.Type.Out(0), "%s keeps the type", method.Name)
		for j := 1; j < method.Type.NumIn(); j++ {
			assert.Equal(t, method.Type.In(j), own.Type.In(j), method.Name)
		}
	}
	assert.NotZero(t, settings)
}
