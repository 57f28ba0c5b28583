package wxpay

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/autofill"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/middleware"
)

// Option configures a client. [New] returns an error for an invalid value; of two options for the
// same thing the later wins.
type Option func(*config) error

// config is what the options fill.
type config struct {
	scheme         apiv3.Scheme
	base           *url.URL
	backups        []string          // other hosts of the gateway, each with its port if it needs one
	hosts          *middleware.Hosts // base and backups with their health; nil until the client is built
	platformKeys   []apiv3.PlatformKey
	certificates   *keylist.Settings // nil: the certificate list is not fetched
	keyShare       float64           // percentage of the calls that use the public key; see WithPublicKeyShare
	embedded       bool              // the catalogue is the embedded one
	catalog        Catalog           // another one; nil: there is none
	insecure       []string          // hosts that may be reached by plain http
	plans          *sensitive.Plans  // of the catalogue's operations; nil until the client is built
	strict         bool              // PreflightStrict
	silenced       []string          // kinds of findings
	told           *preflight.Told   // the findings that were logged; nil until the client is built
	defaults       autofill.Caller
	transport      http.RoundTripper // nil until the client is built, unless WithTransport set one
	attempts       int
	limiter        middleware.Limiter // nil: no request waits
	middlewares    []middleware.Middleware
	logger         *slog.Logger // nil: calls and keys write no record
	findings       *slog.Logger // nil: findings write no record
	logNumbers     bool
	observer       func(context.Context, middleware.Observation)
	timeout        time.Duration
	attemptTimeout time.Duration
	maxResponse    int64
	concurrency    int
	queueSize      int
	userAgent      string
	language       string
	clock          func() time.Time
	nonce          func() string
}

// Catalog looks up operations for the client; catalog.V3() is one. path is a template or a concrete
// path with a leading slash. A catalogue may also have the methods Nearest, Methods and HasSegment
// of catalog.V3(). Then the findings of [WithPreflight] suggest the name that was probably meant,
// and [Client.At] knows the segments of its paths.
type Catalog interface {
	Lookup(method, path string) (*fact.Operation, bool)
}

// DefaultBaseURL is the mainland gateway.
const DefaultBaseURL = "https://" + fact.DefaultHost

// OverseasBaseURL is the gateway outside the mainland. Each of the two is the other's spare.
const OverseasBaseURL = "https://" + fact.OverseasHost

func defaults() config {
	return config{
		scheme:         apiv3.RSA(),
		base:           &url.URL{Scheme: "https", Host: fact.DefaultHost},
		keyShare:       100,
		embedded:       true,
		backups:        []string{fact.BackupHost},
		attempts:       3,
		timeout:        30 * time.Second,
		attemptTimeout: 10 * time.Second,
		maxResponse:    16 << 20,
		concurrency:    64,
		queueSize:      10_000,
		userAgent:      defaultUserAgent,
		findings:       slog.Default(),
		clock:          time.Now,
	}
}

// facts returns the catalogue, nil if there is none. The embedded one is unpacked at the first call
// of facts.
func (c *config) facts() call.Catalog {
	if c.embedded {
		return catalog.V3()
	}
	return c.catalog
}

func checkCount(what string, n int64) error {
	if n <= 0 {
		return fmt.Errorf("%s is %d, it must be positive", what, n)
	}
	return nil
}

func checkLimit(what string, limit time.Duration) error {
	if limit <= 0 {
		return fmt.Errorf("%s is %s, it must be positive", what, limit)
	}
	return nil
}
