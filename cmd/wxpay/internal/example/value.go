package example

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/ordered"
	"github.com/wxpay-go/wxpay/fact"
)

// The caller and those around it in every example, so that the examples fit together.
const (
	MerchantID    = "1900000109"
	SubMerchantID = "1900000110"
	AppID         = "wxd678efh567hg6787"
)

// identities are the values of the fields that name the caller. Their samples differ from page to page.
var identities = map[string]string{
	"mchid": MerchantID, "sp_mchid": MerchantID, "combine_mchid": MerchantID, "appid": AppID, "sp_appid": AppID, "combine_appid": AppID,
	"sub_mchid": SubMerchantID,
}

// dates are the values of the fields that name the day of a bill, whose samples lie too far back.
var dates = []string{"2026-01-01", "20260101"}

// value returns the value of a field. path leads to it, with a dot at its end; the caller is named where that is empty.
func (m maker) value(path string, field *fact.Field) any {
	switch id := identities[field.Name]; {
	case m.filled:
	case path == "" && id != "" && field.Type == fact.String && !slices.Contains(m.operation.NotCaller, field.Name):
		return id
	case path == "" && (field.Name == "bill_date" || field.Name == "date"):
		for _, date := range dates {
			if sample := fmt.Sprint(field.Sample); len(sample) == len(date) {
				return date
			}
		}
	}
	if field.Type != field.Type.Element() {
		return []any{m.one(path, field)}
	}
	return m.one(path, field)
}

// one returns the value of a field that is not an array, or of an element of one that is.
func (m maker) one(path string, field *fact.Field) any {
	switch field.Type.Element() {
	case fact.Object:
		return m.object(path+field.Name+".", field.Fields)
	case fact.Integer, fact.Number:
		return number(field)
	case fact.Boolean:
		return field.Sample == nil || field.Sample == true
	}
	if field.JSONText && len(field.Fields) > 0 && !m.filled {
		line, err := ordered.Marshal(m.object(path+field.Name+".", field.Fields))
		if err != nil {
			panic("example: " + err.Error()) // its values are those of this package
		}
		return string(line)
	}
	return m.text(field)
}

// object returns an object of the fields that an example has.
func (m maker) object(path string, fields []fact.Field) Object {
	made := Object{}
	for _, field := range m.shown(path, fields) {
		made = append(made, Member{field, m.value(path, field)})
	}
	return made
}

func number(field *fact.Field) any {
	for _, candidate := range append([]any{field.Sample}, field.Enum...) {
		switch candidate.(type) {
		case int64, float64:
			return candidate
		}
	}
	return max(field.Min, 1)
}

// text returns a value for a field that is sent as text: the documented sample, the first constant, or a value that follows
// from the field's format and name, in the permitted length.
func (m maker) text(field *fact.Field) string {
	if field.Format == "rfc3339" && !m.filled {
		return moment(field)
	}
	if field.Sample != nil {
		if sample := fmt.Sprint(field.Sample); sample != "" && !strings.ContainsFunc(sample, unicode.IsControl) {
			return sample
		}
	}
	if len(field.Enum) > 0 {
		return fmt.Sprint(field.Enum[0])
	}
	switch field.Type.Element() {
	case fact.Integer, fact.Number:
		return fmt.Sprint(number(field))
	case fact.Boolean:
		return "true"
	}
	switch field.Format {
	case "date":
		return "2026-01-02"
	case "media":
		return "DzLExGcgCbLb5kNf1jJ8mBxwcQzbcy2m"
	case "url":
		return "https://shop.example.com/notify"
	}
	return fit(invented(field), field)
}

// moment returns a time: many samples lie in the past, and some are none.
func moment(field *fact.Field) string {
	for _, word := range []string{"end", "expire", "expiration", "deadline"} {
		if strings.Contains(field.Name, word) {
			return "2026-02-01T00:00:00+08:00"
		}
	}
	return "2026-01-02T15:04:05+08:00"
}

// inventions are values by the end of a field's name; the first that fits is taken. They look like what they stand for, and
// belong to nobody.
var inventions = []struct{ ends, value string }{
	{"sub_mchid", SubMerchantID}, {"mchid", MerchantID}, {"appid", AppID}, {"openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
	{"out_trade_no", "ORDER20260102150405"}, {"out_refund_no", "REFUND20260102150405"},
	{"transaction_id", "4200000000202601020000000001"}, {"ip", "192.0.2.1"},
	{"email", "shop@example.com"}, {"url", "https://shop.example.com/"},
	{"phone", "02000000000"}, {"telephone", "02000000000"}, {"mobile", "02000000000"}, {"phone_number", "02000000000"},
	{"id_card_number", "000000000000000000"}, {"cert_no", "000000000000000000"},
	{"card_no", "0000000000000000"}, {"account_no", "0000000000000000"}, {"account_number", "0000000000000000"},
	{"bank_account", "0000000000000000"},
	{"real_name", "张三"}, {"user_name", "张三"}, {"legal_person", "张三"}, {"account_name", "张三"},
	{"filename", "picture.png"}, {"sha256", strings.Repeat("0", 64)},
	{"address", "示例路 1 号"}, {"time", "2026-01-02T15:04:05+08:00"}, {"date", "2026-01-02"},
}

// identifiers are the last words of names whose values are numbers or codes, not words of a language.
var identifiers = []string{"id", "no", "code", "number", "num", "serial", "token", "key", "ticket", "hash"}

func invented(field *fact.Field) string {
	for _, v := range inventions {
		if field.Name == v.ends || strings.HasSuffix(field.Name, "_"+v.ends) {
			return v.value
		}
	}
	words := strings.FieldsFunc(field.Name, func(r rune) bool { return r == '_' || r == '-' })
	if len(words) > 0 && slices.Contains(identifiers, strings.ToLower(words[len(words)-1])) || field.Label == "" {
		return "1000000001"
	}
	return strings.Join(strings.Fields(field.Label), "")
}

// fit cuts or lengthens a value to the documented length in characters.
func fit(value string, field *fact.Field) string {
	if length := utf8.RuneCountInString(value); field.Max > 0 && int64(length) > field.Max {
		return string([]rune(value)[:field.Max])
	} else if missing := field.Min - int64(length); missing > 0 && field.Min <= 64 {
		return value + strings.Repeat("0", int(missing))
	}
	return value
}
