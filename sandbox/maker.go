package sandbox

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
)

// maker makes values of documented members. What it makes depends on its fields only, so that the same ones make the
// same values.
type maker struct {
	now    time.Time
	mchid  string
	random *rand.Rand
	whole  bool // members that tell of a failure are made too, although nothing failed

	// Of answers; the zero values repeat nothing and encrypt nothing.
	sent   *sent
	joined bool          // see fact.Operation.Joined
	link   func() string // makes the address of a file whose SHA-1 is hash
	hash   string
	seal   func(string) string // encrypts to the caller
}

// object makes an object of the members. scope is the object of the request that stands in its place, if there is one.
func (m *maker) object(fields []fact.Field, scope map[string]any) map[string]any {
	object := make(map[string]any, len(fields))
	for i := range fields {
		field := &fields[i]
		if name, value, ok := m.repeat(field, scope); ok {
			object[name] = value
		} else if m.whole || field.Required || !tellsTrouble(field.Name) && !m.otherCaller(field.Name) {
			object[field.Name] = m.value(field, nil)
		}
	}
	return object
}

// value makes a value of the field. scope is the request's value of that name, if it is an object or a list of objects.
func (m *maker) value(field *fact.Field, scope any) any {
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

func (m *maker) one(field *fact.Field, scope map[string]any) any {
	kind := field.Type.Element()
	if kind == fact.Object {
		return m.object(field.Fields, scope)
	}
	if len(field.Enum) > 0 && constantOf(kind, field.Enum[0]) {
		return outcome(field.Enum)
	}
	switch kind {
	case fact.Integer, fact.Number:
		return m.integer(field.Name)
	case fact.Boolean:
		return true
	}
	text := m.text(field)
	if field.Cipher == fact.RSA && m.seal != nil {
		return m.seal(text)
	}
	return text
}

// constantOf reports whether a constant can be a value of the type; some that are documented cannot.
func constantOf(kind fact.Type, constant any) bool {
	_, isText := constant.(string)
	return isText == (kind == fact.String)
}

// outcomes are the words in constants that say that something went well and is done, the best first.
var outcomes = []string{
	"SUCCESS", "SUCCEED", "SUCCEEDED", "SUCC", "FINISHED", "FINISH", "COMPLETED", "COMPLETE", "DONE", "PASSED", "PASS", "APPROVED", "AGREE",
	"EFFECTIVE", "SIGNED", "AUTHORIZED", "CONTRACTED", "PROCESSED", "PAID", "CHARGED", "RUNNING", "ACTIVE", "OPEN", "NORMAL", "AVAILABLE", "CONFIRMED",
}

// outcome picks a constant: one that tells of success if there is any, else the first that tells of anything.
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

// tellsTrouble reports whether a member of that name is there only if something was refused or undone.
func tellsTrouble(name string) bool {
	return slices.ContainsFunc([]string{
		"fail", "reject", "error", "abnormal", "cancel", "close", "revoke", "delete", "deactivate", "terminat", "invalid", "block", "recover",
	}, func(word string) bool { return strings.Contains(name, word) })
}

// integer makes a whole number.
func (m *maker) integer(name string) any {
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
	}
	return 100
}

// text makes the text of a string member, by its format and name.
func (m *maker) text(field *fact.Field) string {
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
		return string(marshal(m.object(field.Fields, nil)))
	case field.Format == "date", ends("_date"):
		return m.when(name).In(beijing).Format(time.DateOnly)
	case field.Format == "rfc3339", strings.HasSuffix(name, "time"):
		return platformTime(m.when(name))
	case field.Format == "media", ends("media_id"):
		return m.letters(86)
	case ends("download_url") && m.link != nil:
		return m.link()
	case name == "code_url":
		return "weixin://wxpay/bizpayurl?pr=" + m.letters(9) + "zz"
	case field.Format == "url", ends("_url"):
		return "https://merchant.example/" + name
	case strings.HasSuffix(name, "openid"):
		return anyPayer
	case strings.HasSuffix(name, "appid"):
		return sampleAppID
	case name == "sub_mchid":
		return "1900000110"
	case strings.HasSuffix(name, "mchid"), name == "mch_id":
		return m.mchid
	case name == "brand_id":
		return brandID
	case has("currency"):
		return "CNY"
	case name == "transaction_id":
		return m.dated("4200001234", 28)
	case name == "refund_id":
		return m.dated("50300000", 29)
	case name == "transfer_bill_no":
		return m.dated("13300", 40)
	case name == "prepay_id":
		return "wx" + m.now.In(beijing).Format("20060102150405") + strings.ToLower(m.letters(20))
	case name == "card_id":
		return "pb" + m.letters(26)
	case strings.HasSuffix(name, "unionid"):
		return "oU" + m.letters(26)
	case ends("hash_value") && m.link != nil:
		return m.hash
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
	default:
		return "sample " + name
	}
}

// isIdentifier reports whether a member of that name names one thing, so that its value means the same thing wherever
// it stands.
func isIdentifier(name string) bool {
	return name == "id" || slices.ContainsFunc([]string{"_no", "_id", "mchid", "appid", "openid", "_code", "_number"}, func(end string) bool {
		return strings.HasSuffix(name, end)
	})
}

// when is a time that fits the name: what ends is to come, what has happened is past.
func (m *maker) when(name string) time.Time {
	for _, word := range []string{"end", "expire", "deadline", "valid", "until"} {
		if strings.Contains(name, word) && !strings.Contains(name, "begin") && !strings.Contains(name, "start") {
			return m.now.AddDate(0, 0, 30)
		}
	}
	return m.now
}

// dated makes a number of the platform's own: prefix, day and digits, size characters in all.
func (m *maker) dated(prefix string, size int) string {
	return m.digits(prefix+m.now.In(beijing).Format("20060102"), size)
}

func (m *maker) digits(prefix string, size int) string { return m.draw(prefix, size, "0123456789") }

func (m *maker) letters(size int) string { return m.draw("", size, alphanumeric) }

// draw makes a text of size characters that begins with prefix.
func (m *maker) draw(prefix string, size int, of string) string {
	b := []byte(prefix)
	for len(b) < size {
		b = append(b, of[m.random.IntN(len(of))])
	}
	return string(b)
}

// newRandom returns a source that the seed and the parts determine.
func newRandom(seed uint64, parts ...string) *rand.Rand {
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
