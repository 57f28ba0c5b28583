package apiv3_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

const plain = `WECHATPAY2-SHA256-RSA2048 mchid="1900000109",nonce_str="n",timestamp="1735689600",serial_no="5A",signature="c2ln"`

func TestParseAuthorization(t *testing.T) {
	want := apiv3.Authorization{
		Scheme: "WECHATPAY2-SHA256-RSA2048", Identity: "mchid", ID: "1900000109", Nonce: "n", Timestamp: "1735689600", Serial: "5A", Signature: "c2ln",
	}
	change := func(f func(*apiv3.Authorization)) *apiv3.Authorization { a := want; f(&a); return &a }
	replace := func(old, new string) string { return strings.Replace(plain, old, new, 1) }
	for name, test := range map[string]struct {
		value string
		want  *apiv3.Authorization // nil: refused
	}{
		"as written":          {plain, &want},
		"another order":       {`WECHATPAY2-SHA256-RSA2048 signature="c2ln",serial_no="5A",timestamp="1735689600",nonce_str="n",mchid="1900000109"`, &want},
		"blank after a comma": {strings.ReplaceAll(plain, ",", ", "), &want},
		"brand": {`WECHATPAY-BRAND-SHA256-RSA2048 brand_id="1004",nonce_str="n",timestamp="1735689600",serial_no="5A",signature="c2ln"`,
			change(func(a *apiv3.Authorization) {
				a.Scheme, a.Identity, a.ID = "WECHATPAY-BRAND-SHA256-RSA2048", "brand_id", "1004"
			})},
		"comma in a value":       {replace(`"n"`, `"n,x"`), change(func(a *apiv3.Authorization) { a.Nonce = "n,x" })},
		"equals in a value":      {replace(`"c2ln"`, `"c2k="`), change(func(a *apiv3.Authorization) { a.Signature = "c2k=" })},
		"blank in a value":       {replace(`"n"`, `"n x"`), change(func(a *apiv3.Authorization) { a.Nonce = "n x" })},
		"empty":                  {"", nil},
		"scheme only":            {"WECHATPAY2-SHA256-RSA2048", nil},
		"scheme and blank":       {"WECHATPAY2-SHA256-RSA2048 ", nil},
		"blank first":            {" " + plain, nil},
		"no scheme":              {plain[strings.Index(plain, " ")+1:], nil},
		"quote in the scheme":    {`"` + plain, nil},
		"blank before a comma":   {replace(`",nonce`, `" ,nonce`), nil},
		"blank at the equals":    {replace(`mchid=`, `mchid =`), nil},
		"blank after the equals": {replace(`mchid=`, `mchid= `), nil},
		"tab":                    {replace(`,nonce`, ",\tnonce"), nil},
		"no quotes":              {strings.ReplaceAll(plain, `"`, ""), nil},
		"single quotes":          {strings.ReplaceAll(plain, `"`, "'"), nil},
		"quote not closed":       {plain[:len(plain)-1], nil},
		"comma at the end":       {plain + ",", nil},
		"blank at the end":       {plain + " ", nil},
		"two commas":             {replace(`",nonce`, `",,nonce`), nil},
		"semicolon":              {replace(`",nonce`, `";nonce`), nil},
		"no comma":               {replace(`",nonce`, `"nonce`), nil},
		"escape in a value":      {replace(`"n"`, `"n\"x"`), nil},
		"backslash in a value":   {replace(`"n"`, `"n\x"`), nil},
		"LF in a value":          {replace(`"n"`, "\"n\nx\""), nil},
		"NUL in a value":         {replace(`"n"`, "\"n\x00x\""), nil},
		"Chinese in a value":     {replace(`"n"`, `"中"`), nil},
		"not UTF-8":              {replace(`"n"`, "\"\xff\""), nil},
		"unknown member":         {plain + `,x="1"`, nil},
		"upper-case member":      {replace(`mchid`, `MCHID`), nil},
		"member twice":           {plain + `,nonce_str="n"`, nil},
		"member twice, empty":    {replace(`nonce_str="n"`, `nonce_str="",nonce_str="n"`), nil},
		"empty, then the other":  {replace(`mchid="1900000109"`, `brand_id="",mchid="1900000109"`), nil},
		"both identities":        {plain + `,brand_id="1004"`, nil},
		"two headers joined":     {plain + ", " + plain, nil},
		"bearer":                 {"Bearer abc", nil},
		"basic":                  {"Basic dTpw", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := apiv3.ParseAuthorization(test.value)
			if test.want == nil {
				assert.ErrorIs(t, err, apiv3.ErrAuthorization)
				assert.Zero(t, a)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, *test.want, a)
		})
	}
	for _, member := range []string{"mchid", "nonce_str", "timestamp", "serial_no", "signature"} {
		members := strings.Split(strings.TrimPrefix(plain, "WECHATPAY2-SHA256-RSA2048 "), ",")
		var without, empty []string
		for _, m := range members {
			if strings.HasPrefix(m, member+"=") {
				empty = append(empty, member+`=""`)
				continue
			}
			without, empty = append(without, m), append(empty, m)
		}
		for _, list := range [][]string{without, empty} {
			_, err := apiv3.ParseAuthorization("WECHATPAY2-SHA256-RSA2048 " + strings.Join(list, ","))
			assert.EqualError(t, err, "malformed Authorization: "+member+" is missing or empty")
		}
	}
}

