package clinic

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
)

// mistake is something that clients do wrong, and what to do about it.
type mistake struct{ cause, remedy string }

// draft is what a message is made of.
type draft struct {
	method, target, timestamp, nonce, body string
	write                                  func(draft) string // nil for the way of the platform
}

func (d draft) message() string { return string(d.appendTo(nil)) }

func (d draft) appendTo(dst []byte) []byte {
	if d.write != nil {
		return append(dst, d.write(d)...)
	}
	dst = apiv3.AppendLines(dst, d.method, d.target, d.timestamp, d.nonce)
	dst = append(dst, d.body...)
	return append(dst, '\n')
}

// same reports whether two drafts in the way of the platform have the same lines.
func (d draft) same(e draft) bool {
	return d.write == nil && e.write == nil &&
		d.method == e.method && d.target == e.target && d.timestamp == e.timestamp && d.nonce == e.nonce && d.body == e.body
}

// part is what of a draft a mistake concerns. Two mistakes in different parts can have been made
// together.
type part int

const (
	partMethod part = iota
	partTarget
	partTime
	partBody
	partFrame
)

// variant is a draft with one mistake in it.
type variant struct {
	mistake
	part  part
	alone bool // too many of its kind to be combined with others
	apply func(*draft)
}

// suspect is a request whose signature does not fit, with what mistakes are guessed from.
type suspect struct {
	draft             // as the platform built it
	host     string   // as the client named it
	mchid    string   // of the caller
	template string   // path template of the operation
	whole    string   // the body as it arrived, when only a part of it is signed
	opened   string   // the body with its encrypted fields in plain; empty if it has none
	earlier  []draft  // of the requests before, the newest last
	ids      []string // their ids in the journal
}

// Bounds of what is tried, since every try hashes the message. They are the size up to which two
// mistakes are combined, or such that there are many of, and the size up to which a message is
// tried at all, but for the platform's own.
const (
	maxCombined = 16 << 10
	maxTried    = 1 << 20
)

// diagnose finds what the client signed. covers tells whether a message is the one.
func (s *suspect) diagnose(covers func([]byte) bool) (signed string, made []mistake, found bool) {
	if message := s.message(); covers([]byte(message)) {
		return message, nil, true
	}
	var buffer []byte
	try := func(d draft) bool {
		if len(d.body) > maxTried {
			return false
		}
		buffer = d.appendTo(buffer[:0])
		return covers(buffer)
	}
	small := len(s.body) <= maxCombined
	variants := s.variants()
	for _, v := range variants {
		d := s.draft
		if v.apply(&d); (small || !v.alone) && try(d) {
			return string(buffer), []mistake{v.mistake}, true
		}
	}
	for i, d := range slices.Backward(s.earlier) {
		if try(d) {
			return string(buffer), []mistake{{"the signature is that of an earlier request, " + s.ids[i],
				"Make timestamp, nonce and signature new for every request, also when one is repeated, and share no signer state between goroutines or threads."}}, true
		}
	}
	for i, v := range variants {
		if v.alone || !small {
			continue
		}
		for _, w := range variants[i+1:] {
			if v.part == w.part || w.alone {
				continue
			}
			d := s.draft
			v.apply(&d)
			if w.apply(&d); try(d) {
				return string(buffer), []mistake{v.mistake, w.mistake}, true
			}
		}
	}
	return "", nil, false
}

// variants are the drafts with one mistake each, the likeliest first within a part.
func (s *suspect) variants() []variant {
	list := slices.Concat(s.targetVariants(), s.bodyVariants(), frameVariants(), s.methodVariants(), s.timeVariants())
	return slices.DeleteFunc(list, func(v variant) bool { // what changes nothing explains nothing
		d := s.draft
		v.apply(&d)
		return d.same(s.draft)
	})
}

const (
	remedyTarget = "Sign the request target byte for byte as it is sent: path and query as on the request line, escaped once, without scheme and host."
	remedyBody   = "Marshal the body once, sign those bytes, and send the same bytes."
	remedyFrame  = "Join the five lines with LF and end each with LF, also the last one, also when the body is empty; hand that text, not its digest, to SHA256withRSA."
	remedyTime   = "Take timestamp and nonce once per request, and use the same two texts in the message and in the header."
)

