package wxpay

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/bill"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/strict"
	"github.com/wxpay-go/wxpay/middleware"
)

// Bill is a downloaded and verified bill. Temporary files in os.TempDir hold it in the form of the
// wire, compressed or encrypted; Close removes them. Until then it is safe for concurrent use and
// may be read several times.
type Bill struct {
	// DownloadResult describes the download. Its Size is that of the whole plain text.
	DownloadResult

	content bill.Content
}

// WriteTo writes the plain text to w, byte for byte as the digests cover it. If a part of an
// encrypted bill ends without a line break, the next part follows on the same line ([Bill.Rows]
// separates them).
func (b *Bill) WriteTo(w io.Writer) (int64, error) { return b.content.WriteTo(w) }

// Rows returns the rows of the bill without its summary; see [Bill.Summary]. It holds one row in
// memory and can be ranged over several times.
//
// A back-tick begins a row. A row without exactly one value for each column comes with an error,
// and reading goes on. A line that is neither a row nor the names above a summary also comes with
// an error, such as a piece of a value with a line break. No line is silently left out. An error
// without a row ends the bill.
//
// In an encrypted bill of several parts, each part may have its own names and summary. Each begins
// on a new line.
func (b *Bill) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for row, err := range b.content.Rows() {
			if !yield(Row{row.Line, row.Values}, err) {
				return
			}
		}
	}
}

// Summary returns the rows at the end of the bill that sum it up, each with its own columns; for a
// bill of several parts, the summaries of all parts. It reads the bill, unless Rows has reached the
// end before.
func (b *Bill) Summary() ([]Row, error) {
	summary, err := b.content.Summary()
	var rows []Row
	for _, row := range summary {
		rows = append(rows, Row{row.Line, row.Values})
	}
	return rows, err
}

// Close removes the temporary files. A second call does nothing.
func (b *Bill) Close() error { return b.content.Close() }

// ErrNotReady means that, as far as is known, the platform has not made the bill or the receipt
// yet: ask again later. It wraps the API error, if there was one.
var ErrNotReady = bill.ErrNotReady

// Bill gets a bill: it applies with a GET, waits until the platform has made the bill, downloads,
// expands, decrypts and verifies it. It returns no part of the bill before all of that is done.
//
//	bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", "2026-11-22").Bill(ctx)
//	defer bill.Close()
//	for row, err := range bill.Rows() { … }
//
// The chain is any application whose response has a download_url or a download_bill_list: trade,
// fund-flow, profit-sharing and withdrawal bills, encrypted bills of sub-merchants and e-commerce.
// An overseas statement is another, whose response is the file. The platform names no digest for a few of
// them; then Verified is false. Query("tar_type", "GZIP") makes the download smaller; the bill is
// expanded once to verify it and again by Rows. Apply for encrypted bills with AEAD_AES_256_GCM.
//
// While the platform answers STATEMENT_CREATING, Bill asks again after half a minute, then less and
// less often, down to every half hour. It ends with ctx, or when the time of [WaitAtMost] is over;
// [ErrNotReady] says that no time was left to ask again. The platform makes bills from 9:00 of the
// next day, Beijing time, and recommends to ask after 10:00. After that NO_STATEMENT_EXIST is an
// empty bill, because nothing happened on that day; before it is ErrNotReady.
//
// Bill applies again for an expired link, a few times at most. It keeps the parts of an encrypted
// bill that it already has, and goes on as long as each application brings more parts.
func (c Chain) Bill(ctx context.Context, options ...DownloadOption) (*Bill, error) {
	b, err := c.billing(ctx, options)
	if err != nil {
		return nil, err
	}
	made := new(Bill)
	got, err := b.getting().Keep(ctx, &made.content)
	if err != nil {
		return nil, err
	}
	made.DownloadResult = DownloadResult(*got)
	return made, nil
}

// BillTo gets a bill as [Chain.Bill] does and writes its plain text to w, if possible without
// temporary files. An encrypted bill stays in encrypted temporary files until every part is
// authenticated; any other bill goes to w while it arrives, under the rules of [Chain.Download].
// Parts are joined unchanged, even if one ends without a line break and the next begins with a BOM.
// An empty bill writes nothing, or an empty file.
func (c Chain) BillTo(ctx context.Context, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	b, err := c.billing(ctx, options)
	if err != nil {
		return nil, err
	}
	return stream{b.call}.deliver(w, func(dst download.Destination) (*download.Result, error) { return b.getting().Write(ctx, dst) })
}

