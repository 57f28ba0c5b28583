package sandbox

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/complaint"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/member"
)

// Users do what the users of a merchant do.
type Users struct{ flows flows }

// Pay lets the user pay an order or a combined order, and returns the transaction_id. number is
// out_trade_no or combine_out_trade_no; of two sub-merchants' orders with the same number it is
// SUB_MCHID/out_trade_no. An order that does not exist, is closed or paid is an error, and so is
// one whose prepay_id, code_url or h5_url has expired. The merchant is notified at the order's
// notify_url.
func (u *Users) Pay(number string) (transactionID string, err error) {
	return u.flows.orders.Pay(number)
}

// PayAs is [Users.Pay] by the user with that openid. A JSAPI order is for one user, so another is
// an error; an empty openid is the user whom the order names.
func (u *Users) PayAs(number, openID string) (transactionID string, err error) {
	return u.flows.orders.PayAs(number, openID)
}

// FailPayment lets a payment fail, as when the bank declines it or the user turns away: nobody is
// notified, and the order can still be paid. Its state stays NOTPAY; only the parts of a combined
// order become PAYERROR, and a payment by code, which then cannot be paid any more. number is as
// for [Users.Pay].
func (u *Users) FailPayment(number string) error { return u.flows.orders.FailPayment(number) }

// Checkout is what the user's phone shows of an order, or of a combined order.
type Checkout struct {
	Number      string    `json:"out_trade_no"` // as [Users.Pay] takes it: SUB_MCHID/out_trade_no for a service provider's
	Way         string    `json:"trade_type"`   // JSAPI, APP, MWEB (H5), NATIVE or MICROPAY
	AppID       string    `json:"appid"`        // of the merchant, or of the service provider
	Description string    `json:"description"`  // of a combined order, those of its parts
	Total       int64     `json:"total"`        // fen
	OpenID      string    `json:"openid"`       // of the user who is to pay, or who paid
	State       string    `json:"trade_state"`
	Time        time.Time `json:"time"` // of the order's creation
}

// Checkout returns what the user's phone shows after it has opened a link: a code_url, an h5_url, a
// prepay_id, the package of a JSAPI call, or the number of an order. A link of no order of the
// merchant is an error; an order that cannot be paid any more is none.
func (u *Users) Checkout(link string) (Checkout, error) {
	page, err := u.flows.orders.Checkout(link)
	return Checkout(page), err
}

// Checkouts returns the orders that wait for their users, the newest first.
func (u *Users) Checkouts() (list []Checkout) {
	for _, page := range u.flows.orders.Checkouts() {
		list = append(list, Checkout(page))
	}
	return list
}

// TransferAsked returns the out_bill_no of the transfer bill that a package_info asks its user to
// confirm. [Ledger.Settle] confirms it.
func (u *Users) TransferAsked(packageInfo string) (outBillNo string, err error) {
	return u.flows.transfers.Asked(packageInfo)
}

// AddPaidOrder puts an order that is paid already, over total fen, and returns its transaction_id:
// the start of a test about refunds. It has no notify_url, so nobody is notified.
func (u *Users) AddPaidOrder(outTradeNo string, total int64) (transactionID string, err error) {
	return u.flows.orders.AddPaidOrder(outTradeNo, total)
}

// MemberFeed is a feed that was shown in a member's card.
type MemberFeed struct {
	Number  string    `json:"out_request_no"`
	BrandID string    `json:"brand_id"`
	CardID  string    `json:"card_id"`
	Code    string    `json:"user_card_code"`
	OpenID  string    `json:"openid"`
	Cell    string    `json:"cell_message"` // under whichever of its two names it was sent
	Time    time.Time `json:"time"`
}

// MemberFeeds returns the feeds that were shown, the oldest first. No query of the platform tells
// them.
func (u *Users) MemberFeeds() (list []MemberFeed) {
	for _, f := range u.flows.members.MemberFeeds() {
		list = append(list, MemberFeed(f))
	}
	return list
}

