package order

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
)

// Checkout is what the user's phone shows of an order, or of a combined order.
type Checkout struct {
	Number      string    `json:"out_trade_no"`
	Way         string    `json:"trade_type"`
	AppID       string    `json:"appid"`
	Description string    `json:"description"`
	Total       int64     `json:"total"`
	OpenID      string    `json:"openid"`
	State       string    `json:"trade_state"`
	Time        time.Time `json:"time"`
}

// linked bounds how many links of an order are kept; an order that is created again has a new one.
const linked = 10

// addLink keeps what a response lets the user pay with.
func addLink(links []string, response map[string]any) []string {
	for _, link := range response {
		if text, ok := link.(string); ok {
			links = append(links, bareLink(text))
		}
	}
	return slices.Clone(links[max(0, len(links)-linked):])
}

// bareLink is what identifies the order in a code_url, a prepay_id, the package of a JSAPI call
// (prepay_id=…) or an h5_url, to which a shop may have added a redirect_url.
func bareLink(text string) string {
	text = strings.TrimSpace(text)
	if _, after, ok := strings.Cut(text, "prepay_id="); ok {
		text, _, _ = strings.Cut(after, "&")
	}
	return text
}

func (o Order) checkout() Checkout {
	request := book.ReadObject(o.Request)
	description, _ := request["description"].(string)
	appID, ok := request["sp_appid"].(string)
	if !ok {
		appID, _ = request["appid"].(string)
	}
	return Checkout{o.Key(), o.Way, appID, description, o.Total, o.OpenID, o.State(), o.Since}
}

func (f *Flow) checkoutOf(m combined) Checkout {
	page := Checkout{Number: m.Number, Way: m.Way, OpenID: m.OpenID, State: stateNotPaid, Time: m.Since}
	page.AppID, _ = book.ReadObject(m.Request)["combine_appid"].(string)
	var descriptions []string
	for _, key := range m.Parts {
		o, _ := f.orders.Get(key)
		part := o.checkout()
		page.Total += part.Total
		descriptions = append(descriptions, part.Description)
	}
	switch {
	case m.Paid != "":
		page.State = statePaid
	case m.Closed:
		page.State = stateClosed
	}
	page.Description = strings.Join(descriptions, ", ")
	return page
}

// Checkout returns what the user's phone shows after it has opened a link.
func (f *Flow) Checkout(link string) (Checkout, error) {
	b, _ := f.Begin()
	defer b.Commit()
	bare := bareLink(link)
	if m, known := f.combined.Get(bare); known {
		return f.checkoutOf(m), nil
	}
	if o, known := f.orders.Get(bare); known && o.Combine == "" {
		return o.checkout(), nil
	}
	for _, m := range f.combined.Rows() {
		if slices.Contains(m.Links, bare) {
			return f.checkoutOf(m), nil
		}
	}
	for _, o := range f.orders.Rows() {
		if slices.Contains(o.Links, bare) {
			return o.checkout(), nil
		}
	}
	return Checkout{}, fmt.Errorf("sandbox: checkout: no order of the merchant %s has this link or number", f.ID)
}

// Checkouts returns those that wait for their users, the newest first.
func (f *Flow) Checkouts() []Checkout {
	b, _ := f.Begin()
	defer b.Commit()
	var list []Checkout
	add := func(page Checkout) {
		if page.State == stateNotPaid || page.State == stateAsked {
			list = append(list, page)
		}
	}
	for _, m := range f.combined.Rows() {
		add(f.checkoutOf(m))
	}
	for _, o := range f.orders.Rows() {
		if o.Combine == "" {
			add(o.checkout())
		}
	}
	slices.SortFunc(list, func(a, b Checkout) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.Number, b.Number))
	})
	return list
}
