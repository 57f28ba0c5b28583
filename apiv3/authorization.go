package apiv3

import (
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// ErrAuthorization means that an Authorization header does not have the documented form.
var ErrAuthorization = fault.New("malformed Authorization")

// Authorization is the content of the Authorization header of a request.
type Authorization struct {
	Scheme    string // such as WECHATPAY2-SHA256-RSA2048
	Identity  string // name of the member that tells who calls: mchid or brand_id
	ID        string // the caller's number
	Nonce     string // nonce_str
	Timestamp string // decimal seconds since 1970, the text that was signed
	Serial    string // serial_no of the merchant API certificate
	Signature string // base64
}

// AppendTo appends the header value: the scheme, one blank, five quoted fields joined by commas
// without blanks.
func (a Authorization) AppendTo(dst []byte) []byte {
	dst = append(a.appendUnsigned(dst), a.Signature...)
	return append(dst, '"')
}

// appendUnsigned appends the header value up to the quote that opens the signature.
func (a Authorization) appendUnsigned(dst []byte) []byte {
	dst = append(dst, a.Scheme...)
	dst = append(dst, ' ')
	dst = append(dst, a.Identity...)
	for _, part := range [...]string{`="`, a.ID, `",nonce_str="`, a.Nonce, `",timestamp="`, a.Timestamp, `",serial_no="`, a.Serial, `",signature="`} {
		dst = append(dst, part...)
	}
	return dst
}

// String returns the header value without the signature, for logs; AppendTo writes all of it.
func (a Authorization) String() string {
	a.Signature = "…"
	return string(a.AppendTo(nil))
}

// Format prints the text of String under every verb.
func (a Authorization) Format(s fmt.State, verb rune) { redact.Format(s, verb, a.String()) }

// MarshalText returns the text of String.
func (a Authorization) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// ParseAuthorization parses a header value. The five fields may have any order; each must stand
// once, in quotes, and no others. Blanks may follow only the scheme and a comma. The error is
// ErrAuthorization.
func ParseAuthorization(value string) (Authorization, error) {
	scheme, rest, ok := strings.Cut(value, " ")
	if !ok || scheme == "" || !validText(scheme) || strings.ContainsAny(scheme, `=,`) {
		return Authorization{}, fmt.Errorf("%w: no scheme", ErrAuthorization)
	}
	a := Authorization{Scheme: scheme}
	var seen seenFields
	for len(rest) > 0 {
		name, after, ok := strings.Cut(strings.TrimLeft(rest, " "), `="`)
		if !ok {
			return Authorization{}, fmt.Errorf(`%w: a member is not of the form name="value"`, ErrAuthorization)
		}
		text, after, ok := strings.Cut(after, `"`)
		if !ok || !validText(text) {
			return Authorization{}, fmt.Errorf("%w: a value is not closed by a quote, or has a character that no value has", ErrAuthorization)
		}
		if err := a.set(name, text, &seen); err != nil {
			return Authorization{}, err
		}
		if after == "" {
			break
		}
		if rest, ok = strings.CutPrefix(after, ","); !ok || rest == "" {
			return Authorization{}, fmt.Errorf("%w: fields are not joined by single commas", ErrAuthorization)
		}
	}
	for _, member := range [...][2]string{
		{"mchid", a.ID}, {"nonce_str", a.Nonce}, {"timestamp", a.Timestamp}, {"serial_no", a.Serial}, {"signature", a.Signature},
	} {
		if member[1] == "" {
			return Authorization{}, fmt.Errorf("%w: %s is missing or empty", ErrAuthorization, member[0])
		}
	}
	return a, nil
}

// seenFields marks the fields of a header, including empty ones.
type seenFields struct{ id, nonce, timestamp, serial, signature bool }

func (a *Authorization) set(name, text string, seen *seenFields) error {
	var field *string
	var twice *bool
	switch name {
	case "mchid", "brand_id":
		field, twice, a.Identity = &a.ID, &seen.id, name
	case "nonce_str":
		field, twice = &a.Nonce, &seen.nonce
	case "timestamp":
		field, twice = &a.Timestamp, &seen.timestamp
	case "serial_no":
		field, twice = &a.Serial, &seen.serial
	case "signature":
		field, twice = &a.Signature, &seen.signature
	default:
		return fmt.Errorf("%w: it has an unknown field", ErrAuthorization)
	}
	if *twice {
		return fmt.Errorf("%w: %s stands twice", ErrAuthorization, name)
	}
	*field, *twice = text, true
	return nil
}
