package sandbox

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOutcome(t *testing.T) {
	for want, constants := range map[any][]any{
		"SUCCESS":                   {"PROCESSING", "FAIL", "SUCCESS"},
		"AUTHORIZED":                {"UNAUTHORIZED", "AUTHORIZED", "DEAUTHORIZED"},
		"CONTRACTED":                {"NOT_CONTRACTED", "TERMINATED", "CONTRACTED"},
		"MIX_PAY_SUCCESS":           {"UNKNOWN_MIX_PAY_STATUS", "MIX_PAY_CREATED", "MIX_PAY_SUCCESS"},
		"PARKING_STATE_ENTERED":     {"PARKING_STATE_UNKNOWN", "PARKING_STATE_ENTERED"},
		"COLLECT_STATE_COLLECTED":   {"COLLECT_STATE_NOT_COLLECT", "COLLECT_STATE_COLLECTED"},
		"UNKNOWN":                   {"UNKNOWN"},
		int64(0):                    {int64(0), int64(1)},
		"MEMBERSHIP_ACT_EFFECTIVE":  {"MEMBERSHIP_ACT_CREATED", "MEMBERSHIP_ACT_EFFECTIVE", "MEMBERSHIP_ACT_EXPIRED"},
		"APPLYMENT_STATE_FINISHED":  {"APPLYMENT_STATE_PASSED", "APPLYMENT_STATE_FINISHED"},
		"running":                   {"unactivated", "running", "stoped"},
		"RECEIPT_STATE_IN_PROGRESS": {"RECEIPT_STATE_IN_PROGRESS", "RECEIPT_STATE_PENDING"},
	} {
		assert.Equal(t, want, outcome(constants))
	}
}