func TestAuthorizationPrintsWithoutSignature(t *testing.T) {
	a, err := apiv3.ParseAuthorization(plain)
	require.NoError(t, err)
	assert.Equal(t, plain, string(a.AppendTo(nil)))
	assert.Equal(t, "x"+plain, string(a.AppendTo([]byte("x"))))
	assert.Equal(t, strings.Replace(plain, "c2ln", "…", 1), a.String())
	assert.NotContains(t, fmt.Sprintf("%v %+v %s", a, a, &a), "c2ln")
}

func TestSignRequestRefuses(t *testing.T) {
	key := vectors.Key(t, "merchant")
	good := apiv3.Authorization{ID: "1900000109", Serial: "5A", Nonce: "n", Timestamp: "1735689600"}
	for name, change := range map[string]func(*apiv3.Authorization){
		"quote in the nonce":  func(a *apiv3.Authorization) { a.Nonce = `n",x="y` },
		"LF in the nonce":     func(a *apiv3.Authorization) { a.Nonce = "n\nx" },
		"no nonce":            func(a *apiv3.Authorization) { a.Nonce = "" },
		"quote in the serial": func(a *apiv3.Authorization) { a.Serial = `"` },
		"no serial":           func(a *apiv3.Authorization) { a.Serial = "" },
		"CR in the number":    func(a *apiv3.Authorization) { a.ID = "1\r" },
		"no number":           func(a *apiv3.Authorization) { a.ID = "" },
		"no timestamp":        func(a *apiv3.Authorization) { a.Timestamp = "" },
		"Chinese timestamp":   func(a *apiv3.Authorization) { a.Timestamp = "一" },
	} {
		a := good
		change(&a)
		header, size, err := apiv3.SignRequest(apiv3.RSA(), key, a, "GET", "/v3/certificates", nil)
		assert.ErrorIs(t, err, apiv3.ErrAuthorization, name)
		assert.Empty(t, header, name)
		assert.Zero(t, size, name)
	}
	_, _, err := apiv3.SignRequest(apiv3.RSA(), brokenSigner{key}, good, "GET", "/v3/certificates", nil)
	assert.ErrorIs(t, err, errBroken)
	assert.EqualError(t, err, "signing: the module is gone")
}

// FuzzAuthorization holds that a header which is accepted is printed in one form, which is read as the same again.
func FuzzAuthorization(f *testing.F) {
	f.Add(plain)
	for _, v := range vectors.Load(f).Vectors {
		if v.Authorization != "" {
			f.Add(v.Authorization)
		}
	}
	f.Add(`WECHATPAY-BRAND-SHA256-RSA2048 brand_id="1004", nonce_str="n", timestamp="1", serial_no="5A", signature="="`)
	f.Add(`a mchid="",mchid="1",nonce_str="n",timestamp="1",serial_no="5A",signature="x"`)
	f.Fuzz(func(t *testing.T, value string) {
		a, err := apiv3.ParseAuthorization(value)
		if err != nil {
			if a != (apiv3.Authorization{}) {
				t.Fatalf("an error, and content: %q", value)
			}
			return
		}
		printed := string(a.AppendTo(nil))
		again, err := apiv3.ParseAuthorization(printed)
		if err != nil || again != a {
			t.Fatalf("%q was read as %+v, printed as %q, and read again as %+v, %v", value, a, printed, again, err)
		}
		if len(printed) > len(value) {
			t.Fatalf("%q has become longer: %q", value, printed)
		}
		if strings.ContainsAny(printed, "\r\n\x00") {
			t.Fatalf("%q is no header value", printed)
		}
	})
}
