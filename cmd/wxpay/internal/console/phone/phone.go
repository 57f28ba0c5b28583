// Package phone is the phone of a user: it pays, confirms and complains.
package phone

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/send"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/view"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Pages are the pages of the phone.
type Pages struct{ Sandbox *sandbox.Sandbox }

// Register adds the pages.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /phone", p.home)
	mux.HandleFunc("GET /phone/pay", p.checkout)
	mux.HandleFunc("POST /phone/pay", p.pay)
	mux.HandleFunc("GET /phone/transfer", p.transfer)
	mux.HandleFunc("POST /phone/transfer", p.confirm)
	mux.HandleFunc("POST /phone/act", p.act)
}

// most bounds the lists on the phone.
const most = 20

// home is what the phone shows first.
type home struct {
	Merchants []string
	Waiting   []waiting
	Paid      []string // numbers of orders that the user can complain about
	Merchant  string
	Cards     []sandbox.MemberCard
}

// waiting is something that waits for its user.
type waiting struct {
	Kind     string // order, transfer, service
	Merchant string
	Number   string
	Text     string
	Amount   int64
	State    string
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) { p.show(w, r, "", nil) }

func (p *Pages) show(w http.ResponseWriter, r *http.Request, done string, problem error) {
	var page home
	s := send.ViewOf(p.Sandbox, r.FormValue("merchant"))
	page.Merchant = s.Merchant().ID
	page.Merchants = send.Merchants(p.Sandbox)
	for _, order := range first(s.Users.Checkouts(), most) {
		page.Waiting = append(page.Waiting, waiting{"order", page.Merchant, order.Number, order.Description, order.Total, order.State})
	}
	for _, e := range slices.Backward(s.Ledger.Effects(sandbox.TransferEffect, sandbox.ServiceEffect)) {
		if len(page.Waiting) == 2*most {
			break
		}
		if e.State == "WAIT_USER_CONFIRM" || e.Kind == sandbox.ServiceEffect && (e.State == "CREATED" || e.State == "DOING") {
			page.Waiting = append(page.Waiting, waiting{string(e.Kind), page.Merchant, send.Key(e), "", e.Amount, e.State})
		}
	}
	for _, e := range slices.Backward(s.Ledger.Effects(sandbox.PaymentEffect)) {
		if page.Paid = append(page.Paid, send.Key(e)); len(page.Paid) == most {
			break
		}
	}
	page.Cards = first(s.Users.MemberCards(), most)
	view.Write(w, r, view.Frame{Template: "phone", Title: "Phone", Section: "phone", Done: done, Err: problem}, page)
}

func first[T any](list []T, n int) []T { return list[:min(n, len(list))] }

// cashier is the page on which the user pays.
type cashier struct {
	sandbox.Checkout
	Merchant string
	Link     string
	Shop     bool   // a page of the shop has opened it, and waits
	Return   string // redirect_url of H5; empty without one
	Outcome  string // ok, cancel or fail once it is over
	Open     bool   // it can be paid
	Coupons  []sandbox.Coupon
}

// couponsFor returns the user's coupons that an order is large enough for.
func couponsFor(s *sandbox.Sandbox, order sandbox.Checkout) []sandbox.Coupon {
	var list []sandbox.Coupon
	for _, c := range s.Users.Coupons() {
		if c.State == "SENDED" && c.Minimum <= order.Total && (order.OpenID == "" || order.OpenID == c.OpenID) {
			list = append(list, c)
		}
	}
	return first(list, most)
}

// checkout opens a link: the number of an order, a code_url, a prepay_id or an h5_url.
func (p *Pages) checkout(w http.ResponseWriter, r *http.Request) {
	page, s, err := p.find(r)
	if err != nil {
		p.missing(w, r, err)
		return
	}
	if page.Shop {
		if problem := checkCall(r, s, page); problem != "" {
			page.Outcome = "fail"
			p.till(w, r, page, errors.New(view.Say(r, "The shop's call is not right, so WeChat would not open.")+" "+problem), "")
			return
		}
	}
	p.till(w, r, page, nil, "")
}

