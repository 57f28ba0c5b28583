package wxpay_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Every code whose meaning a page tells is explained in the error of that operation.
func TestErrorsSayWhatTheOperationMeans(t *testing.T) {
	t.Parallel()
	var answering answer
	client := newClient(t, quickly, wxpay.WithAttempts(1), wxpay.WithTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
		return answering.RoundTrip(req)
	})))
	operations := 0
	for operation := range catalog.V3().All() {
		tells := false
		for _, code := range operation.Codes {
			if code.Meaning == "" {
				continue
			}
			tells = true
			answering = answer{status: max(code.Status, 400), body: `{"code":"` + code.Name + `","message":"m"}`}
			_, err := call(client, operation)
			var rejection *wxpay.APIError
			require.ErrorAs(t, err, &rejection, "%s %s", operation.Method, operation.Path)
			assert.Contains(t, rejection.Hint, "for this operation it means: "+code.Meaning, "%s %s", operation.Method, operation.Path)
			assert.Contains(t, err.Error(), code.Meaning)
		}
		if tells {
			operations++
		}
	}
	assert.GreaterOrEqual(t, operations, 61)
}

// Another spelling of a code has its meaning; another operation, and a client without a catalogue, do not.
func TestMeaningIsOfTheOperation(t *testing.T) {
	const meaning = "it means: less is left to share"
	tests := []struct {
		name, path, code string
		options          []wxpay.Option
		says             bool
	}{
		{"its code", "v3/profitsharing/orders", "NOT_ENOUGH", nil, true},
		{"another spelling", "v3/profitsharing/orders", "NOTENOUGH", nil, true},
		{"another code", "v3/profitsharing/orders", "ORDER_PAID", nil, false},
		{"another operation", "v3/refund/domestic/refunds", "NOT_ENOUGH", nil, false},
		{"no catalogue", "v3/profitsharing/orders", "NOT_ENOUGH", []wxpay.Option{wxpay.WithCatalog(nil)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, append(tt.options, wxpay.WithTransport(refusal(403, tt.code)))...)
			_, err := client.Chain(tt.path).Post(context.Background(), wxpay.JSON{})
			require.True(t, wxpay.IsCode(err, wxcode.Code(tt.code)))
			assert.Equal(t, tt.says, strings.Contains(err.Error(), meaning), err.Error())
		})
	}
}

// Where money moves, no meaning advises another number, amount or way before the outcome is known.
func TestMeaningsRiskNoSecondPayment(t *testing.T) {
	another := regexp.MustCompile(`\b(new|another way|lower|other amount)\b`)
	known := regexp.MustCompile(`\bquery\b`)
	for operation := range catalog.V3().All() {
		for _, code := range operation.Codes {
			if operation.MovesMoney && another.MatchString(code.Meaning) {
				assert.Regexp(t, known, code.Meaning, "%s %s %s", operation.Method, operation.Path, code.Name)
			}
		}
	}
}

// call calls an operation with any values in its path, and an empty body where it is no query.
func call(client *wxpay.Client, operation *fact.Operation) (*wxpay.Response, error) {
	chain := client.Chain(operation.Path)
	for _, field := range operation.In.Path {
		chain = chain.Var(field.Name, url.PathEscape(strings.ToUpper(field.Name)))
	}
	if operation.Method == http.MethodGet {
		return chain.Get(context.Background())
	}
	return chain.Do(context.Background(), operation.Method, wxpay.JSON{})
}
