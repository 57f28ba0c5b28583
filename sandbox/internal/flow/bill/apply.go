package bill

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Rules of bills.
const (
	billHour     = 9  // o'clock in Beijing, at which the bills of the day before begin to be made
	billReady    = 10 // o'clock, at which they are there
	billMonths   = 3  // for how long they can be had
	sheetDays    = 180
	partRows     = 50_000_000  // of a part of an encrypted bill, below the 16 GB at which the platform divides
	billPatience = time.Second // for how long an application waits for the digest of a large bill
)

var noStatement = say.Both("账单文件不存在，请检查当前商户号是否在指定日期有交易", "there is no bill: check that there were transactions on that day")

// billDay reads the day of a bill and rejects one whose bill is not there.
func billDay(c *gate.Call, name, layout string) (time.Time, *say.Rejection) {
	day, err := time.ParseInLocation(layout, c.Query.Get(name), say.Beijing)
	if err != nil {
		return day, say.FieldError("query", name, c.Query.Get(name), say.Unfitting("日期格式应为"+layout, "the date must look like "+layout))
	}
	now := c.Now.In(say.Beijing)
	oldest, made := now.AddDate(0, -billMonths, 0), time.Date(day.Year(), day.Month(), day.Day()+1, billHour, 0, 0, 0, say.Beijing)
	if name == "date" {
		oldest = now.AddDate(0, 0, -sheetDays)
	}
	switch {
	case day.Before(oldest.AddDate(0, 0, -1)):
		return day, say.FieldError("query", name, c.Query.Get(name), say.Unfitting("账单日期过早", "bills of that day are no longer to be had"))
	case now.Before(made):
		return day, say.BadRequest("NO_STATEMENT_EXIST", noStatement, "bills of a day are made from 9:00 of the next day in Beijing, and it is "+billTime(c.Now))
	case now.Before(made.Add((billReady - billHour) * time.Hour)):
		return day, creating(c, "bills of a day are there from 10:00 of the next day in Beijing, and it is "+billTime(c.Now))
	}
	return day, nil
}

// creating is the rejection while a bill is being made.
func creating(c *gate.Call, reason string) *say.Rejection {
	code, message := "STATEMENT_CREATING", say.Both("账单生成中，请先检查当前商户号在指定日期内是否有成功的交易，如有则在T+1日上午10点后再重新下载", "the bill is being made, ask again after 10:00 of the next day")
	if c.Operation.Path == "/v3/profitsharing/bills" {
		code = "INVALID_REQUEST"
	}
	return say.BadRequest(code, message, reason)
}

// checkConstants rejects a value of the query that is not among those documented.
func checkConstants(c *gate.Call) *say.Rejection {
	for _, place := range []struct {
		name   string
		fields []fact.Field
		get    func(string) string
	}{{"query", c.Operation.In.Query, c.Query.Get}, {"url", c.Operation.In.Path, func(name string) string { return c.Path[name] }}} {
		for _, field := range place.fields {
			if value := place.get(field.Name); value != "" && len(field.Enum) > 0 && !slices.Contains(field.Enum, any(value)) {
				return say.FieldError(place.name, field.Name, value, say.Unfitting(fmt.Sprintf("应为%v之一", field.Enum), fmt.Sprintf("it must be one of %v", field.Enum)))
			}
		}
	}
	return nil
}

// sections divides a sheet and takes the digests. Those of invented sheets are remembered under the
// key.
func (f *Flow) sections(c *gate.Call, s *sheet, key string, parts, most int64) ([]section, *say.Rejection) {
	if s.rows == 0 {
		return nil, say.BadRequest("NO_STATEMENT_EXIST", noStatement, "nothing is to be told of that day")
	}
	if f.rows == 0 {
		return s.sections(parts, most), nil
	}
	f.mu.Lock()
	d := f.digests[key]
	if d == nil {
		if len(f.digests) > 1000 {
			clear(f.digests)
		}
		d = &digests{known: make(chan struct{})}
		f.digests[key] = d
		go func() {
			d.sections = s.sections(parts, most)
			close(d.known)
		}()
	}
	f.mu.Unlock()
	patience := time.NewTimer(billPatience)
	defer patience.Stop()
	select {
	case <-d.known:
		return d.sections, nil
	case <-patience.C:
		return nil, creating(c, "the digest of so large a bill takes its time")
	}
}

// wholeBill makes a bill of one file available and tells where.
func (f *Flow) wholeBill(c *gate.Call, s *sheet, key string) (any, *say.Rejection) {
	list, rejected := f.sections(c, s, key, 1, max(s.rows, 1))
	if rejected != nil {
		return nil, rejected
	}
	bill, query := list[0], ""
	zipped := c.Query.Get("tar_type") == "GZIP"
	if zipped {
		query = "tartype=gzip"
	}
	return map[string]any{
		"hash_type": "SHA1", "hash_value": c.Digest(bill.sha1),
		"download_url": c.DownloadURL("/v3/billdownload/file", query, func() *gate.Stream { return bill.stream(zipped) }),
	}, nil
}

