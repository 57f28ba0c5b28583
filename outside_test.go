//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// ownTypes are all exported error types of the module, each as a claim that would be a lie in an error from outside.
var ownTypes = map[string]error{
	"apiv3.ClockError":       &apiv3.ClockError{},
	"middleware.SignError":   &middleware.SignError{Err: errors.New("x")},
	"middleware.VerifyError": &middleware.VerifyError{Status: 200, Reason: errors.New("x")},
	"transport.SentError":    &transport.SentError{Host: "h", Err: errors.New("x")},
	"transport.UnsentError":  &transport.UnsentError{Err: errors.New("x")},
	"webhook.MismatchError":  &webhook.MismatchError{Field: "x"},
	"webhook.PanicError":     &webhook.PanicError{},
	"webhook.VerifyError":    &webhook.VerifyError{Reason: errors.New("x")},
	"wxpay.APIError":         &wxpay.APIError{Status: 404, Code: wxcode.OrderNotExist, Verified: true},
	"wxpay.CallError":        &wxpay.CallError{Stage: wxpay.StageBuild, Outcome: wxpay.Rejected, Err: errors.New("x")},
	"wxpay.DownloadError":    &wxpay.DownloadError{Err: errors.New("x")},
	"wxpay.NotYetError":      &wxpay.NotYetError{Err: errors.New("x")},
	"wxpay.KeysError":        &wxpay.KeysError{Cause: wxpay.ErrNoCertificates},
	"wxpay.FieldError":       &wxpay.FieldError{Err: errors.New("x")},
	"wxpay.PanicError":       &wxpay.PanicError{},
	"wxpay.PreflightError":   &wxpay.PreflightError{},
	"wxpay.QueryError":       &wxpay.QueryError{Err: wxpay.ErrMissing},
	"wxpay.Stage":            wxpay.StageVerify,
}

// ownValues are all exported errors of the module that errors.Is is asked for.
var ownValues = map[string]error{
	"apiv3.ErrAuthorization": apiv3.ErrAuthorization, "apiv3.ErrClock": apiv3.ErrClock, "apiv3.ErrDecrypt": apiv3.ErrDecrypt,
	"apiv3.ErrExpired": apiv3.ErrExpired, "apiv3.ErrKey": apiv3.ErrKey, "apiv3.ErrSignature": apiv3.ErrSignature,
	"apiv3.ErrSignatureHeader": apiv3.ErrSignatureHeader, "apiv3.ErrTooLong": apiv3.ErrTooLong,
	"apiv3.ErrUnknownSerial": apiv3.ErrUnknownSerial, "apiv3.ErrUnsigned": apiv3.ErrUnsigned,
	"middleware.ErrResponseAmbiguous": middleware.ErrResponseAmbiguous, "middleware.ErrResponseCoded": middleware.ErrResponseCoded,
	"middleware.ErrResponseTooLarge":  middleware.ErrResponseTooLarge,
	"middleware.ErrResponseTruncated": middleware.ErrResponseTruncated, "middleware.ErrDigest": middleware.ErrDigest,
	"middleware.ErrForeign":   middleware.ErrForeign,
	"middleware.ErrLimited":   middleware.ErrLimited,
	"webhook.ErrBodyConsumed": webhook.ErrBodyConsumed, "webhook.ErrBodyCut": webhook.ErrBodyCut, "webhook.ErrBusy": webhook.ErrBusy,
	"webhook.ErrDeduper": webhook.ErrDeduper, "webhook.ErrMalformed": webhook.ErrMalformed, "webhook.ErrNoHandler": webhook.ErrNoHandler,
	"webhook.ErrNotPaid": webhook.ErrNotPaid, "webhook.ErrNotPayment": webhook.ErrNotPayment, "webhook.ErrOverrun": webhook.ErrOverrun,
	"webhook.ErrTooLarge": webhook.ErrTooLarge, "webhook.ErrUnknownMerchant": webhook.ErrUnknownMerchant,
	"webhook.ErrV2Notification": webhook.ErrV2Notification,
	"wxpay.ErrBrokenList":       wxpay.ErrBrokenList, "wxpay.ErrClosed": wxpay.ErrClosed, "wxpay.ErrDigest": wxpay.ErrDigest,
	"wxpay.ErrMissing": wxpay.ErrMissing, "wxpay.ErrNoCertificates": wxpay.ErrNoCertificates, "wxpay.ErrNotReady": wxpay.ErrNotReady,
	"wxpay.ErrNumberConflict": wxpay.ErrNumberConflict, "wxpay.ErrOutcomeUnknown": wxpay.ErrOutcomeUnknown,
	"wxpay.ErrQueueFull": wxpay.ErrQueueFull, "wxpay.ErrTooLarge": wxpay.ErrTooLarge, "wxpay.ErrTruncated": wxpay.ErrTruncated,
}

