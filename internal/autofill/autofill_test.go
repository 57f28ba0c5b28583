package autofill_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/autofill"
	"github.com/wxpay-go/wxpay/internal/target"
)

func TestBody(t *testing.T) {
	operation := &fact.Operation{NotCaller: []string{"sp_appid"}, In: fact.Request{JSON: []fact.Field{
		{Name: "mchid", Required: true, Alt: []string{"mch_id"}}, {Name: "appid"}, {Name: "sp_appid", Required: true},
	}}}
	caller := autofill.Caller{MchID: "19\"", AppID: "wx1"}
	for text, want := range map[string]string{
		`{}`: `{"mchid":"19\""}`, `{"a":1} `: `{"a":1,"mchid":"19\""} `, `{"mch_id":null}`: `{"mch_id":null}`, `{"mchid":""}`: `{"mchid":""}`,
		`[]`: `[]`, `{`: `{`, `{}}`: `{}}`, ``: ``,
	} {
		assert.Equal(t, want, string(caller.Body(operation, []byte(text))), text)
	}
	assert.Equal(t, `{}`, string(autofill.Caller{AppID: "wx1"}.Body(operation, []byte(`{}`))))
}

func TestQuery(t *testing.T) {
	fields := []fact.Field{{Name: "mchid", Required: true}, {Name: "sp_mchid", Required: true}, {Name: "appid", Required: true}}
	caller := autofill.Caller{MchID: "19", AppID: "wx1"}
	own := target.Param{Name: "sp_mchid", Values: []string{"1"}}
	for name, tt := range map[string]struct {
		operation fact.Operation
		query     []target.Param
		want      []string
	}{
		"of a partner":    {fact.Operation{}, nil, []string{"appid=wx1", "sp_mchid=19"}},
		"one is there":    {fact.Operation{}, []target.Param{own}, []string{"appid=wx1", "sp_mchid=1"}},
		"in either style": {fact.Operation{Joined: true}, nil, nil},
		"not signed":      {fact.Operation{Unsigned: true}, nil, nil},
		"somebody else's": {fact.Operation{NotCaller: []string{"appid"}}, nil, []string{"sp_mchid=19"}},
	} {
		tt.operation.In.Query = fields
		var got []string
		for _, p := range caller.Query(&tt.operation, tt.query) {
			got = append(got, p.Name+"="+p.Values[0])
		}
		assert.Equal(t, tt.want, got, name)
	}
}
