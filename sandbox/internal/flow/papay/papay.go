// Package papay is deduction contracts: a user signs one, and the merchant charges the user under
// it without asking again.
package papay

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// contract is one contract. It exists for queries once the user has signed it.
type contract struct {
	Request string    `json:"request"` // in canonical JSON
	Plan    string    `json:"plan"`    // plan_id
	Code    string    `json:"code"`    // out_contract_code
	ID      string    `json:"id,omitempty"`
	OpenID  string    `json:"openid"`
	Since   time.Time `json:"since"`
	Signed  time.Time `json:"signed,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Mode    string    `json:"mode,omitempty"` // contract_termination_mode
	Remark  string    `json:"remark,omitempty"`
}

// lifetime of a contract in years. The plan sets it in reality, and the sandbox has no plans; nothing
// ends with it.
const lifetime = 10

// Ways to end a contract.
const (
	byUser     = "USER_TERMINATE"
	byMerchant = "MCH_API_TERMINATE"
)

func (k contract) key() string { return key(k.Plan, k.Code) }

func key(plan, code string) string { return plan + "/" + code }

// State is contract_state; empty before the signature.
func (k contract) State() string {
	switch {
	case !k.Ended.IsZero():
		return "TERMINATED"
	case !k.Signed.IsZero():
		return "SIGNED"
	}
	return ""
}

// tell returns all that there is to say of a contract that was signed.
func (k contract) tell(mchid string) map[string]any {
	known := book.ReadObject(k.Request)
	known["mchid"], known["contract_id"], known["openid"], known["contract_state"] = mchid, k.ID, k.OpenID, k.State()
	known["contract_signed_time"], known["contract_expired_time"] = say.Time(k.Signed), say.Time(k.Signed.AddDate(lifetime, 0, 0))
	if !k.Ended.IsZero() {
		info := map[string]any{"contract_termination_mode": k.Mode, "contract_terminated_time": say.Time(k.Ended)}
		if k.Remark != "" {
			info["contract_termination_remark"] = k.Remark
		}
		known["contract_terminate_info"] = info
	}
	if schedule, sent := known["deduct_schedule"].(map[string]any); sent {
		if amount, ok := schedule["estimated_deduct_amount"].(map[string]any); ok {
			amount["amount"] = amount["total"] // its name in notifications
		}
		schedule["schedule_state"] = "NO_SCHEDULED"
	}
	return known
}

// Flow is the contracts of one merchant.
type Flow struct {
	*gate.Merchant
	orders    *order.Flow
	contracts book.Table[contract] // by plan_id and out_contract_code
}

// find returns the contract of a contract_id.
func (f *Flow) find(id string) (contract, bool) {
	for _, k := range f.contracts.Rows() {
		if k.ID == id && id != "" {
			return k, true
		}
	}
	return contract{}, false
}
