package gate

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Field returns a string field of the body; empty if there is none.
func (c *Call) Field(name string) string {
	value, _ := c.Object[name].(string)
	return value
}

// ids returns the merchants' numbers, in the order in which they came.
func (g *Gate) ids() []string {
	var list []string
	for _, m := range g.Merchants() {
		list = append(list, m.ID)
	}
	return list
}

// callers lists those who have certificates: the merchants, or the brand.
func (c *Call) callers() string {
	if say.IsBrand(c.Target) {
		return c.Platform.CallerID
	}
	return strings.Join(c.ids(), ", ")
}

// CheckMerchant rejects a merchant number other than the caller's.
func (c *Call) CheckMerchant(location, place, id string) *say.Rejection {
	if id == c.ID {
		return nil
	}
	return say.FieldError(location, place, id, say.Unfitting("与Http头Authorization中的mchid不一致", "it differs from mchid in the HTTP header Authorization"))
}

// CheckRelation rejects a merchant who is no sub-merchant of the caller.
func (c *Call) CheckRelation(sub string) *say.Rejection {
	b := c.Begin()
	_, known := c.subs.Get(sub)
	b.Commit()
	if known {
		return nil
	}
	return say.Forbidden("NO_AUTH", say.Both("商户号不是该服务商的特约商户", "the merchant is no sub-merchant of the caller"),
		sub+" is no sub-merchant of "+c.ID+"; AddSubMerchant makes it one")
}

// SubOf checks the sub-merchant of a request to a path that direct merchants and service providers
// share. It is empty for a direct merchant.
func (c *Call) SubOf(sub string) (string, *say.Rejection) {
	if sub == "" {
		return "", nil
	}
	return sub, c.CheckRelation(sub)
}

// CheckAmount rejects an integer field below 1.
func CheckAmount(place string, value any) (int64, *say.Rejection) {
	number, _ := value.(json.Number)
	n, err := number.Int64()
	if err != nil {
		return 0, say.FieldError("body", place, value, say.IssueType(fact.Integer))
	}
	if n < 1 {
		return 0, say.RangeError("body", place, value, say.IssueLeast(1))
	}
	return n, nil
}

// CheckCurrency rejects a currency other than CNY.
func CheckCurrency(place, currency string) *say.Rejection {
	if currency != "CNY" {
		return say.FieldError("body", place, currency, say.Unfitting("境内商户仅支持CNY", "mainland merchants have CNY only"))
	}
	return nil
}

// CheckNotifyURL rejects an address that the platform would not notify. An absent one passes.
func (c *Call) CheckNotifyURL() *say.Rejection {
	if notify, sent := c.Object["notify_url"]; sent {
		return CheckURL("/notify_url", notify)
	}
	return nil
}

// CheckURL rejects an address that the platform would not notify, at a place of the body.
func CheckURL(place string, value any) *say.Rejection {
	address, _ := value.(string)
	if u, err := url.Parse(address); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Contains(address, "?") {
		return say.FieldError("body", place, address, say.Unfitting("应为不带参数的完整URL", "it must be an absolute URL without a query"))
	}
	return nil
}

// readDelay is for how long [ReadDelay] hides what is new.
const readDelay = time.Second

// Hides reports whether a query must not find what has been there since then.
func (c *Call) Hides(since time.Time) bool {
	age := c.Now.Sub(since)
	return c.Faults.Hides(&c.trouble, age) || age < readDelay && c.Rules.Holds(ReadDelay)
}

// checkRate rejects what comes faster than documented.
func (c *Call) checkRate() *say.Rejection {
	rate := c.Operation.Rate
	if rate.PerSecond == 0 || !c.Rules.Holds(Rates) || c.Rules.Pass(c.Operation.Method+c.Operation.Path+" "+c.Platform.CallerID, c.Now, rate.PerSecond) {
		return nil
	}
	return c.TooOften(fmt.Sprintf("%d requests a second are documented for this operation; %s", rate.PerSecond, RatesOff))
}

