package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/internal/sparekey"
	"github.com/wxpay-go/wxpay/sandbox"
)

// The programs that scripts can run, besides those of the system.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"wxpay":          func() { run(func(*shell.Shell) {}) },
		"wxpay-fixed":    func() { run(func(sh *shell.Shell) { sh.Options = fixed }) },
		"wxpay-tampered": func() { run(func(sh *shell.Shell) { sh.Options = tampered }) },
		"wxpay-terminal": func() { run(func(sh *shell.Shell) { sh.Terminal, sh.Bars = true, true }) },
		"interrupts":     interrupts,
		"interrupts-at":  func() { signalsAt(os.Interrupt) },
		"hangs-up-at":    func() { signalsAt(syscall.SIGHUP) },
		"terminates":     terminates,
		"full":           full,
		"fixed-host":     fixedHost,
	})
}

// run runs the program in the shell of the process, changed by change.
func run(change func(*shell.Shell)) {
	if file := os.Getenv("SPARE_KEYS"); file != "" {
		check(sparekey.Read(file))
	}
	sh := shell.New(os.Stdin, os.Stdout, os.Stderr, os.Environ())
	change(sh)
	os.Exit(cli.Run(context.Background(), sh, os.Args[1:]))
}

// fixed signs at the time and with the nonce of the published vectors, so that signatures can be compared.
var fixed = []wxpay.Option{
	wxpay.WithClock(func() time.Time { return time.Unix(1735689600, 0) }),
	wxpay.WithNonce(func() string { return "593BEC0C930BF1AFEB40B4A08C8FB242" }),
}

// tampered sends another body than was signed, from the third call on.
var tampered = []wxpay.Option{wxpay.WithTransport(&tamperer{})}

type tamperer struct{ calls int }

func (t *tamperer) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.calls++; t.calls > 2 {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte("1004"), []byte("1005"), 1)))
	}
	return http.DefaultTransport.RoundTrip(req)
}

// interrupts runs a command, interrupts it when it has printed the base URL of a sandbox, and ends with its exit code.
func interrupts() {
	child := exec.Command(os.Args[1], os.Args[2:]...)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	check(err)
	check(child.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Println(lines.Text())
		if strings.HasPrefix(lines.Text(), "export WXPAY_BASE_URL=") {
			check(child.Process.Signal(os.Interrupt))
		}
	}
	end(child.Wait())
}

// fixedHost is a client of the platform that knows no other host, and trusts and connects as its environment says. It prints
// the status of each call.
func fixedHost() {
	client, err := wxpay.FromLookupEnv(func(name string) (string, bool) {
		if name == "WXPAY_BASE_URL" {
			return "", false
		}
		return os.LookupEnv(name)
	})
	check(err)
	ctx := context.Background()
	_, err = client.Chain("v3/certificates").Get(ctx)
	check(err)
	fmt.Println("200 https://api.mch.weixin.qq.com/v3/certificates")
	yesterday := time.Now().AddDate(0, 0, -2).Format(time.DateOnly)
	applied, err := client.Chain("v3/bill/fundflowbill").Query("bill_date", yesterday).Get(ctx)
	check(err)
	link := applied.Get("download_url").String()
	_, err = client.Fetch(ctx, link, io.Discard)
	check(err)
	address, _, _ := strings.Cut(link, "?")
	fmt.Println("200 " + address)
	if _, err := http.Get("https://example.com/"); err != nil && strings.Contains(err.Error(), "Forbidden") {
		fmt.Println("refused https://example.com/")
	}
}

// signalsAt runs a command, sends it a signal when a file that is not empty matches the pattern, and ends with its exit code.
func signalsAt(sent os.Signal) {
	child := exec.Command(os.Args[2], os.Args[3:]...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	// A signal that is taken here is not ignored there, even if the tests run under nohup.
	signal.Notify(make(chan os.Signal, 1), sent)
	check(child.Start())
	for {
		found, err := filepath.Glob(os.Args[1])
		check(err)
		if len(found) > 0 {
			if info, err := os.Stat(found[0]); err == nil && info.Size() > 0 {
				break
			}
		}
		time.Sleep(time.Millisecond)
	}
	check(child.Process.Signal(sent))
	end(child.Wait())
}

// terminates sends SIGTERM to its parent, waits for the same, and ends with code 7.
func terminates() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	parent, err := os.FindProcess(os.Getppid())
	check(err)
	check(parent.Signal(syscall.SIGTERM))
	<-signals
	os.Exit(7)
}

// full runs a command whose stdout cannot be written to.
func full() {
	out, err := os.Open(os.DevNull)
	check(err)
	child := exec.Command(os.Args[1], os.Args[2:]...)
	child.Stdout, child.Stderr = out, os.Stderr
	end(child.Run())
}

