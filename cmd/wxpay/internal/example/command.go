package example

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/ordered"
)

// Command returns the call as a command in a shell: wxpay call, or wxpay upload for a file.
func (c *Call) Command() string {
	var lines []string
	if c.Upload {
		lines = append(lines, "wxpay upload picture.png --to "+ShellWord(c.Operation.Path[1:]))
	} else {
		lines = append(lines, "wxpay call "+c.Operation.Method+" "+ShellWord(c.Operation.Path[1:]))
	}
	for _, m := range c.Path {
		lines = append(lines, "--var "+ShellWord(m.Field.Name+"="+Text(m.Value)))
	}
	for _, m := range c.Query {
		lines = append(lines, "-q "+ShellWord(m.Field.Name+"="+Text(m.Value)))
	}
	for _, m := range c.Header {
		lines = append(lines, "-H "+ShellWord(m.Field.Name+": "+Text(m.Value)))
	}
	for _, m := range c.Meta {
		flag := "-F "
		if _, isText := m.Value.(string); isText {
			flag = "-f "
		}
		lines = append(lines, flag+ShellWord(m.Field.Name+"="+Text(m.Value)))
	}
	if c.Body != nil {
		lines = append(lines, "-d "+ShellWord(strings.TrimSuffix(string(c.JSON()), "\n")))
	}
	return strings.Join(lines, " \\\n  ")
}

// Curl returns the call as a request of curl. The signature is left out: it holds for five minutes and for this request
// alone. It is empty for an upload.
func (c *Call) Curl(host string) string {
	if c.Upload {
		return ""
	}
	scheme := `WECHATPAY2-SHA256-RSA2048 mchid="` + MerchantID + `"`
	if c.Operation.Scheme == "brand" {
		scheme = `WECHATPAY-BRAND-SHA256-RSA2048 brand_id="…"`
	}
	lines := []string{"curl -X " + c.Operation.Method + " " + ShellWord("https://"+host+c.Target())}
	if !c.Operation.Unsigned {
		lines = append(lines, "-H "+ShellWord("Authorization: "+scheme+`,nonce_str="…",timestamp="…",serial_no="…",signature="…"`))
	}
	lines = append(lines, "-H 'Accept: application/json'")
	for _, m := range c.Header {
		lines = append(lines, "-H "+ShellWord(m.Field.Name+": "+Text(m.Value)))
	}
	if c.Body != nil {
		line, err := ordered.Marshal(c.Body)
		if err != nil {
			panic("example: " + err.Error()) // its values are those of this package
		}
		lines = append(lines, "-H 'Content-Type: application/json'", "-d "+ShellWord(string(line)))
	}
	return strings.Join(lines, " \\\n  ")
}

// Target returns path and query, percent-encoded.
func (c *Call) Target() string {
	path := c.Operation.Path
	for _, m := range c.Path {
		path = strings.Replace(path, "{"+m.Field.Name+"}", url.PathEscape(Text(m.Value)), 1)
	}
	var query []string
	for _, m := range c.Query {
		query = append(query, url.QueryEscape(m.Field.Name)+"="+url.QueryEscape(Text(m.Value)))
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return path
}

// JSON returns the body, indented.
func (c *Call) JSON() []byte {
	document, err := ordered.MarshalIndent(c.Body)
	if err != nil {
		panic("example: " + err.Error()) // its values are those of this package
	}
	return document
}

// Text returns a value as a path, a query or a header has it.
func Text(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case []any, Object:
		line, err := ordered.Marshal(value)
		if err != nil {
			panic("example: " + err.Error()) // its values are those of this package
		}
		return string(bytes.TrimSpace(line))
	}
	return fmt.Sprint(value)
}

// ShellWord quotes a text for a POSIX shell if it needs that.
func ShellWord(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-./:=,@%+", r))
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