// MemberCard is a user's card of a brand.
type MemberCard struct {
	BrandID string `json:"brand_id"`
	CardID  string `json:"card_id"`        // of the template
	Code    string `json:"user_card_code"` // empty where the provider is to give it and has not yet
	OpenID  string `json:"openid"`
	State   string `json:"user_card_state"` // UNACTIVATED, EFFECTIVE, EXPIRED or INVALID
	Points  int64  `json:"point_balance"`   // as it was synchronised last
	// Awaited says that the user asked for the points and the provider has not synchronised them
	// since; see [Users.AskForPoints].
	Awaited bool `json:"point_balance_awaited"`
}

// MemberCards returns the cards of all users, the oldest first. The first is the one of the
// documentation's sample values, which every sandbox has.
func (u *Users) MemberCards() (list []MemberCard) {
	for _, c := range u.flows.members.MemberCards() {
		list = append(list, MemberCard(c))
	}
	return list
}

// OpenMemberCard lets a user open a card, and returns its user_card_code, which is empty where the
// provider gives it. The provider is told at the template's notify_url by
// BRAND_MEMBER_CARD_SP.USER_CARD.CREATE, a brand that made the template itself by
// BRAND_MEMBER_CARD.USER_CARD.CREATE. The card is of use once it is confirmed. A template that does
// not exist or has ended, and a user who has the card, are errors. phone may be empty.
func (u *Users) OpenMemberCard(cardID, openid, phone string) (userCardCode string, err error) {
	return u.flows.members.OpenMemberCard(cardID, openid, phone)
}

// DeleteMemberCard lets a user delete a card. The provider is told by
// BRAND_MEMBER_CARD_SP.USER_CARD.DELETE.
func (u *Users) DeleteMemberCard(cardID, openid string) error {
	return u.flows.members.DeleteMemberCard(cardID, openid)
}

// AskForPoints lets a user look at the points of a card. The provider is asked for them by
// BRAND_MEMBER_CARD_SP.SYNC_USER_POINT, and owes a synchronisation until it makes one; see
// [MemberCard].
func (u *Users) AskForPoints(cardID, openid string) error {
	return u.flows.members.AskForPoints(cardID, openid)
}

// PointExchange is a user's exchange of points for a coupon.
type PointExchange struct {
	RecordID   string    `json:"record_id"`
	BrandID    string    `json:"brand_id"`
	CardID     string    `json:"card_id"`
	Code       string    `json:"user_card_code"`
	OpenID     string    `json:"openid"`
	TemplateID string    `json:"exchange_coupon_template_id"`
	StockID    string    `json:"stock_id"`
	Points     int64     `json:"deduct_points"`
	Time       time.Time `json:"time"`
	// State is empty until the provider tells the result: POINT_EXCHANGE_COUPON_SUCCESS or _FAIL,
	// or _ALLOW or _REJECT.
	State      string `json:"state,omitempty"`
	CouponCode string `json:"coupon_code,omitempty"`
	FailReason string `json:"fail_reason,omitempty"`
}

// ExchangePoints lets a user exchange points of a card for a coupon, and returns the record_id. The
// provider is told by BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON, and has to tell the result and
// the new balance. More points than the card has are an error.
func (u *Users) ExchangePoints(cardID, openid, templateID, stockID string, points int64) (recordID string, err error) {
	return u.flows.members.ExchangePoints(cardID, openid, templateID, stockID, points)
}

// PointExchanges returns all exchanges of points, the oldest first.
func (u *Users) PointExchanges() (list []PointExchange) {
	for _, e := range u.flows.members.PointExchanges() {
		list = append(list, PointExchange(e))
	}
	return list
}

// Complaint is a user's complaint about an order.
type Complaint struct {
	OutTradeNo string `json:"out_trade_no"` // of an order that is paid, with SUB_MCHID/ before it if a service provider ordered
	Detail     string `json:"complaint_detail"`
	Problem    string `json:"problem_description"`
	Type       string `json:"problem_type"` // REFUND, SERVICE_NOT_WORK or OTHERS, which empty stands for
	// RefundAmount is what a user who wants a REFUND asks for, in fen; 0 stands for the whole
	// order.
	RefundAmount int64  `json:"apply_refund_amount,omitempty"`
	Phone        string `json:"payer_phone"` // empty for a sample; told encrypted

	// The rest is set by the sandbox.
	ID    string    `json:"complaint_id"`
	State string    `json:"complaint_state"` // PENDING, PROCESSING or PROCESSED
	Time  time.Time `json:"complaint_time"`
}

