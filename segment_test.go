package wxpay_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/wxcode"
)

// code is a type of its own.
type code int

func TestPath(t *testing.T) {
	client := newClient(t)
	tests := []struct {
		name  string
		chain wxpay.Chain
		want  string // request target
	}{
		{"as the manual prints it", client.Chain("/v3/certificates"), "/v3/certificates"},
		{"without the leading slash", client.Chain("v3/certificates"), "/v3/certificates"},
		{"in pieces", client.Chain("v3").Chain("pay/transactions").Chain("/native"), "/v3/pay/transactions/native"},
		{"trailing slash belongs to the path", client.Chain("v3/applyment4sub/applyment/"), "/v3/applyment4sub/applyment/"},
		{"trailing slash of the other", client.At("v3", "ecommerce", "applyments/"), "/v3/ecommerce/applyments/"},
		{"appending to a trailing slash", client.Chain("v3/").Chain("certificates"), "/v3/certificates"},
		{"other prefixes", client.Chain("hk/v3/statements"), "/hk/v3/statements"},
		{"case is kept", client.Chain("v3/Mixed_Case-1.~x"), "/v3/Mixed_Case-1.~x"},

		{"names", client.At("v3", "brand", "partner", "cardMember", "userFeeds"), "/v3/brand/partner/card-member/user-feeds"},
		{"one path as a name", client.At("v3/brand/partner/card-member/user-feeds"), "/v3/brand/partner/card-member/user-feeds"},
		{"path and names", client.At("v3/brand", "partner", "cardMember", "userFeeds"), "/v3/brand/partner/card-member/user-feeds"},
		{"PascalCase", client.At("V3", "Brand", "Partner", "CardMember", "UserFeeds"), "/v3/brand/partner/card-member/user-feeds"},
		{"kebab-case as it is", client.At("v3", "card-member"), "/v3/card-member"},
		{"snake_case as it is", client.At("v3", "mch_operate", "risk"), "/v3/mch_operate/risk"},
		{"digits inside a name", client.At("v3", "apply4subject"), "/v3/apply4subject"},
		{"a capital after a digit, in a name of the API", client.At("v3", "credit-repayment", "partner", "contracts", "h5Presign"),
			"/v3/credit-repayment/partner/contracts/h5-presign"},
		{"several of them", client.At("v3/global/papay/contracts/H5PreEntrustSign"), "/v3/global/papay/contracts/h5-pre-entrust-sign"},
		{"two capitals in a row, in a name of the API", client.At("V3", "Gov", "Subsidy", "NQualifications", "Sync"), "/v3/gov/subsidy/n-qualifications/sync"},
		{"a name that the catalogue alone knows", newClient(t, wxpay.WithCatalog(segments{"3d-a-b2-c"})).At("v3", "3dAB2C"), "/v3/3d-a-b2-c"},
		{"At after Chain", client.Chain("v3/pay").At("transactions", "outTradeNo"), "/v3/pay/transactions/out-trade-no"},
		{"Chain after At", client.At("v3", "pay").Chain("transactions/native"), "/v3/pay/transactions/native"},
		{"placeholder of the attribute style", client.At("v3", "refund", "domestic", "refunds", "_out_refund_no_").Var("out_refund_no", "R-1"),
			"/v3/refund/domestic/refunds/R-1"},
		{"placeholder in braces", client.At("v3/bills", "{id}").Var("id", "7"), "/v3/bills/7"},

		{"openid keeps its case", client.Chain("v3/u/{openid}").Var("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"), "/v3/u/oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
		{"slash stays inside", client.Chain("v3/u/{id}/x").Var("id", "a/b"), "/v3/u/a%2Fb/x"},
		{"every reserved character", client.Chain("v3/u/{id}").Var("id", "a b?c#d%e&f=g+h|i*j@k:l"), "/v3/u/a%20b%3Fc%23d%25e%26f%3Dg%2Bh%7Ci%2Aj%40k%3Al"},
		{"Chinese", client.Chain("v3/u/{id}").Var("id", "空格 中文"), "/v3/u/%E7%A9%BA%E6%A0%BC%20%E4%B8%AD%E6%96%87"},
		{"percent is data", client.Chain("v3/u/{id}").Var("id", "a%2Fb"), "/v3/u/a%252Fb"},
		{"three dots are a value", client.Chain("v3/u/{id}").Var("id", "..."), "/v3/u/..."},
		{"encoded already", client.Chain("v3/merchant-service/images/{media_id}").RawVar("media_id", "ChsyMDAx%2FOTk%3D"),
			"/v3/merchant-service/images/ChsyMDAx%2FOTk%3D"},
		{"what need not be escaped is not", client.Chain("v3/i/{id}").RawVar("id", "a!$&'()*+,;=:@b"), "/v3/i/a!$&'()*+,;=:@b"},
		{"lower-case escapes are kept", client.Chain("v3/i/{id}").RawVar("id", "a%2fb"), "/v3/i/a%2fb"},
		{"two variables", client.Chain("v3/{a}/x/{b}").Var("b", "2").Var("a", "1"), "/v3/1/x/2"},
		{"the same name twice in a path", client.Chain("v3/{a}/{a}").Var("a", "1"), "/v3/1/1"},
		{"the later value wins", client.Chain("v3/{a}").Var("a", "1").Var("a", "2"), "/v3/2"},
		{"variable before its segment", client.Chain("v3").Var("a", "1").Chain("{a}"), "/v3/1"},
		{"a value in place", client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "A|1"), "/v3/pay/transactions/out-trade-no/A%7C1"},
		{"values in place, in order", client.Chain("v3/{b}/x/{a}", "b", 7), "/v3/b/x/7"},
		{"a value in place is no path", client.Chain("v3/{a}", "x/{b}?c"), "/v3/x%2F%7Bb%7D%3Fc"},
		{"values in place, appended", client.Chain("v3/{a}", 1).Chain("x/{b}", 2).Chain("close"), "/v3/1/x/2/close"},
		{"a value in place behind one to come", client.Chain("v3/{a}").Chain("x/{b}", 2).Var("a", 1), "/v3/1/x/2"},
		{"a value in place behind names", client.At("v3", "userFeeds").Chain("{id}", "aB1"), "/v3/user-feeds/aB1"},
		{"one value for both of a name", client.Chain("v3/{a}/{a}", 1), "/v3/1/1"},
		{"a value in place is replaced", client.Chain("v3/{a}", 1).Var("a", 2), "/v3/2"},
		{"integers of every kind", client.Chain("v3/{a}/{b}/{c}/{d}", int64(-1), uint8(7), code(3), wxcode.NoAuth), "/v3/-1/7/3/NO_AUTH"},
		{"values of a map", client.At("v3", "_a_", "_b_").Vars(wxpay.JSON{"b": 2, "a": "1"}), "/v3/1/2"},
		{"values of a map of strings", client.Chain("v3/{a}").Vars(map[string]string{"a": "1"}), "/v3/1"},
		{"values of a struct", client.Chain("v3/{a}/{b}").Vars(struct {
			A string `json:"a"`
			B int    `url:"b"`
		}{"x", 2}), "/v3/x/2"},

		{"query", client.Chain("v3/b").Query("mchid", "1").Query("limit", 10), "/v3/b?mchid=1&limit=10"},
		{"query is encoded", client.Chain("v3/b").Query("名 称", "粤B12345 &=+/?"), "/v3/b?%E5%90%8D%20%E7%A7%B0=%E7%B2%A4B12345%20%26%3D%2B%2F%3F"},
		{"query kinds", client.Chain("v3/b").Query("a", true).Query("b", int64(-1)).Query("c", uint8(7)).Query("d", []string{"x", "y"}).
			Query("e", []int{1, 2}), "/v3/b?a=true&b=-1&c=7&d=x&d=y&e=1&e=2"},
		{"a named string", client.Chain("v3/b").Query("code", wxcode.NoAuth), "/v3/b?code=NO_AUTH"},
		{"an empty query value is sent", client.Chain("v3/b").Query("a", ""), "/v3/b?a="},
		{"an empty slice sends nothing", client.Chain("v3/b").Query("a", []string{}), "/v3/b"},
		{"a query name set again is replaced", client.Chain("v3/b").Query("offset", 0).Query("limit", 5).Query("offset", 5), "/v3/b?limit=5&offset=5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := tt.chain.Request(context.Background(), "GET", nil)
			require.NoError(t, err)
			assert.Equal(t, tt.want, req.URL.RequestURI())
			assert.Equal(t, "https://api.mch.weixin.qq.com"+tt.want, req.URL.String())
		})
	}
}

