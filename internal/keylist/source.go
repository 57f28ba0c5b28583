package keylist

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
)

// ErrNone means that the platform has no certificates for the merchant.
var ErrNone = fault.New("this merchant has no platform certificates, only the WeChat Pay public key: pass WithPublicKey(id, key) in place of WithCertificates, both are shown by the merchant platform under API security")

// ErrClosed means that the client was closed.
var ErrClosed = fault.New("the client is closed")

// Settings are the user's choices about the list.
type Settings struct {
	Path     string         // of the list, for [Source.Reader]
	Interval time.Duration  // the list is read again at this age, or up to a fifth earlier
	Roots    *x509.CertPool // issuers of the certificates; nil: any
	Store    Store          // keeps a copy for other processes; nil: none
}

// Store keeps copies of lists outside the process.
type Store interface {
	// Load returns the copy last saved under name, nil if there is none.
	Load(ctx context.Context, name string) ([]byte, error)
	// Save replaces the copy under name whole.
	Save(ctx context.Context, name string, copy []byte) error
}

// Read reads the list once from the platform and returns its verified response. A merchant without a list is [ErrNone].
type Read func(ctx context.Context) (http.Header, []byte, error)

// Source says how a merchant's list is read and checked.
type Source struct {
	Settings
	MchID  string        // names the merchant in the store and in the log
	Key    func() string // the APIv3 key, which decrypts the list
	Scheme apiv3.Scheme
	Logger *slog.Logger // nil: nothing is logged
	// Reader makes the function that reads the list. It verifies the response with keys, which knows the certificates in
	// the response itself.
	Reader func(keys middleware.Keys) Read
	// Failed makes the error that callers get, from the cause and the time of the next attempt, zero for none.
	Failed func(cause error, next time.Time) error
	// Panicked makes an error of a panic in code of the user's, such as a store.
	Panicked func(value any) error
}

// Status is the state of the keys.
type Status struct {
	Keys     []apiv3.PlatformKey // public keys first, then certificates, the one that expires last first
	Fetched  time.Time           // when the platform signed the list in use; zero for none
	Next     time.Time           // when the list is due; zero before the first time, and without a source
	Failures int                 // since the last success
	Err      error               // of the last refresh, as Source.Failed made it
	Broken   []error             // entries of the list in use that cannot be used
}

// reason says why the list is read.
type reason struct {
	want   string // the unknown serial that is looked for; empty for none
	direct bool   // the store's copy will not do
	urgent bool   // no pause counts, and no token is spent
}