// end ends with the exit code of a command.
func end(err error) {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	check(err)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
}

func TestScripts(t *testing.T) {
	const dir = "testdata/script"
	scripts, err := filepath.Glob(dir + "/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)

	gateway := func(handler http.HandlerFunc) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	urls := map[string]string{
		// Nothing listens on the first port.
		"CLOSED": "http://127.0.0.1:1",
		"HTML": gateway(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, "<h1>\x1b[31mBad Gateway</h1>")
		}),
		"ACCEPTS": gateway(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		"UNSIGNED": gateway(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"trade_state":"SUCCESS"}`)
		}),
		"UNSIGNED_REFUSAL": gateway(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, `{"code":"SYSTEM_ERROR","message":"trouble"}`)
		}),
		"GARBAGE": gateway(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				io.WriteString(conn, "220 mail.example.com ESMTP\r\n")
				conn.Close()
			}
		}),
		// Half a file, and then nothing more.
		"STUCK": gateway(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "2000000")
			w.Write(make([]byte, 1000000))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}),
		"FILE": gateway(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Query().Get("token") {
			case "old":
				w.WriteHeader(http.StatusBadRequest)
				io.WriteString(w, `{"code":"INVALID_REQUEST","message":"链接已过期"}`)
			case "cut":
				w.Header().Set("Content-Length", "100")
				io.WriteString(w, "half")
			default:
				io.WriteString(w, "abc")
			}
		}),
		"SILENT": gateway(func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}),
	}
	keys := spareKeys(t)
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("WXPAY_TEST_UPDATE") != "",
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			s, err := sandbox.New()
			if err != nil {
				return err
			}
			server, err := s.Listen("127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Defer(func() { server.Close() })
			env.Vars = append(env.Vars, server.Env()...)
			for name, url := range urls {
				env.Setenv(name, url)
			}
			// Somebody may have installed the program that a script says is missing.
			path := slices.DeleteFunc(filepath.SplitList(env.Getenv("PATH")), func(dir string) bool {
				_, err := exec.LookPath(filepath.Join(dir, "wxpay-batch"))
				return err == nil
			})
			env.Setenv("PATH", strings.Join(path, string(filepath.ListSeparator)))
			env.Setenv("SPARE_KEYS", keys)
			env.Setenv("VERSION", wxpay.Version)
			env.Setenv("USER_AGENT", fmt.Sprintf("wxpay-go/%s (%s; %s/%s)",
				wxpay.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
			if err := writeNotifications(env, s); err != nil {
				return err
			}
			return writeVectorKeys(env)
		},
	})
}

// spareKeys writes the keys of a sandbox into a file, for the many programs that scripts start with a sandbox inside. To make
// keys in each would cost half of the time.
func spareKeys(t *testing.T) string {
	s, err := sandbox.New()
	require.NoError(t, err)
	defer s.Close()
	s.Keys.Certificates()
	_, err = s.Brand()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, sparekey.Write(file))
	return file
}

// exits runs a command and demands an exit code: exits CODE COMMAND [ARG]...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with exit code %d, want %d", args[1], got, want)
	}
}

// writeVectorKeys puts the key of the published vectors where a script can name it, as merchant.pem, with the key that
// verifies, as platform.pem.
func writeVectorKeys(env *testscript.Env) error {
	data, err := os.ReadFile("testdata/merchant_private_key.jwk.json")
	if err != nil {
		return err
	}
	var jwk struct{ N, E, D, P, Q string }
	if err := json.Unmarshal(data, &jwk); err != nil {
		return err
	}
	number := func(text string) *big.Int {
		raw, decodeErr := base64.RawURLEncoding.DecodeString(text)
		err = errors.Join(err, decodeErr)
		return new(big.Int).SetBytes(raw)
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: number(jwk.N), E: int(number(jwk.E).Int64())},
		D:         number(jwk.D), Primes: []*big.Int{number(jwk.P), number(jwk.Q)},
	}
	if err != nil {
		return err
	}
	key.Precompute()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public, err := os.ReadFile("testdata/wechatpay_pub_key.pem")
	if err != nil {
		return err
	}
	var problems []error
	write := func(name string, block *pem.Block) {
		problems = append(problems, os.WriteFile(filepath.Join(env.WorkDir, name), pem.EncodeToMemory(block), 0o600))
	}
	write("merchant.pem", &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	write("encrypted.pem", &pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{0}, Headers: map[string]string{
		"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,000102030405060708090A0B0C0D0E0F",
	}})
	problems = append(problems, os.WriteFile(filepath.Join(env.WorkDir, "platform.pem"), public, 0o600))
	return errors.Join(problems...)
}
