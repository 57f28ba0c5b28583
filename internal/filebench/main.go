// Command filebench measures uploads and downloads of large files beside the least that a program written by hand has to
// do: time, and the peak of the process's memory. The test TestFilesInBoundedMemory of the root runs it; by itself it is of
// no use.
//
//	filebench serve DIR            serves files to one merchant, whose keys it leaves in DIR, and prints its address
//	filebench floor|ours KIND DIR ADDRESS
//
// Each run is a process of its own, so that nothing but the run is in its memory, and so is the server.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
)

const (
	mchid  = "1900000109"
	serial = "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B"
	keyID  = "PUB_KEY_ID_0119000001092025010100000000000001"

	billSize   = 1 << 30
	uploadSize = 100 << 20
)

func main() {
	log.SetFlags(0)
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		err = serve(os.Args[2])
	case len(os.Args) == 5:
		err = measure(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	default:
		err = errors.New("usage: filebench serve DIR | filebench floor|ours KIND DIR ADDRESS")
	}
	if err != nil {
		log.Fatal(err)
	}
}

// Result is what a run prints.
type Result struct {
	Seconds float64
	Peak    int64 // bytes; 0 where the system does not tell
	Bytes   int64 // of the file
}

func measure(who, kind, dir, address string) error {
	run, ok := runs[who+" "+kind]
	if !ok {
		return fmt.Errorf("no such run: %s %s", who, kind)
	}
	c, err := connect(dir, address)
	if err != nil {
		return err
	}
	begun := time.Now()
	n, err := run(c)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(Result{time.Since(begun).Seconds(), peak(), n})
}

// peak is the most memory that this process had so far.
func peak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kB, _ := strconv.ParseInt(fields[0], 10, 64)
	return kB << 10
}

// connection is what a run works with.
type connection struct {
	client  *wxpay.Client
	key     *rsa.PrivateKey
	address string
	dir     string
}

func connect(dir, address string) (*connection, error) {
	key, err := wxpay.LoadPrivateKey(filepath.Join(dir, "merchant.pem"))
	if err != nil {
		return nil, err
	}
	platform, err := wxpay.LoadPublicKey(filepath.Join(dir, "platform.pem"))
	if err != nil {
		return nil, err
	}
	client, err := wxpay.New(wxpay.Merchant{ID: mchid, Serial: serial, PrivateKey: key}, wxpay.WithPublicKey(keyID, platform), wxpay.WithBaseURL(address))
	return &connection{client, key.(*rsa.PrivateKey), address, dir}, err
}

var runs = map[string]func(*connection) (int64, error){
	"ours plain":       func(c *connection) (int64, error) { return c.bill("plain", wxpay.ToFile(c.out()).Replace()) },
	"ours gzip":        func(c *connection) (int64, error) { return c.bill("gzip", wxpay.ToFile(c.out()).Replace()) },
	"ours sealed":      func(c *connection) (int64, error) { return c.bill("sealed", wxpay.ToFile(c.out()).Replace()) },
	"ours plain-rows":  func(c *connection) (int64, error) { return c.rows("plain") },
	"ours sealed-rows": func(c *connection) (int64, error) { return c.rows("sealed") },
	"ours upload":      (*connection).upload,
	"floor plain":      func(c *connection) (int64, error) { return c.floorBill("plain") },
	"floor gzip":       func(c *connection) (int64, error) { return c.floorBill("gzip") },
	"floor sealed":     (*connection).floorSealed,
	"floor upload":     (*connection).floorUpload,
	"floor nothing":    func(*connection) (int64, error) { return 0, nil },
}

func (c *connection) out() string { return filepath.Join(c.dir, "out") }

func (c *connection) bill(kind string, w io.Writer) (int64, error) {
	got, err := c.client.Chain("v3/bill/{kind}").Var("kind", kind).BillTo(context.Background(), w)
	if err != nil {
		return 0, err
	}
	return got.Size, nil
}

func (c *connection) rows(kind string) (int64, error) {
	bill, err := c.client.Chain("v3/bill/{kind}").Var("kind", kind).Bill(context.Background())
	if err != nil {
		return 0, err
	}
	defer bill.Close()
	for row, err := range bill.Rows() {
		if err == nil {
			_, err = row.Fen("应结订单金额")
		}
		if err != nil {
			return 0, err
		}
	}
	return bill.Size, nil
}

func (c *connection) upload() (int64, error) {
	_, err := c.client.Chain("v3/upload").Upload(context.Background(), wxpay.FileAt(filepath.Join(c.dir, "upload.bin")))
	return uploadSize, err
}