// encryptedBill makes a bill in encrypted parts available and tells where.
func (f *Flow) encryptedBill(c *gate.Call, s *sheet, key, path string) (any, *say.Rejection) {
	parts := int64(1)
	if f.rows > 0 {
		parts = 2
	}
	list, rejected := f.sections(c, s, "encrypted "+key, parts, partRows)
	if rejected != nil {
		return nil, rejected
	}
	zipped := c.Query.Get("tar_type") == "GZIP"
	var bills []any
	for i, part := range list {
		dataKey, nonce := []byte(rand.Text()+rand.Text()[:6]), []byte(rand.Text()[:16])
		bills = append(bills, map[string]any{
			"bill_sequence": i + 1, "hash_type": "SHA1", "hash_value": c.Digest(part.sha1), "encrypt_key": f.Encrypt(string(dataKey)), "nonce": string(nonce),
			"download_url": c.DownloadURL(path, "", func() *gate.Stream { return part.encrypted(zipped, dataKey, nonce) }),
		})
	}
	return map[string]any{"download_bill_count": len(bills), "download_bill_list": bills}, nil
}

// checkSub rejects a sub-merchant who is not the caller's. Bills are invented for anybody.
func (f *Flow) checkSub(c *gate.Call) *say.Rejection {
	if sub := c.Query.Get("sub_mchid"); sub != "" && f.rows == 0 {
		return c.CheckRelation(sub)
	}
	return nil
}

// billOf makes the checks that all applications share, and returns the day and the key of its
// invented rows.
func (f *Flow) billOf(c *gate.Call, layout string) (time.Time, string, *say.Rejection) {
	if rejected := checkConstants(c); rejected != nil {
		return time.Time{}, "", rejected
	}
	if rejected := f.checkSub(c); rejected != nil {
		return time.Time{}, "", rejected
	}
	day, rejected := billDay(c, "bill_date", layout)
	query := c.Query
	return day, strings.Join([]string{
		c.Operation.Path, c.ID, query.Get("sub_mchid"), day.Format(layout), query.Get("bill_type"), query.Get("account_type"),
	}, " "), rejected
}

func (f *Flow) tradeBill(c *gate.Call) (any, *say.Rejection) {
	day, key, rejected := f.billOf(c, time.DateOnly)
	if rejected != nil {
		return nil, rejected
	}
	// The special kinds have more columns for providers in reality.
	kind := cmp.Or(strings.NewReplacer("ALL_SPECIAL", "ALL", "SUC_SPECIAL", "SUCCESS", "REF_SPECIAL", "REFUND").Replace(c.Query.Get("bill_type")), "ALL")
	return f.wholeBill(c, f.trades(c, day, kind, anyOrder), key)
}

// anyOrder picks every order for a bill.
func anyOrder(order.Order) bool { return true }

// trades is the trade bill of a day, with the orders that are picked.
func (f *Flow) trades(c *gate.Call, day time.Time, kind string, pick func(order.Order) bool) *sheet {
	if f.rows > 0 {
		invent := f.invention(day)
		return tradeSheet(kind, f.rows, func(i int64) trade { return invent.trade(i, kind) })
	}
	rows := f.ledgerTrades(c, day, kind, pick)
	return tradeSheet(kind, int64(len(rows)), func(i int64) trade { return rows[i] })
}

func (f *Flow) fundBill(c *gate.Call) (any, *say.Rejection) {
	day, key, rejected := f.billOf(c, time.DateOnly)
	if rejected != nil {
		return nil, rejected
	}
	only := c.Query.Get("sub_mchid") // empty for the caller's own account
	return f.wholeBill(c, f.funds(c, day, cmp.Or(c.Query.Get("account_type"), "BASIC"), func(sub string) bool { return sub == only }), key)
}

// funds is the fund bill of an account and a day, for those of whom of tells.
func (f *Flow) funds(c *gate.Call, day time.Time, account string, of func(sub string) bool) *sheet {
	if f.rows > 0 {
		return flowSheet(f.rows, f.invention(day).movement)
	}
	rows := f.ledgerFlows(c, day, account, of)
	return flowSheet(int64(len(rows)), func(i int64) movement { return rows[i] })
}

func (f *Flow) shareBill(c *gate.Call) (any, *say.Rejection) {
	day, key, rejected := f.billOf(c, time.DateOnly)
	if rejected != nil {
		return nil, rejected
	}
	if f.rows > 0 {
		return f.wholeBill(c, shareSheet(f.rows, f.invention(day).shareRow), key)
	}
	rows := f.ledgerShares(c, day)
	return f.wholeBill(c, shareSheet(int64(len(rows)), func(i int64) shareRow { return rows[i] }), key)
}