// segments is a catalogue of nothing but literal segments.
type segments []string

func (segments) Lookup(string, string) (*fact.Operation, bool) { return nil, false }
func (s segments) HasSegment(segment string) bool              { return slices.Contains(s, segment) }

// Every literal segment that is documented can be written as a property, in camelCase and PascalCase, without a catalogue too.
func TestEverySegmentIsAProperty(t *testing.T) {
	client := newClient(t, wxpay.WithCatalog(nil))
	seen := 0
	for operation := range catalog.V3().All() {
		var camel, pascal []string
		for segment := range strings.SplitSeq(operation.Path[1:], "/") {
			words := strings.Split(segment, "-")
			for i, word := range words {
				if word != "" && word[0] >= 'a' && word[0] <= 'z' {
					words[i] = strings.ToUpper(word[:1]) + word[1:]
				}
			}
			if segment != "" && segment[0] != '{' {
				pascal = append(pascal, strings.Join(words, ""))
				words[0] = strings.Split(segment, "-")[0]
				camel = append(camel, strings.Join(words, ""))
				continue
			}
			pascal, camel = append(pascal, segment), append(camel, segment)
		}
		if strings.HasSuffix(operation.Path, "/") { // which belongs to the name before it
			last := len(camel) - 1
			camel, pascal = append(camel[:last-1], camel[last-1]+"/"), append(pascal[:last-1], pascal[last-1]+"/")
		}
		seen++
		for _, names := range [][]string{camel, pascal} {
			chain := client.At(names...)
			require.NoError(t, chain.Err())
			require.Equal(t, operation.Path, chain.String())
		}
	}
	require.Greater(t, seen, 900)
}

