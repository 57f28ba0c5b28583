package papay

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

var notExist = say.NotFound("RESOURCE_NOT_EXISTS", say.Both("签约协议不存在", "the contract does not exist"),
	"no user has signed a contract under this plan_id and out_contract_code")

// preSign makes what leads the user to the page with the contract.
func (f *Flow) preSign(c *gate.Call) (any, *say.Rejection) {
	if rejected := gate.CheckURL("/contract_notify_url", c.Object["contract_notify_url"]); rejected != nil {
		return nil, rejected
	}
	plan, _ := c.Object["plan_id"].(json.Number)
	k := contract{
		Request: string(say.JSON(c.Object)), Plan: plan.String(), Code: c.Field("out_contract_code"),
		OpenID: cmp.Or(c.Field("openid"), say.AnyPayer), Since: c.Now,
	}
	defer c.Begin().Commit()
	if rejected := f.orders.CheckAppID(c.Field("appid")); rejected != nil {
		return nil, rejected
	}
	switch known, again := f.contracts.Get(k.key()); {
	case again && known.State() != "":
		return nil, say.InvalidRequest(say.Both("商户签约协议号已签约", "the out_contract_code is signed"),
			"a user has signed a contract under this plan_id and out_contract_code; another one takes another out_contract_code")
	case again && known.Request != k.Request:
		return nil, say.InvalidRequest(say.Both("商户签约协议号重复", "the out_contract_code was used for another contract"),
			"a contract under this plan_id and out_contract_code was requested with other parameters")
	case !again:
		f.contracts.Put(k.key(), k)
	}
	session := f.Number("", 28, c.Now)
	return c.Tell(map[string]any{
		"redirect_url": "https://payapp.weixin.qq.com/entrust?pre_entrust_id=" + session, "pre_entrustweb_id": session,
		"miniprogram_username": "gh_0123456789ab", "miniprogram_path": "pages/entrust?id=" + session,
		"mini_program_username": "gh_0123456789ab", "mini_program_path": "pages/entrust?id=" + session,
		"redirect_appid": "wxbd687630cd02ce1d", "redirect_path": "pages/entrust?id=" + session,
	}), nil
}

func (f *Flow) query(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	k, known := f.contracts.Get(key(c.Path["plan_id"], c.Path["out_contract_code"]))
	if !known || k.State() == "" || c.Hides(k.Signed) {
		return nil, notExist
	}
	return c.Tell(k.tell(f.ID)), nil
}

// terminate ends a contract for the merchant. Doing so again is answered the same.
func (f *Flow) terminate(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	k, known := f.contracts.Get(key(c.Path["plan_id"], c.Path["out_contract_code"]))
	if !known || k.State() == "" {
		return nil, notExist
	}
	if k.State() == "SIGNED" {
		k = f.end(k, byMerchant, c.Field("contract_termination_remark"), c.Now)
	}
	return c.Tell(k.tell(f.ID)), nil
}

// end ends a contract, and notifies the merchant.
func (f *Flow) end(k contract, mode, remark string, now time.Time) contract {
	k.Ended, k.Mode, k.Remark = now, mode, remark
	f.contracts.Put(k.key(), k)
	f.announce("ENTRUST.TERMINATE", k)
	return k
}

func (f *Flow) announce(event string, k contract) {
	known := k.tell(f.ID)
	notify, _ := known["contract_notify_url"].(string)
	f.Post.Announce(notify, event, sample.Resource(event, known))
}

// SignContract lets the user sign the contract that a pre-signature leads to, and returns the
// contract_id. ENTRUST.SIGN notifies the merchant at contract_notify_url. A contract that is
// unknown, or signed already, is an error.
func (f *Flow) SignContract(planID, outContractCode string) (contractID string, err error) {
	b, now := f.Begin()
	k, known := f.contracts.Get(key(planID, outContractCode))
	switch {
	case !known:
		err = errors.New("there is no such contract")
	case k.State() != "":
		err = errors.New("it is " + k.State())
	default:
		k.ID, k.Signed = f.Number("", 28, now), now
		f.contracts.Put(k.key(), k)
		f.announce("ENTRUST.SIGN", k)
	}
	failed := b.End()
	if err != nil {
		return "", fmt.Errorf("sandbox: sign the contract %q of plan %q: %w", outContractCode, planID, err)
	}
	return k.ID, failed
}

// TerminateContract lets the user end a contract. ENTRUST.TERMINATE notifies the merchant. A
// contract that is unknown, or ended already, is an error.
func (f *Flow) TerminateContract(contractID string) error {
	b, now := f.Begin()
	k, known := f.find(contractID)
	var err error
	switch {
	case !known:
		err = errors.New("there is no such contract")
	case k.State() != "SIGNED":
		err = errors.New("it is " + k.State())
	default:
		f.end(k, byUser, "", now)
	}
	failed := b.End()
	if err != nil {
		return fmt.Errorf("sandbox: terminate the contract %q: %w", contractID, err)
	}
	return failed
}