func (s *suspect) targetVariants() []variant {
	var list []variant
	add := func(cause, target string) {
		list = append(list, variant{mistake: mistake{cause, remedyTarget}, part: partTarget, apply: func(d *draft) { d.target = target }})
	}
	path, query, asked := strings.Cut(s.target, "?")
	withQuery := func(path string) string {
		if asked {
			return path + "?" + query
		}
		return path
	}
	if asked {
		if query == "" {
			add("the ? without parameters was not signed (what the platform does then is not known; --relax bare-query accepts it)", path)
		}
		add("the query was left out of the signed target", path)
		for _, order := range orders(strings.Split(query, "&")) {
			add("the query parameters were signed in another order than they were sent", path+"?"+strings.Join(order, "&"))
		}
		if decoded, err := url.QueryUnescape(query); err == nil {
			add("the query was signed decoded and sent percent-encoded", path+"?"+decoded)
		}
		if decoded, err := url.PathUnescape(query); err == nil {
			add("the query was signed decoded and sent percent-encoded", path+"?"+decoded)
		}
		add("a blank in the query was signed as + and sent as %20", path+"?"+strings.ReplaceAll(query, "%20", "+"))
		add("a blank in the query was signed as %20 and sent as +", path+"?"+strings.ReplaceAll(query, "+", "%20"))
		if values, err := url.ParseQuery(query); err == nil {
			encoded := values.Encode()
			add("the query was signed sorted and encoded again", path+"?"+encoded)
			add("the query was signed sorted and encoded again", path+"?"+strings.ReplaceAll(encoded, "+", "%20"))
		}
		pairs := strings.Split(query, "&")
		for i, pair := range pairs {
			name, _, _ := strings.Cut(pair, "=")
			rest := slices.Delete(slices.Clone(pairs), i, i+1)
			target := path
			if len(rest) > 0 {
				target += "?" + strings.Join(rest, "&")
			}
			add(fmt.Sprintf("the query parameter %s was added after signing", name), target)
		}
	} else {
		add("the query mchid was signed and not sent", path+"?mchid="+s.mchid)
		add("a ? without parameters was signed behind the path", path+"?")
	}
	add("a & or ? at the end of the query was signed", s.target+"&")
	add("percent-encoding was signed in lower-case digits and sent in upper-case ones", lowerEscapes(s.target))
	if decoded, err := url.PathUnescape(path); err == nil {
		add("the path was signed decoded and sent percent-encoded", withQuery(decoded))
		add("the path was signed encoded once and sent encoded twice", withQuery((&url.URL{Path: decoded}).EscapedPath()))
		if asked {
			if plain, err := url.QueryUnescape(query); err == nil {
				add("path and query were signed decoded and sent percent-encoded", decoded+"?"+plain)
			}
		}
	}
	add("the path was signed percent-encoded and sent as it is", withQuery((&url.URL{Path: path}).EscapedPath()))
	if s.template != "" {
		add("the path template was signed, with its placeholders instead of their values", withQuery(s.template))
	}
	add("a slash at the end of the path was not signed", withQuery(strings.TrimSuffix(path, "/")))
	add("a slash was signed at the end of the path", withQuery(path+"/"))
	add("the slash at the beginning of the path was not signed", strings.TrimPrefix(s.target, "/"))
	for _, host := range []string{s.host, "api.mch.weixin.qq.com", "api2.wechatpay.cn"} {
		add("scheme and host were signed with the target", "https://"+host+s.target)
		add("scheme and host were signed with the target", "http://"+host+s.target)
		add("the host was signed with the target", host+s.target)
	}
	if _, rest, ok := strings.Cut(strings.TrimPrefix(s.target, "/"), "/"); ok {
		add("the first segment of the path was not signed, as when a base URL has a path", "/"+rest)
	}
	add("the target was signed in lower case", strings.ToLower(s.target))
	return list
}

// orders are the orders of up to five things, sorted up and down first. More are only sorted and
// turned round.
func orders(things []string) [][]string {
	sorted := slices.Sorted(slices.Values(things))
	down, back := slices.Clone(sorted), slices.Clone(things)
	slices.Reverse(down)
	slices.Reverse(back)
	list := [][]string{sorted, down, back}
	if len(things) <= 5 {
		list = append(list, permutations(things)...)
	}
	return list
}

