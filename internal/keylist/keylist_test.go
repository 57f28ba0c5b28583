//go:build go1.25

package keylist_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/keylist"
)

// Lists of every form, and the certificates that come into use.
func TestListsThatAreTaken(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	a, b := entry{keys.first, 1, -time.Hour, time.Hour, nil}, entry{keys.second, 2, -time.Hour, 2 * time.Hour, nil}
	with := func(e entry, edit func(*entry)) entry { edit(&e); return e }
	edited := func(e entry, edit func(map[string]any)) entry { e.edit = edit; return e }
	sealed := func(e entry, name, value string) entry {
		return edited(e, func(m map[string]any) { m["encrypt_certificate"].(map[string]any)[name] = value })
	}
	expired := with(b, func(e *entry) { e.until = -time.Minute })
	broken := edited(b, func(m map[string]any) { m["serial_no"] = serialOf(3) })
	one, two := serialOf(1), serialOf(2)
	for name, test := range map[string]struct {
		signer  entry
		entries []entry
		usable  []string
		broken  string
		fails   string
	}{
		"one":                    {a, []entry{a}, []string{one}, "", ""},
		"two":                    {a, []entry{a, b}, []string{two, one}, "", ""},
		"in the other order":     {b, []entry{b, a}, []string{two, one}, "", ""},
		"twice the same":         {a, []entry{a, a}, []string{one}, "", ""},
		"one expired":            {a, []entry{a, expired}, []string{one}, "", ""},
		"one not valid yet":      {a, []entry{a, with(b, func(e *entry) { e.from = time.Minute })}, []string{one}, "", ""},
		"one broken among two":   {a, []entry{a, sealed(b, "ciphertext", "AAAA")}, []string{one}, "certificate 2 of the list", ""},
		"one of another cipher":  {a, []entry{sealed(b, "algorithm", "AEAD_SM4_GCM"), a}, []string{one}, "certificate 1 of the list", ""},
		"one under a wrong name": {a, []entry{a, broken}, []string{one}, "it holds the certificate", ""},
		"one with a short key":   {a, []entry{a, {keys.short, 2, -time.Hour, time.Hour, nil}}, []string{one}, "1024 bits", ""},
		"signed by the broken":   {b, []entry{a, broken}, nil, "", "platform key " + two},
		"signed by a stranger":   {entry{key: keys.second, serial: 1}, []entry{a}, nil, "", "signature does not match"},
		"signed by the expired":  {expired, []entry{a, expired}, nil, "", "outside its validity"},
		"only an expired":        {a, []entry{with(a, func(e *entry) { e.until = -time.Minute })}, nil, "", "outside its validity"},
		"nothing in it":          {a, nil, nil, "", "the certificate list is empty"},
		"another APIv3 key":      {a, []entry{sealed(a, "nonce", "210987654321")}, nil, "", "is the APIv3 key the one set in the merchant platform?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			followed := (&platform{t: t, signer: test.signer, entries: test.entries}).follow(100, nil)
			err := followed.Refresh(t.Context())
			status := followed.Status()
			if test.fails != "" {
				require.ErrorContains(t, err, test.fails)
				assert.Empty(t, status.Keys)
				assert.Equal(t, err, status.Err)
				return
			}
			require.NoError(t, err)
			var usable []string
			for _, key := range followed.Usable() {
				usable = append(usable, key.Serial)
			}
			assert.Equal(t, test.usable, usable)
			for _, key := range status.Keys {
				if _, err := followed.Key(t.Context(), key.Serial); err != nil {
					assert.ErrorIs(t, err, apiv3.ErrExpired)
				}
			}
			key, err := followed.Encryption(t.Context())
			require.NoError(t, err)
			assert.Equal(t, test.usable[0], key.Serial, "the newest of those that are good now")
			assert.Equal(t, key.Serial, followed.Serial())
			if test.broken == "" {
				assert.Empty(t, status.Broken)
			} else {
				require.Len(t, status.Broken, 1)
				assert.ErrorContains(t, status.Broken[0], test.broken)
			}
		})
	}
}

// Serials that nobody knows come from anywhere, and must not make the client hammer the platform.
func TestUnknownSerialsAreRationed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := usual(t)
		keys := p.follow(0, nil)
		require.NoError(t, keys.Ready(t.Context()))
		junk := func(n int) {
			for i := range n {
				_, err := keys.Key(t.Context(), fmt.Sprintf("%040X", i+1))
				require.ErrorIs(t, err, apiv3.ErrUnknownSerial)
			}
		}
		junk(200)
		assert.Equal(t, 1+5, p.count(), "a few at once")
		time.Sleep(10 * time.Minute)
		junk(200)
		assert.Equal(t, 1+10, p.count(), "and one a minute, up to a few")
		for range 3 {
			time.Sleep(time.Minute)
			junk(200)
		}
		assert.Equal(t, 1+13, p.count())
		for _, serial := range []string{publicID, "", "abc", strings.Repeat("a", 40)} {
			_, err := keys.Key(t.Context(), serial)
			require.ErrorIs(t, err, apiv3.ErrUnknownSerial)
		}
		assert.Equal(t, 1+13, p.count(), "only the serials of certificates are looked for")
	})
}