func TestPathMistakes(t *testing.T) {
	client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
	tests := []struct {
		name  string
		chain wxpay.Chain
		says  string
	}{
		{"empty path", client.Chain(""), "the path is empty"},
		{"only a slash", client.Chain("/"), "the path is empty"},
		{"a full URL", client.Chain("https://api.mch.weixin.qq.com/v3/certificates"), "WithBaseURL sets the host"},
		{"a full URL in At", client.At("https://api.mch.weixin.qq.com/v3"), "WithBaseURL sets the host"},
		{"a query in the path", client.Chain("v3/b?mchid=1"), "use Query(name, value)"},
		{"a fragment in the path", client.Chain("v3/b#x"), "use Query(name, value)"},
		{"two slashes", client.Chain("v3//b"), "two slashes in a row"},
		{"two slashes at the end", client.Chain("v3/b//"), "two slashes in a row"},
		{"dot", client.Chain("v3/./b"), "would change the path"},
		{"dot dot", client.Chain("v3/../b"), "would change the path"},
		{"percent-encoded literal", client.Chain("v3/a%2Fb"), "fill it with RawVar"},
		{"blank", client.Chain("v3/a b"), "fill it with Var"},
		{"Chinese literal", client.Chain("v3/订单"), "fill it with Var"},
		{"backslash", client.Chain(`v3\b`), "fill it with Var"},
		{"placeholder with a suffix", client.Chain("v3/{id}.png"), "is not {name}"},
		{"placeholder with a prefix", client.Chain("v3/x{id}"), "is not a whole segment"},
		{"placeholder without a name", client.Chain("v3/{}"), "is not {name}"},
		{"placeholder with capitals", client.Chain("v3/{outTradeNo}"), "lower-case letters"},

		{"At without names", client.At(), "no name"},
		{"At with an empty name", client.At("v3", ""), "is empty"},
		{"At with two slashes", client.At("v3//b"), "two slashes in a row"},
		{"a number in At", client.At("v3", "id", "4200000000202301010000000001"), "looks like a value"},
		{"an openid in At", client.At("v3", "openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"), "looks like a value"},
		{"two capitals in a row", client.At("v3", "orderABC"), "looks like a value"},
		{"a capital after a digit", client.At("v3", "abc1D"), "looks like a value"},
		{"a capital after a hyphen", client.At("v3", "abc-D"), "looks like a value"},
		{"a capital after an underscore", client.At("v3", "abc_D"), "looks like a value"},
		{"a percent escape in At", client.At("v3", "a%2Fb"), "fill it with RawVar"},

		{"unfilled", client.Chain("v3/{out_trade_no}"), `{out_trade_no} has no value: call Var("out_trade_no", …)`},
		{"unknown placeholder", client.Chain("v3/b").Var("id", "1"), "the path has no {id}"},
		{"one of two unknown", client.Chain("v3/{a}").Var("a", "1").Var("b", "2"), "the path has no {b}"},
		{"empty value", client.Chain("v3/{a}").Var("a", ""), "the value of {a} is empty"},
		{"dot value", client.Chain("v3/{a}").Var("a", "."), "would change the path"},
		{"dot dot value", client.Chain("v3/{a}").Var("a", ".."), "would change the path"},
		{"raw: empty", client.Chain("v3/{a}").RawVar("a", ""), "is empty"},
		{"raw: encoded dots", client.Chain("v3/{a}").RawVar("a", "%2E%2e"), "would change the path"},
		{"raw: a slash", client.Chain("v3/{a}").RawVar("a", "x/y"), "use Var for plain values"},
		{"raw: a question mark", client.Chain("v3/{a}").RawVar("a", "x?y"), "use Var for plain values"},
		{"raw: a broken escape", client.Chain("v3/{a}").RawVar("a", "x%2"), "use Var for plain values"},
		{"raw: Chinese", client.Chain("v3/{a}").RawVar("a", "中"), "use Var for plain values"},

		{"a value for no placeholder", client.Chain("v3/b", "x"), "it has no placeholder: write a {name} for the value"},
		{"too few values", client.Chain("v3/{a}/{b}", 1), "it needs values for {a}, {b}, in this order, and got 1"},
		{"too many values", client.Chain("v3/{a}", 1, 2), "it needs values for {a}, in this order, and got 2"},
		{"an appended path counts by itself", client.Chain("v3/{a}").Chain("x/{b}", 1, 2), "it needs values for {b}, in this order, and got 2"},
		{"a placeholder again, with another value", client.Chain("v3/{a}", 1).Chain("x/{a}", 2), "{a} stands in the path before it"},
		{"an empty value in place", client.Chain("v3/{a}", ""), "the value of {a} is empty"},
		{"a dot in place", client.Chain("v3/{a}", ".."), "would change the path"},
		{"nil in place", client.Chain("v3/{a}", nil), "the value of {a}: nil is not a string or an integer"},
		{"a float in place", client.Chain("v3/{a}", 1.5), "the value of {a}: float64 is not"},
		{"a bool in place", client.Chain("v3/{a}", true), "the value of {a}: bool is not"},
		{"bytes in place", client.Chain("v3/{a}", []byte("x")), "the value of {a}: []uint8 is not"},
		{"a duration in place", client.Chain("v3/{a}", time.Second), "the value of {a}: time.Duration is not"},
		{"a value of an answer in place", client.Chain("v3/{a}", gjson.Result{}), "the value of {a}: gjson.Result is not"},
		{"a Secret in place", client.Chain("v3/{a}", wxpay.Secret("x")), "the value of {a} is a Secret, and nothing in a path is encrypted"},
		{"a path to format", client.Chain("v3/%s", "x"), `the segment "%s" is a format, and paths are not formatted: write a {name} for the value`},
		{"Vars of nothing", client.Chain("v3/{a}").Vars(nil), "Vars: the argument is nil, it must be a map or a struct"},
		{"Vars with a name too many", client.Chain("v3/{a}").Vars(wxpay.JSON{"a": 1, "b": 2}), "the path has no {b}"},
		{"Vars with one of the wrong type", client.Chain("v3/{a}").Vars(wxpay.JSON{"a": []string{"x"}}), "the value of {a}: []string is not"},

		{"query of a float", client.Chain("v3/b").Query("a", 1.5), "float64 is not a string"},
		{"query of nil", client.Chain("v3/b").Query("a", nil), "is not a string"},
		{"query of bytes", client.Chain("v3/b").Query("a", []byte("x")), "is not a string"},
		{"query of a map", client.Chain("v3/b").Query("a", map[string]string{}), "is not a string"},
		{"query of mixed values", client.Chain("v3/b").Query("a", []any{"x"}), "is not a string"},
		{"query without a name", client.Chain("v3/b").Query("", "x"), "empty name"},
		{"header of the protocol", client.Chain("v3/b").Header("authorization", "x"), "filled by the client"},
		{"header with a line break", client.Chain("v3/b").Header("X-A", "a\r\nB: c"), "control character"},
		{"header with a bad name", client.Chain("v3/b").Header("X A", "a"), "not valid"},
		{"timeout of zero", client.Chain("v3/b").Timeout(0), "must be positive"},
		{"attempt timeout below zero", client.Chain("v3/b").AttemptTimeout(-1), "must be positive"},
		{"a chain of nobody", wxpay.Chain{}.Chain("v3/b"), "start it with Client.Chain"},

		{"the first mistake counts", client.Chain("v3//b").Var("a", "").Query("", 1), "two slashes in a row"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for verb, call := range map[string]func() error{
				"sync":    func() error { _, err := tt.chain.Get(context.Background()); return err },
				"async":   func() error { _, err := tt.chain.GetAsync(context.Background()).Wait(context.Background()); return err },
				"request": func() error { _, err := tt.chain.Request(context.Background(), "GET", nil); return err },
			} {
				err := call()
				require.ErrorContains(t, err, tt.says, verb)
				assert.ErrorIs(t, err, wxpay.StageBuild, verb)
				assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err), verb)
				assert.True(t, strings.HasPrefix(err.Error(), "wxpay: "), err.Error())
				assert.NotContains(t, err.Error(), "\n")
				assert.NotContains(t, err.Error(), " /: ", "no path is better than half a path")
			}
		})
	}
}

