package checkup_test

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/internal/iotest"
)

// example is the folder of the shop that is right.
const example = "../../../../examples/shop"

// flaws make the shop of the example wrong, each in its own way, when the variable FLAW names it.
var flaws = map[string][]struct{ old, new string }{
	"lost-answer": { // a response that is lost counts as a rejection, and the next try takes a new number
		{"id := number + \"-\" + wanted.Number\n", "id := number + \"-\" + wanted.Number + s.again(number)\n"},
		{"\tverdict, err := s.wechat.Chain(\"v3/refund", `	if flaw == "lost-answer" {
		_, err := s.wechat.Chain("v3/refund/domestic/refunds").Post(r.Context(), wxpay.JSON{
			"out_trade_no": number, "out_refund_no": id,
			"amount": wxpay.JSON{"refund": wanted.Amount, "total": price, "currency": "CNY"},
		})
		if err != nil {
			failures.Store(number, "-again")
			err = errors.Join(err, s.setRefund(number, id, closed))
		}
		return nil, err
	}
	verdict, err := s.wechat.Chain("v3/refund`},
	},
	"duplicate": { // every notification is booked, for want of a memory
		{"})\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\ts.notified.On", "}, memory()...)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\ts.notified.On"},
		{"\treturn s.setPaid(number)\n}\n\n// onRefund", `	if flaw == "duplicate" {
		sum, _ := sums.LoadOrStore(number, new(atomic.Int64))
		sum.(*atomic.Int64).Add(price)
	}
	return s.setPaid(number)
}

// onRefund`},
		{"\tvar paid, back int64\n", "\tvar paid, back int64\n\tdefer func() { b, err = twice(number, b, err) }()\n"},
		{"func (s *shop) book(r *http.Request) (any, error)", "func (s *shop) book(r *http.Request) (b any, err error)"},
		{"\terr := s.change(number, func(o *order) error {\n\t\tif o.paid {", "\terr = s.change(number, func(o *order) error {\n\t\tif o.paid {"},
	},
	"forged":        {{"Keys: client}", "Keys: client, Scheme: scheme()}"}}, // any signature is good
	"wrong-amount":  {{"expected.Check(e); err != nil {", `expected.Check(e); err != nil && flaw != "wrong-amount" {`}},
	"late":          {{"\tif unpaid {", "\tif unpaid && flaw != \"late\" {"}},
	"closed-refund": {{"if f.status == refunded {", `if f.status == refunded || flaw == "closed-refund" {`}}, // taken is made
	"slow": { // a refund that is asked for again meanwhile takes a new number
		{"\tverdict, err := s.wechat.Chain(\"v3/refund", `	if _, busy := underway.LoadOrStore(id, true); busy && flaw == "slow" {
		id += "-again"
	}
	defer underway.Delete(id)
	verdict, err := s.wechat.Chain("v3/refund`},
	},
	"expiry": { // an order is given up without a word to the platform
		{"\t_, err := s.wechat.Chain(\"v3/pay/transactions/out-trade-no/{out_trade_no}/close\"", `	if flaw == "expiry" {
		return nil, s.change(number, func(o *order) error {
			o.canceled = true
			return nil
		})
	}
	_, err := s.wechat.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close"`},
		{"\t\to.paid = true\n", "\t\to.paid = o.paid || flaw != \"expiry\" || !o.canceled\n"},
	},
	"keys": {{"wxpay.WithCertificates()", "wxpay.WithCertificates(), wxpay.WithTransport(&hoarder{})"}}, // the first list is kept
	"good": {{"\t\t\tpaid = price\n", "\t\t\tpaid = price\n\t\t\tif flaw == \"good\" {\n\t\t\t\tpaid = 0\n\t\t\t}\n"}},
}