func permutations(things []string) [][]string {
	if len(things) < 2 {
		return [][]string{things}
	}
	var list [][]string
	for i, first := range things {
		rest := slices.Delete(slices.Clone(things), i, i+1)
		for _, order := range permutations(rest) {
			list = append(list, append([]string{first}, order...))
		}
	}
	return list
}

// lowerEscapes writes the digits of percent-encoding in lower case.
func lowerEscapes(text string) string {
	b := []byte(text)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

func (s *suspect) bodyVariants() []variant {
	var list []variant
	add := func(cause, body string) {
		list = append(list, variant{mistake: mistake{cause, remedyBody}, part: partBody, apply: func(d *draft) { d.body = body }})
	}
	if s.whole != "" {
		add("the whole multipart body was signed; an upload is signed over the JSON of its part meta alone", s.whole)
	}
	add("the body was left out of the message", "")
	if s.opened != "" {
		add("sensitive fields were encrypted after the body was signed", s.opened)
	}
	if len(s.body) > maxTried {
		return list
	}
	for _, spelling := range spellings(s.body) {
		add("the body was encoded again after signing: it was signed "+spelling.how, spelling.text)
	}
	add("a line feed at the end of the body was signed and not sent", s.body+"\n")
	add("white space around the body was sent and not signed", strings.TrimSpace(s.body))
	add("the line ends of the body were signed as CRLF and sent as LF", strings.ReplaceAll(s.body, "\n", "\r\n"))
	add("the line ends of the body were signed as LF and sent as CRLF", strings.ReplaceAll(s.body, "\r\n", "\n"))
	add("a byte order mark was sent and not signed", strings.TrimPrefix(s.body, "\ufeff"))
	add("a byte order mark was signed and not sent", "\ufeff"+s.body)
	add("characters outside of ASCII were signed as ?", mapWide(s.body, func(rune) string { return "?" }))
	add("characters outside of ASCII were signed as UTF-8 that was taken for Latin-1", latin(s.body))
	if form, ok := formOf(s.body); ok {
		add("the body was signed as a form and sent as JSON", form)
	}
	if _, query, ok := strings.Cut(s.target, "?"); ok {
		add("the query was signed as the body", query)
	}
	if s.body == "" {
		add("a body {} was signed and none was sent", "{}")
		add("a body null was signed and none was sent", "null")
	}
	sum := sha256.Sum256([]byte(s.body))
	add("the digest of the body was signed in the body's place", hex.EncodeToString(sum[:]))
	return list
}

// mapWide replaces every character outside of ASCII.
func mapWide(text string, by func(rune) string) string {
	var out strings.Builder
	for _, r := range text {
		if r < 0x80 {
			out.WriteRune(r)
		} else {
			out.WriteString(by(r))
		}
	}
	return out.String()
}

// latin takes every byte for a character.
func latin(text string) string {
	var out strings.Builder
	for i := range len(text) {
		out.WriteRune(rune(text[i]))
	}
	return out.String()
}

func frameVariants() []variant {
	var list []variant
	add := func(cause string, alone bool, write func(draft) string) {
		list = append(list, variant{mistake: mistake{cause, remedyFrame}, part: partFrame, alone: alone, apply: func(d *draft) { d.write = write }})
	}
	plain := func(d draft) string { d.write = nil; return d.message() }
	joined := func(separator, end string) func(draft) string {
		return func(d draft) string {
			return strings.Join([]string{d.method, d.target, d.timestamp, d.nonce, d.body}, separator) + end
		}
	}
	add("the line feed after the last line is missing", false, joined("\n", ""))
	add("the empty line of the body is missing; a request without a body has it all the same", false, func(d draft) string {
		return string(apiv3.AppendLines(nil, d.method, d.target, d.timestamp, d.nonce))
	})
	add("the lines end in CRLF instead of LF", false, joined("\r\n", "\r\n"))
	add("there is a second line feed at the end", false, joined("\n", "\n\n"))
	add("the lines are joined without line feeds", false, joined("", ""))
	add(`the lines are joined by the two characters \n instead of a line feed`, false, joined(`\n`, `\n`))
	add(`the lines are joined by the two characters \n instead of a line feed, and the last has none`, false, joined(`\n`, ""))
	add("the lines end in CRLF instead of LF, and the last has none", false, joined("\r\n", ""))
	add("the digest of the message was signed as if it were the message, so it was hashed twice", false, func(d draft) string {
		sum := sha256.Sum256([]byte(plain(d)))
		return string(sum[:])
	})
	add("the digest of the message in hexadecimal digits was signed instead of the message", false, func(d draft) string {
		sum := sha256.Sum256([]byte(plain(d)))
		return hex.EncodeToString(sum[:])
	})
	add("the digest of the message in hexadecimal digits was signed instead of the message", false, func(d draft) string {
		sum := sha256.Sum256([]byte(plain(d)))
		return strings.ToUpper(hex.EncodeToString(sum[:]))
	})
	add("the digest of the message in base64 was signed instead of the message", false, func(d draft) string {
		sum := sha256.Sum256([]byte(plain(d)))
		return base64.StdEncoding.EncodeToString(sum[:])
	})
	add("the message was signed in base64", false, func(d draft) string { return base64.StdEncoding.EncodeToString([]byte(plain(d))) })
	add("the message of an answer (timestamp, nonce, body) was signed; a request's has the method and the target before them", false, func(d draft) string {
		return string(apiv3.AppendResponseMessage(nil, d.timestamp, d.nonce, []byte(d.body)))
	})
	add("the body alone was signed", false, func(d draft) string { return d.body })
	for _, order := range permutations([]string{"0", "1", "2", "3", "4"}) {
		add("the five lines stand in another order: it is method, target, timestamp, nonce, body", true, func(d draft) string {
			lines := []string{d.method, d.target, d.timestamp, d.nonce, d.body}
			var message strings.Builder
			for _, i := range order {
				message.WriteString(lines[i[0]-'0'] + "\n")
			}
			return message.String()
		})
	}
	return list
}

func (s *suspect) methodVariants() []variant {
	var list []variant
	for _, method := range []string{strings.ToLower(s.method), "GET", "POST", "PUT", "PATCH", "DELETE", ""} {
		cause := fmt.Sprintf("the method was signed as %q and the request sent with %s", method, s.method)
		list = append(list, variant{
			mistake: mistake{cause, "Sign the method in upper-case letters, the one that is sent."},
			part:    partMethod, apply: func(d *draft) { d.method = method },
		})
	}
	return list
}

// offByMost is how many seconds between the timestamp that was signed and the one in the header are
// tried.
const offByMost = 300

func (s *suspect) timeVariants() []variant {
	var list []variant
	add := func(cause string, alone bool, apply func(*draft)) {
		list = append(list, variant{mistake: mistake{cause, remedyTime}, part: partTime, alone: alone, apply: apply})
	}
	add("the nonce was signed in lower case", false, func(d *draft) { d.nonce = strings.ToLower(d.nonce) })
	add("the nonce was signed in upper case", false, func(d *draft) { d.nonce = strings.ToUpper(d.nonce) })
	add("the nonce was left out of the message", false, func(d *draft) { d.nonce = "" })
	add("the timestamp was left out of the message", false, func(d *draft) { d.timestamp = "" })
	add("the timestamp was signed in milliseconds", false, func(d *draft) { d.timestamp += "000" })
	add("the timestamp was signed in quotes", false, func(d *draft) { d.timestamp = strconv.Quote(d.timestamp) })
	for i, earlier := range slices.Backward(s.earlier) {
		add("the nonce was signed that request "+s.ids[i]+" had", true, func(d *draft) { d.nonce = earlier.nonce })
		add("timestamp and nonce were signed that request "+s.ids[i]+" had", true, func(d *draft) { d.timestamp, d.nonce = earlier.timestamp, earlier.nonce })
	}
	seconds, err := strconv.ParseInt(s.timestamp, 10, 64)
	if err != nil {
		return list
	}
	for off := int64(1); off <= offByMost; off++ {
		for _, signed := range []int64{seconds - off, seconds + off} {
			cause := fmt.Sprintf("the timestamp was taken twice: signed was one %+d s from the one in the header", signed-seconds)
			add(cause, true, func(d *draft) { d.timestamp = strconv.FormatInt(signed, 10) })
		}
	}
	return list
}
