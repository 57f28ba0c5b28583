package cli_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// wrong are the mistakes of people who are new to the program, and of those who test it.
var wrong = [][]string{
	{"calll"},
	{"refund"},
	{"refund", "--csv", "refunds.csv"},
	{"--nope"},
	{"call"},
	{"call", "POST"},
	{"call", "FETCH", "v3/certificates"},
	{"call", "GET", "v3/certificates", "v3/bill/tradebill"},
	{"call", "v3//certificates"},
	{"call", "v3/certificates#top"},
	{"call", "v3/pay/transactions/id/%s"},
	{"call", "v3/pay/transactions/id/4200 01"},
	{"call", "v3/certificates", "--timeout", "5"},
	{"call", "v3/certificates", "--timeout", "soon"},
	{"call", "v3/certificates", "--timeout", "0s"},
	{"call", "v3/certificates", "-timeout", "5s"},
	{"call", "v3/certificates", "--tiemout", "5s"},
	{"call", "v3/certificates", "--timeout"},
	{"call", "v3/certificates", "--no-check=maybe"},
	{"call", "v3/certificates", "--strict", "--no-check"},
	{"call", "v3/certificates", "--get", "date"},
	{"call", "v3/certificates", "-H", "Accept-Language"},
	{"call", "v3/certificates", "-q", "mchid"},
	{"call", "v3/certificates", "--appid", "1900000109"},
	{"call", "v3/certificates", "--ensure"},
	{"call", "v3/certificates", "-f", "a=1", "--paginate"},
	{"call", "v3/certificates", "--show-secrets"},
	{"call", "GET", "v3/certificates", "-f", "a=1"},
	{"call", "v3/pay/transactions/native", "-f", "'description'"},
	{"call", "v3/pay/transactions/native", "-F", "amount[total=1"},
	{"call", "v3/pay/transactions/native", "-F", "=1"},
	{"call", "v3/pay/transactions/native", "-f", "a=1", "-f", "a=2"},
	{"call", "v3/pay/transactions/native", "-f", "a=1", "-f", "a[b]=2"},
	{"call", "v3/pay/transactions/native", "-F", "description=@nonesuch.txt"},
	{"call", "v3/pay/transactions/native", "-d", "@nonesuch.json"},
	{"call", "v3/pay/transactions/native", "-d", "{}", "-f", "a=1"},
	{"call", "v3/pay/transactions/native", "-d", "{'a': 1}"},
	{"call", "v3/pay/transactions/native", "--strict", "-f", "appid=wx8888888888888888", "-f", "amount[total]=1.00"},
	{"call", "v3/pay/transactions/out-trade-no/{out_trade_no}", "--var", "outTradeNo=1"},
	{"call", "v3/pay/transactions/out-trade-no/{out_trade_no}", "-q", "mchid=1900000109"},
	{"call", "v3/pay/transactions/out-trade-no/ABC", "--var", "out_trade_no=ABC"},
	{"call", "v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={mchid}", "--var", "out_trade_no=ABC"},
	{"call", "https://pay.weixin.qq.com/doc/v3/merchant/4012791877"},
	{"call", "https://user:password@api.mch.weixin.qq.com/v3/certificates"},
	{"call", "ftp://api.mch.weixin.qq.com/v3/certificates"},
	{"resolve", "POST", "v3/refund/domestic/refunds"},
	{"resolve", "GET", "v3/refund/domestic/refunds/{out_refund_no}"},
	{"bill"},
	{"bill", "gold", "--date", "2026-11-22"},
	{"bill", "trade"},
	{"bill", "trade", "--date", "22.11.2026"},
	{"bill", "trade", "--date", "2026-11-22", "--format", "xlsx"},
	{"bill", "trade", "--date", "2026-11-22", "--wait", "2"},
	{"bill", "trade", "--date", "2026-11-22", "--timeout", "5"},
	{"bill", "trade", "--date", "2026-11-22", "-o", ""},
	{"download", "v3/merchant-service/images/{media_id}?token"},
	{"download", "https://evil.example/v3/x", "--var", "a=1"},
	{"upload"},
	{"upload", "nonesuch.png"},
	{"upload", "nonesuch.png", "--to", "v3/merchant/media/upload"},
	{"docs", "v3/pay/transaction/natvie"},
	{"docs", "GET", "v3/pay/transactions/native"},
	{"docs", "v3/pay/transactions/native", "--format", "html"},
	{"search"},
	{"search", "-n", "all", "退款"},
	{"gen", "struct"},
	{"gen", "types", "v3/pay/transactions/native", "--package", "my-pay"},
	{"openapi", "v3/refund"},
	{"keys", "list"},
	{"keys", "show", "nonesuch.pem"},
	{"smoke"},
	{"smoke", "--appid", "wxd678efh567hg6787", "--wait", "0s"},
	{"smoke", "--appid", "wxd678efh567hg6787", "--listen", ":8080"},
	{"smoke", "--appid", "wxd678efh567hg6787", "--notify-url", "shop.example.com"},
	{"smoke", "--appid", "wxd678efh567hg6787", "--notify-url", "https://shop.example.com", "--listen", ":8080"},
	{"smoke", "--appid", "wxd678efh567hg6787", "--overseas"},
	{"smoke", "--appid", "wxd678efh567hg6787", "--description", ""},
	{"smoke", "--bill", "2026-11-22"},
	{"smoke", "--bill", "today", "--out-trade-no", "SMOKE1"},
	{"smoke", "--bill", "2026-11-22", "--out-trade-no", "SMOKE1", "--appid", "wxd678efh567hg6787"},
	{"smoke", "--bill", "2026-11-22", "--out-trade-no", "SMOKE1", "--sandbox"},
	{"sandbox", "go", "test"},
	{"sandbox", "--keys", "secret"},
	{"webhook", "varify"},
	{"webhook", "listen"},
	{"webhook", "trigger"},
	{"webhook", "trigger", "TRANSACTION.SUCESS"},
	{"webhook", "verify"},
	{"webhook", "verify", "nonesuch.http", "--at", "1763863200000000"},
	{"webhook", "verify", "nonesuch.http", "--at", "gestern"},
	{"completion", "tcsh"},
	{"completion"},
}