// The list is due by the local clock: the platform's may be behind by minutes.
func TestListIsDueByTheLocalClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := usual(t)
		p.behind = 4 * time.Minute
		keys := p.follow(0, nil, func(s *keylist.Source) { s.Interval = time.Minute })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		require.ErrorIs(t, keys.Watch(ctx), context.DeadlineExceeded)
		assert.LessOrEqual(t, p.count(), 13)
		assert.GreaterOrEqual(t, p.count(), 10)
	})
}

// Watch reads the list at once and then when it is due, and ends with its context or when the keys are closed.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := usual(t)
		keys := p.follow(0, nil, func(s *keylist.Source) { s.Interval = time.Hour })
		ctx, cancel := context.WithCancelCause(t.Context())
		first, second := make(chan error), make(chan error)
		go func() { first <- keys.Watch(ctx) }()
		synctest.Wait()
		assert.Equal(t, 1, p.count(), "at once")
		time.Sleep(24 * time.Hour)
		assert.GreaterOrEqual(t, p.count(), 24)
		assert.LessOrEqual(t, p.count(), 24*5/4+1, "up to a fifth earlier")
		stop := errors.New("shutting down")
		cancel(stop)
		err := <-first
		require.ErrorIs(t, err, stop)
		assert.ErrorIs(t, err, context.Canceled)

		go func() { second <- keys.Watch(t.Context()) }()
		synctest.Wait()
		keys.Close()
		assert.Equal(t, keylist.ErrClosed, <-second)
		before := p.count()
		assert.ErrorIs(t, keys.Refresh(t.Context()), keylist.ErrClosed)
		assert.ErrorIs(t, keys.Watch(t.Context()), keylist.ErrClosed)
		time.Sleep(24 * time.Hour)
		require.NoError(t, keys.Ready(t.Context()), "the keys at hand stay")
		assert.Equal(t, before, p.count())
		keys.Close()
	})
}

// Failures are followed by pauses, by an hour if there is no list, and what callers get names the next attempt.
func TestPauses(t *testing.T) {
	for name, test := range map[string]struct {
		fails       error
		first, last time.Duration // the longest pause after the first failure, and after many
	}{
		"down":   {errors.New("connection refused"), time.Second, 2 * time.Minute},
		"absent": {fmt.Errorf("%w (404)", keylist.ErrNone), time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := usual(t)
				p.fails = test.fails
				var log bytes.Buffer
				keys := p.follow(0, nil, logged(&log))
				err := keys.Ready(t.Context())
				require.ErrorIs(t, err, test.fails)
				var told *failure
				require.ErrorAs(t, err, &told)
				assert.WithinRange(t, told.next, time.Now().Add(test.first/2), time.Now().Add(test.first))
				assert.Equal(t, told.next.Round(0), keys.Status().Next)
				for range 10 {
					require.Equal(t, err, keys.Ready(t.Context()), "the same again")
				}
				assert.Equal(t, 1, p.count(), "without a read")
				for range 12 {
					time.Sleep(time.Until(keys.Status().Next))
					require.Error(t, keys.Ready(t.Context()))
				}
				assert.Equal(t, 13, keys.Status().Failures)
				assert.WithinRange(t, keys.Status().Next, time.Now().Add(test.last/2), time.Now().Add(test.last))
				assert.Equal(t, 13, strings.Count(log.String(), `"level":"WARN","msg":"wxpay platform certificates not refreshed","mchid":"1900000109"`))

				p.set(func(p *platform) { p.fails = nil })
				require.NoError(t, keys.Refresh(t.Context()), "asked for by hand no pause counts")
				assert.Zero(t, keys.Status().Failures)
				assert.NoError(t, keys.Status().Err)
				assert.Contains(t, log.String(), `"level":"INFO","msg":"wxpay platform certificates refreshed","mchid":"1900000109","serials":["`+serialOf(1))
			})
		})
	}
}

