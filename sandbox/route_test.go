package sandbox_test

import (
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

func TestRoutes(t *testing.T) {
	s := newSandbox(t)
	for target, status := range map[string]int{
		"GET /v3/certificates":                                  200,
		"GET /v3/certificates?":                                 200,
		"GET /v3/certificates/":                                 404,
		"GET /v3/certificates//":                                404,
		"GET //v3/certificates":                                 404,
		"GET /v3/Certificates":                                  404,
		"GET /v3/certificat%65s":                                404, // a literal segment is literal
		"GET /V3/certificates":                                  404,
		"GET /hk/v3/certificates":                               200,
		"GET /hk/v3/certificate":                                404,
		"GET /":                                                 404,
		"GET /v3":                                               404,
		"POST /v3/certificates":                                 405,
		"HEAD /v3/certificates":                                 405,
		"DELETE " + feedPath:                                    405,
		"GET " + orderPath + "/close":                           405,
		"POST " + orderPath:                                     405,
		"GET " + orderPath:                                      400, // mchid is missing
		"GET /v3/pay/transactions/out-trade-no":                 404,
		"GET /v3/pay/transactions/out-trade-no/":                404,
		"GET /v3/pay/transactions/out-trade-no/%2e":             404,
		"GET /v3/pay/transactions/out-trade-no/..":              404,
		"GET /v3/pay/transactions/out-trade-no/ORDER-0001/open": 404,
		"POST /v3/pay/transactions/out-trade-no//close":         404,
		"GET /v3/pay/transactions/native":                       405,
	} {
		method, path := target[:len(target)-len(after(target))-1], after(target)
		a := ask(t, s, method, path, nil)
		assert.Equal(t, status, a.StatusCode, target)
	}
}

func after(target string) string {
	for i := range target {
		if target[i] == ' ' {
			return target[i+1:]
		}
	}
	return ""
}

// Every documented operation has a route, and what takes or gives a file is no made-up response.
func TestEveryOperationHasARoute(t *testing.T) {
	s := newSandbox(t)
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	count := 0
	for facts := range catalog.V3().All() {
		count++
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(facts.Method, placeholder.ReplaceAllString(facts.Path, "1"), nil))
		depth := w.Header().Get(sandbox.HeaderSandbox)
		assert.Contains(t, []string{"canned", "stateful"}, depth, "%s %s", facts.Method, facts.Path)
		if len(facts.In.Form) > 0 || facts.Response == fact.StreamResponse {
			assert.Equal(t, "stateful", depth, "%s %s: uploads and downloads have files", facts.Method, facts.Path)
		}
	}
	assert.Greater(t, count, 1010)
}