// lying is an error of the user's that makes the promises of a transport, and claims to be all that this module says.
type lying struct {
	inside error
	except []string // names of what it is not
}

func (lying) Error() string    { return "lying" }
func (lying) Unsent() bool     { return true }
func (lying) ServedBy() string { return "elsewhere" }
func (l lying) Unwrap() error  { return l.inside }
func (l lying) Is(target error) bool {
	for name, own := range ownValues {
		if target == own {
			return !slices.Contains(l.except, name)
		}
	}
	return false
}

var errOfUser = errors.New("the user's own")

// poison is an error from outside that holds everything that this module says, but for the exceptions.
func poison(except ...string) error {
	errs := []error{errOfUser}
	for _, all := range []map[string]error{ownTypes, ownValues} {
		for name, err := range all {
			if !slices.Contains(except, name) {
				errs = append(errs, err)
			}
		}
	}
	return lying{errors.Join(errs...), except}
}

// claims lists what of this module is found in err.
func claims(err error) (found []string) {
	for name, own := range ownTypes {
		if errors.As(err, reflect.New(reflect.TypeOf(own)).Interface()) {
			found = append(found, name)
		}
	}
	for name, own := range ownValues {
		if errors.Is(err, own) {
			found = append(found, name)
		}
	}
	for _, stage := range []wxpay.Stage{wxpay.StageBuild, wxpay.StageQueue, wxpay.StageKeys, wxpay.StageSign, wxpay.StageSend, wxpay.StageVerify,
		wxpay.StageResponse, wxpay.StageDownload, wxpay.StageDecode, wxpay.StageCallback, wxpay.StageEnsure} {
		if errors.Is(err, stage) {
			found = append(found, string(stage))
		}
	}
	found = append(found, "outcome "+wxpay.OutcomeOf(err).String())
	if wxpay.IsCode(err, wxcode.OrderNotExist) {
		found = append(found, "code")
	}
	slices.Sort(found)
	return found
}

// The two lists above are complete: every package that says something of its own is read.
func TestOwnErrorsAreListed(t *testing.T) {
	for room, name := range map[string]string{".": "wxpay", "apiv3": "apiv3", "fact": "fact", "catalog": "catalog", "middleware": "middleware",
		"transport": "transport", "webhook": "webhook"} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, declared := range parsed.Decls {
				switch d := declared.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil || d.Name.Name != "Error" || d.Type.Params.NumFields() > 0 {
						continue
					}
					of := d.Recv.List[0].Type
					if pointer, ok := of.(*ast.StarExpr); ok {
						of = pointer.X
					}
					if of := of.(*ast.Ident).Name; ast.IsExported(of) {
						assert.NotNil(t, ownTypes[name+"."+of], "list %s.%s in ownTypes", name, of)
					}
				case *ast.GenDecl:
					for _, spec := range d.Specs {
						if values, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
							for _, value := range values.Names {
								if strings.HasPrefix(value.Name, "Err") {
									assert.NotNil(t, ownValues[name+"."+value.Name], "list %s.%s in ownValues", name, value.Name)
								}
							}
						}
					}
				}
			}
		}
	}
}

// Nothing of ours is found behind the wrapper, and everything else is.
func TestOutside(t *testing.T) {
	type users struct{ error }
	inside := errors.Join(poison(), users{errors.New("x")}, io.ErrUnexpectedEOF)
	err := fault.Outside(inside)
	assert.Equal(t, inside.Error(), err.Error())
	assert.Equal(t, []string{"outcome outcome unknown"}, claims(err))
	require.ErrorIs(t, err, errOfUser)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorAs(t, err, new(users))
	require.ErrorAs(t, err, new(lying))
	var asked interface{ Verified() bool }
	assert.NotErrorAs(t, err, &asked)
	var timeout interface{ Unsigned() bool } // as an interface that only a type of ours meets
	assert.NotErrorAs(t, err, &timeout)
	assert.Same(t, err, fault.Outside(err))
	assert.Equal(t, io.EOF, fault.Outside(io.EOF)) //nolint:errorlint // readers are compared with it
	require.NoError(t, fault.Outside(nil))

	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(inside)
		if end == context.DeadlineExceeded {
			late, stop := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Second), inside)
			defer stop()
			ctx = late
		}
		for _, err := range []error{fault.Cause(ctx), fault.During(ctx, inside), fault.During(ctx, fmt.Errorf("waiting: %w", inside))} {
			require.ErrorIs(t, err, end)
			require.ErrorIs(t, err, errOfUser)
			assert.Equal(t, []string{"outcome outcome unknown"}, claims(err))
		}
		require.ErrorIs(t, fault.Cause(ctx), fault.Cause(ctx), "however often it is asked for")
	}
	require.NoError(t, fault.Cause(t.Context()))
}