// Complain lets the user who paid an order complain about it, and returns the complaint_id. The
// merchant is told by COMPLAINT.CREATE at the address that it set with
// /v3/merchant-service/complaint-notifications. An order that is not paid, and a second complaint
// about one, are errors; see [Users.ContinueComplaint].
func (u *Users) Complain(about Complaint) (complaintID string, err error) {
	return u.flows.complaints.Complain(complaint.Complaint(about))
}

// ContinueComplaint lets the user say more about a complaint, or complain again about one that was
// processed, which is PENDING again then. The merchant is told by COMPLAINT.STATE_CHANGE.
func (u *Users) ContinueComplaint(complaintID, detail string) error {
	return u.flows.complaints.ContinueComplaint(complaintID, detail)
}

// Complaints returns all complaints, the newest first.
func (u *Users) Complaints() (list []Complaint) {
	for _, c := range u.flows.complaints.Complaints() {
		list = append(list, Complaint(c))
	}
	return list
}

// ConfirmServiceOrder lets the user confirm a pay score order, which is under way then. The
// merchant is told by PAYSCORE.USER_CONFIRM at the order's notify_url. An order that does not wait
// for its user is an error.
func (u *Users) ConfirmServiceOrder(outOrderNo string) error {
	return u.flows.scores.ConfirmServiceOrder(outOrderNo)
}

// PayServiceOrder lets the user pay a pay score order that the merchant has completed, and returns
// the transaction_id. The merchant is told by PAYSCORE.USER_PAID. An order that is not complete, or
// is paid, is an error.
func (u *Users) PayServiceOrder(outOrderNo string) (transactionID string, err error) {
	return u.flows.scores.PayServiceOrder(outOrderNo)
}

// Coupon is a cash coupon that a user has.
type Coupon struct {
	ID      string    `json:"coupon_id"`
	Name    string    `json:"coupon_name"` // of its stock
	OpenID  string    `json:"openid"`
	State   string    `json:"status"`              // SENDED, USED or EXPIRED
	Amount  int64     `json:"coupon_amount"`       // what it pays of an order, fen
	Minimum int64     `json:"transaction_minimum"` // the smallest order that it is for, fen
	Begin   time.Time `json:"available_begin_time"`
	End     time.Time `json:"available_end_time"`
}

// Coupons returns the coupons of all users, those that begin last first.
func (u *Users) Coupons() (list []Coupon) {
	for _, c := range u.flows.coupons.Coupons() {
		list = append(list, Coupon(c))
	}
	return list
}

// UseCoupon lets a user use a coupon for an order that is paid; SUB_MCHID/ stands before the number
// of a sub-merchant's order. The merchant is told by COUPON.USE at the callback of its coupons. The
// payment in the order stays as it is. A coupon that cannot be used for it is an error.
func (u *Users) UseCoupon(couponID, outTradeNo string) error {
	return u.flows.coupons.UseCoupon(couponID, outTradeNo)
}

// SignContract lets the user sign the deduction contract that a pre-signature leads to, and returns
// the contract_id. The merchant is told by ENTRUST.SIGN at contract_notify_url. A contract that is
// unknown, or signed already, is an error.
func (u *Users) SignContract(planID, outContractCode string) (contractID string, err error) {
	return u.flows.contracts.SignContract(planID, outContractCode)
}

// TerminateContract lets the user end a deduction contract. The merchant is told by
// ENTRUST.TERMINATE. A contract that is unknown, or ended already, is an error.
func (u *Users) TerminateContract(contractID string) error {
	return u.flows.contracts.TerminateContract(contractID)
}

// RepeatedFeed says what becomes of a member feed whose out_request_no came before. The platform
// does not document it, so a program that repeats must be ready for all of it.
type RepeatedFeed int

// Ways to treat a repeated feed.
const (
	RepeatSame      = RepeatedFeed(member.Same)      // the same response and no second effect; other parameters are 400 ALREADY_EXISTS
	RepeatDuplicate = RepeatedFeed(member.Duplicate) // a second effect
	RepeatExists    = RepeatedFeed(member.Exists)    // 400 ALREADY_EXISTS
)

// UnmarshalText reads same, duplicate or exists.
func (w *RepeatedFeed) UnmarshalText(text []byte) error {
	return (*member.Repeated)(w).UnmarshalText(text)
}
