package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/serve"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// uses are right uses of every command, and some that fail behind the checks of arguments, in this order, at one sandbox. The
// words KEYS, DAY, NOTIFICATION and PICTURE stand for a folder, a date and two files.
var uses = []string{
	"demo",
	"call v3/certificates -i",
	"call v3/certificates --curl",
	"call v3/pay/transactions/native --dry-run -f description=x",
	"call v3/pay/transactions/native -f out_trade_no=T0 --get code_url",
	"call v3/pay/transactions/native --appid wx8888888888888888 -f out_trade_no=SPEECH-1 -f description=x -f notify_url=http://127.0.0.1:1/n -F amount[total]=100 --ensure --qr",
	"call v3/pay/transactions/native --appid wx8888888888888888 -f out_trade_no=SPEECH-2 -f description=x -f notify_url=https://example.com/n -F amount[total]=100 --get nothing",
	"sandbox pay SPEECH-1",
	"sandbox clock +1h",
	"sandbox clock",
	"sandbox control ledger",
	"sandbox -- true",
	"sandbox --fault refuse -- false",
	"call v3/refund/domestic/refunds -f out_trade_no=SPEECH-1 -f out_refund_no=SPEECH-R1 -F amount[refund]=1 -F amount[total]=100 -f amount[currency]=CNY --ensure",
	"resolve POST v3/refund/domestic/refunds SPEECH-R1",
	"resolve POST v3/refund/domestic/refunds SPEECH-R2",
	"qr weixin://wxpay/bizpayurl?pr=V6X2TYEXIzz",
	"bill trade --date DAY",
	"bill trade --date DAY --format table",
	"bill fundflow --date DAY -o KEYS/bill.csv",
	"download v3/merchant-service/images/{media_id} --var media_id=x -o KEYS/image.png",
	"upload PICTURE --to v3/merchant/media/upload",
	"batch refunds.csv v3/refund/domestic/refunds",
	"docs v3/certificates",
	"search 退款",
	"search GET superseded 企业付款",
	"search nothing-is-called-this",
	"smoke",
	"vet ./...",
	"mcp --http 127.0.0.1:0",
	"checkup --order POST -- true",
	"checkup -- true",
	"keys check",
	"keys check --sandbox --sandbox-keys certificates",
	"keys show KEYS/apiclient_key.pem KEYS/apiclient_cert.pem KEYS/apiclient_cert.p12 KEYS/pub_key.pem PICTURE",
	"keys download -o KEYS",
	"keys download -o KEYS",
	"init",
	"profiles",
	"webhook trigger TRANSACTION.SUCCESS --to http://127.0.0.1:1/n",
	"webhook trigger TRANSACTION.SUCCESS --set nothing=1 --to http://127.0.0.1:1/n",
	"webhook trigger TRANSACTION.SUCCESS --set amount=x --to http://127.0.0.1:1/n",
	"webhook trigger TRANSACTION.SUCCESS",
	"webhook trigger TRANSACTION.SUCCESS --list",
	"webhook resend nothing",
	"webhook verify NOTIFICATION",
	"webhook verify NOTIFICATION --at 2025-01-01T00:00:00+08:00",
	"webhook verify PICTURE",
	"webhook listen --forward-to http://127.0.0.1:1/n -- true",
	"sandbox explain",
	"version --diagnose",
	"help call",
}

// silent are the commands whose output is for programs: Go, OpenAPI, Markdown and scripts of shells. Their help is read all
// the same.
var silent = []string{
	"gen types", "openapi", "catalog diff", "completion bash", "completion zsh", "completion fish", "completion powershell",
}

// foreign are lines or parts of lines that stay English: texts of the client, of the sandbox, of the system and of other
// programs, which people search for, and lists of names.
var foreign = []*regexp.Regexp{
	// the libraries, the checks before sending, and the system
	regexp.MustCompile(`(^|：|；|; )(wxpay|sandbox|apiv3|catalog|webhook): [^：]*|(GET|POST|PUT) /v3/\S+: .*`),
	regexp.MustCompile(`(还不知道最终结果|不是 JSON)：.*|not an X\.509 certificate|exit status \d+`),
	regexp.MustCompile(`(dial|read|open|lstat|stat|exec): ?[^：]*|(dial tcp|open|stat|lstat) \S+ .*`),
	// why the sandbox rejected a request
	regexp.MustCompile(`(^|sandbox: )[A-Z]+ /\S+ \d{3}(: |：).*`),
	// names of faults and rules
	regexp.MustCompile(`^  delay slow-body .*|^  refused-after .*|(401|crossed|rates) .*`),
	// Go, commands and examples
	regexp.MustCompile(`^\s+(source|echo|go|wxpay|//|type|func|[$>]) .*|^  \S+ (keygen|install) .*`),
	regexp.MustCompile("^\\s+[A-Z]\\w+\\s+\\S+\\s+`json.*"),
	regexp.MustCompile(`webhook (verify|listen|trigger|resend)`),
}