// RatesOff ends the reason of a rejection by [Rates].
const RatesOff = "rule rates, by the sandbox's clock: Relax(sandbox.Rates) or --relax rates switches it off"

// TooOften is 429. Its code differs by product.
func (c *Call) TooOften(reason string) *say.Rejection {
	code := "FREQUENCY_LIMITED"
	if strings.Contains(c.Operation.Path, "/profitsharing/") {
		code = "RATELIMIT_EXCEED"
	}
	return &say.Rejection{
		Status: http.StatusTooManyRequests, Code: code, Number: say.NumberTooOften,
		Message: say.Both("频率超限，请降低频率后重试", "too many requests, send fewer"), Reason: reason,
	}
}

// asked reads a field of the query that says which part of a list is wanted. Without it, it is
// usual; bounds are inclusive, and highest 0 stands for none.
func (c *Call) asked(name string, usual, lowest, highest int) (int, *say.Rejection) {
	value := c.Query.Get(name)
	if value == "" {
		return usual, nil
	}
	n := sample.WholeNumber(value)
	switch {
	case n < lowest || value[0] == '-':
		return 0, say.RangeError("query", name, value, say.IssueLeast(lowest))
	case highest > 0 && n > highest:
		return 0, say.RangeError("query", name, value, say.IssueMost(highest))
	}
	return n, nil
}

// AskedPage reads offset and limit, which is usual when it is not given and highest at most.
func (c *Call) AskedPage(usual, highest int) (offset, limit int, rejected *say.Rejection) {
	if offset, rejected = c.asked("offset", 0, 0, 0); rejected == nil {
		limit, rejected = c.asked("limit", usual, 1, highest)
	}
	return offset, limit, rejected
}

// Paged is the response with a page of a list.
func (c *Call) Paged(list []map[string]any, offset, limit int) map[string]any {
	data := make([]any, 0, limit)
	for _, one := range list[min(offset, len(list)):min(offset+limit, len(list))] {
		data = append(data, one)
	}
	return c.Tell(map[string]any{"data": data, "total_count": len(list), "offset": offset, "limit": limit})
}

// BrandID is the brand that a request is of: the one that signed it, or the one that a provider
// names; nil if it names none.
func (c *Call) BrandID() any {
	switch named, ok := c.Object["brand_id"]; {
	case say.IsBrand(c.Target):
		return c.Platform.CallerID
	case ok:
		return named
	case c.Query.Has("brand_id"):
		return c.Query.Get("brand_id")
	}
	return nil
}

// OfBrand returns the body, with the brand that it is of.
func (c *Call) OfBrand() map[string]any {
	fields := maps.Clone(c.Object)
	fields["brand_id"] = c.BrandID()
	return fields
}

// OwnNumber is what the caller's out_request_no is kept under: a brand's numbers are others than a
// provider's.
func (c *Call) OwnNumber() string {
	number := c.Object["out_request_no"].(string)
	if say.IsBrand(c.Target) {
		return c.Platform.CallerID + " " + number
	}
	return number
}

// EncryptToCaller encrypts for the certificate that signed the request. A longer text is cut short.
func (c *Call) EncryptToCaller(plain string) string {
	key := c.Platform.Callers[c.Caller]
	for len(plain) > c.Platform.Scheme.MaxPlaintext(key) {
		runes := []rune(plain)
		plain = string(runes[:len(runes)/2])
	}
	encrypted, err := c.Platform.Scheme.Encrypt(key, []byte(plain))
	if err != nil {
		panic("sandbox: encrypting: " + err.Error()) // it is short enough, and the key fits the scheme
	}
	return base64.StdEncoding.EncodeToString(encrypted)
}

// Tell makes a response of what is known: the documented fields of the operation, the encrypted
// ones encrypted for the caller.
func (c *Call) Tell(known map[string]any) map[string]any {
	return sample.Pick(c.Operation.Out, known, c.EncryptToCaller)
}
