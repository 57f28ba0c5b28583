package sandbox

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
)

// WithBillRows makes every bill and statement one of n rows, which are invented and always the same for a seed, a merchant and
// a day; by default they tell the sandbox's own ledger. They are written while they are read, so that n may be
// a hundred million: then the first application for a bill is answered STATEMENT_CREATING until its digest is known.
// Encrypted bills come in two parts at least, so that clients are seen to join them.
func WithBillRows(n int64) Option {
	return func(s *settings) error {
		if n < 1 {
			return fmt.Errorf("sandbox: WithBillRows: a bill has 1 row at least, not %d", n)
		}
		s.billRows = n
		return nil
	}
}

// Rules of bills.
const (
	billHour     = 9  // o'clock in Beijing, at which the bills of the day before begin to be made
	billReady    = 10 // o'clock, at which they are there
	billMonths   = 3  // for how long they can be had
	sheetDays    = 180
	partRows     = 50_000_000  // of a part of an encrypted bill, below the 16 GB at which the platform divides
	billPatience = time.Second // for how long an application waits for the digest of a large bill
)

// billOperations are the applications for bills, and the statements that need none.
func billOperations() []operation {
	list := []operation{
		{Operation: documented("GET", "/v3/bill/tradebill"), do: (*call).tradeBill},
		{Operation: documented("GET", "/v3/bill/fundflowbill"), do: (*call).fundBill},
		{Operation: documented("GET", "/v3/profitsharing/bills"), do: (*call).shareBill},
		{Operation: documented("GET", "/v3/merchant/fund/withdraw/bill-type/{bill_type}"), do: (*call).withdrawBill},
		{Operation: documented("GET", "/v3/bill/sub-merchant-fundflowbill"), do: (*call).subMerchantFundBill},
		{Operation: documented("GET", "/v3/ecommerce/bill/fundflowbill"), do: (*call).ecommerceFundBill},
		{Operation: documented("GET", "/v3/payscore/merchant-bill"), do: (*call).payScoreBill},
		{Operation: documented("GET", "/hk/v3/statements"), do: (*call).statement},
	}
	// The catalogue marks mchid as required, but a provider sends sp_mchid and sub_mchid in its place.
	global := *documented("GET", "/v3/global/statements")
	global.In.Query = slices.Clone(global.In.Query)
	for i := range global.In.Query {
		global.In.Query[i].Required = global.In.Query[i].Name == "date"
	}
	return append(list, operation{Operation: &global, do: (*call).statement})
}

var noStatement = text{"账单文件不存在，请检查当前商户号是否在指定日期有交易", "there is no bill: check that there were transactions on that day"}

func statementError(code string, message text, reason string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, message: message, number: numberUndocumented, reason: reason}
}

// billDay reads the day of a bill and refuses one whose bill is not there.
func (c *call) billDay(name, layout string) (time.Time, *refusal) {
	day, err := time.ParseInLocation(layout, c.query.Get(name), beijing)
	if err != nil {
		return day, memberError("query", name, c.query.Get(name), text{"日期格式应为" + layout, "the date must look like " + layout})
	}
	now := c.now.In(beijing)
	oldest, made := now.AddDate(0, -billMonths, 0), time.Date(day.Year(), day.Month(), day.Day()+1, billHour, 0, 0, 0, beijing)
	if name == "date" {
		oldest = now.AddDate(0, 0, -sheetDays)
	}
	switch {
	case day.Before(oldest.AddDate(0, 0, -1)):
		return day, memberError("query", name, c.query.Get(name), text{"账单日期过早", "bills of that day are no longer to be had"})
	case now.Before(made):
		return day, statementError("NO_STATEMENT_EXIST", noStatement, "bills of a day are made from 9:00 of the next day in Beijing, and it is "+billTime(c.now))
	case now.Before(made.Add((billReady - billHour) * time.Hour)):
		return day, c.creating("bills of a day are there from 10:00 of the next day in Beijing, and it is " + billTime(c.now))
	}
	return day, nil
}

// creating is the answer while a bill is being made.
func (c *call) creating(reason string) *refusal {
	code, message := "STATEMENT_CREATING", text{"账单生成中，请先检查当前商户号在指定日期内是否有成功的交易，如有则在T+1日上午10点后再重新下载", "the bill is being made, ask again after 10:00 of the next day"}
	if c.operation.Path == "/v3/profitsharing/bills" {
		code = "INVALID_REQUEST"
	}
	return statementError(code, message, reason)
}

