package sandbox_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/sandbox"
)

// english is what a sentence has that nobody translated; names of parameters stand alone.
var english = regexp.MustCompile(`\b[a-z]+ (?:[a-z]+ )+[a-z]+\b`)

// Who asks for Chinese reads in Chinese why the sandbox did not carry an order out.
func TestRefusalsAreInChinese(t *testing.T) {
	server := sandbox.Start(t)
	_, err := server.Users.AddPaidOrder("ORDER-1", 1)
	assert.NoError(t, err)
	for _, args := range []string{
		"pay NONE", "pay ORDER-1", "pay ORDER-1 --openid o1", "clock -- +999999h", "explain", "explain 12",
		"control nonesuch", "control pay", `control pay {"out_trade_no":5}`, `control pay {"number":"A"}`, `control pay {}`,
		`control clock {"by":"1h"}`, `control clock/jump {"by":"soon"}`, `control clock/jump {"by":"-1h"}`, `control faults {"rules":["nonesuch"]}`,
		`control faults {"rules":"429"}`, `control merchants {"mchid":"1"}`, `control sub-merchants {"sub_mchid":"x"}`,
		`control settle {"kind":"refund","number":"R1","state":"ABNORMAL"}`, `control settle {"kind":"x","number":"R1","state":"S"}`,
		`control keys/mode {"mode":"none"}`, `control keys/public-key-share {"percent":101}`, `control keys/public-key-share {"percent":true}`,
		`control keys/certificates/remove {"serial":"X"}`, `control keys/certificates {"validity":"-1s"}`,
		`control keys/merchant-keys {"serial":"X","public_key":"Y"}`, `control deliveries/resend {"id":"x"}`, "control deliveries/await?id=x&attempts=1",
		`control restore {}`, `control restore {"tables":{}}`, `control journal/expect {"match":{},"times":9}`,
		`control journal/expect {"match":{"nonesuch":1},"times":9}`, "control ledger?merchant=1900000999", `control ledger?nonesuch=1`,
		`control rules/relax {"rules":["none"]}`, `control endings {"rules":[{"kind":"x"}]}`,
	} {
		words := strings.Split("sandbox "+args, " ")
		environ := append(server.Env(), "WXPAY_BASE_URL="+server.URL)
		code, _, original := clitest.Run(t, environ, words...)
		assert.Equal(t, 1, code, "%s: %s", args, original)
		code, _, chinese := clitest.Run(t, append(environ, "WXPAY_LANG=zh"), words...)
		assert.Equal(t, 1, code, args)
		first, _, _ := strings.Cut(chinese, "\n") // behind it stand requests and orders
		assert.Regexp(t, `\p{Han}`, first, args)
		assert.NotRegexp(t, english, strings.TrimPrefix(first, "wxpay: "), args)
	}
}
