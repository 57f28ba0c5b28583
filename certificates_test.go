//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// merchantOf returns the sandbox's merchant, its serial left to the certificate.
func merchantOf(sb *sandbox.Sandbox) wxpay.Merchant {
	m := sb.Merchant()
	return wxpay.Merchant{ID: m.ID, Certificate: m.Certificate, PrivateKey: m.PrivateKey, APIv3Key: m.APIv3Key}
}

// certificateClient returns a client of sb that knows no platform key to begin with.
func certificateClient(t testing.TB, sb *sandbox.Sandbox, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	client, err := wxpay.New(merchantOf(sb), append([]wxpay.Option{wxpay.WithCertificates(), wxpay.WithTransport(sb.Transport())}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

func newSandbox(t testing.TB, options ...sandbox.Option) *sandbox.Sandbox {
	t.Helper()
	sb, err := sandbox.New(options...)
	require.NoError(t, err)
	return sb
}

// unpaced makes a sandbox for a test that sends faster than the platform allows.
func unpaced(t testing.TB, options ...sandbox.Option) *sandbox.Sandbox {
	t.Helper()
	s := newSandbox(t, options...)
	require.NoError(t, s.Rules.Relax(sandbox.Rates))
	return s
}

// listed counts the reads of the certificate list that arrived.
func listed(sb *sandbox.Sandbox) (count int) {
	for _, entry := range sb.Journal.All() {
		if path, _, _ := strings.Cut(entry.Target, "?"); strings.HasSuffix(path, "/certificates") {
			count++
		}
	}
	return count
}

// feedNumber makes feeds that differ.
var feedNumber atomic.Int64

func post(ctx context.Context, client *wxpay.Client) error {
	body := feed()
	body["out_request_no"] = fmt.Sprintf("keys-%d", feedNumber.Add(1))
	_, err := client.Chain(feedsPath).Post(ctx, body)
	return err
}

func serialsOf(keys []apiv3.PlatformKey) (serials []string) {
	for _, key := range keys {
		serials = append(serials, key.Serial)
	}
	return serials
}

// The first call fetches the list, later ones do not; requests name the newest certificate.
func TestCertificatesAreFetchedWhenNeeded(t *testing.T) {
	ctx := t.Context()
	for _, mode := range []sandbox.KeyMode{sandbox.CertificatesOnly, sandbox.BothKeys} {
		sb := newSandbox(t, sandbox.WithKeyMode(mode))
		var seen []middleware.Observation
		client := certificateClient(t, sb, wxpay.WithObserver(func(_ context.Context, o middleware.Observation) { seen = append(seen, o) }))
		assert.Empty(t, sb.Journal.All(), "New makes no call")
		assert.Zero(t, client.KeyStatus().Fetched)
		assert.Empty(t, client.KeyStatus().Keys)

		for range 3 {
			require.NoError(t, post(ctx, client))
		}
		require.Equal(t, 1, listed(sb))
		entries := sb.Journal.All()
		assert.Empty(t, entries[0].Header.Get("Wechatpay-Serial"), "with no key known there is none to name")
		newest := apiv3.Serial(sb.Keys.Certificates()[1])
		for _, entry := range entries[1:] {
			assert.Equal(t, newest, entry.Header.Get("Wechatpay-Serial"))
			assert.Equal(t, newest, entry.ResponseHeader.Get("Wechatpay-Serial"))
		}
		require.Len(t, seen, 4, "the fetch is observed as the call that it is")
		assert.Equal(t, "/v3/certificates", seen[0].Template)
		assert.True(t, seen[0].Verified)

		status := client.KeyStatus()
		assert.Equal(t, []string{newest, apiv3.Serial(sb.Keys.Certificates()[0])}, serialsOf(status.Keys))
		assert.WithinDuration(t, time.Now(), status.Fetched, time.Minute)
		assert.WithinRange(t, status.Next, status.Fetched.Add(4*time.Hour+48*time.Minute), status.Fetched.Add(6*time.Hour))
		assert.NoError(t, status.Err)
		assert.Zero(t, status.Failures)
	}
}

// Whoever comes first fetches, and all others wait for the same list.
func TestOneFetchServesAll(t *testing.T) {
	sb := unpaced(t)
	client := certificateClient(t, sb)
	var wait sync.WaitGroup
	for range 64 {
		wait.Go(func() { assert.NoError(t, post(t.Context(), client)) })
	}
	wait.Wait()
	assert.Equal(t, 1, listed(sb))
}

// A member is encrypted with a key that is fetched for it.
func TestEncryptionFetchesTheKey(t *testing.T) {
	sb := newSandbox(t, sandbox.WithKeyMode(sandbox.CertificatesOnly))
	client := certificateClient(t, sb)
	_, err := client.Chain("v3/pay/transactions/native").Post(t.Context(), identityOrder(sb, "fetch-1"))
	require.NoError(t, err)
	ciphertext, serial, err := client.Encrypt(t.Context(), "text")
	require.NoError(t, err)
	assert.Equal(t, apiv3.Serial(sb.Keys.Certificates()[1]), serial)
	assert.Len(t, ciphertext, 344)
	assert.Equal(t, 1, listed(sb))
}

// identityOrder is a Native order with two encrypted members; the sandbox refuses them in clear, and under another key.
func identityOrder(sb *sandbox.Sandbox, number string) wxpay.JSON {
	return wxpay.JSON{
		"appid": "wxd678efh567hg6787", "mchid": sb.Merchant().ID, "description": "x", "out_trade_no": number,
		"notify_url": "https://shop.example/paid", "amount": wxpay.JSON{"total": 1},
		"payer": wxpay.JSON{"identity": wxpay.JSON{"type": "IDCARD", "number": wxpay.Secret("11010119800101001X"), "name": wxpay.Secret("张三")}},
	}
}

// 64 goroutines call while the platform puts a new certificate in the place of the old ones, step by step. No call fails.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	for name, keep := range map[string]bool{"by calls alone": false, "kept fresh": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scheme := quick{apiv3.RSA()}
				sb := unpaced(t, sandbox.WithKeyMode(sandbox.CertificatesOnly), sandbox.WithScheme(scheme))
				client := certificateClient(t, sb, wxpay.WithScheme(scheme), wxpay.WithAttempts(1))
				ctx, stop := context.WithCancel(t.Context())
				kept := make(chan error, 1)
				if keep {
					go func() { kept <- client.WatchKeys(ctx) }()
				} else {
					kept <- context.Canceled
				}
				var calls atomic.Int64
				var wait sync.WaitGroup
				for i := range 64 {
					wait.Go(func() {
						for n := 0; ctx.Err() == nil; n++ {
							if calls.Add(1); !assert.NoError(t, post(context.WithoutCancel(ctx), client)) {
								return
							}
							time.Sleep(25*time.Minute + time.Duration(i)*time.Second)
						}
					})
				}
				old := sb.Keys.Certificates()
				for round := range 3 {
					time.Sleep(time.Hour)
					added, err := sb.Keys.AddCertificate(5 * 365 * 24 * time.Hour)
					require.NoError(t, err)
					serial := apiv3.Serial(added)
					if round < 2 { // it is in the list a day before it signs; in the last round it signs at once
						time.Sleep(24 * time.Hour)
					}
					for _, percent := range []float64{0.1, 1, 10, 50, 99, 100} {
						require.NoError(t, sb.Keys.SignWith(serial, percent))
						time.Sleep(time.Hour)
					}
					for _, certificate := range old {
						require.NoError(t, sb.Keys.RemoveCertificate(apiv3.Serial(certificate)))
					}
					old = []*x509.Certificate{added}
				}
				time.Sleep(13 * time.Hour)
				stop()
				wait.Wait()
				assert.ErrorIs(t, <-kept, context.Canceled)
				assert.Greater(t, calls.Load(), int64(64*100))
				assert.Equal(t, []string{apiv3.Serial(old[0])}, serialsOf(client.KeyStatus().Keys), "what is gone is forgotten")
			})
		})
	}
}