// failing is a reader, a writer, and a body of the user's.
type failing struct {
	content io.Reader
	fails   error
}

func (f failing) Read(p []byte) (int, error) {
	n, err := f.content.Read(p)
	if err == io.EOF {
		err = f.fails
	}
	return n, err
}
func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.fails }
func (f failing) Write([]byte) (int, error)         { return 0, f.fails }
func (f failing) Close() error                      { return nil }
func (f failing) MarshalJSON() ([]byte, error)      { return nil, f.fails }
func (f failing) UnmarshalJSON([]byte) error        { return f.fails }
func (f failing) Acquire(context.Context, middleware.LimitKey, fact.Rate) (func(), error) {
	return nil, f.fails
}

// failingKey is a private key that cannot sign; told is one that can be told to stop.
type failingKey struct {
	crypto.Signer
	fails error
}

func (k failingKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, k.fails }

type toldKey struct{ failingKey }

func (k toldKey) SignContext(context.Context, io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, k.fails
}

// onceReadable reads whole the first time, for the digest, and fails the second, on its way.
type onceReadable struct {
	*strings.Reader
	fails error
	reads int
}

func (o *onceReadable) ReadAt(p []byte, at int64) (int, error) {
	if at == 0 {
		o.reads++
	}
	if o.reads > 1 {
		return 0, o.fails
	}
	return o.Reader.ReadAt(p, at)
}

