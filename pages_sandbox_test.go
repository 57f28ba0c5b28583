package wxpay_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Every list that the sandbox makes up is read to its end, one element a page. What has state may be empty.
func TestPagesOfTheSandbox(t *testing.T) {
	gateway, err := sandbox.New(sandbox.WithScheme(quick{apiv3.RSA()}))
	require.NoError(t, err)
	m := gateway.Merchant()
	client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Serial: m.Serial, PrivateKey: m.PrivateKey},
		wxpay.WithPublicKey(gateway.Keys.PublicKeyID(), gateway.Keys.PublicKey()),
		wxpay.WithTransport(gateway.Transport()), wxpay.WithScheme(quick{apiv3.RSA()}))
	require.NoError(t, err)
	b, err := gateway.Brand()
	require.NoError(t, err)
	brand, err := wxpay.New(wxpay.Merchant{ID: b.ID, Serial: b.Serial, PrivateKey: b.PrivateKey}, wxpay.WithScheme(apiv3.Brand()),
		wxpay.WithPublicKey(b.PublicKeyID, b.PublicKey), wxpay.WithTransport(gateway.Transport()), wxpay.WithCatalog(catalog.V3()))
	require.NoError(t, err)
	read := 0
	for operation := range catalog.V3().All() {
		size, moves := "", false
		chain := client.Chain(operation.Path)
		if operation.Scheme == fact.BrandScheme {
			chain = brand.Chain(operation.Path)
		}
		for _, field := range operation.In.Path {
			chain = chain.Var(field.Name, "1")
		}
		for _, field := range operation.In.Query {
			switch field.Name {
			case "limit", "page_size", "count":
				size = field.Name
			case "offset", "page_index", "page_token":
				moves = true
			default:
				if field.Required && (field.Name == "mchid" || field.Name == "sp_mchid") {
					chain = chain.Query(field.Name, m.ID)
				} else if field.Required {
					chain = chain.Query(field.Name, sampleQuery(field))
				}
			}
		}
		if !moves || operation.Method != "GET" || operation.Response != fact.JSONResponse {
			continue
		}
		if size != "" {
			chain = chain.Query(size, 1)
		}
		canned := false
		pages := 0
		for page, err := range chain.Pages(context.Background()) {
			if refused := (*wxpay.APIError)(nil); errors.As(err, &refused) && refused.Status == 404 {
				break // it is about something that does not exist
			}
			require.NoError(t, err, operation.Path)
			canned = page.Header.Get(sandbox.HeaderSandbox) == "canned"
			if pages++; pages > 5 {
				break
			}
		}
		if canned {
			read++
			assert.Less(t, pages, 5, operation.Path)
		}
	}
	assert.GreaterOrEqual(t, read, 50)
}

func sampleQuery(field fact.Field) any {
	switch {
	case len(field.Enum) > 0:
		return field.Enum[0]
	case field.Type == fact.Integer || field.Type == fact.Number:
		return 1
	case field.Type == fact.Boolean:
		return true
	case field.Format == "date" || field.Name == "begin_date" || field.Name == "end_date":
		return "2026-11-24"
	case field.Format == "rfc3339":
		return "2026-11-24T00:00:00+08:00"
	}
	return "1"
}
