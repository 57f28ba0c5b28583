package call_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// A list is read to its end: the gateway plays one page after the other, by the offset that is asked for.
func TestPaginate(t *testing.T) {
	t.Parallel()
	g := clitest.NewGateway(t)
	pages := map[string]string{
		"0": `{"data":[{"complaint_id":"1"},{"complaint_id":"2"}],"offset":0,"limit":2,"total_count":3}`,
		"2": `{"data":[{"complaint_id":"3"}],"offset":2,"limit":2,"total_count":3}`,
	}
	g.RespondTo(func(r clitest.Request) string { return pages[r.Query().Get("offset")] })
	list := []string{"call", "v3/merchant-service/complaints-v2?limit=2&offset=0&begin_date=2026-11-01&end_date=2026-11-20", "--paginate"}
	code, stdout, stderr := g.Run(list...)
	assert.Zero(t, code, stderr)
	assert.Equal(t, pages["0"]+"\n"+pages["2"]+"\n", stdout)

	code, stdout, stderr = g.Run(append(list, "--get", "data.#.complaint_id")...)
	assert.Zero(t, code, stderr)
	assert.Equal(t, "[\"1\",\"2\"]\n[\"3\"]\n", stdout)

	code, stdout, _ = g.Run(append(list, "--get", "data.1.complaint_id")...)
	assert.Zero(t, code, "one page has it")
	assert.Equal(t, "2\n", stdout)

	code, stdout, stderr = g.Run(append(list, "--get", "data.7")...)
	assert.Equal(t, 1, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "the response has no data.7")

	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"call", "v3/new/list", "--paginate"}, "does not know the paging of the list: read page after page with -q, without --paginate"},
		{[]string{"call", "POST", "v3/new/list", "--paginate"}, "--paginate is for a list, which is a GET; this is a POST"},
		{[]string{"call", "v3/new/list", "--paginate", "--dry-run"}, "exclude each other"},
	} {
		code, stdout, stderr := g.Run(test.args...)
		assert.Equal(t, 2, code, test.says)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, test.says)
	}
}
