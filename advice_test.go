// It reads every module of the repository, and go.mod of contrib/fleet names this Go.

//go:build go1.26

package wxpay_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"go/ast"
	"go/token"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
)

// advice is a command of OpenSSL in a text.
var advice = regexp.MustCompile(`openssl [a-z0-9]+(?: (?:-[a-z0-9]+|FILE|[a-z_]+\.(?:pem|p12)|aes256|hex|[0-9]+))+`)

// A text that tells somebody to run a command of OpenSSL names one that works: each is run, with every kind of file that it is
// for, and its result is read.
func TestAdviceWorks(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("there is no openssl here: the commands of the error texts are not tried")
	}
	commands := map[string]string{} // command, and where it stands
	repository := readSources(t)
	for _, p := range repository.packages {
		for _, file := range p.files {
			ast.Inspect(file, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					text, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					for _, command := range advice.FindAllString(text, -1) {
						commands[command] = repository.positions.Position(n.Pos()).String()
					}
				}
				return true
			})
		}
	}
	require.GreaterOrEqual(t, len(commands), 5, "too few commands were found: %v", slices.Collect(maps.Keys(commands)))
	key := testKeys().merchant
	serial := strings.Repeat("0A", 20)
	number, _ := new(big.Int).SetString(serial, 16)
	template := &x509.Certificate{SerialNumber: number, Subject: pkix.Name{CommonName: testMerchant}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for command, where := range commands {
		for _, encrypt := range []string{"pkcs8 -topk8 -v2 aes256", "pkcs8 -topk8 -v1 PBE-SHA1-3DES", "rsa -aes256 -traditional"} {
			t.Run(command+" of "+encrypt, func(t *testing.T) {
				dir := t.TempDir()
				run := func(command string, passwords ...string) string {
					t.Helper()
					words := append(strings.Fields(command), passwords...)
					program := exec.Command(words[0], words[1:]...)
					program.Dir = dir
					out, err := program.CombinedOutput()
					require.NoError(t, err, "%s: %s: %s", where, command, out)
					return string(out)
				}
				write := func(name, kind string, der []byte) {
					t.Helper()
					text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
					require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
				}
				write("plain.pem", "PRIVATE KEY", pkcs8)
				write("apiclient_cert.pem", "CERTIFICATE", certificate)
				name := "apiclient_key.pem"
				if strings.Contains(command, "FILE") {
					name = "FILE"
				}
				run("openssl "+encrypt+" -in plain.pem -out "+name, "-passout", "pass:secret")
				if name == "FILE" { // what it says now
					_, err := wxpay.LoadPrivateKey(filepath.Join(dir, name))
					require.ErrorContains(t, err, "this private key is encrypted")
				}
				passwords := []string{"-passin", "pass:secret"}
				if strings.Contains(command, "-topk8") || strings.Contains(command, "-export") {
					passwords = append(passwords, "-passout", "pass:secret")
				}
				if strings.Contains(command, " x509 ") || strings.Contains(command, " rand ") {
					passwords = nil
				}
				said := run(command, passwords...)
				switch {
				case strings.Contains(command, "-serial"):
					assert.Equal(t, "serial="+serial, strings.TrimSpace(said))
				case strings.Contains(command, "-hex"):
					assert.Len(t, strings.TrimSpace(said), 64)
				case strings.Contains(command, " rand "):
					assert.NotEmpty(t, said)
				case strings.Contains(command, "-topk8"):
					text, err := os.ReadFile(filepath.Join(dir, "apiclient_key.pem"))
					require.NoError(t, err)
					assert.Contains(t, string(text), "-----BEGIN ENCRYPTED PRIVATE KEY-----", "which contrib/pkcs12 reads")
				case strings.Contains(command, "-export"):
					_, err := wxpay.LoadPrivateKey(filepath.Join(dir, "apiclient_cert.p12"))
					assert.ErrorContains(t, err, "this is a PKCS#12 file")
				default:
					read, err := wxpay.LoadPrivateKey(filepath.Join(dir, "apiclient_key.pem"))
					require.NoError(t, err)
					assert.True(t, key.Equal(read))
				}
			})
		}
	}
	assert.Equal(t, serial, apiv3.Serial(template))
}

// Only the caller has the private key: the platform has nothing to download.
func TestNoTextFetchesAPrivateKey(t *testing.T) {
	t.Parallel()
	wrong := regexp.MustCompile(`(?i)(private key|apiclient_key\.pem)[^;:.]*\b(again|download)[^;:.]*merchant platform|one download of the merchant platform`)
	repository, texts := readSources(t), 0
	for _, p := range repository.packages {
		for _, file := range p.files {
			ast.Inspect(file, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					texts++
					assert.NotRegexp(t, wrong, literal.Value, "%s", repository.positions.Position(n.Pos()))
				}
				return true
			})
		}
	}
	require.Greater(t, texts, 1000)
}
