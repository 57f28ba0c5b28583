package wxpay_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/webhook"
)

// unseen are the characters that nobody sees in a file or on a screen, at the places where they get into configuration, and how
// an error calls them.
var unseen = []struct{ name, before, behind, called string }{
	{"a blank before", " ", "", "a blank (U+0020)"},
	{"a blank behind", "", " ", "a blank (U+0020)"},
	{"a tab", "", "\t", "a tab (U+0009)"},
	{"a line break", "", "\n", "a line break (U+000A)"},
	{"a line break of Windows", "", "\r\n", "a carriage return (U+000D)"},
	{"a no-break space", "", "\u00a0", "a no-break space (U+00A0)"},
	{"a space of no width", "", "\u200b", "a space of no width (U+200B)"},
	{"a byte order mark", "\ufeff", "", "a byte order mark (U+FEFF)"},
	{"a full-width digit", "", "\uff11", "a full-width character (U+FF11)"},
	{"a mark of direction", "\u202d", "", "an invisible character (U+202D)"},
	{"a null", "", "\x00", "a control character (U+0000)"},
}

// Whatever comes from configuration is refused at once when something in it cannot be seen, by a text that shows it: of a
// secret it tells the place, and not one character.
func TestConfigurationThatCannotBeSeen(t *testing.T) {
	const apiv3Key = "SECRETapiv3keySECRETapiv3key0123"
	keys := testKeys()
	merchant := wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: keys.merchant, APIv3Key: apiv3Key}
	own := wxpay.APICertificate{Serial: testSerial, PrivateKey: keys.merchant}
	public := wxpay.WithPublicKey(testKeyID, keys.platform.Public())
	created := func(m wxpay.Merchant, options ...wxpay.Option) error {
		_, err := wxpay.New(m, append([]wxpay.Option{public}, options...)...)
		return err
	}
	client := newClient(t)
	box := sandbox.Start(t)
	made := func(option sandbox.Option) error {
		_, err := sandbox.New(option)
		return err
	}
	environment := func(name, value string) error {
		_, err := wxpay.FromLookupEnv(func(asked string) (string, bool) {
			if asked == name {
				return value, true
			}
			return box.LookupEnv(asked)
		})
		return err
	}
	variable := func(name string) string {
		value, ok := box.LookupEnv(name)
		require.True(t, ok, name)
		return value
	}
	receiver := webhook.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: keys.merchant, APIv3Key: apiv3Key}
	receives := func(change func(*webhook.Merchant)) error {
		set, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: testKeyID, Key: keys.platform.Public()})
		require.NoError(t, err)
		m := receiver
		m.Keys = webhook.Static(set)
		change(&m)
		_, err = webhook.New(m)
		return err
	}
	signs := func(caller apiv3.Authorization) error {
		_, _, err := apiv3.SignRequest(apiv3.RSA(), keys.merchant, caller, "GET", "/", nil)
		return err
	}
	caller := apiv3.Authorization{ID: testMerchant, Serial: testSerial, Nonce: "nonce", Timestamp: "1735689600"}
	for _, tt := range []struct {
		name, good string
		secret     bool
		use        func(value string) error
	}{
		{"New, ID", testMerchant, false, func(v string) error { m := merchant; m.ID = v; return created(m) }},
		{"New, Serial", testSerial, false, func(v string) error { m := merchant; m.Serial = v; return created(m) }},
		{"New, APIv3Key", apiv3Key, true, func(v string) error { m := merchant; m.APIv3Key = v; return created(m) }},
		{"As, ID", testMerchant, false, func(v string) error { m := merchant; m.ID = v; _, err := client.As(m, public); return err }},
		{"New, ID of a brand", "1004", false, func(v string) error { m := merchant; m.ID = v; return created(m, wxpay.WithScheme(apiv3.Brand())) }},
		{"NewKeyRing, Serial", testSerial, false, func(v string) error { c := own; c.Serial = v; _, err := wxpay.NewKeyRing(c); return err }},
		{"WithPublicKey", testKeyID, false, func(v string) error { return created(merchant, wxpay.WithPublicKey(v, keys.platform.Public())) }},
		{"WithBaseURL", "https://apihk.mch.weixin.qq.com", false, func(v string) error { return created(merchant, wxpay.WithBaseURL(v)) }},
		{"WithBaseURL, a backup", "https://api2.mch.weixin.qq.com", false,
			func(v string) error { return created(merchant, wxpay.WithBaseURL(wxpay.DefaultBaseURL, v)) }},
		{"WithInsecureHTTP", "sandbox", false, func(v string) error { return created(merchant, wxpay.WithInsecureHTTP(v)) }},
		{"WithUserAgent", "shop/1.2", false, func(v string) error { return created(merchant, wxpay.WithUserAgent(v)) }},
		{"WithLanguage", "en", false, func(v string) error { return created(merchant, wxpay.WithLanguage(v)) }},
		{"WithDefaults, mchid", testMerchant, false, func(v string) error { return created(merchant, wxpay.WithDefaults(v, "")) }},
		{"WithDefaults, appid", "wx8888888888888888", false, func(v string) error { return created(merchant, wxpay.WithDefaults("", v)) }},
		{"PayScore", apiv3Key, true, func(v string) error { _, err := client.Invoke().PayScore(v, "package"); return err }},
		{"FromLookupEnv, WXPAY_MCHID", variable("WXPAY_MCHID"), false, func(v string) error { return environment("WXPAY_MCHID", v) }},
		{"FromLookupEnv, WXPAY_SERIAL", variable("WXPAY_SERIAL"), false, func(v string) error { return environment("WXPAY_SERIAL", v) }},
		{"FromLookupEnv, WXPAY_APIV3_KEY", variable("WXPAY_APIV3_KEY"), true, func(v string) error { return environment("WXPAY_APIV3_KEY", v) }},
		{"FromLookupEnv, WXPAY_PUBLIC_KEY_ID", variable("WXPAY_PUBLIC_KEY_ID"), false, func(v string) error { return environment("WXPAY_PUBLIC_KEY_ID", v) }},
		{"FromLookupEnv, WXPAY_BASE_URL", variable("WXPAY_BASE_URL"), false, func(v string) error { return environment("WXPAY_BASE_URL", v) }},

		{"apiv3.CheckKey", apiv3Key, true, func(v string) error { return apiv3.CheckKey([]byte(v)) }},
		{"apiv3.NewOpener", apiv3Key, true, func(v string) error { _, err := apiv3.NewOpener([]byte(v)); return err }},
		{"apiv3.NewKeySet", testKeyID, false, func(v string) error {
			_, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: v, Key: keys.platform.Public()})
			return err
		}},
		{"apiv3.SignRequest, ID", testMerchant, false, func(v string) error { c := caller; c.ID = v; return signs(c) }},
		{"apiv3.SignRequest, Serial", testSerial, false, func(v string) error { c := caller; c.Serial = v; return signs(c) }},

		{"transport.New, Hosts", "api.mch.weixin.qq.com", false, func(v string) error {
			rt := transport.New(transport.Config{Hosts: []string{v}})
			req, err := http.NewRequest("GET", "http://127.0.0.1:1", nil)
			require.NoError(t, err)
			_, err = rt.RoundTrip(req)
			if v == "api.mch.weixin.qq.com" { // nobody listens, which is another matter
				return nil
			}
			return err
		}},

		{"webhook.New, ID", testMerchant, false, func(v string) error { return receives(func(m *webhook.Merchant) { m.ID = v }) }},
		{"webhook.New, Serial", testSerial, false, func(v string) error { return receives(func(m *webhook.Merchant) { m.Serial = v }) }},
		{"webhook.New, APIv3Key", apiv3Key, true, func(v string) error { return receives(func(m *webhook.Merchant) { m.APIv3Key = v }) }},

		{"sandbox.WithMerchant", "1900000111", false, func(v string) error { return made(sandbox.WithMerchant(v)) }},
		{"sandbox.WithNotifyHosts", "shop.example", false, func(v string) error { return made(sandbox.WithNotifyHosts(v)) }},
		{"sandbox.WithNetwork", "sandbox.example", false, func(v string) error { return made(sandbox.WithNetwork(v)) }},
		{"sandbox.AddMerchant", "1900000112", false, func(v string) error { _, err := box.AddMerchant(v); return err }},
		{"sandbox.AddSubMerchant", "1900000113", false, func(v string) error { return box.AddSubMerchant(v) }},
		{"sandbox.BindAppID", "wx8888888888888888", false, func(v string) error { return box.BindAppID(v) }},
		{"sandbox.NotifySharesAt", "http://127.0.0.1:1/x", false, func(v string) error { return box.NotifySharesAt(v) }},
		{"sandbox.Listen", "127.0.0.1:0", false, func(v string) error {
			server, err := box.Listen(v)
			if err == nil {
				server.Close()
			}
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, tt.use(tt.good))
			for _, u := range unseen {
				value := u.before + tt.good + u.behind
				err := tt.use(value)
				require.Error(t, err, u.name)
				text := err.Error()
				assert.NotContains(t, text, "\n", u.name)
				switch {
				case tt.secret:
					assert.NotContains(t, text, tt.good[:6], u.name)
					assert.Contains(t, text, u.called, u.name)
				case strings.HasPrefix(tt.name, "apiv3.SignRequest"): // below all that has names: it tells which members it means
					assert.Contains(t, text, "printable ASCII", u.name)
				default:
					assert.Contains(t, text, strconv.Quote(value), u.name)
					assert.Regexp(t, regexp.QuoteMeta(u.called)+"|not the client's own|not an appid|not one of|not printable ASCII", text, u.name)
				}
			}
		})
	}
}
