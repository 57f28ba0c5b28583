package sandbox

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/fact"
)

// linkLife is how long a download_url lives. Current pages say 5 minutes, others that are still online 30 seconds.
const linkLife = 30 * time.Second

// maxLinks bounds how many links live at a time, for a clock that stands still. The oldest give way.
const maxLinks = 10_000

// stream is the answer of a download.
type stream struct {
	content  string // Content-Type
	encoding string // Content-Encoding; empty for none
	body     io.Reader
	size     int64 // -1 where it is not known before the body is made
	// sha1 is that of an overseas statement, in lower-case hex: it goes into a header and is signed there. The others are
	// not signed.
	sha1 string
}

// sendFile writes the headers of a file and the file.
func (c *call) sendFile(w http.ResponseWriter, id string, file *stream) {
	header := w.Header()
	header["Content-Type"] = []string{file.content}
	if file.encoding != "" {
		header["Content-Encoding"] = []string{file.encoding}
	}
	if file.sha1 != "" {
		sum := c.fault.Kind.digest(file.sha1)
		header["Wechatpay-Statement-Sha1"] = []string{sum}
		c.sign(header, []byte(`{"sha1":"`+sum+`"}`))
		c.fault.Kind.spoil(header)
	}
	c.record(id, http.StatusOK, header, nil, "")
	c.send(w, http.StatusOK, file.body, file.size)
}

// digest is the hex digest as the kind tells it.
func (k FaultKind) digest(sum string) string {
	if k != WrongDigest || sum == "" {
		return sum
	}
	first := "0"
	if sum[0] == '0' {
		first = "f"
	}
	return first + sum[1:]
}

// files are what can be downloaded. They are kept in memory, and belong to no snapshot: a link lives for seconds.
type files struct {
	mu      sync.Mutex
	links   map[string]*link // by token
	order   []string         // tokens, the oldest first
	digests map[string]*digests
	images  images
}

// link is where a download_url leads.
type link struct {
	path     string
	merchant string // who may follow it
	made     time.Time
	open     func() *stream
}

// downloadURL makes a link to a file and returns its address, on the host that was asked. query follows the token.
func (c *call) downloadURL(path, query string, open func() *stream) string {
	token := base64.RawURLEncoding.EncodeToString([]byte(rand.Text() + rand.Text()))
	f := &c.files
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.order) > 0 && (len(f.order) >= maxLinks || !f.links[f.order[0]].alive(c.now)) {
		delete(f.links, f.order[0])
		f.order = f.order[1:]
	}
	if f.links == nil {
		f.links = make(map[string]*link)
	}
	f.links[token] = &link{path: path, merchant: c.merchant.ID, made: c.now, open: open}
	f.order = append(f.order, token)
	if query != "" {
		query = "&" + query
	}
	return c.base() + path + "?token=" + token + query
}

func (l *link) alive(now time.Time) bool { return now.Sub(l.made) <= linkLife }

// downloadOperations are the addresses that links lead to. The catalogue has some of them.
func downloadOperations() []operation {
	var list []operation
	for _, path := range []string{"/v3/billdownload/file", "/v3/transferdownload/signfile", "/v3/transferdownload/elecvoucherfile", "/invoicing/fapiao/fapiao-file"} {
		list = append(list, operation{Operation: documented("GET", path), do: (*call).download})
	}
	for _, path := range []string{encryptedBills, payScoreBills, fapiaoFiles} {
		list = append(list, operation{Operation: &fact.Operation{
			Method: "GET", Path: path, Name: "下载文件", Status: fact.Linked, Unsigned: path == fapiaoFiles,
			In:       fact.Request{Query: []fact.Field{{Name: "token", Type: fact.String, Required: true}}},
			Response: fact.StreamResponse, Success: http.StatusOK, Content: "data", Signature: fact.NoSignature,
		}, do: (*call).download})
	}
	return append(list,
		operation{Operation: documented("GET", "/v3/new-tax-control-fapiao/fapiao-applications/{fapiao_apply_id}/fapiao-files"), do: (*call).listFapiaoFiles},
		operation{Operation: documented("GET", "/v3/merchant-service/images/{media_id}"), do: (*call).showImage},
		operation{Operation: documented("GET", "/v3/global/merchant-service/images/{media_id}"), do: (*call).showImage},
	)
}

