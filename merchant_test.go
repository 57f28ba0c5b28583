//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

// platformOf routes requests to the sandbox of whoever calls, as one gateway with several merchants would.
func platformOf(sandboxes ...*sandbox.Sandbox) http.RoundTripper {
	return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		a, err := apiv3.ParseAuthorization(req.Header.Get("Authorization"))
		if err != nil {
			return nil, err
		}
		for _, sb := range sandboxes {
			if sb.Merchant().ID == a.ID || a.Identity == "brand_id" {
				return sb.Transport().RoundTrip(req)
			}
		}
		return nil, fmt.Errorf("no merchant %s", a.ID)
	})
}

// Many merchants over one pool, catalogue and queue, each with keys of its own.
func TestAs(t *testing.T) {
	ctx := t.Context()
	one, two := newSandbox(t), newSandbox(t, sandbox.WithMerchant("1900000110"))
	var seen []string
	client, err := wxpay.New(merchantOf(one), wxpay.WithCertificates(), wxpay.WithTransport(platformOf(one, two)),
		wxpay.WithObserver(func(_ context.Context, o middleware.Observation) { seen = append(seen, o.Template) }))
	require.NoError(t, err)
	require.NoError(t, post(ctx, client))

	t.Run("another merchant fetches its own list", func(t *testing.T) {
		other, err := client.As(merchantOf(two))
		require.NoError(t, err)
		assert.Contains(t, fmt.Sprint(other), "1900000110")
		require.NoError(t, post(ctx, other))
		assert.Equal(t, 1, listed(two))
		assert.Equal(t, client.Pipeline(), other.Pipeline())
		assert.Contains(t, seen, "/v3/brand/partner/card-member/user-feeds", "the observer came along")
		require.NoError(t, other.Close())
		require.NoError(t, client.RefreshKeys(ctx), "closing the one leaves the other as it is")
	})
	t.Run("a public key of its own", func(t *testing.T) {
		before := listed(two)
		other, err := client.As(merchantOf(two), wxpay.WithPublicKey(two.Keys.PublicKeyID(), two.Keys.PublicKey()))
		require.NoError(t, err)
		require.NoError(t, post(ctx, other))
		assert.Equal(t, before, listed(two), "then nothing is fetched")
		assert.Equal(t, two.Keys.PublicKeyID(), two.Journal.All()[len(two.Journal.All())-1].Header.Get("Wechatpay-Serial"))
	})
	t.Run("the same merchant shares the keys", func(t *testing.T) {
		before := listed(one)
		added, err := one.Keys.AddMerchantCertificate()
		require.NoError(t, err)
		same, err := client.As(wxpay.Merchant{ID: added.ID, PrivateKey: added.PrivateKey, Certificate: added.Certificate})
		require.NoError(t, err)
		require.NoError(t, post(ctx, same))
		assert.Equal(t, before, listed(one))
		require.NoError(t, same.Close())
		require.NoError(t, client.RefreshKeys(ctx), "closing it leaves the list to the other")
	})
	t.Run("a public key belongs to one merchant", func(t *testing.T) {
		alone, err := wxpay.New(merchantOf(one), wxpay.WithPublicKey(one.Keys.PublicKeyID(), one.Keys.PublicKey()), wxpay.WithTransport(platformOf(one, two)))
		require.NoError(t, err)
		_, err = alone.As(merchantOf(two))
		require.ErrorContains(t, err, `there is no platform key for merchant "1900000110": pass WithPublicKey(id, key)`)
		other, err := alone.As(merchantOf(two), wxpay.WithCertificates())
		require.NoError(t, err)
		require.NoError(t, post(ctx, other))
	})
	t.Run("the caller's options stay his", func(t *testing.T) {
		options := append(make([]wxpay.Option, 0, 2), wxpay.WithLanguage("en"))
		_, err := client.As(merchantOf(two), options...)
		require.NoError(t, err)
		assert.Nil(t, options[:2][1], "a slice may be shared by those who call at once")
	})
	t.Run("mistakes", func(t *testing.T) {
		_, err := client.As(wxpay.Merchant{})
		assert.ErrorContains(t, err, "Merchant.ID is missing")
		bare := merchantOf(two)
		bare.APIv3Key = ""
		_, err = client.As(bare)
		assert.ErrorContains(t, err, "WithCertificates needs Merchant.APIv3Key")
		_, err = client.As(merchantOf(two), wxpay.WithConcurrency(1, 10_000))
		assert.ErrorContains(t, err, "the queue is shared")
		_, err = client.As(merchantOf(two), wxpay.WithPublicKey("", nil))
		assert.ErrorContains(t, err, "the id is missing")
		assert.NotContains(t, err.Error(), "no platform key")
	})
}