// helpers is what the flaws need.
const helpers = `
var (
	flaw     = os.Getenv("FLAW")
	failures sync.Map // of refunds, by order
	underway sync.Map // refunds
	sums     sync.Map // that were booked, by order
)

func (s *shop) again(number string) string {
	text, _ := failures.LoadOrStore(number, "")
	return text.(string)
}

func twice(number string, books any, err error) (any, error) {
	if sum, added := sums.Load(number); added {
		books.(map[string]int64)["paid"] = sum.(*atomic.Int64).Load()
	}
	return books, err
}

func memory() []webhook.Option {
	if flaw != "duplicate" {
		return nil
	}
	return []webhook.Option{webhook.WithDeduper(forgetful{})}
}

type forgetful struct{}

func (forgetful) Claim(context.Context, string, string) (webhook.State, error) { return webhook.Claimed, nil }
func (forgetful) Done(context.Context, string, string) error                   { return nil }
func (forgetful) Release(context.Context, string, string) error                { return nil }

func scheme() apiv3.Scheme {
	if flaw != "forged" {
		return nil
	}
	return gullible{apiv3.RSA()}
}

type gullible struct{ apiv3.Scheme }

func (gullible) Verify(crypto.PublicKey, []byte, []byte) error { return nil }

// hoarder keeps the first list of certificates.
type hoarder struct {
	mu    sync.Mutex
	first *http.Response
	body  []byte
}

func (h *hoarder) RoundTrip(r *http.Request) (*http.Response, error) {
	if flaw != "keys" || r.URL.Path != "/v3/certificates" {
		return http.DefaultTransport.RoundTrip(r)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.first == nil {
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if h.body, err = io.ReadAll(response.Body); err != nil {
			return nil, err
		}
		h.first = response
	}
	again := *h.first
	again.Request, again.Body = r, io.NopCloser(bytes.NewReader(h.body))
	return &again, nil
}
`

// build builds the shop of the example, with the flaws if wanted.
func build(t *testing.T, flawed bool) string {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, "shop.exe")
	args := []string{"build", "-o", program}
	if flawed {
		text, err := os.ReadFile(filepath.Join(example, "main.go"))
		require.NoError(t, err)
		source := string(text)
		for _, name := range slices.Sorted(maps.Keys(flaws)) {
			for _, change := range flaws[name] {
				require.Equal(t, 1, strings.Count(source, change.old), "the flaw %s does not fit the example: %s", name, change.old)
				source = strings.Replace(source, change.old, change.new, 1)
			}
		}
		source = strings.Replace(source, "import (", "import (\n\t\"bytes\"\n\t\"crypto\"\n\t\"io\"\n\t\"sync/atomic\"\n"+
			"\t\"github.com/wxpay-go/wxpay/apiv3\"", 1)
		changed, overlay := filepath.Join(folder, "main.go"), filepath.Join(folder, "overlay.json")
		require.NoError(t, os.WriteFile(changed, []byte(source+helpers), 0o600))
		original, err := filepath.Abs(filepath.Join(example, "main.go"))
		require.NoError(t, err)
		content, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(overlay, content, 0o600))
		args = append(args, "-overlay", overlay)
	}
	command := exec.Command("go", append(args, ".")...)
	command.Dir = example
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// checkup is a run of the program, which goes on beside others: it waits most of the time.
type checkup struct {
	code           int
	stdout, stderr string
	file           string // of the report
	done           chan struct{}
}

func start(t *testing.T, variables []string, args ...string) *checkup {
	t.Helper()
	c := &checkup{file: filepath.Join(t.TempDir(), "checkup.xml"), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		var out, errs iotest.Buffer
		c.code = cli.Main(t.Context(), append([]string{"checkup", "--junit", c.file}, args...), strings.NewReader(""), &out, &errs,
			append(os.Environ(), variables...))
		c.stdout, c.stderr = out.String(), errs.String()
	}()
	return c
}

func (c *checkup) wait() *checkup {
	<-c.done
	return c
}

// report reads the report.
func (c *checkup) report(t *testing.T) (r report) {
	t.Helper()
	content, err := os.ReadFile(c.file)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(content, &r))
	return r
}