// Paths of links that the catalogue does not list.
const (
	encryptedBills = "/v3/bill/downloadurl"
	payScoreBills  = "/v3/payscore/bill/downloadurl"
	fapiaoFiles    = "/v3/new-tax-control-fapiao/download"
)

func (c *call) download() (any, *refusal) {
	c.files.mu.Lock()
	found := c.files.links[c.query.Get("token")]
	c.files.mu.Unlock()
	switch {
	case found == nil, found.path != c.operation.Path:
		return nil, invalidRequest(text{"下载链接无效", "the download link is not valid"}, "no link of this path has this token, or it has gone: apply for the file again")
	case !found.alive(c.now):
		return nil, invalidRequest(text{"下载链接已过期", "the download link has expired"}, "the link is older than "+linkLife.String()+": apply for the file again")
	case c.verified && found.merchant != c.merchant.ID:
		return nil, noAuth(text{"账单属于其他商户", "the file belongs to another merchant"}, "the link was given to "+found.merchant)
	}
	return found.open(), nil
}

func noAuth(message text, reason string) *refusal {
	return &refusal{status: http.StatusForbidden, code: "NO_AUTH", message: message, number: numberUndocumented, reason: reason}
}

// zip compresses what it reads.
type zip struct {
	from  io.Reader
	to    *gzip.Writer
	out   bytes.Buffer
	piece []byte
	ended error
}

func newZip(from io.Reader) *zip {
	z := &zip{from: from, piece: make([]byte, 64<<10)}
	z.to, _ = gzip.NewWriterLevel(&z.out, gzip.BestSpeed)
	return z
}

func (z *zip) Read(p []byte) (int, error) {
	for z.out.Len() == 0 {
		if z.ended != nil {
			return 0, z.ended
		}
		n, err := z.from.Read(z.piece)
		z.to.Write(z.piece[:n])
		if err != nil {
			z.to.Close()
			z.ended = err
		}
	}
	return z.out.Read(p)
}

// fileOf is a small file of a kind.
func fileOf(content string, body []byte) *stream {
	return &stream{content: content, body: bytes.NewReader(body), size: int64(len(body))}
}

// pdf writes one of one page with lines of ASCII on it.
func pdf(lines ...string) []byte {
	var text bytes.Buffer
	text.WriteString("BT /F1 12 Tf 50 780 Td 16 TL\n")
	for _, line := range lines {
		text.WriteString("(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(line) + ") Tj T*\n")
	}
	text.WriteString("ET\n")
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.4\n")
	for i, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		"<< /Length " + decimal(int64(text.Len())) + " >>\nstream\n" + text.String() + "endstream",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	} {
		at = append(at, b.Len())
		b.WriteString(decimal(int64(i+1)) + " 0 obj\n" + object + "\nendobj\n")
	}
	start := b.Len()
	b.WriteString("xref\n0 " + decimal(int64(len(at)+1)) + "\n0000000000 65535 f \n")
	for _, offset := range at {
		digits := decimal(int64(offset))
		b.WriteString(strings.Repeat("0", 10-len(digits)) + digits + " 00000 n \n")
	}
	b.WriteString("trailer\n<< /Size " + decimal(int64(len(at)+1)) + " /Root 1 0 R >>\nstartxref\n" + decimal(int64(start)) + "\n%%EOF\n")
	return b.Bytes()
}

// listFapiaoFiles tells where the file of an invoice is. The sandbox keeps no invoices: every application has one.
func (c *call) listFapiaoFiles() (any, *refusal) {
	id := c.query.Get("fapiao_id")
	content := pdf("Invoice "+id, "of application "+c.path["fapiao_apply_id"], "made by a sandbox: no invoice at all")
	return map[string]any{"fapiao_download_info_list": []any{map[string]any{
		"fapiao_id": id, "status": "ISSUED",
		"download_url": c.downloadURL(fapiaoFiles, "", func() *stream { return fileOf("application/pdf", content) }),
	}}}, nil
}