func (p *Pages) till(w http.ResponseWriter, r *http.Request, page cashier, problem error, done string) {
	page.Open = page.Outcome == "" && slices.Contains([]string{"NOTPAY", "USERPAYING"}, page.State)
	view.Write(w, r, view.Frame{Template: "cashier", Title: "Pay", Section: "phone", Err: problem, Done: done}, page)
}

func (p *Pages) missing(w http.ResponseWriter, r *http.Request, err error) {
	view.Write(w, r, view.Frame{Template: "dead", Title: "Phone", Section: "phone", Status: http.StatusNotFound, Err: err}, r.FormValue("shop") != "")
}

// find returns the order of a link, of whichever merchant.
func (p *Pages) find(r *http.Request) (cashier, *sandbox.Sandbox, error) {
	link := r.FormValue("link")
	page := cashier{Link: link, Shop: r.FormValue("shop") != "", Return: returnOf(link)}
	views := p.Sandbox.Merchants()
	if merchant := r.FormValue("merchant"); merchant != "" {
		views = []*sandbox.Sandbox{send.ViewOf(p.Sandbox, merchant)}
	}
	var failed error
	for _, s := range views {
		checkout, err := s.Users.Checkout(link)
		if err == nil {
			page.Checkout, page.Merchant, page.Coupons = checkout, s.Merchant().ID, couponsFor(s, checkout)
			return page, s, nil
		}
		failed = err
	}
	if len(views) > 1 {
		failed = errors.New("no order of any merchant has this link or number")
	}
	return page, nil, failed
}

// returnOf is where an H5 payment leads back to.
func returnOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	back, err := url.Parse(u.Query().Get("redirect_url"))
	if err != nil || back.Scheme != "http" && back.Scheme != "https" {
		return ""
	}
	return back.String()
}

// checkCall checks the signature with which a shop's page calls WeChat up; it returns the mistake.
func checkCall(r *http.Request, s *sandbox.Sandbox, page cashier) string {
	q := r.URL.Query()
	for _, name := range []string{"timeStamp", "nonceStr", "paySign"} {
		if q.Get(name) == "" {
			return name + ": " + view.Say(r, "is missing.")
		}
	}
	if q.Get("signType") != "RSA" {
		return view.Say(r, "signType must be RSA.")
	}
	signature, err := base64.StdEncoding.DecodeString(q.Get("paySign"))
	if err != nil {
		return view.Say(r, "paySign is not base64.")
	}
	if !strings.HasPrefix(page.Link, "prepay_id=") {
		return view.Say(r, "package must be prepay_id=…, with its name.")
	}
	appID := cmp.Or(q.Get("appId"), page.AppID) // a mini program does not say its own
	message := apiv3.AppendLines(nil, appID, q.Get("timeStamp"), q.Get("nonceStr"), page.Link)
	if apiv3.RSA().Verify(s.Merchant().Certificate.PublicKey, message, signature) != nil {
		return view.Say(r, "paySign does not verify over the lines appId, timeStamp, nonceStr and package, each ended by a line feed.")
	}
	return ""
}

// pay does what the user does at the cashier.
func (p *Pages) pay(w http.ResponseWriter, r *http.Request) {
	page, s, err := p.find(r)
	if err != nil {
		p.missing(w, r, err)
		return
	}
	done := ""
	switch r.PostFormValue("do") {
	case "pay":
		_, err = s.Users.PayAs(page.Number, strings.TrimSpace(r.PostFormValue("openid")))
		if err == nil {
			page.Outcome, done = "ok", view.Say(r, "Paid. The merchant is notified.")
		}
	case "balance":
		if err = s.Users.FailPayment(page.Number); err == nil {
			err = errors.New(view.Say(r, "The balance is not sufficient. The order stays unpaid."))
		}
	case "password":
		err = errors.New(view.Say(r, "The password is wrong. Nothing was paid, and the platform tells nobody."))
	case "cancel":
		page.Outcome, done = "cancel", view.Say(r, "Cancelled. The order stays as it is.")
	default:
		err = errors.New("the phone knows no such act")
	}
	if after, err := s.Users.Checkout(page.Number); err == nil {
		page.Checkout, page.Coupons = after, couponsFor(s, after)
	}
	p.till(w, r, page, err, done)
}