type report struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Skipped  int `xml:"skipped,attr"`
	Cases    []struct {
		Name    string `xml:"name,attr"`
		Failure *struct {
			Message string `xml:"message,attr"`
		} `xml:"failure"`
		Skipped *struct{} `xml:"skipped"`
	} `xml:"testcase"`
}

// patient is a patience that only a failure reaches.
const patient = "--patience=1m"

// The example is right on every day, whatever kind of keys the merchant has.
func TestExampleIsRight(t *testing.T) {
	t.Parallel()
	shop := build(t, false)
	runs := make(map[string]*checkup)
	for _, keys := range []string{"both", "certificates", "public"} {
		runs[keys] = start(t, nil, "--slow=1s", patient, "--keys", keys, "--", shop)
	}
	for keys, c := range runs {
		require.Zero(t, c.wait().code, "%s\n%s", c.stdout, c.stderr)
		skipped := 0
		if keys == "public" {
			skipped = 1
			assert.Contains(t, c.stdout, "keys           not played: the merchant has no platform certificates")
		}
		assert.Equal(t, 10-skipped, strings.Count(c.stdout, "✓"))
		r := c.report(t)
		assert.Equal(t, []int{10, 0, skipped}, []int{r.Tests, r.Failures, r.Skipped})
		require.Len(t, r.Cases, 10)
		assert.Equal(t, skipped == 1, r.Cases[9].Skipped != nil)
	}
}

// A shop with one flaw is wrong on one day.
func TestFlawIsFound(t *testing.T) {
	t.Parallel()
	shop := build(t, true)
	wrong := map[string]string{
		"lost-answer":   "of order .* 30 fen were to be refunded once, and the platform refunded 60 in all",
		"duplicate":     "the service has booked 300 fen paid and 0 refunded, the platform 100 and 0",
		"forged":        "the service has booked 100 fen paid and 0 refunded, the platform 0 and 0",
		"wrong-amount":  "the service has booked 100 fen paid and 0 refunded, the platform 0 and 0",
		"late":          "the service has booked 0 fen paid and 0 refunded, the platform 100 and 0",
		"slow":          "30 fen were to be refunded once, and the platform refunded 60 in all",
		"closed-refund": "the service has booked 100 fen paid and 30 refunded, the platform 100 and 0",
		"expiry":        "the user could pay an order that was given up; order .* the service has booked 0 fen paid",
		"keys":          "the service responded 503 to POST /orders",
	}
	require.Len(t, flaws, len(wrong)+1)
	that, others := make(map[string]*checkup), make(map[string]*checkup)
	for name := range wrong {
		flawed := []string{"FLAW=" + name}
		that[name] = start(t, flawed, "--slow=2s", "--patience=2s", "--keys=certificates", "--day", name, "--", shop)
		others[name] = start(t, flawed, "--slow=100ms", patient, "--keys=certificates", "--skip", name, "--", shop)
	}
	good := start(t, []string{"FLAW=good"}, "--patience=1s", "--", shop)
	for name, reason := range wrong {
		t.Run(name, func(t *testing.T) {
			c := that[name].wait()
			assert.Equal(t, 1, c.code, "%s\n%s", c.stdout, c.stderr)
			assert.Regexp(t, reason, c.stdout)
			r := c.report(t)
			require.Len(t, r.Cases, 1)
			require.NotNil(t, r.Cases[0].Failure)
			assert.Regexp(t, reason, r.Cases[0].Failure.Message)

			c = others[name].wait()
			assert.Zero(t, c.code, "%s\n%s", c.stdout, c.stderr)
			assert.Equal(t, 9, strings.Count(c.stdout, "✓"), c.stdout)
		})
	}
	// Without business on a good day, the other days say nothing.
	assert.Equal(t, 1, good.wait().code)
	assert.Equal(t, 9, strings.Count(good.stdout, "not played: not even the good day was right"), good.stdout)
	assert.Contains(t, good.stdout, "Days: 0 right, 1 wrong, 9 not played.")
}
