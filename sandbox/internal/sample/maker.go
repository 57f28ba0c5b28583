// Package sample makes values of documented fields: responses that look right, and samples of
// events.
package sample

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Maker makes values of documented fields: for what has a form or a meaning that the name or the facts
// tell, and else the documented sample. What it makes depends on its fields only, so that the
// same ones make the same values.
type Maker struct {
	Now        time.Time
	MerchantID string
	Random     *rand.Rand
	Whole      bool // fields that tell of a failure are made too, although nothing failed

	// Of responses; the zero values repeat nothing and encrypt nothing.
	Sent    *Sent
	Joined  bool          // see fact.Operation.Joined
	Link    func() string // makes the address of a file whose SHA-1 is hash
	Hash    string
	Encrypt func(string) string // encrypts to the caller
}

// Object makes an object of the fields. scope is the object of the request that stands in its
// place, if there is one.
func (m *Maker) Object(fields []fact.Field, scope map[string]any) map[string]any {
	object := make(map[string]any, len(fields))
	for i := range fields {
		field := &fields[i]
		if name, value, ok := m.repeat(field, scope); ok {
			object[name] = value
		} else if m.Whole || field.Required || !tellsTrouble(field.Name) && !m.otherCaller(field.Name) {
			object[field.Name] = m.value(field, nil)
		}
	}
	return object
}

// value makes a value of the field. scope is the request's value of that name, if it is an object
// or a list of objects.
func (m *Maker) value(field *fact.Field, scope any) any {
	element := field.Type.Element()
	if element == field.Type {
		object, _ := scope.(map[string]any)
		return m.one(field, object)
	}
	list, _ := scope.([]any)
	if list == nil {
		list = make([]any, 1)
		if element == fact.Object {
			list = make([]any, listed)
		}
	}
	made := make([]any, len(list))
	for i := range list {
		object, _ := list[i].(map[string]any)
		made[i] = m.one(field, object)
	}
	return made
}

// listed is how many objects a list has that nothing else determines.
const listed = 2

func (m *Maker) one(field *fact.Field, scope map[string]any) any {
	kind := field.Type.Element()
	if kind == fact.Object {
		return m.Object(field.Fields, scope)
	}
	if len(field.Enum) > 0 && constantOf(kind, field.Enum[0]) {
		return outcome(field.Enum)
	}
	switch kind {
	case fact.Integer, fact.Number:
		return m.integer(field)
	case fact.Boolean:
		return field.Sample == nil || field.Sample == true
	}
	text := m.text(field)
	if field.Cipher == fact.RSA && m.Encrypt != nil {
		return m.Encrypt(text)
	}
	return text
}

// constantOf reports whether a constant can be a value of the type; some that are documented
// cannot.
func constantOf(kind fact.Type, constant any) bool {
	_, isText := constant.(string)
	return isText == (kind == fact.String)
}

// outcomes are the words in constants that say that something went well and is done, the best
// first.
var outcomes = []string{
	"SUCCESS", "SUCCEED", "SUCCEEDED", "SUCC", "FINISHED", "FINISH", "COMPLETED", "COMPLETE", "DONE", "PASSED", "PASS", "APPROVED", "AGREE",
	"EFFECTIVE", "SIGNED", "AUTHORIZED", "CONTRACTED", "PROCESSED", "PAID", "CHARGED", "RUNNING", "ACTIVE", "OPEN", "NORMAL", "AVAILABLE", "CONFIRMED",
}

// outcome picks a constant: one that tells of success if there is any, else the first that tells of
// anything.
func outcome(constants []any) any {
	best, rank := constants[0], len(outcomes)+1
	for _, constant := range constants {
		text, ok := constant.(string)
		if !ok {
			return constants[0]
		}
		words := strings.Split(strings.ToUpper(text), "_")
		at := slices.IndexFunc(outcomes, func(word string) bool { return slices.Contains(words, word) })
		switch {
		case slices.Contains(words, "NOT"), slices.Contains(words, "NO"), slices.Contains(words, "UNKNOWN"):
			at = len(outcomes) + 1
		case at < 0:
			at = len(outcomes)
		}
		if at < rank {
			best, rank = constant, at
		}
	}
	return best
}

// tellsTrouble reports whether a member of that name is there only if something was refused or
// undone.
func tellsTrouble(name string) bool {
	return slices.ContainsFunc([]string{
		"fail", "reject", "error", "abnormal", "cancel", "close", "revoke", "delete", "deactivate", "terminat", "invalid", "block", "recover",
	}, func(word string) bool { return strings.Contains(name, word) })
}

