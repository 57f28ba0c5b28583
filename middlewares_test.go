//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/wxcode"
)

// between is a middleware made of a function.
func between(m func(req *http.Request, next http.RoundTripper) (*http.Response, error)) wxpay.Option {
	return wxpay.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) { return m(req, next) })
	})
}

// What a middleware passes on is the call's own, also wrapped; what it makes up is not.
func TestMiddlewarePassesOn(t *testing.T) {
	forged := answer{body: "{}", key: testKeys().other} // signed wrongly
	elsewhere := func() error {
		_, err := newClient(t, wxpay.WithTransport(refusal(404, "ORDER_NOT_EXIST"))).Chain("v3/other").Get(context.Background())
		return err
	}
	tests := []struct {
		name    string
		gateway http.RoundTripper
		own     func(req *http.Request, next http.RoundTripper) (*http.Response, error)
		outcome wxpay.Outcome
		check   func(t *testing.T, err error)
	}{
		{"the error as it is", forged, func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			return next.RoundTrip(req)
		}, wxpay.Unknown, func(t *testing.T, err error) {
			require.ErrorAs(t, err, new(*wxpay.VerifyError))
			assert.ErrorIs(t, err, wxpay.StageVerify)
		}},
		{"the error wrapped", forged, func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			_, err := next.RoundTrip(req)
			return nil, fmt.Errorf("mine: %w", err)
		}, wxpay.Unknown, func(t *testing.T, err error) {
			require.ErrorAs(t, err, new(*wxpay.VerifyError))
			assert.ErrorIs(t, err, wxpay.StageVerify)
			assert.ErrorContains(t, err, "mine: ")
		}},
		{"the error with another call's", forged, func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			_, err := next.RoundTrip(req)
			return nil, errors.Join(elsewhere(), err)
		}, wxpay.Unknown, func(t *testing.T, err error) {
			require.ErrorAs(t, err, new(*wxpay.VerifyError))
			assert.NotErrorAs(t, err, new(*wxpay.APIError))
			assert.False(t, wxpay.IsCode(err, wxcode.OrderNotExist))
		}},
		{"another call's error in its place", forged, func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			_, _ = next.RoundTrip(req)
			return nil, elsewhere()
		}, wxpay.Unknown, func(t *testing.T, err error) {
			assert.NotErrorAs(t, err, new(*wxpay.VerifyError))
			assert.False(t, wxpay.IsCode(err, wxcode.OrderNotExist))
			assert.ErrorContains(t, err, "ORDER_NOT_EXIST", "it may be shown")
		}},
		{"a promise that nothing was sent", resetConnection, func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			_, _ = next.RoundTrip(req)
			return nil, &transport.UnsentError{Err: errors.New("x")}
		}, wxpay.Unknown, func(t *testing.T, err error) {
			assert.NotErrorAs(t, err, new(*transport.UnsentError))
		}},
		{"an error after a success", ok("{}"), func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			_, _ = next.RoundTrip(req)
			return nil, errors.New("mine")
		}, wxpay.Confirmed, func(t *testing.T, err error) {
			var call *wxpay.CallError
			require.ErrorAs(t, err, &call)
			assert.NotNil(t, call.Response)
		}},
		{"an error after a success and a repeat", play(ok(`{"a":1}`), refusal(400, "PARAM_ERROR")),
			func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				_, _ = next.RoundTrip(req)
				_, _ = next.RoundTrip(req.Clone(req.Context()))
				return nil, errors.New("mine")
			}, wxpay.Confirmed, func(t *testing.T, err error) {
				var call *wxpay.CallError
				require.ErrorAs(t, err, &call)
				assert.Equal(t, `{"a":1}`, string(call.Response.Raw()), "the answer that confirmed it, and not the last one")
				assert.True(t, call.Response.Verified)
			}},
		{"no call at all", ok("{}"), func(*http.Request, http.RoundTripper) (*http.Response, error) {
			return nil, errors.New("mine")
		}, wxpay.NotSent, func(*testing.T, error) {}},
		{"nothing", ok("{}"), func(*http.Request, http.RoundTripper) (*http.Response, error) {
			return nil, nil
		}, wxpay.NotSent, func(t *testing.T, err error) { assert.ErrorContains(t, err, "neither a response nor an error") }},
		{"a context of its own", ok("{}"), func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			return next.RoundTrip(req.WithContext(context.Background()))
		}, wxpay.NotSent, func(t *testing.T, err error) { assert.ErrorContains(t, err, "derive contexts from req.Context()") }},
		{"a refusal of its own after a success", ok("{}"), func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			_, _ = next.RoundTrip(req)
			return refusal(400, "PARAM_ERROR").RoundTrip(req)
		}, wxpay.Confirmed, func(t *testing.T, err error) {
			var refused *wxpay.APIError
			require.ErrorAs(t, err, &refused)
			assert.False(t, refused.Verified)
		}},
		{"a refusal of its own", ok("{}"), func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
			return refusal(400, "PARAM_ERROR").RoundTrip(req)
		}, wxpay.Unknown, func(t *testing.T, err error) {
			var refused *wxpay.APIError
			require.ErrorAs(t, err, &refused)
			assert.False(t, refused.Verified)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, wxpay.WithTransport(tt.gateway), wxpay.WithAttempts(1), between(tt.own))
			_, err := client.Chain("v3/x").Post(t.Context(), wxpay.JSON{})
			require.Error(t, err)
			assert.Equal(t, tt.outcome, wxpay.OutcomeOf(err), err)
			tt.check(t, err)
		})
	}
}