// A request with a field for a certificate that the platform has taken away meanwhile is refused before anything else, and sent
// once more with another key, encrypted anew. Nobody notices.
func TestRefusedSerialIsRenewed(t *testing.T) {
	ctx := t.Context()
	sb := newSandbox(t, sandbox.WithKeyMode(sandbox.CertificatesOnly))
	client := certificateClient(t, sb)
	require.NoError(t, post(ctx, client))
	named := apiv3.Serial(sb.Keys.Certificates()[1])
	replace := func() {
		added, err := sb.Keys.AddCertificate(time.Hour) // expires before the one that goes, so only the list tells
		require.NoError(t, err)
		require.NoError(t, sb.Keys.SignWith(apiv3.Serial(added), 100))
		for _, certificate := range sb.Keys.Certificates()[:len(sb.Keys.Certificates())-1] {
			require.NoError(t, sb.Keys.RemoveCertificate(apiv3.Serial(certificate)))
		}
	}
	const orders = "v3/pay/transactions/native"
	replace()
	sb.Journal.Reset()
	_, err := client.Chain(orders).Post(ctx, identityOrder(sb, "renew-0"))
	require.NoError(t, err)
	var statuses []int
	for _, entry := range sb.Journal.All() {
		if strings.HasSuffix(entry.Target, orders) {
			statuses = append(statuses, entry.Status)
		}
	}
	assert.Equal(t, []int{400, 200}, statuses)

	replace()
	sb.Journal.Reset()
	_, err = client.Chain(orders).Post(ctx, identityOrder(sb, "renew-1"))
	require.NoError(t, err)
	assert.Equal(t, 1, listed(sb))
	require.NoError(t, post(ctx, client), "the next call names the new one at once")

	// A serial that the caller named is the caller's: the rejection comes back.
	replace()
	sb.Journal.Reset()
	_, err = client.Chain(orders).Header("Wechatpay-Serial", named).Post(ctx, identityOrder(sb, "renew-2"))
	assert.True(t, wxpay.IsCode(err, wxcode.ParamError), err)
	assert.NotContains(t, fmt.Sprint(sb.Journal.All()[0]), "native 200")
}