// integer makes a number.
func (m *Maker) integer(field *fact.Field) any {
	name := field.Name
	if isIdentifier(name) {
		return json.Number(m.digits("1", 12))
	}
	words := strings.Split(name, "_")
	has := func(some ...string) bool {
		return slices.ContainsFunc(some, func(word string) bool { return slices.Contains(words, word) })
	}
	switch {
	case has("offset", "fail"), words[0] == "begin", words[0] == "start":
		return 0
	case words[0] == "end":
		return 24*60*60 - 1 // seconds of a day
	case has("count", "quantity", "number", "num", "times"):
		return 1
	case has("day", "days") && !has("amount"):
		return 7
	case has("percent"):
		return 30
	case field.Sample != nil:
		return field.Sample
	}
	return 100
}

// text makes the text of a string member, by its format and name.
func (m *Maker) text(field *fact.Field) string {
	name := field.Name
	ends := func(suffixes ...string) bool {
		return slices.ContainsFunc(suffixes, func(suffix string) bool {
			return name == strings.TrimPrefix(suffix, "_") || strings.HasSuffix(name, suffix)
		})
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
	}
	switch {
	case field.JSONText:
		return string(say.JSON(m.Object(field.Fields, nil)))
	case field.Format == "date", ends("_date"):
		return m.when(name).In(say.Beijing).Format(time.DateOnly)
	case field.Format == "rfc3339", strings.HasSuffix(name, "time"):
		return say.Time(m.when(name))
	case field.Format == "media", ends("media_id"):
		return m.letters(86)
	case ends("download_url") && m.Link != nil:
		return m.Link()
	case name == "code_url":
		return "weixin://wxpay/bizpayurl?pr=" + m.letters(9) + "zz"
	case field.Format == "url", ends("_url"):
		return "https://merchant.example/" + name
	case strings.HasSuffix(name, "openid"):
		return say.AnyPayer
	case strings.HasSuffix(name, "appid"):
		return say.SampleAppID
	case name == "sub_mchid":
		return "1900000110"
	case strings.HasSuffix(name, "mchid"), name == "mch_id":
		return m.MerchantID
	case name == "brand_id":
		return say.BrandID
	case has("currency"):
		return "CNY"
	case name == "transaction_id":
		return m.dated("4200001234", 28)
	case name == "refund_id":
		return m.dated("50300000", 29)
	case name == "transfer_bill_no":
		return m.dated("13300", 40)
	case name == "prepay_id":
		return "wx" + m.Now.In(say.Beijing).Format("20060102150405") + strings.ToLower(m.letters(20))
	case name == "card_id":
		return "pb" + m.letters(26)
	case strings.HasSuffix(name, "unionid"):
		return "oU" + m.letters(26)
	case ends("hash_value") && m.Link != nil:
		return m.Hash
	case ends("hash_type"):
		return "SHA1"
	case name == "bank_type":
		return "OTHERS"
	case name == "trade_type":
		return "JSAPI"
	case ends("_phone", "_mobile", "phone_number", "mobile", "telephone"):
		return "13800138000"
	case ends("email"):
		return "user@merchant.example"
	case ends("id_card_number", "_doc_number", "identification_number", "id_number", "id_no"):
		return "11010519491231002X"
	case ends("_ip"):
		return "127.0.0.1"
	case name == "longitude":
		return "113.941046"
	case name == "latitude":
		return "22.546154"
	case ends("plate_number"):
		return "粤B888888"
	case field.Cipher == fact.RSA && ends("name"):
		return "张三"
	case ends("account_number", "card_number", "bank_account"):
		return "6214830012345678"
	case strings.HasPrefix(name, "out_") && isIdentifier(name):
		return m.dated("1217", 28)
	case ends("_code") && name != "code":
		return m.digits("4", 12)
	case isIdentifier(name):
		return m.dated("", 20)
	case ends("_state", "_status", "_result"):
		return outcomes[0]
	case ends("token"):
		return m.letters(32)
	}
	if documented, _ := field.Sample.(string); documented != "" {
		return documented
	}
	return "sample " + name
}

