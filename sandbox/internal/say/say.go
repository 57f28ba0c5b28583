// Package say holds what every package of the sandbox says alike: messages in both languages,
// rejections, times, JSON. It knows no operation.
package say

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Language is a value of Content-Language.
type Language string

// Languages of responses.
const (
	Chinese Language = "zh-CN"
	English Language = "en"
)

// LanguageOf reads Accept-Language: the first language counts, and any but en is answered in
// Chinese.
func LanguageOf(accept string) Language {
	first, _, _ := strings.Cut(accept, ",")
	first, _, _ = strings.Cut(first, ";")
	if strings.EqualFold(strings.TrimSpace(first), string(English)) {
		return English
	}
	return Chinese
}

// Text is a message in both languages.
type Text struct{ ZH, EN string }

// Both returns a text.
func Both(zh, en string) Text { return Text{zh, en} }

// In returns the message in a language.
func (t Text) In(l Language) string {
	if l == English {
		return t.EN
	}
	return t.ZH
}

// JSON writes JSON as the platform does, without escaping HTML.
func JSON(value any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("sandbox: a value cannot be written as JSON: %v", err)) // values are made of plain types
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

// Beijing is the zone in which the platform writes times.
var Beijing = time.FixedZone("", 8*60*60)

// Time writes a time as the platform does.
func Time(t time.Time) string { return t.In(Beijing).Format(time.RFC3339) }

// Hex returns n random upper-case hex digits; n is even.
func Hex(n int) string {
	b := make([]byte, n/2)
	rand.Read(b)
	return strings.ToUpper(hex.EncodeToString(b))
}

// UUID returns a random id of 36 characters.
func UUID() string {
	x := strings.ToLower(Hex(32))
	return strings.Join([]string{x[:8], x[8:12], x[12:16], x[16:20], x[20:]}, "-")
}

// Alphanumeric are the digits and letters of ASCII.
const Alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Values of the documentation's examples, which made-up responses repeat.
const (
	SampleAppID = "wxd678efh567hg6787"
	AnyPayer    = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" // pays when the order does not name a payer
	BrandID     = "1004"                         // of the only brand
)

// IsBrand reports whether a request target is one of a brand's.
func IsBrand(target string) bool { return strings.HasPrefix(target, "/brand/") }

// Decided runs a function of the program that decides something. It may panic, or end its goroutine
// as a failing test does: neither must keep a mutex locked.
func Decided(where string, decide func()) error {
	ended := make(chan error, 1)
	go func() {
		err := fmt.Errorf("the function given to %s ended its goroutine", where)
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("the function given to %s panicked: %v", where, v)
			}
			ended <- err
		}()
		decide()
		err = nil
	}()
	return <-ended
}

// MatchPath matches a path, with or without query, against a pattern in which a placeholder such as
// {id} stands for any one segment and a final * for any rest.
func MatchPath(pattern, target string) bool {
	path, _, _ := strings.Cut(target, "?")
	for {
		want, restWant, moreWant := strings.Cut(pattern, "/")
		have, restHave, moreHave := strings.Cut(path, "/")
		prefix, open := strings.CutSuffix(want, "*")
		switch {
		case !moreWant && open:
			return strings.HasPrefix(have, prefix)
		case strings.HasPrefix(want, "{") && strings.HasSuffix(want, "}"):
			if have == "" {
				return false
			}
		case want != have && want != unescaped(have):
			return false
		}
		if !moreWant || !moreHave {
			return moreWant == moreHave
		}
		pattern, path = restWant, restHave
	}
}

func unescaped(segment string) string {
	if s, err := url.PathUnescape(segment); err == nil {
		return s
	}
	return segment
}

// IsToken reports whether a text may be a method or a header name, or empty (RFC 9110, section
// 5.6.2).
func IsToken(text string) bool { return strings.Trim(text, "!#$%&'*+-.^_`|~"+Alphanumeric) == "" }

// CheckMerchantNumber returns an error for a text that is no merchant number; where is the function
// it was given to.
func CheckMerchantNumber(where, id string) error {
	if err := visible.Word(id); err != nil {
		return fmt.Errorf("sandbox: %s: of the merchant number %s, %w", where, redact.Quote(id), err)
	}
	if len(id) < 8 || len(id) > 10 || strings.Trim(id, "0123456789") != "" {
		return fmt.Errorf("sandbox: %s: a merchant number has 8 to 10 digits, unlike %s", where, redact.Quote(id))
	}
	return nil
}