// Verified is said of the platform's bytes only, and Ensure takes nothing else for a response.
func TestMiddlewareAnswers(t *testing.T) {
	const settled = `{"refund_id":"50000000382019052709732678859","out_refund_no":"R1","status":"SUCCESS"}`
	elsewhere := func() (kept *http.Response) { // the answer to another call, as a middleware that caches keeps it
		_, err := newClient(t, wxpay.WithTransport(ok(strings.ReplaceAll(settled, "R1", "R2"))),
			between(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				res, err := next.RoundTrip(req)
				kept = res
				return res, err
			})).Chain("v3/x").Get(t.Context())
		require.NoError(t, err)
		return kept
	}
	tests := []struct {
		name     string
		own      func(req *http.Request, next http.RoundTripper) (*http.Response, error)
		verified bool
	}{
		{"passed on", func(req *http.Request, next http.RoundTripper) (*http.Response, error) { return next.RoundTrip(req) }, true},
		{"read and put back", func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			raw, _ := io.ReadAll(res.Body)
			res.Body = io.NopCloser(strings.NewReader(string(raw)))
			return res, err
		}, true},
		{"its body changed", func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			raw, _ := io.ReadAll(res.Body)
			res.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(raw), "R1", "R2")))
			return res, err
		}, false},
		{"its status changed", func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			res.StatusCode = 201
			return res, err
		}, false},
		{"its body read", func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			_, _ = io.ReadAll(res.Body)
			return res, err
		}, false},
		{"its body read in part", func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			_, _ = res.Body.Read(make([]byte, 1))
			return res, err
		}, false},
		{"its body taken away", func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			res.Body = nil
			return res, err
		}, false},
		{"the body of another call", func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			res.Body = elsewhere().Body
			return res, err
		}, false},
		{"all of another call's", func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			*res = *elsewhere()
			return res, err
		}, false},
		{"made up", func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
			return ok(settled).RoundTrip(req)
		}, false},
		{"made up after a failure", func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			_, _ = next.RoundTrip(req)
			return ok(settled).RoundTrip(req)
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, wxpay.WithTransport(ok(settled)), between(tt.own))
			chain := client.Chain("v3/refund/domestic/refunds")
			body := wxpay.JSON{"out_refund_no": "R1", "transaction_id": "1", "amount": wxpay.JSON{"refund": 1, "total": 1, "currency": "CNY"}}
			res, err := chain.Post(t.Context(), body)
			require.NoError(t, err)
			assert.Equal(t, tt.verified, res.Verified)

			verdict, err := chain.Ensure(t.Context(), body)
			if tt.verified {
				require.NoError(t, err)
				assert.Equal(t, wxpay.Succeeded, verdict.State)
				return
			}
			require.Nil(t, verdict)
			assert.ErrorContains(t, err, "a middleware made or changed the response")
		})
	}
}

// A middleware that returns before the request it has sent on does not make a lie of what is known, nor can it send one later.
func TestMiddlewareThatGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var later func() error
		slow := answer{body: "{}", trip: func(*http.Request) { time.Sleep(3 * time.Second) }}
		client := newClient(t, wxpay.WithTransport(slow), between(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			later = func() error { _, err := next.RoundTrip(req); return err }
			go func() { _, _ = next.RoundTrip(req) }()
			time.Sleep(time.Second)
			return nil, errors.New("I waited for a second")
		}))
		_, err := client.Chain("v3/x").Post(context.Background(), wxpay.JSON{})
		require.ErrorContains(t, err, "I waited for a second")
		assert.Equal(t, wxpay.Confirmed, wxpay.OutcomeOf(err), "it was under way, and succeeded")
		require.ErrorContains(t, later(), "sent the request on after it had returned")
	})
}