// Whatever comes from outside is shown and never read as the platform's word or the transport's: where it holds all that this
// module says, the call's error is what it is for a plain one.
func TestErrorsFromOutside(t *testing.T) {
	const path = "v3/x"
	body := wxpay.JSON{"out_refund_no": "R1"}
	keyed := func(t *testing.T, key crypto.Signer, options ...wxpay.Option) *wxpay.Client {
		client, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: key},
			append(options, wxpay.WithPublicKey(testKeyID, testKeys().platform.Public()))...)
		require.NoError(t, err)
		return client
	}
	cancelled := func(cause error) context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(cause)
		return ctx
	}
	soon := func(cause error) context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
		return ctx
	}
	with := func(m func(req *http.Request, next http.RoundTripper) (*http.Response, error)) wxpay.Option {
		return wxpay.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) { return m(req, next) })
		})
	}
	panics := func(fails error) wxpay.Option {
		return with(func(*http.Request, http.RoundTripper) (*http.Response, error) { panic(fails) })
	}
	async := func(f *wxpay.Future) error { _, err := f.Wait(context.Background()); return err }
	upload := func(t *testing.T, ctx context.Context, file wxpay.File) error {
		_, err := newClient(t, wxpay.WithTransport(play(ok(`{}`)))).Chain("v3/merchant/media/upload").Upload(ctx, file)
		return err
	}
	tests := []struct {
		name string
		run  func(t *testing.T, fails error) error
		ends bool // a context ended
	}{
		{"the cause of a context that has ended", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(ok(`{}`))).Chain(path).Post(cancelled(fails), body)
			return err
		}, true},
		{"the cause of a context that ends on the way", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(silence)).Chain(path).Post(soon(fails), body)
			return err
		}, true},
		{"the cause of a context that ends on the way, by the pool", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(transport.New(transport.Config{Proxy: nil}))).Chain(path).Post(cancelled(fails), body)
			return err
		}, true},
		{"the cause of a context that ends between two attempts", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(answer{fail: func(req *http.Request) error { return context.Cause(req.Context()) },
				trip: func(req *http.Request) { <-req.Context().Done() }})).Chain(path).Get(soon(fails))
			return err
		}, true},
		{"the cause of a context of Ensure", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(play(systemError))).Chain("v3/refund/domestic/refunds").Ensure(soon(fails), body)
			return err
		}, true},
		{"the cause of a context of an asynchronous call that has ended", func(t *testing.T, fails error) error {
			return async(newClient(t, wxpay.WithTransport(ok(`{}`))).Chain(path).PostAsync(cancelled(fails), body))
		}, true},
		{"the cause of a context of a waiting call", func(t *testing.T, fails error) error {
			client := newClient(t, wxpay.WithTransport(silence), wxpay.WithConcurrency(1, 10_000))
			first := client.Chain(path).PostAsync(context.Background(), body)
			err := async(client.Chain(path).PostAsync(soon(fails), body))
			require.Error(t, async(first))
			return err
		}, true},
		{"the cause of a context of a download", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(ok(`{}`))).Chain("v3/billdownload/file").Download(cancelled(fails), io.Discard)
			return err
		}, true},
		{"the cause of a context of an upload", func(t *testing.T, fails error) error {
			return upload(t, cancelled(fails), wxpay.FileFrom("a.png", strings.NewReader("abc"), 3))
		}, true},
		{"the cause of a context of a bill that is being made", func(t *testing.T, fails error) error {
			client := newClient(t, wxpay.WithTransport(billError(400, "STATEMENT_CREATING")))
			_, err := tradeChain(client).Bill(soon(fails))
			return err
		}, true},
		{"the cause of a context of a receipt that is being made", func(t *testing.T, fails error) error {
			client := newClient(t, wxpay.WithTransport(ok(`{"state":"GENERATING"}`)))
			_, err := client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no/1").Receipt(soon(fails), io.Discard)
			return err
		}, true},
		{"the cause of a context of a refresh of keys", func(t *testing.T, fails error) error {
			client, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant, APIv3Key: strings.Repeat("k", 32)},
				wxpay.WithCertificates(), wxpay.WithTransport(silence), wxpay.WithAttempts(1))
			require.NoError(t, err)
			err = client.RefreshKeys(soon(fails))
			require.NoError(t, client.Close())
			return err
		}, true},
		{"the cause of a context of Encrypt", func(t *testing.T, fails error) error {
			_, _, err := newClient(t).Encrypt(cancelled(fails), "x")
			return err
		}, true},
		{"the cause of a context of Decrypt", func(t *testing.T, fails error) error {
			_, err := newClient(t).Decrypt(cancelled(fails), "x")
			return err
		}, true},
		{"the cause of a context of Sign", func(t *testing.T, fails error) error {
			_, err := newClient(t).Sign(cancelled(fails), "x")
			return err
		}, true},
		{"the cause of a context of a body that is encrypted", func(t *testing.T, fails error) error {
			_, err := newClient(t).Chain(path).Post(cancelled(fails), wxpay.JSON{"name": wxpay.Secret("x")})
			return err
		}, true},
		{"a middleware that made its error up", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(ok(`{}`)), with(func(*http.Request, http.RoundTripper) (*http.Response, error) {
				return nil, fails
			})).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"a middleware that fails after a success", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(ok(`{}`)), with(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				_, err := next.RoundTrip(req)
				require.NoError(t, err)
				return nil, fails
			})).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"a middleware that replaces an error", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(resetConnection), with(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				_, err := next.RoundTrip(req)
				require.Error(t, err)
				return nil, fails
			})).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"a middleware that adds to an error", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(resetConnection), with(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				_, err := next.RoundTrip(req)
				require.Error(t, err)
				return nil, errors.Join(err, fails)
			})).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"a body that a middleware put in the place of the answer's", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(ok(`{}`)), with(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				res, err := next.RoundTrip(req)
				require.NoError(t, err)
				res.Body = failing{res.Body, fails}
				return res, nil
			})).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"a body that a middleware put in the place of a download's", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(file([]byte("abc"))), wxpay.WithAttempts(1),
				with(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
					res, err := next.RoundTrip(req)
					require.NoError(t, err)
					res.Body = failing{res.Body, fails}
					return res, nil
				})).Chain("v3/billdownload/file").Download(t.Context(), io.Discard)
			return err
		}, false},
		{"a body that a middleware put in the place of the request's", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(ok(`{}`)), with(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				req.Body = failing{strings.NewReader("{"), fails}
				return next.RoundTrip(req)
			})).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"a panic of a middleware", func(t *testing.T, fails error) error {
			return async(newClient(t, wxpay.WithTransport(ok(`{}`)), panics(fails)).Chain(path).PostAsync(t.Context(), body))
		}, false},
		{"a key that does not sign", func(t *testing.T, fails error) error {
			_, err := keyed(t, failingKey{testKeys().merchant, fails}, wxpay.WithTransport(ok(`{}`))).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"a key that can be told to stop", func(t *testing.T, fails error) error {
			_, err := keyed(t, toldKey{failingKey{testKeys().merchant, fails}}, wxpay.WithTransport(ok(`{}`))).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"a key that does not sign by hand", func(t *testing.T, fails error) error {
			_, err := keyed(t, failingKey{testKeys().merchant, fails}).Sign(context.Background(), "x")
			return err
		}, false},
		{"a key that does not sign what opens a payment", func(t *testing.T, fails error) error {
			_, err := keyed(t, failingKey{testKeys().merchant, fails}).Invoke().JSAPI(t.Context(), "wx8888888888888888", "wx201410272009395522657a690389285100")
			return err
		}, false},
		{"a limiter", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(ok(`{}`)), wxpay.WithLimiter(failing{fails: fails})).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"the body of an answer", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(answer{bend: func(res *http.Response) {
				res.Body, res.ContentLength = failing{strings.NewReader("{"), fails}, -1
			}})).Chain(path).Post(t.Context(), body)
			return err
		}, false},
		{"the body of a download", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithAttempts(1), wxpay.WithTransport(answer{unsigned: true, bend: func(res *http.Response) {
				res.Body, res.ContentLength = failing{strings.NewReader("{"), fails}, -1
			}})).Chain("v3/billdownload/file").Download(t.Context(), io.Discard)
			return err
		}, false},
		{"a file's reader", func(t *testing.T, fails error) error {
			return upload(t, t.Context(), wxpay.FileFrom("a.png", failing{fails: fails}, 3))
		}, false},
		{"a file's reader, on the way", func(t *testing.T, fails error) error {
			return upload(t, t.Context(), wxpay.FileFrom("a.png", &onceReadable{strings.NewReader("abc"), fails, 0}, 3))
		}, false},
		{"a pipe", func(t *testing.T, fails error) error {
			return upload(t, t.Context(), wxpay.FileReader("a.png", failing{strings.NewReader("abc"), fails}))
		}, false},
		{"the destination of a download", func(t *testing.T, fails error) error {
			_, err := newClient(t, wxpay.WithTransport(file([]byte("abc")))).Chain("v3/billdownload/file").Download(t.Context(), failing{fails: fails})
			return err
		}, false},
		{"the destination of a bill", func(t *testing.T, fails error) error {
			bill := billOf(t, tradeBill)
			_, err := bill.WriteTo(failing{fails: fails})
			return errors.Join(err, bill.Close())
		}, false},
		{"a step given to Then", func(t *testing.T, fails error) error {
			return async(newClient(t, wxpay.WithTransport(ok(`{}`))).Chain(path).PostAsync(t.Context(), body).
				Then(func(*wxpay.Response) error { return fails }))
		}, false},
		{"a panic of a step given to Then", func(t *testing.T, fails error) error {
			return async(newClient(t, wxpay.WithTransport(ok(`{}`))).Chain(path).PostAsync(t.Context(), body).
				Then(func(*wxpay.Response) error { panic(fails) }))
		}, false},
		{"a body that does not marshal", func(t *testing.T, fails error) error {
			_, err := newClient(t).Chain(path).Post(t.Context(), wxpay.JSON{"x": failing{fails: fails}})
			return err
		}, false},
		{"a target that does not unmarshal", func(t *testing.T, fails error) error {
			res, err := newClient(t, wxpay.WithTransport(ok(`{}`))).Chain(path).Post(t.Context(), body)
			require.NoError(t, err)
			return res.Decode(&failing{fails: fails})
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				plain := tt.run(t, errOfUser)
				require.Error(t, plain)
				poisoned := tt.run(t, poison())
				require.Error(t, poisoned)
				found := claims(poisoned)
				if tt.name == "a limiter" { // which says that there is no room
					require.Contains(t, found, "middleware.ErrLimited")
					found = slices.DeleteFunc(found, func(name string) bool { return name == "middleware.ErrLimited" })
				}
				assert.Equal(t, claims(plain), found, poisoned)
				for _, err := range []error{plain, poisoned} {
					require.ErrorIs(t, err, errOfUser, "it may be shown")
					assert.Equal(t, tt.ends, errors.Is(err, context.Canceled))
				}
				if !errors.As(poisoned, new(*wxpay.KeysError)) { // which does not unwrap
					require.ErrorAs(t, poisoned, new(lying))
				}
			})
		})
	}
}