// From certificates to the public key, as the platform steers it: calls by the client's share, notifications by the
// platform's share. Nothing fails on the way, or on the way back.
func TestSwitchToThePublicKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		scheme := quick{apiv3.RSA()}
		sb := unpaced(t, sandbox.WithKeyMode(sandbox.CertificatesOnly), sandbox.WithScheme(scheme))
		ctx := t.Context()
		old := certificateClient(t, sb, wxpay.WithScheme(scheme), wxpay.WithAttempts(1))
		require.NoError(t, post(ctx, old))
		require.NoError(t, sb.Keys.SetMode(sandbox.BothKeys))

		steps := []float64{0.1, 1, 5, 10, 20, 50, 100, 20, 0}
		for _, percent := range steps {
			require.NoError(t, sb.Keys.SetPublicKeyShare(percent))
			client, err := wxpay.New(merchantOf(sb), wxpay.WithCertificates(), wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()),
				wxpay.WithPublicKeyShare(percent), wxpay.WithTransport(sb.Transport()), wxpay.WithScheme(scheme), wxpay.WithAttempts(1))
			require.NoError(t, err)
			handler, err := webhook.New(webhook.Merchant{ID: sb.Merchant().ID, APIv3Key: sb.Merchant().APIv3Key, Keys: client, Scheme: scheme})
			require.NoError(t, err)
			var named, signed atomic.Int64
			var wait sync.WaitGroup
			for range 64 {
				wait.Go(func() {
					for range 16 {
						body := feed()
						body["out_request_no"] = fmt.Sprintf("switch-%d", feedNumber.Add(1))
						res, err := client.Chain(feedsPath).Post(ctx, body)
						if !assert.NoError(t, err) {
							return
						}
						if res.Header.Get("Wechatpay-Serial") == sb.Keys.PublicKeyID() {
							named.Add(1)
						}
						req, err := sb.Deliveries.Notify("TRANSACTION.SUCCESS", nil)
						if !assert.NoError(t, err) {
							return
						}
						raw, err := io.ReadAll(req.Body)
						if !assert.NoError(t, err) {
							return
						}
						if _, err := handler.Parse(ctx, req.Header, raw); !assert.NoError(t, err) {
							return
						}
						if req.Header.Get("Wechatpay-Serial") == sb.Keys.PublicKeyID() {
							signed.Add(1)
						}
					}
				})
			}
			wait.Wait()
			const all = 64 * 16
			assert.InDelta(t, all*percent/100, signed.Load(), 1, "%v %%", percent)
			// Eight standard deviations and eight more: the platform draws lots, and chance gets there once in 10¹² times.
			assert.InDelta(t, all*percent/100, named.Load(), 8*math.Sqrt(all*percent/100*(1-percent/100))+8, "%v %%", percent)
			require.NoError(t, client.Close())
		}
		require.NoError(t, post(ctx, old), "a client that knows certificates only never noticed")
		require.NoError(t, sb.Keys.SetMode(sandbox.PublicKeyOnly))
		assert.Error(t, post(ctx, old), "until there are no certificates any more")
	})
}

