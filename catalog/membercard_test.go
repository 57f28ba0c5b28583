package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// The family of member cards, by what official pages, libraries and samples say of it where the first edition was wrong: an
// edition that loses one of these fails here. What stands behind the member is its type with an exclamation mark if it is
// required, or whether it is required, another name of it, or constants.
func TestMemberCards(t *testing.T) {
	for line := range strings.SplitSeq(strings.TrimSpace(`
GET cards answer.data.out_request_no string!
GET cards answer.data.member_information object
GET cards answer.data.member_information.jump_appid string
GET cards answer.data.member_information.jump_path string
GET cards answer.data.state string!
GET cards answer.data.create_time string!
GET cards answer.data.modify_time string!
POST cards answer.out_request_no string!
POST cards answer.member_information object
POST cards answer.member_information.jump_appid string
POST cards answer.member_information.jump_path string
POST cards answer.state string!
POST cards answer.create_time string!
POST cards answer.modify_time string!
GET cards/{card_id} answer.out_request_no string!
GET cards/{card_id} answer.member_information object
GET cards/{card_id} answer.member_information.jump_appid string
GET cards/{card_id} answer.member_information.jump_path string
GET cards/{card_id} answer.modify_time string!
PATCH cards/{card_id} answer.out_request_no string!
PATCH cards/{card_id} answer.member_information object
PATCH cards/{card_id} answer.member_information.jump_appid string
PATCH cards/{card_id} answer.member_information.jump_path string
PATCH cards/{card_id} answer.modify_time string!
POST cards/{card_id}/invalidate answer.modify_time string!
GET user-cards answer.data.create_time string!
GET user-cards answer.data.modify_time string!
POST user-cards/import-by-openid answer.create_time string!
POST user-cards/import-by-openid answer.modify_time string!
GET user-cards/{user_card_code} answer.create_time string!
GET user-cards/{user_card_code} answer.modify_time string!
PATCH user-cards/{user_card_code} answer.create_time string!
PATCH user-cards/{user_card_code} answer.modify_time string!
POST user-cards/{user_card_code}/confirm answer.create_time string!
POST user-cards/{user_card_code}/confirm answer.modify_time string!
POST user-cards/import-by-openid json.valid_date_information alt date_information
POST user-cards/import-by-openid json.card_color string
POST user-cards/import-by-openid json.card_picture_url string
POST user-cards/import-by-openid json.level string
GET cards/{card_id} answer.modify_time alt update_time
PATCH cards/{card_id} answer.modify_time alt update_time
POST cards json.out_request_no string
POST cards json.out_request_no required
POST cards json.member_information object
POST cards json.member_information.jump_appid string
POST cards json.member_information.jump_path string
PATCH cards/{card_id} json.member_information object
PATCH cards/{card_id} json.member_information.jump_appid string
PATCH cards/{card_id} json.member_information.jump_path string
GET cards query.offset required
GET cards query.limit required
PATCH user-cards/{user_card_code} json.openid required
POST user-cards/import-by-phone json.card_color string
POST user-cards/import-by-phone json.card_picture_url string
POST user-cards/import-by-phone json.level string
POST user-cards/import-by-phone json.date_information alt valid_date_information
POST user-cards/{user_card_code}/confirm query.card_id optional
POST user-cards/{user_card_code}/confirm json.card_id string
POST user-points/exchange-coupon/confirm json.result alt state
POST user-points/exchange-coupon/confirm json.result constants POINT_EXCHANGE_COUPON_ALLOW POINT_EXCHANGE_COUPON_REJECT
POST user-points/exchange-coupon/confirm json.reject_reason alt fail_reason
`), "\n") {
		words := strings.Split(line, " ")
		operation, ok := catalog.V3().Lookup(words[0], "/v3/brand/partner/card-member/"+words[1])
		require.True(t, ok, line)
		place, path, _ := strings.Cut(words[2], ".")
		field := memberAt(map[string][]fact.Field{"query": operation.In.Query, "json": operation.In.JSON, "answer": operation.Out}[place], path)
		if !assert.NotNil(t, field, line) {
			continue
		}
		switch kind := words[3]; kind {
		case "required", "optional":
			assert.Equal(t, kind == "required", field.Required, line)
		case "alt":
			assert.Contains(t, field.Alt, words[4], line)
		case "constants":
			for _, constant := range words[4:] {
				assert.Contains(t, field.Enum, any(constant), line)
			}
		default:
			kind, required := strings.CutSuffix(kind, "!")
			assert.Equal(t, fact.Type(kind), field.Type, line)
			if required {
				assert.True(t, field.Required, line)
			}
		}
	}
}

func memberAt(list []fact.Field, path string) *fact.Field {
	name, rest, deeper := strings.Cut(path, ".")
	i := slices.IndexFunc(list, func(f fact.Field) bool { return f.Name == name })
	switch {
	case i < 0:
		return nil
	case deeper:
		return memberAt(list[i].Fields, rest)
	}
	return &list[i]
}

// What a provider does for brands under card-member, a brand does for itself, without brand_id; and is told of the same.
func TestBrandsHaveMemberCardsToo(t *testing.T) {
	count := 0
	for operation := range catalog.V3().All() {
		path, ok := strings.CutPrefix(operation.Path, "/brand/card-member/")
		if !ok {
			continue
		}
		count++
		assert.Equal(t, fact.BrandScheme, operation.Scheme, path)
		assert.Nil(t, memberAt(operation.In.JSON, "brand_id"), path)
		assert.Nil(t, memberAt(operation.In.Query, "brand_id"), path)
		if _, ok := catalog.V3().Lookup(operation.Method, "/v3/brand/partner/card-member/"+path); !ok {
			assert.Equal(t, "media/image-upload", path, "only providers' twins are known")
		}
	}
	assert.Equal(t, 16, count)
	for _, what := range []string{"USER_CARD.CREATE", "USER_CARD.DELETE", "POINT_EXCHANGE_COUPON", "SYNC_USER_POINT"} {
		event, ok := catalog.V3().Event("BRAND_MEMBER_CARD." + what)
		require.True(t, ok, what)
		assert.Equal(t, fact.BrandScheme, event.Scheme, what)
		provider, ok := catalog.V3().Event("BRAND_MEMBER_CARD_SP." + what)
		require.True(t, ok, what)
		assert.Equal(t, fact.MerchantScheme, provider.Scheme, what)
	}
}