// Receipt gets an electronic receipt, such as that of a transfer. It asks with a GET until the
// platform has made the receipt, downloads it to w, and checks it against the digest in the
// response. Apply for the receipt first:
//
//	_, err := client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no").Post(ctx, wxpay.JSON{"out_bill_no": number})
//	_, err = client.Chain("v3/fund-app/mch-transfer/elecsign/out-bill-no/{out_bill_no}", number).
//		Receipt(ctx, wxpay.ToFile(number+".pdf"))
//
// The chain is any query whose response has a download_url once the receipt is made. Receipt asks
// after one second, then less often, down to every half minute, until ctx ends or the time of
// [WaitAtMost] is over. [ErrNotReady] says that no time was left to ask again. If the platform
// answers FAILED, apply again. Some receipts have an SM3 digest; see [DigestAlgorithm]. Everything
// else is as in [Client.Fetch]; Receipt asks again for an expired link, a few times at most.
func (c Chain) Receipt(ctx context.Context, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	b, err := c.billing(ctx, options)
	if err != nil {
		return nil, err
	}
	return stream{b.call}.deliver(w, func(dst download.Destination) (*download.Result, error) {
		return bill.Receipt(ctx, b, dst, b.plan)
	})
}

// billing makes the calls of one bill or receipt; see [bill.Client].
type billing struct {
	chain Chain
	call  *call.Call // of the application
	plan  *download.Plan
}

var _ bill.Client = (*billing)(nil)

func (c Chain) billing(ctx context.Context, options []DownloadOption) (*billing, error) {
	application, err := c.prepare(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	plan, err := newDownloadPlan(options)
	if err != nil {
		return nil, application.Failed(call.StageBuild, NotSent, err)
	}
	return &billing{c, application, plan}, nil
}

func (b *billing) getting() *bill.Getting {
	direct := middleware.FamilyOf(http.MethodGet, b.call.URL.EscapedPath()) != nil // the response to the application is the file itself
	b.call.Stream = direct
	return &bill.Getting{Client: b, Plan: b.plan, Direct: direct}
}

func (b *billing) Apply(ctx context.Context) (*bill.Response, error) {
	res, err := b.call.Send(ctx)
	if err != nil {
		return nil, err
	}
	return &bill.Response{
		Body: res.Raw, Header: res.Header, Verified: res.Verified,
		Text: func(path string) (string, bool) {
			value := strict.Get(res.Text(), path)
			return value.String(), value.Exists()
		},
		Unreadable: func(err error) error { return &jsonwalk.DecodeError{Err: err} },
	}, nil
}

func (b *billing) Statement() download.Call { return stream{b.call} }

func (b *billing) Link(ctx context.Context, address string, vouched bool) (download.Call, error) {
	linked, err := b.call.Line().Link(ctx, address)
	if err != nil {
		return nil, err
	}
	linked.Vouched = vouched
	return stream{linked}, nil
}

func (b *billing) Decrypt(ciphertext []byte) ([]byte, error) {
	return b.call.Decrypt(ciphertext)
}

func (b *billing) Now() time.Time { return b.call.Line().Clock() }

func (b *billing) Due() (time.Time, bool) { return fact.BillDue(b.chain.ownQuery) }

func (b *billing) Path() string { return b.call.URL.Path }

func (b *billing) Rejection(err error) *bill.Rejection {
	var rejection *APIError
	if !errors.As(err, &rejection) {
		return nil
	}
	return &bill.Rejection{Status: rejection.Status, Code: rejection.Code, Verified: rejection.Verified, Header: rejection.Header}
}

func (b *billing) Failed(stage bill.Stage, err error) error {
	var failure *download.Failure
	switch {
	case stage == bill.Build:
		return b.call.Failed(call.StageBuild, NotSent, err)
	case stage == bill.Send:
		return b.call.Failed(call.StageSend, b.call.Outcome(), err)
	case stage == bill.Download && errors.As(err, &failure):
		return stream{b.call}.Failed(failure)
	}
	return b.call.Failed(call.StageDecode, Unknown, err)
}

func (b *billing) Guard(run func() error) (err error) {
	defer caught("a middleware, an observer or other code given to the client", &err)
	return run()
}