// The limit of concurrent asynchronous calls holds over all merchants together.
func TestAsSharesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		client := asyncClient(t, g, wxpay.WithConcurrency(3, 2))
		other, err := client.As(wxpay.Merchant{ID: "1900000110", Serial: testSerial, PrivateKey: testKeys().merchant},
			wxpay.WithPublicKey(benchKeyID, testKeys().platform.Public()))
		require.NoError(t, err)
		var futures []*wxpay.Future
		for range 3 {
			futures = append(futures, client.Chain("v3/x").GetAsync(t.Context()), other.Chain("v3/x").GetAsync(t.Context()))
		}
		synctest.Wait()
		assert.EqualValues(t, 3, g.inside.Load())
		_, err = futures[5].Wait(t.Context())
		assert.ErrorIs(t, err, wxpay.ErrQueueFull)
		close(g.open)
		_, err = wxpay.WaitAll(t.Context(), futures[:5]...)
		require.NoError(t, err)
	})
}

// brandOf returns the sandbox's brand, and what makes a client call as it.
func brandOf(t testing.TB, sb *sandbox.Sandbox) (wxpay.Merchant, []wxpay.Option) {
	t.Helper()
	b, err := sb.Brand()
	require.NoError(t, err)
	return wxpay.Merchant{ID: b.ID, PrivateKey: b.PrivateKey, Certificate: b.Certificate, APIv3Key: b.Key},
		[]wxpay.Option{wxpay.WithScheme(apiv3.Brand()), wxpay.WithPublicKey(b.PublicKeyID, b.PublicKey), wxpay.WithTransport(sb.Transport())}
}

// A brand calls for itself: its own scheme and identity, its own public key, named on every call.
func TestBrand(t *testing.T) {
	ctx := t.Context()
	sb := newSandbox(t)
	brand, options := brandOf(t, sb)
	client, err := wxpay.New(brand, options...)
	require.NoError(t, err)
	assert.Empty(t, client.MchID())
	assert.Equal(t, "brand_id 1004", client.Identity())
	res, err := client.Chain("brand/card-member/cards").Query("offset", 0).Query("limit", 20).Get(ctx)
	require.NoError(t, err)
	assert.True(t, res.Verified)
	assert.EqualValues(t, 20, res.Get("limit").Int())
	named := client.KeyStatus().Keys[0].Serial
	assert.Equal(t, named, res.Header.Get("Wechatpay-Serial"))
	entry := sb.Journal.All()[0]
	assert.Equal(t, named, entry.Header.Get("Wechatpay-Serial"))
	assert.Regexp(t, `^WECHATPAY-BRAND-SHA256-RSA2048 brand_id="1004",`, entry.Header.Get("Authorization"))
	_, err = client.Chain("brand/card-member/cards").Query("offset", 0).Query("limit", 21).Get(ctx)
	assert.True(t, wxpay.IsCode(err, wxcode.ParamError), err)

	// Responses to brands are verified like any other.
	_, err = client.Chain("brand/card-member/cards").Query("offset", 0).Query("limit", 20).Header("Wechatpay-Serial", sb.Keys.PublicKeyID()).Get(ctx)
	assert.True(t, wxpay.IsCode(err, wxcode.InvalidRequest), err)

	// Each kind of caller has its paths; the rejection says so.
	_, err = client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{"a": 1})
	require.True(t, wxpay.IsCode(err, wxcode.SignError), err)
	assert.ErrorContains(t, err, "this client calls as a brand, whose paths begin with /brand/")
	merchant := certificateClient(t, sb)
	_, err = merchant.Chain("brand/card-member/cards").Query("offset", 0).Query("limit", 20).Get(ctx)
	require.True(t, wxpay.IsCode(err, wxcode.SignError), err)
	assert.ErrorContains(t, err, "WithScheme(apiv3.Brand()) makes a client that calls as a brand")

	for _, text := range []string{fmt.Sprintf("%+v %v", client, brand), fmt.Sprintf("%#v", brand)} {
		assert.Contains(t, text, "1004")
		assert.NotContains(t, text, brand.APIv3Key)
	}
	_, err = client.VerifyKeys(ctx)
	assert.ErrorContains(t, err, "no echo for brands")
	_, err = client.Invoke().JSAPI(ctx, "wx1", "wx01")
	assert.ErrorContains(t, err, "a brand takes no payments")
}