// Every command speaks Chinese throughout: its help, what it prints when it does its work, and what it says when that fails.
func TestSpeaksChinese(t *testing.T) {
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	var log strings.Builder
	environ := []string{"WXPAY_LANG=zh", "HOME=" + folder, "PATH=" + os.Getenv("PATH")}
	served, err := serve.Start(shell.New(strings.NewReader(""), io.Discard, &log, environ), "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer served.Close()
	require.NoError(t, serve.WriteKeys(folder, served.Sandbox))
	require.NoError(t, os.WriteFile(path("picture.png"), []byte("\x89PNG\r\n\x1a\n"), 0o600))
	calls := append(environ, served.Env()...)
	run := func(environ []string, stdin string, args ...string) string {
		var out strings.Builder
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		Main(ctx, args, strings.NewReader(stdin), &out, &out, environ)
		return out.String()
	}
	request := run(calls, "", "webhook", "trigger", "TRANSACTION.SUCCESS", "--to", "http://127.0.0.1:1/n", "--dry-run")
	require.NoError(t, os.WriteFile(path("notification"), []byte(request), 0o600))

	root := command(shell.New(nil, nil, nil, nil))
	names := strings.NewReplacer("KEYS", folder, "DAY", time.Now().AddDate(0, 0, -3).Format(time.DateOnly),
		"NOTIFICATION", path("notification"), "PICTURE", path("picture.png"))
	for _, use := range uses {
		args := strings.Fields(names.Replace(use))
		with, stdin := calls, ""
		if use == "init" || use == "profiles" {
			with, stdin = environ, strings.Join([]string{"x", served.Merchant().ID, path("nothing"), path("apiclient_key.pem"), path("picture.png"),
				path("apiclient_cert.pem"), "x", served.Env()[0], ""}, "\n")
		}
		assertChinese(t, "wxpay "+use, run(with, stdin, args...))
	}
	assertChinese(t, "the sandbox", log.String())
	for _, golden := range []string{"testdata/wrong.zh.txt", "../smoke/testdata/steps.zh.txt"} {
		content, err := os.ReadFile(golden)
		require.NoError(t, err)
		for line := range strings.Lines(string(content)) {
			if !strings.HasPrefix(line, "$ ") && !strings.HasPrefix(line, "# ") {
				assertChinese(t, golden, line)
			}
		}
	}
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		name := strings.TrimSpace(strings.TrimPrefix(c.CommandPath(), "wxpay"))
		assertChinese(t, c.CommandPath()+" --help", run(environ, "", append(strings.Fields(name), "--help")...))
		if !c.HasSubCommands() {
			assert.True(t, used(name), "add a right use of wxpay %s", name)
		}
		for _, child := range c.Commands() {
			visit(child)
		}
	}
	visit(root)
}

// used reports whether a command is among those that are run, or is silent.
func used(name string) bool {
	for _, use := range append(uses, silent...) {
		if use == name || strings.HasPrefix(use, name+" ") {
			return true
		}
	}
	return false
}

// nouns are texts that are no prose: what stands in quotes, commands with what follows them, and names, paths and values.
var nouns = regexp.MustCompile(`"[^"]*"|'[^']*'|wxpay( [a-z-]+)+|[^\s，。：；、（）]*[0-9_./=:@{}<>$%#*?&~+|-][^\s，。：；、（）]*`)

// assertChinese fails for each line that has English prose.
func assertChinese(t *testing.T, what, output string) {
	t.Helper()
	for line := range strings.Lines(output) {
		rest := strings.TrimRight(line, "\n")
		for _, known := range foreign {
			rest = known.ReplaceAllString(rest, " … ")
		}
		if json := strings.TrimSpace(rest); strings.HasPrefix(json, "{") || strings.HasPrefix(json, `"`) {
			continue
		}
		if rest = nouns.ReplaceAllString(rest, " … "); prose.MatchString(rest) {
			t.Errorf("%s prints English: %s", what, fmt.Sprintf("%q (%q)", line, prose.FindString(rest)))
		}
	}
}