// One failed call of a group ends the others, and none of them takes over what it said.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background()) // as errgroup.WithContext does
		failed := make(chan error)
		go func() {
			time.Sleep(time.Second)
			_, err := newClient(t, wxpay.WithTransport(refusal(404, "ORDER_NOT_EXIST"))).Chain("v3/pay/transactions/id/1").Get(ctx)
			cancel(err)
			failed <- err
		}()
		_, err := newClient(t, wxpay.WithTransport(silence)).Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{})
		require.True(t, wxpay.IsCode(<-failed, wxcode.OrderNotExist))
		require.Error(t, err)
		assert.False(t, wxpay.IsCode(err, wxcode.OrderNotExist), err)
		assert.NotErrorAs(t, err, new(*wxpay.APIError))
		assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err))
		assert.ErrorIs(t, err, ctx.Err())
		assert.ErrorContains(t, err, "context canceled: wxpay: GET /v3/pay/transactions/id/{transaction_id}: 404 ORDER_NOT_EXIST")
	})
}

// Code of the user's that panics, or ends its goroutine, ends its own call and nothing else: the Future fails with what is
// known, and the place is free.
func TestAsyncSurvives(t *testing.T) {
	boom := func(how string) {
		if how == "panic" {
			panic("boom")
		}
		runtime.Goexit()
	}
	tests := []struct {
		name    string
		option  func(how string) wxpay.Option
		outcome wxpay.Outcome
	}{
		{"a middleware before", func(how string) wxpay.Option {
			return between(func(*http.Request, http.RoundTripper) (*http.Response, error) { boom(how); return nil, nil })
		}, wxpay.NotSent},
		{"a middleware after", func(how string) wxpay.Option {
			return between(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				_, _ = next.RoundTrip(req)
				boom(how)
				return nil, nil
			})
		}, wxpay.Confirmed},
		{"an observer", func(how string) wxpay.Option {
			return wxpay.WithObserver(func(context.Context, middleware.Observation) { boom(how) })
		}, wxpay.Confirmed},
		{"a transport", func(how string) wxpay.Option {
			return wxpay.WithTransport(answer{trip: func(*http.Request) { boom(how) }})
		}, wxpay.Unknown},
	}
	for _, tt := range tests {
		for _, how := range []string{"panic", "Goexit"} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				ctx := t.Context()
				client := newClient(t, wxpay.WithTransport(ok("{}")), tt.option(how), wxpay.WithConcurrency(1, 1))
				for range 3 { // more than there are places
					res, err := client.Chain("v3/x").PostAsync(ctx, wxpay.JSON{}).Wait(ctx)
					require.Nil(t, res)
					var call *wxpay.CallError
					require.ErrorAs(t, err, &call)
					assert.Equal(t, tt.outcome, call.Outcome, err)
					assert.Equal(t, tt.outcome == wxpay.Confirmed, call.Response != nil)
					var panicked *wxpay.PanicError
					if how == "panic" {
						require.ErrorAs(t, err, &panicked)
						assert.Equal(t, "boom", panicked.Value)
						assert.Contains(t, string(panicked.Stack), "middlewares_test.go")
						assert.NotContains(t, err.Error(), "boom")
					} else {
						assert.ErrorContains(t, err, "runtime.Goexit")
					}
				}
			})
		}
	}
	t.Run("a step given to Then", func(t *testing.T) {
		ctx := t.Context()
		f := newClient(t, wxpay.WithTransport(ok("{}"))).Chain("v3/x").PostAsync(ctx, wxpay.JSON{})
		exited := f.Then(func(*wxpay.Response) error { runtime.Goexit(); return nil })
		panicked := f.Then(func(*wxpay.Response) error { panic("boom") })
		after := f.Then(func(*wxpay.Response) error { return nil })
		_, err := exited.Wait(ctx)
		require.ErrorContains(t, err, "runtime.Goexit")
		assert.Equal(t, wxpay.Confirmed, wxpay.OutcomeOf(err))
		_, err = panicked.Wait(ctx)
		require.ErrorAs(t, err, new(*wxpay.PanicError))
		_, err = after.Wait(ctx)
		require.NoError(t, err)
	})
	t.Run("a file's reader", func(t *testing.T) {
		for _, file := range []wxpay.File{wxpay.FileReader("a.png", exiting{}), wxpay.FileFrom("a.png", exiting{}, 3)} {
			_, err := newClient(t, wxpay.WithTransport(ok("{}"))).Chain("v3/merchant/media/upload").Upload(t.Context(), file)
			require.ErrorContains(t, err, "runtime.Goexit")
			assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
		}
		for _, file := range []wxpay.File{wxpay.FileReader("a.png", panicking{}), wxpay.FileFrom("a.png", panicking{}, 3)} {
			_, err := newClient(t, wxpay.WithTransport(ok("{}"))).Chain("v3/merchant/media/upload").Upload(t.Context(), file)
			require.ErrorAs(t, err, new(*wxpay.PanicError))
		}
	})
}