// No value appears in an error: it may be an openid.
func TestMistakesHideValues(t *testing.T) {
	client := newClient(t)
	for _, chain := range []wxpay.Chain{
		client.Chain("v3/{a}").RawVar("a", "secret/value"),
		client.Chain("v3/b").Var("a", "secret/value"),
		client.Chain("v3/b", "secret/value"),
		client.Chain("v3/{a}", "secret", "value"),
		client.Chain("v3/{a}", []string{"secret"}),
		client.Chain("v3/b").Query("a", []any{"secret"}),
		client.Chain("v3/b").Query("a", time.Unix(1, 0)),
		client.Chain("v3/b").Header("X-A", "secret/value\n"),
	} {
		_, err := chain.Get(context.Background())
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
	}
}

// FuzzPath: no value ever leaves its segment, a decoded path gives the value back, and the target that was signed is the
// target on the wire.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"ABC-001", "a/b", "..", "%2e%2E", "空 格|*", "a?b#c", "\x00\xff", "", "{x}", "a%zz"} {
		f.Add(seed, seed)
	}
	client := newClient(f)
	f.Fuzz(func(t *testing.T, value, query string) {
		req, err := client.Chain("v3/a/{v}/b/{w}", value, "end").Query("q", query).Request(context.Background(), "GET", nil)
		if value == "" || value == "." || value == ".." || !utf8.ValidString(value) || !utf8.ValidString(query) {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		target := req.URL.RequestURI()
		path, rawQuery, _ := strings.Cut(target, "?")
		segments := strings.Split(path, "/")
		require.Len(t, segments, 6, target)
		decoded, err := url.PathUnescape(segments[3])
		require.NoError(t, err)
		require.Equal(t, value, decoded)
		values, err := url.ParseQuery(rawQuery)
		require.NoError(t, err)
		require.Equal(t, url.Values{"q": {query}}, values)

		var wire strings.Builder
		require.NoError(t, req.Write(&wire))
		require.True(t, strings.HasPrefix(wire.String(), "GET "+target+" HTTP/1.1\r\n"), wire.String())
		requireSigned(t, req, target, "")

		// A raw value either is refused or stays as it is, in its segment.
		req, err = client.Chain("v3/a/{v}/b").RawVar("v", value).Request(context.Background(), "GET", nil)
		if err == nil {
			require.Equal(t, "/v3/a/"+value+"/b", req.URL.RequestURI())
			require.Equal(t, 4, strings.Count(req.URL.RequestURI(), "/"))
		}
	})
}
