package wxpay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Bill is a bill that was downloaded and verified. It lies in temporary files in os.TempDir, as it came over the wire:
// compressed or encrypted if it was. Close removes them. It is safe for concurrent use until then, and may be read several
// times.
type Bill struct {
	// DownloadResult tells about the download. Its Size is that of the whole plain text.
	DownloadResult

	content []billContent // in order; none for an empty bill

	mu      sync.Mutex
	summary []Row
	summed  bool // summary is known
	closed  bool
}

// billContent is one part of a bill.
type billContent interface {
	plain() (io.Reader, error)
	Close() error
}

// Bill gets a bill: it applies with a GET, waits until the bill is made, downloads it, expands and decrypts it and verifies
// it. Nothing of it is handed out before all of that is done.
//
//	bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", "2026-11-22").Bill(ctx)
//	defer bill.Close()
//	for row, err := range bill.Rows() { … }
//
// The chain is any application that answers with a download_url or a download_bill_list (trade, fund-flow, profit-sharing and
// withdrawal bills, encrypted bills of sub-merchants and e-commerce), or an overseas statement, which answers with the file.
// The platform names no digest for a few of them; then Verified is false. Query("tar_type", "GZIP") has fewer bytes
// travel, and Rows expands once more what was expanded to verify it. Encrypted bills have to be asked for with
// AEAD_AES_256_GCM.
//
// While the platform says STATEMENT_CREATING, Bill asks again after half a minute and then ever more rarely, up to every
// half hour, until ctx ends or [WaitAtMost]; [ErrNotReady] says that there was no time left to ask again. A bill is made from 9:00 of the next day,
// Beijing time, and the platform asks to come after 10:00: NO_STATEMENT_EXIST is an empty bill after that, because nothing
// happened on that day, and ErrNotReady before.
//
// A link that got too old is applied for again, a few times at most; what was downloaded of an encrypted bill by then is kept,
// and as long as there is more of it each time, that goes on.
func (c Chain) Bill(ctx context.Context, options ...DownloadOption) (*Bill, error) {
	b, err := c.billing(ctx, options)
	if err != nil {
		return nil, err
	}
	bill := new(Bill)
	if err := b.collect(ctx, bill); err != nil {
		_ = bill.Close()
		return nil, err
	}
	return bill, nil
}

// BillTo gets a bill as [Chain.Bill] does and writes its plain text to w, without temporary files where that is possible:
// an encrypted bill is kept, encrypted, until every part is authenticated; any other goes to w while it arrives, on the
// terms of [Chain.Download]. Parts are joined as they are, also where one ends without a line break and the next begins with a
// BOM. An empty bill writes nothing, or an empty file.
func (c Chain) BillTo(ctx context.Context, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	b, err := c.billing(ctx, options)
	if err != nil {
		return nil, err
	}
	dst, err := newDestination(w)
	if err != nil {
		return nil, b.flight.error(StageBuild, NotSent, err)
	}
	defer dst.abandon()
	got, err := b.write(ctx, dst)
	if err == nil {
		err = b.flight.commit(dst)
	}
	if err != nil {
		return nil, err
	}
	return got, nil
}

// ErrNotReady means that the platform has not made a bill or a receipt yet, as far as it is known: ask again later. The
// refusal is inside, if there was one.
var ErrNotReady = fault.New("not ready yet")

const (
	billPause       = 30 * time.Second // after the first STATEMENT_CREATING, and twice as long after each further one
	billPauseMost   = 30 * time.Minute
	maxApplications = 3 // for one bill, if links get too old; one that got parts of it does not count
)

// billing is one bill being got.
type billing struct {
	client  *Client
	chain   Chain
	flight  *flight // of the application, or of the statement
	direct  bool    // the chain answers with the file
	options *download
}