// checkConstants refuses a value of the query that is not among those documented.
func (c *call) checkConstants() *refusal {
	for _, place := range []struct {
		name   string
		fields []fact.Field
		get    func(string) string
	}{{"query", c.operation.In.Query, c.query.Get}, {"url", c.operation.In.Path, func(name string) string { return c.path[name] }}} {
		for _, field := range place.fields {
			if value := place.get(field.Name); value != "" && len(field.Enum) > 0 && !slices.Contains(field.Enum, any(value)) {
				return memberError(place.name, field.Name, value, text{fmt.Sprintf("应为%v之一", field.Enum), fmt.Sprintf("it must be one of %v", field.Enum)})
			}
		}
	}
	return nil
}

// digests are the sections of one invented bill, which take time to know.
type digests struct {
	known    chan struct{} // closed when they are
	sections []section
}

// sections divides a sheet and takes the digests. Those of invented sheets are remembered under the key.
func (c *call) sections(s *sheet, key string, parts, most int64) ([]section, *refusal) {
	if s.rows == 0 {
		return nil, statementError("NO_STATEMENT_EXIST", noStatement, "nothing is to be told of that day")
	}
	if c.billRows == 0 {
		return s.sections(parts, most), nil
	}
	f := &c.files
	f.mu.Lock()
	d := f.digests[key]
	if d == nil {
		if f.digests == nil || len(f.digests) > 1000 {
			f.digests = make(map[string]*digests)
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
		return nil, c.creating("the digest of so large a bill takes its time")
	}
}

// wholeBill makes a bill of one file available and tells where.
func (c *call) wholeBill(s *sheet, key string) (any, *refusal) {
	list, refused := c.sections(s, key, 1, max(s.rows, 1))
	if refused != nil {
		return nil, refused
	}
	bill, query := list[0], ""
	zipped := c.query.Get("tar_type") == "GZIP"
	if zipped {
		query = "tartype=gzip"
	}
	return map[string]any{
		"hash_type": "SHA1", "hash_value": c.fault.Kind.digest(bill.sha1),
		"download_url": c.downloadURL("/v3/billdownload/file", query, func() *stream { return bill.stream(zipped) }),
	}, nil
}

func (c section) stream(zipped bool) *stream {
	if zipped {
		return &stream{content: "application/x-gzip", body: newZip(c.reader()), size: -1}
	}
	return &stream{content: "text/plain; charset=utf-8", body: c.reader(), size: c.size}
}

// encryptedBill makes a bill in encrypted parts available and tells where.
func (c *call) encryptedBill(s *sheet, key, path string) (any, *refusal) {
	parts := int64(1)
	if c.billRows > 0 {
		parts = 2
	}
	list, refused := c.sections(s, "encrypted "+key, parts, partRows)
	if refused != nil {
		return nil, refused
	}
	zipped := c.query.Get("tar_type") == "GZIP"
	var bills []any
	for i, part := range list {
		dataKey, nonce := []byte(rand.Text()+rand.Text()[:6]), []byte(rand.Text()[:16])
		bills = append(bills, map[string]any{
			"bill_sequence": i + 1, "hash_type": "SHA1", "hash_value": c.fault.Kind.digest(part.sha1), "encrypt_key": c.seal(string(dataKey)), "nonce": string(nonce),
			"download_url": c.downloadURL(path, "", func() *stream { return part.encrypted(zipped, dataKey, nonce) }),
		})
	}
	return map[string]any{"download_bill_count": len(bills), "download_bill_list": bills}, nil
}

// encrypted is the section under AEAD_AES_256_GCM, with a nonce of 16 bytes and no associated data.
func (c section) encrypted(zipped bool, key, nonce []byte) *stream {
	plain := c.stream(zipped)
	sealed, err := apiv3.SealAESGCMStream(key, nonce, nil, plain.body)
	if err != nil {
		panic(fmt.Sprintf("sandbox: encrypting a bill: %v", err)) // the key was made here
	}
	file := &stream{content: "application/octet-stream", body: sealed, size: -1}
	if plain.size >= 0 {
		const tag = 16
		file.size = plain.size + tag
	}
	return file
}

// checkSub refuses a sub-merchant who is not the caller's. Bills are invented for anybody.
func (c *call) checkSub() *refusal {
	if sub := c.query.Get("sub_mchid"); sub != "" && c.billRows == 0 {
		return c.checkRelation(sub)
	}
	return nil
}

// billOf makes the checks that all applications share, and returns the day and the key of its invented rows.
func (c *call) billOf(layout string) (time.Time, string, *refusal) {
	if refused := c.checkConstants(); refused != nil {
		return time.Time{}, "", refused
	}
	if refused := c.checkSub(); refused != nil {
		return time.Time{}, "", refused
	}
	day, refused := c.billDay("bill_date", layout)
	query := c.query
	return day, strings.Join([]string{
		c.operation.Path, c.merchant.ID, query.Get("sub_mchid"), day.Format(layout), query.Get("bill_type"), query.Get("account_type"),
	}, " "), refused
}

func (c *call) tradeBill() (any, *refusal) {
	day, key, refused := c.billOf(time.DateOnly)
	if refused != nil {
		return nil, refused
	}
	// The special kinds have more columns for providers in reality.
	kind := or(strings.NewReplacer("ALL_SPECIAL", "ALL", "SUC_SPECIAL", "SUCCESS", "REF_SPECIAL", "REFUND").Replace(c.query.Get("bill_type")), "ALL")
	return c.wholeBill(c.trades(day, kind, anyOrder), key)
}

// anyOrder picks every order for a bill.
func anyOrder(order) bool { return true }

// trades is the trade bill of a day, with the orders that are picked.
func (c *call) trades(day time.Time, kind string, pick func(order) bool) *sheet {
	if c.billRows > 0 {
		invent := c.invention(day)
		return tradeSheet(kind, c.billRows, func(i int64) trade { return invent.trade(i, kind) })
	}
	rows := c.ledgerTrades(day, kind, pick)
	return tradeSheet(kind, int64(len(rows)), func(i int64) trade { return rows[i] })
}

func (c *call) fundBill() (any, *refusal) {
	day, key, refused := c.billOf(time.DateOnly)
	if refused != nil {
		return nil, refused
	}
	only := c.query.Get("sub_mchid") // empty for the caller's own account
	return c.wholeBill(c.funds(day, or(c.query.Get("account_type"), "BASIC"), func(sub string) bool { return sub == only }), key)
}

// funds is the fund bill of an account and a day, for those of whom of tells.
func (c *call) funds(day time.Time, account string, of func(sub string) bool) *sheet {
	if c.billRows > 0 {
		return flowSheet(c.billRows, c.invention(day).flow)
	}
	rows := c.ledgerFlows(day, account, of)
	return flowSheet(int64(len(rows)), func(i int64) flow { return rows[i] })
}

func (c *call) shareBill() (any, *refusal) {
	day, key, refused := c.billOf(time.DateOnly)
	if refused != nil {
		return nil, refused
	}
	if c.billRows > 0 {
		return c.wholeBill(shareSheet(c.billRows, c.invention(day).share), key)
	}
	rows := c.ledgerShares(day)
	return c.wholeBill(shareSheet(int64(len(rows)), func(i int64) share { return rows[i] }), key)
}

func (c *call) withdrawBill() (any, *refusal) {
	day, key, refused := c.billOf(time.DateOnly)
	if refused != nil {
		return nil, refused
	}
	return c.wholeBill(withdrawSheet(c.billRows, c.invention(day).withdrawal), key)
}

// checkAlgorithm refuses an algorithm that the sandbox lacks.
func (c *call) checkAlgorithm(name string) *refusal {
	switch algorithm := c.query.Get(name); algorithm {
	case "AEAD_AES_256_GCM":
		return nil
	case "SM4_GCM":
		return invalidRequest(text{"未开通国密", "the merchant has no SM algorithms"}, "the sandbox has no SM4")
	default:
		return memberError("query", name, algorithm, text{"应为AEAD_AES_256_GCM", "it must be AEAD_AES_256_GCM"})
	}
}

func (c *call) subMerchantFundBill() (any, *refusal) {
	return c.encryptedFunds(c.query.Get("account_type"), func(sub string) bool { return sub == c.query.Get("sub_mchid") })
}

// ecommerceFundBill tells the accounts of all sub-merchants together.
func (c *call) ecommerceFundBill() (any, *refusal) {
	return c.encryptedFunds("BASIC", func(sub string) bool { return sub != "" })
}

func (c *call) encryptedFunds(account string, of func(sub string) bool) (any, *refusal) {
	if refused := c.checkAlgorithm("algorithm"); refused != nil {
		return nil, refused
	}
	day, key, refused := c.billOf(time.DateOnly)
	if refused != nil {
		return nil, refused
	}
	return c.encryptedBill(c.funds(day, account, of), key, encryptedBills)
}

// payScoreBill tells what was paid. Its day is documented in two forms.
func (c *call) payScoreBill() (any, *refusal) {
	if refused := c.checkAlgorithm("encryption_algorithm"); refused != nil {
		return nil, refused
	}
	layout := time.DateOnly
	if len(c.query.Get("bill_date")) == len("2006010215") {
		if _, err := time.Parse("2006010215", c.query.Get("bill_date")); err == nil {
			layout = "2006010215"
		}
	}
	day, key, refused := c.billOf(layout)
	if refused != nil {
		return nil, refused
	}
	return c.encryptedBill(c.trades(day, "SUCCESS", func(o order) bool { return o.Service != "" }), key, payScoreBills)
}

// statement answers with an overseas statement, whose digest is signed.
func (c *call) statement() (any, *refusal) {
	merchant, place := c.query.Get("mchid"), "mchid"
	if merchant == "" {
		merchant, place = c.query.Get("sp_mchid"), "sp_mchid"
		if merchant != "" && c.query.Get("sub_mchid") == "" {
			return nil, memberError("query", "sub_mchid", "", issueRequired)
		}
	}
	if merchant == "" {
		return nil, memberError("query", "mchid", "", issueRequired)
	}
	if refused := c.checkMerchant("query", place, merchant); refused != nil {
		return nil, refused
	}
	if refused := c.checkSub(); refused != nil {
		return nil, refused
	}
	day, refused := c.billDay("date", "20060102")
	if refused != nil {
		return nil, refused
	}
	s := c.trades(day, "ALL", anyOrder)
	list, refused := c.sections(s, "statement "+c.merchant.ID+c.query.Get("sub_mchid")+day.Format(time.DateOnly), 1, max(s.rows, 1))
	if refused != nil {
		return nil, refused
	}
	file := list[0].stream(false)
	file.content, file.sha1 = "text/plain", list[0].sha1
	if accepts(c.request.Header, "gzip") {
		file.encoding, file.body, file.size = "gzip", newZip(file.body), -1
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

// invention makes up the rows of a day.
type invention struct {
	day      string
	rows     int64
	seed     uint64
	merchant string
}

func (c *call) invention(day time.Time) *invention {
	seed := uint64(0)
	for _, b := range []byte(c.merchant.ID + day.Format(time.DateOnly)) {
		seed = seed*31 + uint64(b)
	}
	return &invention{day: day.Format(time.DateOnly), rows: max(c.billRows, 1), seed: seed ^ c.faults.seed, merchant: c.merchant.ID}
}

// at is when a row happened: the day passes evenly.
func (v *invention) at(i int64) string {
	second := i % v.rows * (24 * 60 * 60) / v.rows
	b := append(make([]byte, 0, len(time.DateTime)), v.day...)
	for i, n := range [...]int64{second / 3600, second / 60 % 60, second % 60} {
		b = append(b, " ::"[i], byte('0'+n/10), byte('0'+n%10))
	}
	return string(b)
}

// number is a number of the row, size characters long.
func (v *invention) number(prefix string, size int, i int64) string {
	b := append(make([]byte, 0, size), prefix...)
	b = append(append(append(b, v.day[:4]...), v.day[5:7]...), v.day[8:]...)
	digits := len(decimal(i))
	for len(b)+digits < size {
		b = append(b, '0')
	}
	return string(append(b, decimal(i)...))
}

// draw is a number that looks like chance (SplitMix64).
func (v *invention) draw(i int64) uint64 {
	x := v.seed + uint64(i+1)*0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func (v *invention) amount(i int64) int64 { return int64(v.draw(i)%100_000) + 1 }

// trade is a payment, and a refund in every tenth row of a bill of both.
func (v *invention) trade(i int64, kind string) trade {
	t := trade{
		at: v.at(i), appid: sampleAppID, mchid: v.merchant, transaction: v.number("4200001234", 28, i), number: v.number("T", 24, i), openid: anyPayer, way: "JSAPI",
		goods: "商品 " + decimal(i), total: v.amount(i),
	}
	if kind == "REFUND" || kind == "ALL" && v.draw(i)>>32%10 == 0 {
		t.refund = t.total
		t.refundID, t.refundNumber, t.refundState, t.asked, t.refundedAt = v.number("5030", 29, i), v.number("R", 24, i), "SUCCESS", t.at, t.at
	}
	return t
}

// flow is what came in; an invented account only grows, by the same sum.
func (v *invention) flow(i int64) flow {
	const sum = 100
	return flow{
		at: v.at(i), business: v.number("4200001234", 28, i), serial: v.number("F", 28, i), name: "交易", kind: "交易", by: "system", voucher: v.number("T", 24, i),
		amount: sum, balance: openingBalance + sum*(i+1),
	}
}

func (v *invention) share(i int64) share {
	return share{
		at: v.at(i), by: v.merchant, payer: v.merchant, transaction: v.number("4200001234", 28, i), order: v.number("3008450740", 28, i), detail: v.number("3601", 28, i),
		number: v.number("P", 24, i), receiver: "1900000110", kind: "分账", state: "处理成功", description: "分给商户", total: v.amount(i) * 2, amount: v.amount(i),
	}
}

func (v *invention) withdrawal(i int64) withdrawal {
	return withdrawal{at: v.at(i), id: v.number("1201", 28, i), number: v.number("W", 24, i), reason: "银行卡信息有误", amount: v.amount(i)}
}
