package sandbox

import "github.com/wxpay-go/wxpay/fact"

// memberOperations are those of the member cards of a brand, in partner mode.
func memberOperations() []operation {
	return []operation{{
		Operation: &fact.Operation{
			Method: "POST", Path: "/v3/brand/partner/card-member/user-feeds", Name: "创建用户动态信息", Answer: fact.JSONAnswer, Success: 200,
			In: fact.Request{JSON: []fact.Field{
				{Name: "brand_id", Type: fact.String, Required: true},
				{Name: "card_id", Type: fact.String, Required: true},
				{Name: "user_card_code", Type: fact.String, Required: true},
				{Name: "openid", Type: fact.String, Required: true},
				{Name: "out_request_no", Type: fact.String, Required: true},
				{Name: "cell_message", Type: fact.String, Required: true, Alt: []string{"cell"}},
			}},
			Docs: []string{"v3/partner/4015336987"},
		},
		limits: map[string]limit{
			"/out_request_no": {min: 1, max: 64, charset: requestChars},
			"/cell":           {min: 1, max: 128},
		},
		do: func(c *call) (any, *refusal) { return c.object, nil },
	}}
}