func TestBrandNamesWhatIsWrong(t *testing.T) {
	sb := newSandbox(t)
	good, options := brandOf(t, sb)
	for name, test := range map[string]struct {
		edit    func(*wxpay.Merchant)
		options []wxpay.Option
		says    string
	}{
		"no id":          {func(m *wxpay.Merchant) { m.ID = "" }, options, "Merchant.ID is missing: it is the brand id (brand_id)"},
		"no key":         {func(m *wxpay.Merchant) { m.PrivateKey = nil }, options, "Merchant.PrivateKey is missing"},
		"no certificate": {func(m *wxpay.Merchant) { m.Certificate = nil }, options, "Merchant.Serial is missing"},
		"no public key":  {func(*wxpay.Merchant) {}, options[:1], "a brand names its WeChat Pay public key with every call: pass WithPublicKey(id, key)"},
		"certificates only": {func(*wxpay.Merchant) {}, []wxpay.Option{options[0], wxpay.WithPlatformCertificates(sb.Keys.Certificates()[0])},
			"pass WithPublicKey(id, key)"},
		"a bad public key": {func(*wxpay.Merchant) {}, []wxpay.Option{options[0], wxpay.WithPublicKey("", nil)}, "WithPublicKey: the id is missing"},
		"a short key":      {func(m *wxpay.Merchant) { m.APIv3Key = "short" }, options, "Merchant.APIv3Key"},
		"certificates":     {func(*wxpay.Merchant) {}, append(options[:2:2], wxpay.WithCertificates()), "WithCertificates is not for brands"},
		"the merchant's":   {func(m *wxpay.Merchant) { m.PrivateKey = testKeys().other }, options, "Merchant.PrivateKey (apiclient_key.pem) does not belong to"},
	} {
		m := good
		test.edit(&m)
		_, err := wxpay.New(m, test.options...)
		assert.ErrorContains(t, err, test.says, name)
		if err != nil {
			assert.NotContains(t, err.Error(), "there is no platform key", name)
		}
	}
}

// A brand beside merchants over one pool, in both directions.
func TestAsBrand(t *testing.T) {
	ctx := t.Context()
	sb := newSandbox(t)
	client := certificateClient(t, sb)
	caller, options := brandOf(t, sb)
	brand, err := client.As(caller, options[:2]...)
	require.NoError(t, err)
	_, err = brand.Chain("brand/card-member/cards").Query("offset", 0).Query("limit", 1).Get(ctx)
	require.NoError(t, err)
	_, err = client.As(caller, options[0])
	require.ErrorContains(t, err, "a brand names its WeChat Pay public key")
	back, err := brand.As(merchantOf(sb), wxpay.WithScheme(apiv3.RSA()), wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()))
	require.NoError(t, err)
	require.NoError(t, post(ctx, back))
	_, err = brand.As(merchantOf(sb), wxpay.WithScheme(apiv3.RSA()))
	assert.ErrorContains(t, err, "there is no platform key")
	require.NoError(t, post(ctx, client))
}