// when is a time that fits the name: what ends is to come, what has happened is past.
func (m *Maker) when(name string) time.Time {
	for _, word := range []string{"end", "expire", "deadline", "valid", "until"} {
		if strings.Contains(name, word) && !strings.Contains(name, "begin") && !strings.Contains(name, "start") {
			return m.Now.AddDate(0, 0, 30)
		}
	}
	return m.Now
}

// dated makes a number of the platform's own: prefix, day and digits, size characters in all.
func (m *Maker) dated(prefix string, size int) string {
	return m.digits(prefix+m.Now.In(say.Beijing).Format("20060102"), size)
}

func (m *Maker) digits(prefix string, size int) string { return m.Draw(prefix, size, "0123456789") }

func (m *Maker) letters(size int) string { return m.Draw("", size, say.Alphanumeric) }

// Draw makes a text of size characters that begins with prefix.
func (m *Maker) Draw(prefix string, size int, of string) string {
	b := []byte(prefix)
	for len(b) < size {
		b = append(b, of[m.Random.IntN(len(of))])
	}
	return string(b)
}

// repeat returns the value of the field that the request has: of the object in the same place, else
// of the whole request, else, for an identifier, of anywhere. The name is the one of several that
// the request uses.
func (m *Maker) repeat(field *fact.Field, scope map[string]any) (name string, value any, ok bool) {
	if m.Sent == nil {
		return "", nil, false
	}
	for _, name := range append([]string{field.Name}, field.Alt...) {
		for i, from := range []map[string]any{scope, m.Sent.top, m.Sent.within} {
			told, found := from[name]
			if !found || i == 2 && !isIdentifier(name) {
				continue
			}
			if value, ok := m.conform(field, told); ok {
				return name, value, true
			}
		}
	}
	return "", nil, false
}

// conform returns what the request says as a value of the field, if it can be one.
func (m *Maker) conform(field *fact.Field, told any) (any, bool) {
	element := field.Type.Element()
	if list, ok := told.([]any); ok != (element != field.Type) {
		return nil, false
	} else if ok {
		if element == fact.Object {
			return m.value(field, told), true
		}
		one := *field
		one.Type = element
		conforming := make([]any, len(list))
		for i := range list {
			if conforming[i], ok = m.conform(&one, list[i]); !ok {
				return nil, false
			}
		}
		return conforming, true
	}
	text, isText := told.(string)
	switch element {
	case fact.Object:
		_, ok := told.(map[string]any)
		if !ok {
			return nil, false
		}
		return m.value(field, told), true
	case fact.Boolean:
		if isText {
			told = text == "true"
			return told, text == "true" || text == "false"
		}
		_, ok := told.(bool)
		return told, ok
	case fact.Integer, fact.Number:
		n, ok := told.(json.Number)
		if isText { // of a path or query
			n = json.Number(text)
			_, err := strconv.ParseInt(text, 10, 64)
			ok = err == nil
		}
		return n, ok && (len(field.Enum) == 0 || slices.ContainsFunc(field.Enum, func(constant any) bool { return string(say.JSON(constant)) == n.String() }))
	}
	switch {
	case !isText, field.Cipher == fact.Plain && m.Sent.secret[field.Name], len(field.Enum) > 0 && !slices.Contains(field.Enum, any(text)):
		return nil, false
	case field.Format == "rfc3339" && !isTime(time.RFC3339, text), field.Format == "date" && !isTime(time.DateOnly, text):
		return nil, false
	case field.Cipher == fact.RSA && m.Encrypt != nil:
		return m.Encrypt(text), true
	}
	return text, true
}

func isTime(layout, text string) bool {
	_, err := time.Parse(layout, text)
	return err == nil
}

// otherCaller reports whether a member is an identity of the kind of caller that did not call:
// where one description serves direct and partner callers, it lists the identities of both.
func (m *Maker) otherCaller(name string) bool {
	if !m.Joined || m.Sent == nil {
		return false
	}
	_, partner := m.Sent.top["sp_mchid"]
	if !partner {
		_, partner = m.Sent.top["sub_mchid"]
	}
	switch name {
	case "mchid", "appid", "openid":
		return partner
	case "sp_mchid", "sp_appid", "sub_mchid", "sub_appid", "sp_openid", "sub_openid":
		return !partner
	}
	return false
}

// Random returns a source that the seed and the parts determine.
func Random(seed uint64, parts ...string) *rand.Rand {
	return rand.New(rand.NewPCG(seed, digest(parts...)))
}

// digest is a number that the texts determine (FNV-1a, with a mark after each).
func digest(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, part := range parts {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	return h
}