// Without WithCertificates nothing ever asks for certificates, whatever serial comes in.
func TestPublicKeyModeFetchesNothing(t *testing.T) {
	sb := newSandbox(t, sandbox.WithKeyMode(sandbox.PublicKeyOnly))
	client, err := wxpay.New(merchantOf(sb), wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()), wxpay.WithTransport(sb.Transport()))
	require.NoError(t, err)
	require.NoError(t, post(t.Context(), client))
	for serial, says := range map[string]string{
		"PUB_KEY_ID_0119000001092099010100000000000001": "compare it with the id and key given to WithPublicKey",
		"3A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D": "compare id and key with the merchant platform (WithCertificates would have " +
			"fetched the certificate)",
		strings.ToLower(apiv3.Serial(sb.Keys.Certificates()[0])): "WithPublicKey",
		"": "WithPublicKey",
	} {
		_, err := client.Key(t.Context(), serial)
		require.ErrorIs(t, err, apiv3.ErrUnknownSerial)
		assert.ErrorContains(t, err, says)
	}
	require.NoError(t, client.RefreshKeys(t.Context()))
	require.NoError(t, client.WatchKeys(t.Context()))
	assert.Zero(t, listed(sb))
	assert.Equal(t, []string{sb.Keys.PublicKeyID()}, serialsOf(client.KeyStatus().Keys))
	require.NoError(t, client.Close())
	require.NoError(t, post(t.Context(), client), "a closed client still calls")
}

// A certificate that the caller gave is good until its own end, also after the list has named it and does no longer.
func TestGivenCertificateOutlivesTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scheme := quick{apiv3.RSA()}
		sb := newSandbox(t, sandbox.WithKeyMode(sandbox.CertificatesOnly), sandbox.WithScheme(scheme))
		given := sb.Keys.Certificates()[0]
		client := certificateClient(t, sb, wxpay.WithScheme(scheme), wxpay.WithPlatformCertificates(given))
		require.NoError(t, client.RefreshKeys(t.Context()))
		added, err := sb.Keys.AddCertificate(5 * 365 * 24 * time.Hour)
		require.NoError(t, err)
		require.NoError(t, sb.Keys.SignWith(apiv3.Serial(added), 100))
		require.NoError(t, sb.Keys.RemoveCertificate(apiv3.Serial(given)))
		require.NoError(t, client.RefreshKeys(t.Context()))
		time.Sleep(time.Hour)
		_, err = client.Key(t.Context(), apiv3.Serial(given))
		require.NoError(t, err)
	})
}

