package catalog_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

const overlay = `# what this merchant was told
POST /v3/pay/transactions/native
  status beta
  role 特约商户
  json
    # an amount below a yuan is refused
    amount object!
      total integer! fen 100..
    goods_tag string! # 活动标记
    settle object
      name string rsa

GET /v3/new/things/{thing_id}
  name 查询新事物
  path
    thing_id string!
  answer 200 json
    state string

event NEW.THING
  name 新通知
  algorithm AEAD_AES_256_GCM
  resource
    name string rsa
`

func member(t *testing.T, list []fact.Field, name string) fact.Field {
	t.Helper()
	i := slices.IndexFunc(list, func(f fact.Field) bool { return f.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return list[i]
}

func TestWith(t *testing.T) {
	base := catalog.V3()
	before, _ := base.Lookup("POST", "/v3/pay/transactions/native")
	own, err := base.With(overlay)
	require.NoError(t, err)
	native, ok := own.Lookup("POST", "/v3/pay/transactions/native")
	require.True(t, ok)

	t.Run("what is stated", func(t *testing.T) {
		assert.True(t, native.Overlay)
		assert.Equal(t, fact.Beta, native.Status)
		assert.Equal(t, []string{"特约商户"}, native.Roles, "all lines of a key")
		assert.Equal(t, fact.Field{Name: "goods_tag", Type: fact.String, Required: true, Overlay: true, Label: "活动标记"}, member(t, native.In.JSON, "goods_tag"))
		total := member(t, member(t, native.In.JSON, "amount").Fields, "total")
		assert.Equal(t, fact.Field{Name: "total", Type: fact.Integer, Required: true, Unit: fact.Fen, Min: 100, Overlay: true}, total)
		settle := member(t, native.In.JSON, "settle")
		assert.Equal(t, []fact.Field{{Name: "name", Type: fact.String, Cipher: fact.RSA, Overlay: true}}, settle.Fields, "a new member")
	})
	t.Run("what is not named stays", func(t *testing.T) {
		assert.Equal(t, before.Name, native.Name)
		assert.Equal(t, before.Docs, native.Docs)
		assert.Equal(t, before.Out, native.Out)
		assert.Equal(t, before.Conduct, native.Conduct)
		assert.Equal(t, member(t, before.In.JSON, "description"), member(t, native.In.JSON, "description"))
		assert.Equal(t, member(t, member(t, before.In.JSON, "amount").Fields, "currency"), member(t, member(t, native.In.JSON, "amount").Fields, "currency"))
		again, _ := base.Lookup("POST", "/v3/pay/transactions/native")
		assert.Same(t, before, again)
		assert.False(t, before.Overlay)
		_, ok := base.Lookup("GET", "/v3/new/things/1")
		assert.False(t, ok)
	})
	t.Run("what is new", func(t *testing.T) {
		thing, ok := own.Lookup("GET", "/v3/new/things/7")
		require.True(t, ok)
		assert.True(t, thing.Overlay)
		assert.Equal(t, "查询新事物", thing.Name)
		assert.Equal(t, []string{"GET"}, own.Methods("/v3/new/things/7"))
		assert.True(t, own.HasSegment("things"))
		assert.Equal(t, []string{"/v3/new/things/{thing_id}"}, own.Nearest("/v3/new/thing/{thing_id}", 1))
		event, ok := own.Event("NEW.THING")
		require.True(t, ok)
		assert.True(t, event.Overlay)
		assert.Equal(t, fact.RSA, event.Resource[0].Cipher)
		last := ""
		count := 0
		for operation := range own.All() {
			require.LessOrEqual(t, last, operation.Path)
			last = operation.Path
			count++
		}
		assert.Equal(t, len(slices.Collect(base.All()))+1, count)
	})
	t.Run("what people read", func(t *testing.T) {
		described, ok := own.Described().Lookup("POST", "/v3/pay/transactions/native")
		require.True(t, ok)
		assert.Equal(t, "商品描述", member(t, described.In.JSON, "description").Label)
		amount := member(t, described.In.JSON, "amount")
		assert.Equal(t, "总金额", member(t, amount.Fields, "total").Label, "an overlay without a label keeps it")
		assert.Equal(t, int64(100), member(t, amount.Fields, "total").Min)
		assert.Same(t, own.Described(), own.Described())
	})
	t.Run("upon another", func(t *testing.T) {
		again, err := own.With("POST /v3/pay/transactions/native\n  json\n    goods_tag string\n")
		require.NoError(t, err)
		operation, _ := again.Lookup("POST", "/v3/pay/transactions/native")
		assert.False(t, member(t, operation.In.JSON, "goods_tag").Required)
		assert.Equal(t, fact.Beta, operation.Status)
	})
	t.Run("nothing", func(t *testing.T) {
		for _, empty := range []string{"", "\n", "# nothing yet\r\n"} {
			same, err := base.With(empty)
			require.NoError(t, err)
			operation, _ := same.Lookup("POST", "/v3/pay/transactions/native")
			assert.Equal(t, before, operation)
		}
	})
}

// Operations that look alike name each other, also where an overlay brings one of them.
func TestWithLookAlikes(t *testing.T) {
	own, err := catalog.V3().With("POST /v3/apply4subject/applyment/{a_number}/cancel\n  name 撤销\n  path\n    a_number string!\n  answer 204 empty\n\n" +
		"POST /v3/apply4subject/applyment/{business_code}/cancel\n  role 服务商\n")
	require.NoError(t, err)
	for _, path := range []string{"{a_number}", "{applyment_id}", "{business_code}"} {
		operation, ok := own.Lookup("POST", "/v3/apply4subject/applyment/"+path+"/cancel")
		require.True(t, ok)
		assert.Equal(t, "/v3/apply4subject/applyment/"+path+"/cancel", operation.Path)
		require.Len(t, operation.Also, 2)
		for _, other := range operation.Also {
			same, _ := own.Lookup("POST", other.Path)
			assert.Same(t, other, same)
		}
	}
	base, _ := catalog.V3().Lookup("POST", "/v3/apply4subject/applyment/{business_code}/cancel")
	assert.Len(t, base.Also, 1)
}

func TestWithRefuses(t *testing.T) {
	for says, overlay := range map[string]string{
		"the overlay is not well-formed: line 2: unknown key \"colour\"":   "GET /v3/a\n  colour red\n",
		"line 5: field \"total\" has the type \"int\", which is not known": "# one\n\nPOST /v3/pay/transactions/native\n  json\n    total int\n",
		"line 1: \"store_info string\" begins no block":                    "store_info string\n",
		"the overlay makes no sense: GET /v3/a: name \"\" is empty":        "GET /v3/a\n  answer 204 empty\n",
		"GET /v3/a: the answer":                          "GET /v3/a\n  name 甲\n",
		"POST /v3/pay/transactions/native: stands twice": "POST /v3/pay/transactions/native\n  joined\n\nPOST /v3/pay/transactions/native\n  joined\n",
		"POST /v3/pay/transactions/native: is replaced by \"POST /v3/none\", which is unknown": "POST /v3/pay/transactions/native\n  replaced-by POST /v3/none\n",
		"the link leads to GET /v3/none, which is unknown": "POST /v3/refund/domestic/refunds\n  link GET " +
			"/v3/none\n  copy a b\n  missing X\n",
		"GET /v3/A/b: the path has the segment \"A\"": "GET /v3/A/b\n  name 甲\n  answer 204 empty\n",
		"NEW.THING: the resource has no fields":       "event NEW.THING\n  name 甲\n",
	} {
		_, err := catalog.V3().With(overlay)
		require.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), "\n")
	}
}

// Say that a member is required of this merchant, and add an operation that was published today.
func ExampleCatalog_With() {
	facts, err := catalog.V3().With(`
POST /v3/pay/transactions/native
  json
    goods_tag string!

GET /v3/new/things/{thing_id}
  name 查询新事物
  path
    thing_id string!
  answer 200 json
    state string
`)
	if err != nil {
		fmt.Println(err)
		return
	}
	operation, _ := facts.Lookup("GET", "/v3/new/things/1")
	fmt.Println(operation.Name, operation.Overlay)
	// Output: 查询新事物 true
}
