package sample_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
)

// Of constants, a made-up response has the one that tells of success, else the first that tells of
// anything.
func TestConstants(t *testing.T) {
	for name, test := range map[string]struct {
		want      any
		kind      fact.Type
		constants []any
	}{
		"success":         {"SUCCESS", fact.String, []any{"PROCESSING", "FAIL", "SUCCESS"}},
		"a word of it":    {"MIX_PAY_SUCCESS", fact.String, []any{"UNKNOWN_MIX_PAY_STATUS", "MIX_PAY_CREATED", "MIX_PAY_SUCCESS"}},
		"no part of it":   {"AUTHORIZED", fact.String, []any{"UNAUTHORIZED", "AUTHORIZED", "DEAUTHORIZED"}},
		"not":             {"CONTRACTED", fact.String, []any{"NOT_CONTRACTED", "TERMINATED", "CONTRACTED"}},
		"not at first":    {"COLLECT_STATE_COLLECTED", fact.String, []any{"COLLECT_STATE_NOT_COLLECT", "COLLECT_STATE_COLLECTED"}},
		"unknown":         {"PARKING_STATE_ENTERED", fact.String, []any{"PARKING_STATE_UNKNOWN", "PARKING_STATE_ENTERED"}},
		"nothing but":     {"UNKNOWN", fact.String, []any{"UNKNOWN"}},
		"in effect":       {"MEMBERSHIP_ACT_EFFECTIVE", fact.String, []any{"MEMBERSHIP_ACT_CREATED", "MEMBERSHIP_ACT_EFFECTIVE", "MEMBERSHIP_ACT_EXPIRED"}},
		"the better":      {"APPLYMENT_STATE_FINISHED", fact.String, []any{"APPLYMENT_STATE_PASSED", "APPLYMENT_STATE_FINISHED"}},
		"small letters":   {"running", fact.String, []any{"unactivated", "running", "stoped"}},
		"none of success": {"RECEIPT_STATE_IN_PROGRESS", fact.String, []any{"RECEIPT_STATE_IN_PROGRESS", "RECEIPT_STATE_PENDING"}},
		"numbers":         {int64(0), fact.Integer, []any{int64(0), int64(1)}},
		"of another type": {100, fact.Integer, []any{"ONE", "TWO"}},
	} {
		t.Run(name, func(t *testing.T) {
			fields := []fact.Field{
				{Name: "one", Type: test.kind, Enum: test.constants, Required: true},
				{Name: "list", Type: test.kind + "[]", Enum: test.constants, Required: true},
			}
			assert.Equal(t, map[string]any{"one": test.want, "list": []any{test.want}}, new(sample.Maker).Object(fields, nil))
		})
	}
}