// An expired certificate is not named, nor believed; when it was the only one, the list is read again.
func TestCertificatesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scheme := quick{apiv3.RSA()}
		sb := newSandbox(t, sandbox.WithKeyMode(sandbox.CertificatesOnly), sandbox.WithScheme(scheme))
		short, err := sb.Keys.AddCertificate(3 * time.Hour)
		require.NoError(t, err)
		require.NoError(t, sb.Keys.SignWith(apiv3.Serial(short), 100))
		for _, certificate := range sb.Keys.Certificates()[:2] {
			require.NoError(t, sb.Keys.RemoveCertificate(apiv3.Serial(certificate)))
		}
		client := certificateClient(t, sb, wxpay.WithScheme(scheme), wxpay.WithAttempts(1))
		require.NoError(t, post(t.Context(), client))
		time.Sleep(4 * time.Hour) // the list is not due yet, and what it named has ended
		_, err = client.Key(t.Context(), apiv3.Serial(short))
		require.ErrorIs(t, err, apiv3.ErrExpired)
		for _, certificate := range sb.Keys.Certificates() { // the platform has put another in its place
			require.NoError(t, sb.Keys.ExpireCertificate(apiv3.Serial(certificate)))
		}
		err = post(t.Context(), client)
		require.ErrorIs(t, err, wxpay.StageKeys, "the list has nothing but expired certificates")
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))

		long, err := sb.Keys.AddCertificate(24 * time.Hour)
		require.NoError(t, err)
		require.NoError(t, sb.Keys.SignWith(apiv3.Serial(long), 100))
		time.Sleep(2 * time.Minute)
		require.NoError(t, post(t.Context(), client))
		require.NoError(t, sb.Keys.ExpireCertificate(apiv3.Serial(long)))
		require.Error(t, client.RefreshKeys(t.Context()), "a list of nothing but expired certificates is not taken")
		require.NoError(t, post(t.Context(), client), "so the good ones at hand stay")
	})
}

func TestTrustRoots(t *testing.T) {
	sb := newSandbox(t)
	pool := x509.NewCertPool()
	pool.AddCert(sb.Keys.Root())
	client := certificateClient(t, sb, wxpay.WithCertificates(wxpay.TrustRoots(pool)))
	require.NoError(t, post(t.Context(), client))

	stranger := certificateClient(t, sb, wxpay.WithCertificates(wxpay.TrustRoots(x509.NewCertPool())), wxpay.WithAttempts(1))
	err := post(t.Context(), stranger)
	require.ErrorIs(t, err, wxpay.StageKeys)
	assert.ErrorContains(t, err, "not issued by one of the roots given to TrustRoots")
}

func TestGlobalCertificates(t *testing.T) {
	sb := newSandbox(t)
	client := certificateClient(t, sb, wxpay.WithCertificates(wxpay.GlobalCertificates()))
	require.NoError(t, client.RefreshKeys(t.Context()))
	require.Len(t, sb.Journal.All(), 1)
	assert.Equal(t, "/v3/global/certificates", sb.Journal.All()[0].Target)
	assert.Len(t, client.KeyStatus().Keys, 2)
}

// WatchKeys ends with the client, which still calls with the keys that it has.
func TestWatchKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scheme := quick{apiv3.RSA()}
		sb := newSandbox(t, sandbox.WithScheme(scheme))
		client := certificateClient(t, sb, wxpay.WithScheme(scheme), wxpay.WithCertificates(wxpay.RefreshInterval(time.Hour)))
		watched := make(chan error)
		go func() { watched <- client.WatchKeys(t.Context()) }()
		time.Sleep(24 * time.Hour)
		before := listed(sb)
		assert.GreaterOrEqual(t, before, 24)
		require.NoError(t, client.Close())
		assert.Equal(t, wxpay.ErrClosed, <-watched)
		assert.ErrorIs(t, client.RefreshKeys(t.Context()), wxpay.ErrClosed)
		time.Sleep(24 * time.Hour)
		require.NoError(t, post(t.Context(), client))
		assert.Equal(t, before, listed(sb))
		require.NoError(t, client.Close(), "twice is as good")
	})
}