// Each mistake is answered with what is wrong and what to do, in either language, and an exit code that says that nothing
// succeeded. The responses are in testdata; WXPAY_TEST_UPDATE=1 writes them.
func TestWrongInputs(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, len(wrong), 40)
	gateway := clitest.NewGateway(t)
	gateway.Respond(`{"data":[]}`)
	host := ""
	for _, variable := range gateway.Environ {
		if address, ok := strings.CutPrefix(variable, "WXPAY_BASE_URL="); ok {
			host = strings.TrimPrefix(address, "http://")
		}
	}
	for _, language := range []string{"en", "zh"} {
		var all strings.Builder
		for _, args := range wrong {
			code, stdout, stderr := clitest.Run(t, append(gateway.Environ, "WXPAY_LANG="+language), args...)
			assert.NotZero(t, code, args)
			assert.Empty(t, stdout, args)
			assert.NotEmpty(t, stderr, args)
			folder, err := filepath.Abs(".")
			require.NoError(t, err)
			stderr = strings.NewReplacer(host, "GATEWAY", folder, "FOLDER").Replace(stderr)
			fmt.Fprintf(&all, "$ wxpay %s\n%s(%d)\n\n", command(args), stderr, code)
		}
		clitest.Golden(t, "testdata/wrong."+language+".txt", all.String())
	}
}

// command is how a person writes arguments.
func command(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		if words[i] = arg; arg == "" || strings.ContainsAny(arg, " '\"&?#[]{}()<>;|*$") {
			words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