// A script calls as a brand with the variable of its id in place of the merchant number.
func TestBrandFromTheEnvironment(t *testing.T) {
	sb := newSandbox(t)
	b, err := sb.Brand()
	require.NoError(t, err)
	pemOf := func(kind string, der []byte, err error) string {
		require.NoError(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	private, err := x509.MarshalPKCS8PrivateKey(b.PrivateKey)
	set := map[string]string{"WXPAY_BRAND_ID": b.ID, "WXPAY_SERIAL": b.Serial, "WXPAY_PRIVATE_KEY": pemOf("PRIVATE KEY", private, err),
		"WXPAY_PUBLIC_KEY_ID": b.PublicKeyID}
	public, err := x509.MarshalPKIXPublicKey(b.PublicKey)
	set["WXPAY_PUBLIC_KEY"] = pemOf("PUBLIC KEY", public, err)
	lookup := func(name string) (string, bool) { value, ok := set[name]; return value, ok }
	client, err := wxpay.FromLookupEnv(lookup, wxpay.WithTransport(sb.Transport()))
	require.NoError(t, err)
	_, err = client.Chain("brand/card-member/cards").Query("offset", 0).Query("limit", 1).Get(t.Context())
	require.NoError(t, err)
}

// The self-test finds keys that work, and says which do not and why.
func TestVerifyKeys(t *testing.T) {
	ctx := t.Context()
	for name, options := range map[string][]wxpay.Option{"with a catalogue": nil, "without one": {wxpay.WithCatalog(nil)}} {
		t.Run(name, func(t *testing.T) {
			sb := newSandbox(t)
			client := certificateClient(t, sb, append(options, wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()))...)
			require.NoError(t, client.RefreshKeys(ctx))
			checks, err := client.VerifyKeys(ctx)
			require.NoError(t, err)
			assert.Equal(t, []wxpay.KeyCheck{
				{Serial: sb.Keys.PublicKeyID()}, {Serial: apiv3.Serial(sb.Keys.Certificates()[1]), Certificate: true},
				{Serial: apiv3.Serial(sb.Keys.Certificates()[0]), Certificate: true},
			}, checks)

			require.NoError(t, sb.Keys.SetMode(sandbox.CertificatesOnly))
			checks, err = client.VerifyKeys(ctx)
			require.ErrorContains(t, err, "platform key "+sb.Keys.PublicKeyID()+": ")
			require.Len(t, checks, 3)
			assert.True(t, wxpay.IsCode(checks[0].Err, wxcode.ParamError))
			assert.NoError(t, checks[1].Err)
		})
	}
	sb := newSandbox(t)
	signs := merchantOf(sb)
	signs.PrivateKey = signingOnly{sb.Merchant().PrivateKey}
	client, err := wxpay.New(signs, wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()), wxpay.WithTransport(sb.Transport()))
	require.NoError(t, err)
	_, err = client.VerifyKeys(ctx)
	assert.ErrorContains(t, err, "decrypting encrypted_echo_message, which is encrypted for the certificate "+sb.Merchant().Serial)

	wrong, err := wxpay.New(merchantOf(sb), wxpay.WithPublicKey(sb.Keys.PublicKeyID(), testKeys().platform.Public()), wxpay.WithTransport(sb.Transport()))
	require.NoError(t, err)
	_, err = wrong.VerifyKeys(ctx)
	assert.ErrorContains(t, err, "signature does not match", "the id of one key and the file of another")
}

// The share chooses among the kinds that exist.
func TestPublicKeyShare(t *testing.T) {
	ctx := t.Context()
	sb := unpaced(t)
	certificate := apiv3.Serial(sb.Keys.Certificates()[1])
	both := []wxpay.Option{wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()), wxpay.WithPlatformCertificates(sb.Keys.Certificates()...)}
	for name, test := range map[string]struct {
		options []wxpay.Option
		want    string
	}{
		"by default":               {both, sb.Keys.PublicKeyID()},
		"prefer the public key":    {append(both, wxpay.WithPublicKeyShare(100)), sb.Keys.PublicKeyID()},
		"prefer certificates":      {append(both, wxpay.WithPublicKeyShare(0)), certificate},
		"no certificate to prefer": {append(both[:1:1], wxpay.WithPublicKeyShare(0)), sb.Keys.PublicKeyID()},
		"no public key to prefer":  {append(both[1:2:2], wxpay.WithPublicKeyShare(100)), certificate},
	} {
		client, err := wxpay.New(merchantOf(sb), append(test.options, wxpay.WithTransport(sb.Transport()))...)
		require.NoError(t, err)
		for range 5 {
			sb.Journal.Reset()
			require.NoError(t, post(ctx, client))
			assert.Equal(t, test.want, sb.Journal.All()[0].Header.Get("Wechatpay-Serial"), name)
			assert.Equal(t, test.want, sb.Journal.All()[0].ResponseHeader.Get("Wechatpay-Serial"), name)
			_, serial, err := client.Encrypt(ctx, "x")
			require.NoError(t, err)
			assert.Equal(t, test.want, serial, "encryption asks the same share: %s", name)
		}
		older := apiv3.Serial(sb.Keys.Certificates()[0])
		sb.Journal.Reset()
		res, err := client.Chain(feedsPath).Header("Wechatpay-Serial", older).Post(ctx, feed())
		assert.Equal(t, older, sb.Journal.All()[0].Header.Get("Wechatpay-Serial"), "a call may name another")
		if name != "no certificate to prefer" {
			require.NoError(t, err)
			assert.Equal(t, older, res.Header.Get("Wechatpay-Serial"))
		}
	}
	// A call encrypts and names one key, however often a key is chosen.
	client, err := wxpay.New(merchantOf(sb), append(both, wxpay.WithPublicKeyShare(50), wxpay.WithTransport(sb.Transport()))...)
	require.NoError(t, err)
	named := map[string]int{}
	for i := range 64 {
		sb.Journal.Reset()
		_, err := client.Chain("v3/pay/transactions/native").Post(ctx, identityOrder(sb, fmt.Sprintf("share-%d", i)))
		require.NoError(t, err)
		named[sb.Journal.All()[0].Header.Get("Wechatpay-Serial")]++
	}
	assert.Len(t, named, 2)
}