// get is the least that a signed GET takes.
func (c *connection) get(address string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return c.do(req, nil)
}

func (c *connection) do(req *http.Request, signed []byte) (*http.Response, error) {
	timestamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), rand.Text()
	sum := sha256.Sum256([]byte(req.Method + "\n" + req.URL.RequestURI() + "\n" + timestamp + "\n" + nonce + "\n" + string(signed) + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, c.key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		mchid, nonce, timestamp, serial, base64.StdEncoding.EncodeToString(signature)))
	req.Header.Set("Accept-Encoding", "identity")
	res, err := http.DefaultClient.Do(req)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return res, err
}

type applied struct {
	HashValue   string `json:"hash_value"`
	DownloadURL string `json:"download_url"`
	EncryptKey  string `json:"encrypt_key"`
	Nonce       string `json:"nonce"`
}

func (c *connection) apply(kind string) (*applied, error) {
	res, err := c.get(c.address + "/v3/bill/" + kind)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var a struct {
		applied
		List []applied `json:"download_bill_list"`
	}
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		return nil, err
	}
	if len(a.List) > 0 {
		return &a.List[0], nil
	}
	return &a.applied, nil
}

// floorBill streams a bill into a file and hashes it on the way.
func (c *connection) floorBill(kind string) (int64, error) {
	a, err := c.apply(kind)
	if err != nil {
		return 0, err
	}
	res, err := c.get(a.DownloadURL)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var body io.Reader = res.Body
	if kind == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return 0, err
		}
	}
	file, err := os.CreateTemp(c.dir, "floor")
	if err != nil {
		return 0, err
	}
	sum := sha1.New()
	n, err := io.Copy(io.MultiWriter(file, sum), body)
	if err == nil && hex.EncodeToString(sum.Sum(nil)) != a.HashValue {
		err = errors.New("wrong digest")
	}
	return n, errors.Join(err, file.Close(), os.Rename(file.Name(), c.out()))
}

// floorSealed opens a whole bill in memory with the standard AEAD.
func (c *connection) floorSealed() (int64, error) {
	a, err := c.apply("sealed")
	if err != nil {
		return 0, err
	}
	sealedKey, err := base64.StdEncoding.DecodeString(a.EncryptKey)
	if err != nil {
		return 0, err
	}
	key, err := rsa.DecryptOAEP(sha1.New(), nil, c.key, sealedKey, nil)
	if err != nil {
		return 0, err
	}
	res, err := c.get(a.DownloadURL)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	sealed := make([]byte, res.ContentLength)
	if _, err := io.ReadFull(res.Body, sealed); err != nil {
		return 0, err
	}
	plain, err := apiv3.OpenAESGCM(key, []byte(a.Nonce), nil, sealed)
	if err != nil {
		return 0, err
	}
	if sum := sha1.Sum(plain); hex.EncodeToString(sum[:]) != a.HashValue {
		return 0, errors.New("wrong digest")
	}
	return int64(len(plain)), os.WriteFile(c.out(), plain, 0o600)
}