// The parts of an encrypted bill are downloaded side by side, and report so.
func TestSealedBillSurvives(t *testing.T) {
	noTemporaryFiles(t)
	for how, boom := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		gateway := &sealedGateway{lists: [][]part{{sealedPart(t, 1, "a", randomText(100), plainOf), sealedPart(t, 2, "b", randomText(100), plainOf)}}}
		client := newClient(t, wxpay.WithTransport(gateway))
		_, err := sealedChain(client).Bill(t.Context(), wxpay.Progress(func(int64, int64) { boom() }))
		require.ErrorIs(t, err, wxpay.StageDownload, how)
		assert.Equal(t, how == "panic", errors.As(err, new(*wxpay.PanicError)))
	}
}

// storeThat is a KeyStore that runs something instead of loading.
type storeThat func()

func (s storeThat) Load(context.Context, string) ([]byte, error) { s(); return nil, nil }
func (s storeThat) Save(context.Context, string, []byte) error   { return nil }

// Reading the certificate list is shared by all calls: code of the user's that breaks it off leaves none of them waiting, and the
// next reading begins in its time.
func TestRefreshSurvives(t *testing.T) {
	for _, how := range []string{"panic", "Goexit"} {
		for _, where := range []string{"store", "middleware", "logger"} {
			t.Run(where+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					scheme := quick{apiv3.RSA()}
					sb := newSandbox(t, sandbox.WithScheme(scheme), sandbox.WithKeyMode(sandbox.CertificatesOnly))
					broken := true
					boom := func() {
						switch {
						case !broken:
						case how == "panic":
							panic("boom")
						default:
							runtime.Goexit()
						}
					}
					options := []wxpay.Option{wxpay.WithScheme(scheme), wxpay.WithCertificates()}
					switch where {
					case "store":
						options[1] = wxpay.WithCertificates(wxpay.StoreIn(storeThat(boom)))
					case "middleware":
						options = append(options, between(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
							if strings.HasSuffix(req.URL.Path, "/certificates") {
								boom()
							}
							return next.RoundTrip(req)
						}))
					case "logger":
						options = append(options, wxpay.WithLogger(slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
							if strings.Contains(string(p), "platform certificates") {
								boom()
							}
							return len(p), nil
						}), nil))))
					}
					client := certificateClient(t, sb, options...)
					ctx := t.Context()
					err := post(ctx, client)
					if where == "logger" { // the list was read all the same
						require.NoError(t, err)
						return
					}
					require.ErrorIs(t, err, wxpay.StageKeys)
					assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
					var keys *wxpay.KeysError
					require.ErrorAs(t, err, &keys)
					assert.Equal(t, how == "panic", errors.As(keys.Cause, new(*wxpay.PanicError)))
					broken = false
					time.Sleep(5 * time.Second)
					require.NoError(t, post(ctx, client))
				})
			})
		}
	}
}

// exitingKey ends the goroutine that it is to sign on.
type exitingKey struct{ crypto.Signer }

func (exitingKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	runtime.Goexit()
	return nil, nil
}

// A signature that never came is no signature.
func TestSignerSurvives(t *testing.T) {
	sent := 0
	client, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: exitingKey{testKeys().merchant}},
		wxpay.WithPublicKey(testKeyID, testKeys().platform.Public()), wxpay.WithTransport(answer{trip: func(*http.Request) { sent++ }}))
	require.NoError(t, err)
	_, err = client.Chain("v3/x").Post(t.Context(), wxpay.JSON{})
	require.ErrorIs(t, err, wxpay.StageSign)
	require.ErrorContains(t, err, "runtime.Goexit")
	assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
	assert.Zero(t, sent)
}

type exiting struct{}

func (exiting) Read([]byte) (int, error)          { runtime.Goexit(); return 0, nil }
func (exiting) ReadAt([]byte, int64) (int, error) { runtime.Goexit(); return 0, nil }

type panicking struct{}

func (panicking) Read([]byte) (int, error)          { panic("boom") }
func (panicking) ReadAt([]byte, int64) (int, error) { panic("boom") }