// bill is the page on which the user confirms a transfer.
type bill struct {
	sandbox.Effect
	Merchant string
	Number   string
	Shop     bool
	Outcome  string
}

func (p *Pages) findBill(r *http.Request) (bill, *sandbox.Sandbox, error) {
	s := send.ViewOf(p.Sandbox, cmp.Or(r.FormValue("merchant"), r.FormValue("mchid")))
	number := r.FormValue("number")
	if number == "" {
		var err error
		if number, err = s.Users.TransferAsked(r.FormValue("package")); err != nil {
			return bill{}, nil, err
		}
	}
	for _, e := range s.Ledger.Effects(sandbox.TransferEffect) {
		if send.Key(e) == number {
			return bill{Effect: e, Merchant: s.Merchant().ID, Number: number, Shop: r.FormValue("shop") != ""}, s, nil
		}
	}
	return bill{}, nil, errors.New("the merchant has no such transfer bill")
}

func (p *Pages) transfer(w http.ResponseWriter, r *http.Request) {
	page, _, err := p.findBill(r)
	if err != nil {
		p.missing(w, r, err)
		return
	}
	p.asked(w, r, page, nil)
}

func (p *Pages) asked(w http.ResponseWriter, r *http.Request, page bill, problem error) {
	view.Write(w, r, view.Frame{Template: "transfer", Title: "Transfer", Section: "phone", Err: problem}, page)
}

func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) {
	page, s, err := p.findBill(r)
	if err != nil {
		p.missing(w, r, err)
		return
	}
	switch r.PostFormValue("do") {
	case "confirm":
		err, page.Outcome = s.Ledger.Settle(sandbox.TransferEffect, page.Number, "SUCCESS"), "ok"
	case "fail":
		err, page.Outcome = s.Ledger.Settle(sandbox.TransferEffect, page.Number, "FAIL"), "fail"
	case "cancel":
		page.Outcome = "cancel"
	default:
		err = errors.New("the phone knows no such act")
	}
	if err != nil {
		page.Outcome = ""
	}
	for _, e := range s.Ledger.Effects(sandbox.TransferEffect) {
		if send.Key(e) == page.Number {
			page.Effect = e
		}
	}
	p.asked(w, r, page, err)
}

// act does everything else that a user does.
func (p *Pages) act(w http.ResponseWriter, r *http.Request) {
	u := send.ViewOf(p.Sandbox, r.PostFormValue("merchant")).Users
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	made, err := "", errors.New("the phone knows no such act")
	switch r.PostFormValue("do") {
	case "confirm-service":
		err = u.ConfirmServiceOrder(field("number"))
	case "pay-service":
		made, err = u.PayServiceOrder(field("number"))
	case "sign":
		made, err = u.SignContract(field("plan_id"), field("out_contract_code"))
	case "terminate":
		err = u.TerminateContract(field("contract_id"))
	case "open-card":
		made, err = u.OpenMemberCard(field("card_id"), field("openid"), field("phone"))
	case "delete-card":
		err = u.DeleteMemberCard(field("card_id"), field("openid"))
	case "ask-points":
		err = u.AskForPoints(field("card_id"), field("openid"))
	case "use-coupon":
		err = u.UseCoupon(field("coupon_id"), field("number"))
	case "complain":
		made, err = u.Complain(sandbox.Complaint{
			OutTradeNo: field("number"), Detail: field("detail"), Problem: field("detail"), Type: field("type"), Phone: field("phone"),
		})
	}
	done := ""
	if err == nil {
		done = strings.TrimSpace(view.Say(r, "Done.") + " " + made)
	}
	p.show(w, r, done, err)
}