func (f *Flow) withdrawBill(c *gate.Call) (any, *say.Rejection) {
	day, key, rejected := f.billOf(c, time.DateOnly)
	if rejected != nil {
		return nil, rejected
	}
	return f.wholeBill(c, withdrawSheet(f.rows, f.invention(day).withdrawal), key)
}

// checkAlgorithm rejects an algorithm that the sandbox lacks.
func checkAlgorithm(c *gate.Call, name string) *say.Rejection {
	switch algorithm := c.Query.Get(name); algorithm {
	case "AEAD_AES_256_GCM":
		return nil
	case "SM4_GCM":
		return say.InvalidRequest(say.Both("未开通国密", "the merchant has no SM algorithms"), "the sandbox has no SM4")
	default:
		return say.FieldError("query", name, algorithm, say.Unfitting("应为AEAD_AES_256_GCM", "it must be AEAD_AES_256_GCM"))
	}
}

func (f *Flow) subMerchantFundBill(c *gate.Call) (any, *say.Rejection) {
	return f.encryptedFunds(c, c.Query.Get("account_type"), func(sub string) bool { return sub == c.Query.Get("sub_mchid") })
}

// ecommerceFundBill tells the accounts of all sub-merchants together.
func (f *Flow) ecommerceFundBill(c *gate.Call) (any, *say.Rejection) {
	return f.encryptedFunds(c, "BASIC", func(sub string) bool { return sub != "" })
}

func (f *Flow) encryptedFunds(c *gate.Call, account string, of func(sub string) bool) (any, *say.Rejection) {
	if rejected := checkAlgorithm(c, "algorithm"); rejected != nil {
		return nil, rejected
	}
	day, key, rejected := f.billOf(c, time.DateOnly)
	if rejected != nil {
		return nil, rejected
	}
	return f.encryptedBill(c, f.funds(c, day, account, of), key, gate.EncryptedBills)
}

// payScoreBill tells what was paid. Its day is documented in two forms.
func (f *Flow) payScoreBill(c *gate.Call) (any, *say.Rejection) {
	if rejected := checkAlgorithm(c, "encryption_algorithm"); rejected != nil {
		return nil, rejected
	}
	layout := time.DateOnly
	if len(c.Query.Get("bill_date")) == len("2006010215") {
		if _, err := time.Parse("2006010215", c.Query.Get("bill_date")); err == nil {
			layout = "2006010215"
		}
	}
	day, key, rejected := f.billOf(c, layout)
	if rejected != nil {
		return nil, rejected
	}
	return f.encryptedBill(c, f.trades(c, day, "SUCCESS", func(o order.Order) bool { return o.Service != "" }), key, gate.PayScoreBills)
}

// statement responds with an overseas statement, whose digest is signed.
func (f *Flow) statement(c *gate.Call) (any, *say.Rejection) {
	merchant, place := c.Query.Get("mchid"), "mchid"
	if merchant == "" {
		merchant, place = c.Query.Get("sp_mchid"), "sp_mchid"
		if merchant != "" && c.Query.Get("sub_mchid") == "" {
			return nil, say.FieldError("query", "sub_mchid", "", say.IssueRequired)
		}
	}
	if merchant == "" {
		return nil, say.FieldError("query", "mchid", "", say.IssueRequired)
	}
	if rejected := c.CheckMerchant("query", place, merchant); rejected != nil {
		return nil, rejected
	}
	if rejected := f.checkSub(c); rejected != nil {
		return nil, rejected
	}
	day, rejected := billDay(c, "date", "20060102")
	if rejected != nil {
		return nil, rejected
	}
	s := f.trades(c, day, "ALL", anyOrder)
	list, rejected := f.sections(c, s, "statement "+c.ID+c.Query.Get("sub_mchid")+day.Format(time.DateOnly), 1, max(s.rows, 1))
	if rejected != nil {
		return nil, rejected
	}
	file := list[0].stream(false)
	file.Content, file.SHA1 = "text/plain", list[0].sha1
	if accepts(c.Request.Header, "gzip") {
		file.Encoding, file.Body, file.Size = "gzip", newZip(file.Body), -1
	}
	return file, nil
}

// accepts reports whether Accept-Encoding names the coding.
func accepts(header http.Header, coding string) bool {
	for value := range strings.SplitSeq(strings.Join(header["Accept-Encoding"], ","), ",") {
		name, quality, _ := strings.Cut(value, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			return strings.Trim(strings.TrimSpace(quality), "q=0.") != "" || strings.TrimSpace(quality) == ""
		}
	}
	return false
}
