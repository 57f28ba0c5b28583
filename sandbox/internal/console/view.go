package console

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/post"
)

// shown is a result as the control API tells it.
func shown(result any) any {
	switch v := result.(type) {
	case *x509.Certificate:
		return certificateView{apiv3.Serial(v), v.NotBefore, v.NotAfter, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: v.Raw}))}
	case []*x509.Certificate:
		return shownAll(v)
	case *keyring.Ring:
		return selfOf(v)
	case []*keyring.Ring:
		return shownAll(v)
	case keyring.Merchant:
		return merchantView{ID: v.ID, Serial: v.Serial, PrivateKey: keyring.PEM("PRIVATE KEY", v.PrivateKey, x509.MarshalPKCS8PrivateKey), APIv3Key: v.APIv3Key}
	case keyring.Brand:
		return brandView{
			v.ID, v.Serial, keyring.PEM("PRIVATE KEY", v.PrivateKey, x509.MarshalPKCS8PrivateKey), v.Key, v.PublicKeyID,
			keyring.PEM("PUBLIC KEY", v.PublicKey, x509.MarshalPKIXPublicKey),
		}
	case []fault.Rule:
		lines := make([]string, len(v))
		for i, f := range v {
			lines[i] = f.String()
		}
		return lines
	case []journal.Entry:
		return shownAll(v)
	case journal.Entry:
		return entryView{
			v.Number, v.ID, v.Time, Duration(v.Took), v.Merchant, v.Method, v.Target, v.Header, textOf(v.Body), v.Status, v.ResponseHeader, textOf(v.ResponseBody), v.Verified,
			v.Reason, v.Explanation, v.Fault,
		}
	case []post.Delivery:
		return shownAll(v)
	case post.Delivery:
		d := deliveryView{v.ID, v.Merchant, v.Event, v.URL, textOf(v.Body), v.State, v.Reason, v.Next, make([]attemptView, len(v.Attempts))}
		for i, a := range v.Attempts {
			d.Attempts[i] = attemptView{a.Time, Duration(a.Took), a.Header, a.Status, a.ResponseHeader, textOf(a.Response), a.Error}
		}
		return d
	}
	if v := reflect.ValueOf(result); v.Kind() == reflect.Slice && v.IsNil() {
		return []any{}
	}
	return result
}

func shownAll[T any](list []T) []any {
	all := make([]any, len(list))
	for i, one := range list {
		all[i] = shown(one)
	}
	return all
}

// textOf is a body as text; what is no UTF-8 is told as such, and is in the Go API.
func textOf(body []byte) string {
	if !utf8.Valid(body) {
		return fmt.Sprintf("(%d bytes that are no text)", len(body))
	}
	return string(body)
}

type certificateView struct {
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	PEM       string    `json:"pem"`
}

type merchantView struct {
	ID          string            `json:"mchid"`
	Serial      string            `json:"serial"`
	PrivateKey  string            `json:"private_key"` // PEM
	APIv3Key    string            `json:"apiv3_key"`
	PublicKeyID string            `json:"public_key_id,omitempty"`
	PublicKey   string            `json:"public_key,omitempty"` // PEM
	Env         map[string]string `json:"env,omitempty"`
}

type brandView struct {
	ID          string `json:"brand_id"`
	Serial      string `json:"serial"`
	PrivateKey  string `json:"private_key"`
	Key         string `json:"apiv3_key"`
	PublicKeyID string `json:"public_key_id"`
	PublicKey   string `json:"public_key"`
}

type entryView struct {
	Number         int64       `json:"number"`
	ID             string      `json:"id"`
	Time           time.Time   `json:"time"`
	Took           Duration    `json:"took"`
	Merchant       string      `json:"merchant,omitempty"`
	Method         string      `json:"method"`
	Target         string      `json:"target"`
	Header         http.Header `json:"header"`
	Body           string      `json:"body"`
	Status         int         `json:"status"`
	ResponseHeader http.Header `json:"response_header"`
	ResponseBody   string      `json:"response_body"`
	Verified       bool        `json:"verified"`
	Reason         string      `json:"reason,omitempty"`
	Explanation    string      `json:"explanation,omitempty"`
	Fault          fault.Kind  `json:"fault,omitempty"`
}

type deliveryView struct {
	ID       string        `json:"id"`
	Merchant string        `json:"merchant"`
	Event    string        `json:"event"`
	URL      string        `json:"url"`
	Body     string        `json:"body"`
	State    string        `json:"state"`
	Reason   string        `json:"reason,omitempty"`
	Next     time.Time     `json:"next,omitzero"`
	Attempts []attemptView `json:"attempts"`
}

type attemptView struct {
	Time           time.Time   `json:"time"`
	Took           Duration    `json:"took"`
	Header         http.Header `json:"header"`
	Status         int         `json:"status"`
	ResponseHeader http.Header `json:"response_header,omitempty"`
	Response       string      `json:"response,omitempty"`
	Error          string      `json:"error,omitempty"`
}

// selfOf is a merchant with everything that a client needs.
func selfOf(ring *keyring.Ring) merchantView {
	v := shown(ring.Merchant()).(merchantView)
	v.Env = make(map[string]string)
	for _, variable := range ring.Variables() {
		v.Env[variable.Name] = variable.Value
	}
	v.PublicKeyID, v.PublicKey = v.Env["WXPAY_PUBLIC_KEY_ID"], v.Env["WXPAY_PUBLIC_KEY"]
	return v
}