// Closing does not wait for a list that does not come.
func TestCloseEndsAReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sb := newSandbox(t)
		rt := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, context.Cause(req.Context())
		})
		client := certificateClient(t, sb, wxpay.WithTransport(rt))
		failed := make(chan error)
		go func() { failed <- post(t.Context(), client) }()
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, client.Close())
		assert.Zero(t, time.Since(begin))
		err := <-failed
		assert.ErrorIs(t, err, wxpay.ErrClosed)
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
	})
}

// Clients leave nothing behind: not when they are closed, and not when they are merely dropped.
func TestThousandClients(t *testing.T) {
	sb := unpaced(t)
	rt := sb.Transport()
	warm := certificateClient(t, sb)
	require.NoError(t, post(t.Context(), warm))
	goroutines := runtime.NumGoroutine()
	for name, end := range map[string]func(*wxpay.Client){"closed": func(c *wxpay.Client) { c.Close() }, "dropped": func(*wxpay.Client) {}} {
		alive := make([]weak.Pointer[wxpay.Client], 1000)
		for i := range alive {
			client, err := wxpay.New(merchantOf(sb), wxpay.WithCertificates(), wxpay.WithTransport(rt),
				wxpay.WithTimeout(5*time.Second), wxpay.WithAttemptTimeout(5*time.Second)) // see below
			require.NoError(t, err)
			if i%20 == 0 {
				require.NoError(t, post(t.Context(), client))
				other, err := client.As(merchantOf(sb))
				require.NoError(t, err)
				require.NoError(t, post(t.Context(), other))
				end(other)
			}
			end(client)
			alive[i] = weak.Make(client)
		}
		left := len(alive)
		// The runtime may keep a timer that was stopped, and through it the call of its client, until it would have gone off.
		for end := time.Now().Add(time.Minute); (left > 0 || runtime.NumGoroutine() > goroutines) && time.Now().Before(end); {
			runtime.GC()
			time.Sleep(10 * time.Millisecond) // goroutines that are about to end get their turn, too
			left = 0
			for _, p := range alive {
				if p.Value() != nil {
					left++
				}
			}
		}
		assert.Zero(t, left, "%s clients in memory", name)
		assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines, "%s clients", name)
	}
}

func TestCertificateOptions(t *testing.T) {
	keys := testKeys()
	merchant := wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: keys.merchant, APIv3Key: secretAPIv3Key}
	bare := merchant
	bare.APIv3Key = ""
	for name, test := range map[string]struct {
		merchant wxpay.Merchant
		option   wxpay.Option
		says     string
	}{
		"no APIv3 key":         {bare, wxpay.WithCertificates(), "WithCertificates needs Merchant.APIv3Key"},
		"twelve hours":         {merchant, wxpay.WithCertificates(wxpay.RefreshInterval(12 * time.Hour)), "less than 12h0m0s"},
		"too often":            {merchant, wxpay.WithCertificates(wxpay.RefreshInterval(time.Second)), "at least 1m0s"},
		"no roots":             {merchant, wxpay.WithCertificates(wxpay.TrustRoots(nil)), "TrustRoots: the pool is nil"},
		"no store":             {merchant, wxpay.WithCertificates(wxpay.StoreIn(nil)), "StoreIn: the store is nil"},
		"a nil option":         {merchant, wxpay.WithCertificates(nil), "an option is nil"},
		"a share of 101":       {merchant, wxpay.WithPublicKeyShare(101), "not between 0 and 100 percent"},
		"a share of -1":        {merchant, wxpay.WithPublicKeyShare(-1), "not between 0 and 100 percent"},
		"a share of no number": {merchant, wxpay.WithPublicKeyShare(math.NaN()), "not between 0 and 100 percent"},
	} {
		_, err := wxpay.New(test.merchant, wxpay.WithPublicKey(testKeyID, keys.platform.Public()), test.option)
		assert.ErrorContains(t, err, test.says, name)
	}
	_, err := wxpay.New(merchant, wxpay.WithCertificates(wxpay.RefreshInterval(time.Minute)))
	require.NoError(t, err, "no other platform key is needed")
}
