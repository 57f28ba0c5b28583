package sandbox_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

// conditional are fields that the facts have in every response, and that say something which is not
// always so.
var conditional = []string{
	"/v3/combine-transactions/out-trade-no/{combine_out_trade_no} /combine_transaction_id", // once it is paid
	"/v3/brand/partner/card-member/cards/{card_id}/invalidate /member_information",         // of a template that was made with it
	"/brand/card-member/cards/{card_id}/invalidate /member_information",                    // likewise
	"/v3/profitsharing/orders/unfreeze /receivers/fail_reason",                             // of a result CLOSED
	"ENTRUST.SIGN /contract_terminate_info",                                                // of a contract that has ended
	"PAYSCORE.USER_CONFIRM /sub_mchid",                                                     // of a service provider's order
	"PAYSCORE.USER_CONFIRM /openid",                                                        // or sub_openid
	"PAYSCORE.USER_PAID /sub_mchid",                                                        // likewise
	"PAYSCORE.USER_PAID /openid",
}

// hasFacts demands that every successful response with state in the journal has the fields that the facts
// say are always present. So every test of a flow tests the responses of that flow.
func hasFacts(t testing.TB, s *sandbox.Sandbox) {
	t.Helper()
	for _, entry := range s.Journal.All() {
		if entry.Status != 200 || entry.Fault != "" || entry.ResponseHeader.Get(sandbox.HeaderSandbox) != "stateful" ||
			!strings.HasPrefix(entry.ResponseHeader.Get("Content-Type"), "application/json") {
			continue
		}
		path, _, _ := strings.Cut(entry.Target, "?")
		facts, known := catalog.V3().Lookup(entry.Method, path)
		require.True(t, known, entry.Target)
		var response map[string]any
		require.NoError(t, json.Unmarshal(entry.ResponseBody, &response), entry.Target)
		for _, place := range lacking("", facts.Out, response) {
			if !slices.Contains(conditional, facts.Path+" "+place) {
				assert.Fail(t, "a field lacks that the facts say is always present", "%s %s: %s in %s", facts.Method, facts.Path, place, entry.ResponseBody)
			}
		}
	}
}

// resourcesHaveFacts demands the same of the decrypted resource of every notification. One that
// another key encrypted (the brand's, another merchant's, or a wrong one on request) is not read,
// and neither is an event with several kinds of resource. An empty resource comes from a test that
// wants none.
func resourcesHaveFacts(t testing.TB, s *sandbox.Sandbox) (read int) {
	t.Helper()
	for _, delivery := range s.Deliveries.All() {
		facts, known := catalog.V3().Event(delivery.Event)
		resource, ours := opened(s, delivery.Body)
		if !known || !ours || len(resource) == 0 || facts.Variants != nil {
			continue
		}
		read++
		for _, place := range lacking("", facts.Resource, resource) {
			if !slices.Contains(conditional, facts.Type+" "+place) {
				assert.Fail(t, "a field lacks that the facts say is always present", "%s: %s in %v", delivery.Event, place, resource)
			}
		}
	}
	return read
}

func TestResourcesHaveFacts(t *testing.T) {
	s := newSandbox(t)
	s.Deliveries.To(http.NotFoundHandler())
	_, err := s.Deliveries.Deliver("https://shop.example.com/notify", "MCHTRANSFER.BILL.FINISHED", nil)
	require.NoError(t, err)
	assert.Equal(t, 1, resourcesHaveFacts(t, s), "the notification is read")
	facts, known := catalog.V3().Event("MCHTRANSFER.BILL.FINISHED")
	require.True(t, known)
	assert.Contains(t, lacking("", facts.Resource, map[string]any{}), "/out_bill_no")
}

// opened decrypts the resource of a notification with the key of the merchant.
func opened(s *sandbox.Sandbox, body []byte) (resource map[string]any, ok bool) {
	var envelope struct {
		Resource struct {
			Ciphertext     []byte `json:"ciphertext"`
			Nonce          string `json:"nonce"`
			AssociatedData string `json:"associated_data"`
		} `json:"resource"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return nil, false
	}
	r := envelope.Resource
	plain, err := apiv3.OpenAESGCM([]byte(s.Merchant().APIv3Key), []byte(r.Nonce), []byte(r.AssociatedData), r.Ciphertext)
	if err != nil || json.Unmarshal(plain, &resource) != nil {
		return nil, false
	}
	return resource, true
}

// lacking returns the places of the fields that an object lacks.
func lacking(at string, fields []fact.Field, object map[string]any) (places []string) {
	for i := range fields {
		field := &fields[i]
		name := field.Name
		for _, other := range field.Alt {
			if _, there := object[other]; there {
				name = other
			}
		}
		place := at + "/" + name
		value, there := object[name]
		if !there {
			if field.Required {
				places = append(places, place)
			}
			continue
		}
		elements, isList := value.([]any)
		if !isList {
			elements = []any{value}
		}
		for _, element := range elements {
			if inner, isObject := element.(map[string]any); isObject {
				places = append(places, lacking(place, field.Fields, inner)...)
			}
		}
	}
	return places
}