// floorUpload hashes a file and streams it.
func (c *connection) floorUpload() (int64, error) {
	file, err := os.Open(filepath.Join(c.dir, "upload.bin"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return 0, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	meta := fmt.Sprintf(`{"filename":"upload.bin","sha256":"%x"}`, sum.Sum(nil))
	head := "--b\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n" + meta +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"upload.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n"
	const tail = "\r\n--b--\r\n"
	req, err := http.NewRequest(http.MethodPost, c.address+"/v3/upload", io.MultiReader(strings.NewReader(head), file, strings.NewReader(tail)))
	if err != nil {
		return 0, err
	}
	req.ContentLength = int64(len(head)) + uploadSize + int64(len(tail))
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	res, err := c.do(req, []byte(meta))
	if err != nil {
		return 0, err
	}
	return uploadSize, res.Body.Close()
}

// server hands out one bill in three forms, and takes uploads. It signs its answers and checks nothing, so that it is not
// what is measured.
type server struct {
	platform *rsa.PrivateKey
	applied  map[string]string
	block    []byte // of the plain bill
	zipped   []byte // the same as one member of a gzip file
	blocks   int
	sealed   string // a file
}

func serve(dir string) error {
	merchant, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	s := &server{applied: map[string]string{}, sealed: filepath.Join(dir, "sealed.bin")}
	if s.platform, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(merchant)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(s.platform.Public())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := "http://" + listener.Addr().String()
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "merchant.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
		os.WriteFile(filepath.Join(dir, "platform.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600),
		os.WriteFile(filepath.Join(dir, "upload.bin"), make([]byte, uploadSize), 0o600))
	if err == nil {
		err = s.prepare(address, merchant)
	}
	if err != nil {
		return err
	}
	fmt.Println(address)
	return http.Serve(listener, s)
}

// prepare makes the bills and what an application for them is answered.
func (s *server) prepare(address string, merchant *rsa.PrivateKey) error {
	s.block = rows(1 << 20)
	s.blocks = billSize / len(s.block)
	var zip bytes.Buffer
	z := gzip.NewWriter(&zip)
	if _, err := z.Write(s.block); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	s.zipped = zip.Bytes()
	sum := sha1.New()
	if _, err := io.Copy(sum, s.plain()); err != nil {
		return err
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	for _, kind := range []string{"plain", "gzip"} {
		s.applied[kind] = fmt.Sprintf(`{"hash_type":"SHA1","hash_value":"%s","download_url":"%s/v3/billdownload/file?token=%s"}`, digest, address, kind)
	}
	key, nonce := make([]byte, apiv3.KeySize), rand.Text()[:16]
	_, _ = rand.Read(key)
	sealed, err := apiv3.SealAESGCMStream(key, []byte(nonce), nil, s.plain())
	if err != nil {
		return err
	}
	file, err := os.Create(s.sealed)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, sealed)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	sealedKey, err := apiv3.RSA().Encrypt(merchant.Public(), key)
	if err != nil {
		return err
	}
	s.applied["sealed"] = fmt.Sprintf(`{"download_bill_count":1,"download_bill_list":[{"bill_sequence":1,"hash_type":"SHA1","hash_value":"%s",`+
		`"download_url":"%s/v3/bill/downloadurl?token=sealed","encrypt_key":"%s","nonce":"%s"}]}`, digest, address, base64.StdEncoding.EncodeToString(sealedKey), nonce)
	return nil
}

// plain reads the plain bill.
func (s *server) plain() io.Reader {
	blocks := make([]io.Reader, s.blocks)
	for i := range blocks {
		blocks[i] = bytes.NewReader(s.block)
	}
	return io.MultiReader(blocks...)
}

// rows returns a piece of a bill of exactly size bytes, which begins with the names of its columns.
func rows(size int) []byte {
	b := bytes.NewBufferString("交易时间,微信订单号,商户订单号,应结订单金额,商品名称\r\n")
	for i := 0; b.Len() < size-200; i++ {
		sum := sha1.Sum([]byte(strconv.Itoa(i))) // so that it compresses no better than a real one
		fmt.Fprintf(b, "`2026-11-22 %02d:%02d:%02d,`42000012342026112%x,`T%x,`%d.%02d,`商品 %d\r\n", i/3600%24, i/60%60, i%60, sum[:7], sum[7:15], i%900, i%100, i)
	}
	line := "`2026-11-22 23:59:59,`1,`1,`1.00,`"
	b.WriteString(line + strings.Repeat("x", size-b.Len()-len(line)-2) + "\r\n")
	return b.Bytes()
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if kind, ok := strings.CutPrefix(r.URL.Path, "/v3/bill/"); ok && s.applied[kind] != "" {
		s.answer(w, s.applied[kind])
		return
	}
	switch block := s.block; r.URL.Query().Get("token") {
	case "sealed":
		file, err := os.Open(s.sealed)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer file.Close()
		w.Header().Set("Content-Length", strconv.Itoa(billSize+16))
		_, _ = io.Copy(w, file)
	case "gzip":
		block = s.zipped
		fallthrough
	case "plain":
		w.Header().Set("Content-Length", strconv.Itoa(s.blocks*len(block)))
		for range s.blocks {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	default:
		_, _ = io.Copy(io.Discard, r.Body)
		s.answer(w, `{"media_id":"x"}`)
	}
}

// answer signs.
func (s *server) answer(w http.ResponseWriter, text string) {
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	signature, err := apiv3.RSA().Sign(s.platform, apiv3.AppendResponseMessage(nil, timestamp, "nonce", []byte(text)))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set(apiv3.HeaderTimestamp, timestamp)
	w.Header().Set(apiv3.HeaderNonce, "nonce")
	w.Header().Set(apiv3.HeaderSerial, keyID)
	w.Header().Set(apiv3.HeaderSignature, base64.StdEncoding.EncodeToString(signature))
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, text)
}