// All who wait share one refresh. It goes on when one of them leaves, and ends when the keys are closed.
func TestOneRefreshServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := usual(t)
		p.delay = 3 * time.Second
		keys := p.follow(0, nil)
		begin, left := time.Now(), errors.New("the customer left")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, left)
		defer cancel()
		require.ErrorIs(t, keys.Ready(ctx), left)
		assert.Equal(t, time.Second, time.Since(begin))
		var wait sync.WaitGroup
		for range 64 {
			wait.Go(func() { assert.NoError(t, keys.Ready(t.Context())) })
		}
		wait.Wait()
		assert.Equal(t, 3*time.Second, time.Since(begin))
		assert.Equal(t, 1, p.count())

		go func() { assert.ErrorIs(t, keys.Refresh(t.Context()), keylist.ErrClosed) }()
		synctest.Wait()
		begin = time.Now()
		keys.Close()
		assert.Zero(t, time.Since(begin), "closing does not wait for a list that does not come")
		synctest.Wait()
	})
}

// Code of the user's that panics, or that ends its goroutine, fails the refresh and nothing else.
func TestCodeOfTheUsersPanics(t *testing.T) {
	p := usual(t)
	p.panics = "boom"
	keys := p.follow(0, nil)
	require.ErrorContains(t, keys.Refresh(t.Context()), "panicked with boom")
	exits := usual(t).follow(0, nil, func(s *keylist.Source) { s.Store = new(exitingStore) })
	require.ErrorIs(t, exits.Ready(t.Context()), fault.ErrExited)
	p.set(func(p *platform) { p.panics = nil })
	require.NoError(t, keys.Refresh(t.Context()))
}

// A public key serves at once; the list is read beside it, and a merchant without a list is as expected.
func TestPublicKeyBesideTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := usual(t)
		p.fails = keylist.ErrNone
		var log bytes.Buffer
		public := apiv3.PlatformKey{Serial: publicID, Key: testKeys().second.Public()}
		keys := p.follow(100, []apiv3.PlatformKey{public}, logged(&log))
		for range 10 {
			require.NoError(t, keys.Ready(t.Context()))
			assert.Equal(t, publicID, keys.Serial())
			synctest.Wait()
		}
		assert.Equal(t, 1, p.count())
		assert.Contains(t, log.String(), `"level":"INFO","msg":"wxpay platform certificates not refreshed"`)

		p.set(func(p *platform) { p.fails = nil })
		certificates := p.follow(0, []apiv3.PlatformKey{public})
		require.NoError(t, certificates.Ready(t.Context()))
		assert.Equal(t, serialOf(2), certificates.Serial(), "wanted certificates are waited for")
	})
}

// Replace finds another key for a refused one, and reads the list only if the refused one is still the current one.
func TestReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := usual(t)
		keys := p.follow(0, nil)
		require.NoError(t, keys.Ready(t.Context()))
		assert.True(t, keys.Replace(t.Context(), serialOf(1)), "another is in use already")
		assert.Equal(t, 1, p.count())
		assert.False(t, keys.Replace(t.Context(), serialOf(2)), "the list still names it")
		assert.Equal(t, 2, p.count())
		p.entries = p.entries[:1]
		assert.True(t, keys.Replace(t.Context(), serialOf(2)))
		_, err := keys.Key(t.Context(), serialOf(2))
		require.NoError(t, err, "what it signed is good for a while")
		time.Sleep(apiv3.Window + time.Second)
		_, err = keys.Key(t.Context(), serialOf(2))
		require.ErrorIs(t, err, apiv3.ErrExpired)
	})
}

// Without a list nothing is read, and an unknown serial is explained.
func TestKeysWithoutAList(t *testing.T) {
	set, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: publicID, Key: testKeys().first.Public()})
	require.NoError(t, err)
	keys := keylist.New(set, time.Now, 100)
	for serial, says := range map[string]string{
		serialOf(1):      "compare id and key with the merchant platform (WithCertificates would have fetched the certificate)",
		publicID + "1":   "compare it with the id and key given to WithPublicKey",
		"":               "WithPublicKey",
		"PUB_KEY_ID_012": "WithPublicKey",
	} {
		_, err := keys.Key(t.Context(), serial)
		require.ErrorIs(t, err, apiv3.ErrUnknownSerial)
		assert.ErrorContains(t, err, says)
	}
	require.NoError(t, keys.Refresh(t.Context()))
	require.NoError(t, keys.Watch(t.Context()))
	assert.False(t, keys.Replace(t.Context(), publicID))
	assert.False(t, keys.Follows())
	keys.Close()
	assert.Len(t, keys.Status().Keys, 1)

	none := keylist.New(new(apiv3.KeySet), time.Now, 0)
	assert.Empty(t, none.Serial())
	_, err = none.Encryption(t.Context())
	assert.ErrorContains(t, err, "there is no platform key to encrypt with")
}
