package conformance

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

// leastOperations is how many operations a client must have called with success.
const leastOperations = 40

// merchantID is the sandbox's merchant, who calls.
const merchantID = "1900000109"

// redirected sends every request to the sandbox, whatever host it names. Nothing else is changed.
type redirected struct{ to *url.URL }

func (r redirected) RoundTrip(request *http.Request) (*http.Response, error) {
	sent := request.Clone(request.Context())
	sent.URL.Scheme, sent.URL.Host = r.to.Scheme, r.to.Host
	return http.DefaultTransport.RoundTrip(sent)
}

func httpClient(t testing.TB, server *sandbox.Server) *http.Client {
	base, err := url.Parse(server.URL)
	require.NoError(t, err)
	return &http.Client{Transport: redirected{base}}
}

// operations returns the operations that the sandbox was asked for and carried out, by method and template.
func operations(t testing.TB, server *sandbox.Server) map[string]int {
	done := make(map[string]int)
	for _, entry := range server.Journal.All() {
		path, _, _ := strings.Cut(entry.Target, "?")
		facts, known := catalog.V3().Lookup(entry.Method, path)
		if entry.Status >= 300 || !known {
			continue
		}
		assert.True(t, entry.Verified || facts.Unsigned, "%s", entry)
		done[facts.Method+" "+facts.Path]++
	}
	return done
}

// requireOperations fails unless the client called enough operations, and lists them.
func requireOperations(t testing.TB, server *sandbox.Server) {
	done := operations(t, server)
	t.Logf("%d operations:\n%s", len(done), strings.Join(slices.Sorted(maps.Keys(done)), "\n"))
	require.GreaterOrEqual(t, len(done), leastOperations)
	for _, entry := range server.Journal.All() {
		if entry.Status == http.StatusUnauthorized {
			t.Errorf("%s\n%s", entry, entry.Explanation)
		}
	}
}

// sample returns values for the required members of an operation, wherever they travel, as a client is given them: sensitive
// ones in plain. Values that are given count.
func sample(t testing.TB, method, path string, given map[string]any) map[string]any {
	facts, known := catalog.V3().Lookup(method, path)
	require.True(t, known, "%s %s", method, path)
	object := make(map[string]any)
	for _, fields := range [][]fact.Field{facts.In.Path, facts.In.Query, facts.In.JSON} {
		maps.Copy(object, sampleObject(fields))
	}
	maps.Copy(object, given)
	return object
}

func sampleObject(fields []fact.Field) map[string]any {
	object := make(map[string]any)
	for _, field := range fields {
		if field.Required {
			object[field.Name] = sampleValue(field)
		}
	}
	return object
}

func sampleValue(field fact.Field) any {
	if element := field.Type.Element(); element != field.Type {
		field.Type = element
		return []any{sampleValue(field)}
	}
	switch {
	case field.Type == fact.Object:
		return sampleObject(field.Fields)
	case len(field.Enum) > 0:
		return field.Enum[0]
	case field.Type == fact.Integer, field.Type == fact.Number:
		return 1
	case field.Name == "mchid":
		return merchantID
	case field.Type == fact.Boolean:
		return true
	case field.Format == "rfc3339", strings.HasSuffix(field.Name, "_time"):
		return "2030-01-02T03:04:05+08:00"
	case field.Format == "date":
		return "2025-01-02"
	case field.Format == "url", strings.HasSuffix(field.Name, "_url"):
		return "https://shop.example.com/notify"
	}
	return "SAMPLE1"
}

// billDay is a day whose bills are there: the one before yesterday in Beijing.
func billDay() string {
	return time.Now().In(time.FixedZone("", 8*60*60)).AddDate(0, 0, -2).Format(time.DateOnly)
}