func (c Chain) billing(ctx context.Context, options []DownloadOption) (*billing, error) {
	f, err := c.prepare(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	b := &billing{client: c.client, chain: c, flight: f}
	if b.options, err = newDownload(options); err != nil {
		return nil, f.error(StageBuild, NotSent, err)
	}
	b.options.gunzip = true
	if family := middleware.FamilyOf(http.MethodGet, f.url.EscapedPath()); family != nil {
		b.direct, f.Stream = true, true
	}
	return b, nil
}

// applied is what an application answers.
type applied struct {
	billPart
	Count *int       `json:"download_bill_count"`
	List  []billPart `json:"download_bill_list"`
}

// billPart is one file of a bill.
type billPart struct {
	Sequence   int    `json:"bill_sequence"`
	HashType   string `json:"hash_type"`
	HashValue  string `json:"hash_value"`
	URL        string `json:"download_url"`
	EncryptKey string `json:"encrypt_key"`
	Nonce      string `json:"nonce"`

	key []byte // what is in EncryptKey
}

func (p *billPart) sealed() bool { return p.EncryptKey != "" }

func (p *billPart) digest() digest {
	if p.HashType == "" || p.HashValue == "" {
		return digest{}
	}
	return digest{p.HashType, p.HashValue}
}

// apply asks for the links, waiting until the bill is made. It returns no parts of an empty bill, but empty.
func (b *billing) apply(ctx context.Context) (parts []billPart, empty *DownloadResult, err error) {
	var res *Response
	empty, err = b.patiently(ctx, func() (err error) {
		res, err = b.flight.send(ctx)
		return err
	})
	if err != nil || empty != nil {
		return nil, empty, err
	}
	parts, err = res.billParts()
	if err == nil && len(parts) == 0 {
		if due, known := b.due(); known && b.client.clock().Before(due) {
			return nil, nil, tooEarly(due, nil)
		}
		empty, err = b.nothing(res.Header, res.Verified)
		return nil, empty, err
	}
	for i := range parts {
		if err == nil {
			_, err = b.options.hash(parts[i].digest())
		}
		if err == nil && parts[i].sealed() {
			err = parts[i].openKey(res.flight)
		}
	}
	if err != nil {
		return nil, nil, res.flight.error(StageDecode, Unknown, err)
	}
	return parts, nil, nil
}

// nothing is an empty bill, on the word of an answer with this header.
func (b *billing) nothing(header http.Header, verified bool) (*DownloadResult, error) {
	sum, err := b.options.hash(b.options.want)
	if err == nil {
		err = b.options.want.check(sum)
	}
	if err != nil {
		return nil, b.flight.error(StageDownload, Unknown, &DownloadError{Err: fmt.Errorf("the bill is empty: %w", err)})
	}
	return &DownloadResult{Empty: true, Header: header, RequestID: header.Get("Request-Id"), Verified: verified}, nil
}

// billParts reads the answer to an application, in order.
func (r *Response) billParts() ([]billPart, error) {
	var a applied
	if err := json.Unmarshal(r.raw, &a); err != nil {
		return nil, fmt.Errorf("the application's answer cannot be read: %w", &decodeError{err})
	}
	parts := a.List
	if a.Count == nil && len(a.List) == 0 {
		parts = []billPart{a.billPart}
	}
	slices.SortFunc(parts, func(p, q billPart) int { return p.Sequence - q.Sequence })
	if a.Count != nil && *a.Count != len(parts) {
		return nil, fmt.Errorf("the application's answer announces %d parts and lists %d", *a.Count, len(parts))
	}
	for i, part := range parts {
		switch {
		case part.URL == "":
			return nil, errors.New("the application's answer has no download_url: the chain is not one of a bill")
		case i == 0 && part.Sequence != 0 && part.Sequence != 1:
			return nil, fmt.Errorf("the bill begins with part %d", part.Sequence)
		case i > 0 && part.Sequence != parts[i-1].Sequence+1:
			return nil, fmt.Errorf("part %d of the bill follows part %d", part.Sequence, parts[i-1].Sequence)
		}
	}
	return parts, nil
}

// patiently calls ask until it does not answer that the bill is being made.
func (b *billing) patiently(ctx context.Context, ask func() error) (empty *DownloadResult, err error) {
	began := time.Now()
	for pause := billPause; ; pause = min(2*pause, billPauseMost) {
		err := ask()
		var refusal *APIError
		if !errors.As(err, &refusal) {
			return nil, err
		}
		switch refusal.Code {
		case wxcode.StatementCreating:
			if !b.options.wait(ctx, pause, began) {
				if cancelled(ctx) {
					return nil, b.flight.error(StageSend, b.flight.Outcome(), fault.Cause(ctx))
				}
				return nil, &notReadyError{"the bill is still being made", errors.Join(refusal, fault.Cause(ctx))}
			}
			continue
		case wxcode.NoStatementExist:
			switch due, known := b.due(); {
			case !known || !refusal.Verified:
			case b.client.clock().Before(due):
				return nil, tooEarly(due, refusal)
			default:
				return b.nothing(refusal.Header, refusal.Verified)
			}
		case wxcode.InvalidRequest:
			if due, known := b.due(); known && !b.direct && fact.IsSilentBill(b.flight.url.Path) && b.client.clock().Before(due) {
				return nil, tooEarly(due, refusal)
			}
		}
		return nil, err
	}
}

func tooEarly(due time.Time, refusal error) error {
	return &notReadyError{"bills are there after " + due.Format("2006-01-02 15:04") + " Beijing time", refusal}
}

// wait waits for what the platform is making, unless there is no time for that.
func (d *download) wait(ctx context.Context, pause time.Duration, began time.Time) bool {
	if d.bounded {
		left := d.patience - time.Since(began)
		if left <= 0 {
			return false
		}
		pause = min(pause, left) // and ask a last time
	}
	if end, bound := ctx.Deadline(); bound && time.Until(end) <= pause {
		return false
	}
	return wait(ctx, pause)
}

// cancelled reports whether somebody ended ctx, rather than that its time was over.
func cancelled(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// due is when the bill should be there.
func (b *billing) due() (time.Time, bool) { return fact.BillDue(b.chain.ownQuery) }

// notReadyError is an ErrNotReady.
type notReadyError struct {
	text string
	err  error // the refusal and what ended the waiting, as far as there are any
}

func (e *notReadyError) Error() string {
	text := "wxpay: " + ErrNotReady.Error() + ": " + e.text
	if e.err != nil {
		text += ": " + strings.ReplaceAll(strings.TrimPrefix(e.err.Error(), "wxpay: "), "\n", "; ")
	}
	return text
}

func (e *notReadyError) Is(target error) bool { return target == ErrNotReady }

func (e *notReadyError) Unwrap() error { return e.err }

// expired reports whether err is what the platform says to a link that is too old.
func expired(err error) bool {
	var refusal *APIError
	return errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest && refusal.Code == wxcode.InvalidRequest
}

// write brings the plain text to dst.
func (b *billing) write(ctx context.Context, dst destination) (*DownloadResult, error) {
	if b.direct {
		return b.statement(ctx, dst)
	}
	for n := 1; ; n++ {
		parts, empty, err := b.apply(ctx)
		switch {
		case err != nil || empty != nil:
			return empty, err
		case parts[0].sealed():
			return b.writeSealed(ctx, parts, dst)
		case len(parts) > 1:
			return nil, b.flight.error(StageDecode, Unknown, errors.New("the bill has several parts that are not encrypted, which no documentation knows"))
		}
		got, err := b.fetch(ctx, parts[0], dst)
		if err == nil || !expired(err) || n >= maxApplications || !dst.rewind() {
			return got, err
		}
	}
}

// fetch downloads one part that is not encrypted.
func (b *billing) fetch(ctx context.Context, part billPart, dst destination) (*DownloadResult, error) {
	f, err := b.client.link(ctx, part.URL)
	if err != nil {
		return nil, err
	}
	return f.fetch(ctx, dst, b.options.expecting(part.digest()))
}

// statement downloads what the chain answers.
func (b *billing) statement(ctx context.Context, dst destination) (got *DownloadResult, err error) {
	empty, err := b.patiently(ctx, func() (err error) {
		got, err = b.flight.fetch(ctx, dst, b.options)
		return err
	})
	if empty != nil {
		return empty, err
	}
	return got, err
}

// collect gets the whole of a bill into temporary files.
func (b *billing) collect(ctx context.Context, bill *Bill) error {
	kept, err := newKeptFile()
	if err != nil {
		return b.flight.error(StageBuild, NotSent, err)
	}
	b.options.raw = true
	got, err := b.write(ctx, kept)
	if err != nil {
		_ = kept.Close()
		return err
	}
	bill.DownloadResult, bill.content = *got, kept.content()
	return nil
}

// WriteTo writes the plain text to w: byte for byte what the digests cover, so where a part of an encrypted bill ends without
// a line break, the next follows in the same line ([Bill.Rows] parts them).
func (b *Bill) WriteTo(w io.Writer) (int64, error) {
	r, err := b.text()
	if err != nil {
		return 0, err
	}
	// A reader's own WriteTo or a writer's ReadFrom might use more memory than a buffer.
	return io.CopyBuffer(&plainWriter{w: w}, struct{ io.Reader }{r}, make([]byte, copyBuffer))
}

// text reads the plain text of all parts.
func (b *Bill) text() (io.Reader, error) {
	all, err := b.plainParts()
	return io.MultiReader(all...), err
}

// plainParts reads the plain text of each part.
func (b *Bill) plainParts() (all []io.Reader, err error) {
	for _, part := range b.content {
		r, err := part.plain()
		if err != nil {
			return nil, fmt.Errorf("wxpay: the bill cannot be read: %w", err)
		}
		all = append(all, r)
	}
	return all, nil
}

// Close removes the temporary files. Once is enough; again it does nothing.
func (b *Bill) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	var problems []error
	for _, part := range b.content {
		problems = append(problems, part.Close())
	}
	return errors.Join(problems...)
}

// keptFile is the destination of a bill that is kept as it came over the wire. Parts that were encrypted are added to it
// instead of being written.
type keptFile struct {
	*spill
	sealed []billContent
}

func newKeptFile() (*keptFile, error) {
	file, err := newSpill()
	return &keptFile{spill: file}, err
}

func (k *keptFile) released() int64 { return 0 }
func (k *keptFile) finish() error   { return nil }
func (k *keptFile) commit() error   { return nil }
func (k *keptFile) abandon()        {}

func (k *keptFile) plain() (io.Reader, error) { return gunzip(k.reader()) }

// content returns what is kept, and gives it away.
func (k *keptFile) content() []billContent {
	if k.sealed == nil {
		return []billContent{k}
	}
	_ = k.Close()
	return k.sealed
}
