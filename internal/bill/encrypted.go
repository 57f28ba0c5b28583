package bill

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/tempfile"
	"github.com/wxpay-go/wxpay/internal/wait"
)

// atOnce is how many parts of an encrypted bill are downloaded at the same time: their links get
// too old together.
const atOnce = 4

// writeEncrypted gets an encrypted bill. All parts are downloaded into temporary files and
// authenticated; only then the first byte of plain text is written.
func (g *Getting) writeEncrypted(ctx context.Context, files []file, dst download.Destination) (*download.Result, error) {
	parts, got, err := g.fetchEncrypted(ctx, files)
	if err != nil {
		return nil, err
	}
	kept, keep := dst.(*keptFile)
	defer func() {
		if err != nil || !keep {
			closeAll(parts)
		}
	}()
	var w io.Writer = dst
	if keep {
		w = io.Discard
	}
	whole, err := g.Plan.Algorithms.New(g.Plan.Want) // what the caller demands is of the whole bill
	if err != nil {
		return nil, g.Client.Failed(Build, err)
	}
	failed := func(failure *download.Failure) error {
		failure.Written = dst.Released()
		return g.Client.Failed(Download, failure)
	}
	for _, part := range parts {
		if failure := part.write(ctx, g.Plan, w, got, whole); failure != nil {
			err = failed(failure)
			return nil, err
		}
	}
	if problem := g.Plan.Want.Check(whole); problem != nil {
		err = failed(&download.Failure{Err: problem})
		return nil, err
	}
	if whole != nil && got.DigestOf == "" {
		got.DigestOf = "plain"
	}
	if keep {
		for _, part := range parts {
			kept.encrypted = append(kept.encrypted, part)
		}
	}
	return got, nil
}

// fetchEncrypted brings all parts, each with the key, nonce and digest of the application that its
// link came from. When links get too old it applies again, as often as that gets it further and a
// few times in vain. A part that is there already is kept only if its digest says that it is still
// the same.
func (g *Getting) fetchEncrypted(
	ctx context.Context, files []file,
) (parts []*encryptedPart, got *download.Result, err error) {
	defer func() {
		if err != nil {
			closeAll(parts)
		}
	}()
	progress := g.progress()
	most := 0 // parts that were kept
	for n := 1; ; n++ {
		var kept int
		if parts, kept, err = renewed(parts, files); err != nil {
			return parts, nil, g.Client.Failed(Build, err)
		}
		if kept > most { // the application before got further, so it is none of those that were in vain
			most = kept
			n--
		}
		if got, err = g.fetchMissing(ctx, parts, progress); err == nil || !expired(g.Client, err) || n >= maxApplications {
			return parts, got, err
		}
		if files, _, err = g.apply(ctx); err != nil {
			return parts, nil, err
		}
		if len(files) == 0 || slices.ContainsFunc(files, func(f file) bool { return !f.encrypted() }) {
			return parts, nil, g.Client.Failed(Decode, errors.New("the bill changed while it was downloaded"))
		}
	}
}

// renewed returns the parts to get of files, taking over from before what is there and is the same;
// kept counts that.
func renewed(before []*encryptedPart, files []file) (parts []*encryptedPart, kept int, err error) {
	asMany := len(before) == len(files) // of another division nothing is the same
	for _, f := range files {
		i := slices.IndexFunc(before, func(p *encryptedPart) bool {
			return asMany && p.whole && p.Sequence == f.Sequence && f.digest() != download.Digest{} && p.digest() == f.digest()
		})
		if i >= 0 {
			parts, kept = append(parts, before[i]), kept+1
			before = slices.Delete(before, i, i+1)
			continue
		}
		p := &encryptedPart{file: f}
		if p.File, err = tempfile.New(); err != nil {
			break
		}
		parts = append(parts, p)
	}
	closeAll(before)
	return parts, kept, err
}

func closeAll(parts []*encryptedPart) {
	for _, part := range parts {
		_ = part.Close()
	}
}

// fetchMissing downloads the parts that are not there, several at a time.
func (g *Getting) fetchMissing(
	ctx context.Context, parts []*encryptedPart, progress func() func(received, total int64),
) (*download.Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := &fetching{Getting: g, ctx: ctx, cancel: cancel}
	var work sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, part := range parts {
		report := progress()
		if part.whole {
			report(part.got.Received, part.got.Received)
			all.add(part.got.Received)
			continue
		}
		places <- struct{}{}
		work.Add(1)
		go func() {
			defer work.Done()
			var err error
			returned := false
			defer func() { // also when code of the user's ends the goroutine
				if !returned {
					err = g.Client.Failed(Download, &download.Failure{Err: fault.ErrExited})
				}
				<-places
				all.ended(part, err)
			}()
			err = g.guarded(func() error { return part.fetch(ctx, g, report) })
			returned = true
		}()
	}
	work.Wait()
	if all.failure != nil {
		return nil, all.failure
	}
	got := *parts[len(parts)-1].got
	got.Size, got.Received, got.Verified = 0, 0, true // the key came in a signed response, and it authenticates the content
	for _, part := range parts {
		got.Received += part.got.Received
	}
	return &got, nil
}

// guarded calls fetch, and makes a failed download of a panic.
func (g *Getting) guarded(fetch func() error) error {
	var err error
	if panicked := g.Client.Guard(func() error {
		err = fetch()
		return nil
	}); panicked != nil {
		return g.Client.Failed(Download, &download.Failure{Err: panicked})
	}
	return err
}

// fetching is what is known of parts that are downloaded at the same time.
type fetching struct {
	*Getting
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	failure error
	size    int64 // of what is there
}

// add counts bytes, and reports whether there are too many of them.
func (f *fetching) add(received int64) (tooMany bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.size += received
	return f.size > f.mostEncrypted()
}

// ended notes what became of a part. Of several errors one that is not of a link that is too old
// counts, since that one has no remedy.
func (f *fetching) ended(part *encryptedPart, err error) {
	if err == nil && f.add(part.got.Received) {
		err = f.Client.Failed(Download, f.Plan.TooLarge())
	}
	if err == nil {
		return
	}
	old := expired(f.Client, err)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failure == nil || expired(f.Client, f.failure) && !old && f.ctx.Err() == nil {
		f.failure = err
	}
	if !old {
		f.cancel()
	}
}

// mostEncrypted bounds the encrypted bill: what is MaxSize at most when it is decrypted and
// expanded, is hardly larger before.
func (g *Getting) mostEncrypted() int64 {
	most := g.Plan.MaxSize
	return most + min(most/16+64<<10, math.MaxInt64-most)
}

// progress returns a function that makes the reports of the parts one report.
func (g *Getting) progress() func() func(received, total int64) {
	if g.Plan.Progress == nil {
		return func() func(int64, int64) { return func(int64, int64) {} }
	}
	var mu sync.Mutex
	var sum int64
	return func() func(int64, int64) {
		var before int64
		return func(received, _ int64) {
			mu.Lock()
			defer mu.Unlock()
			sum += received - before
			before = received
			g.Plan.Progress(sum, -1)
		}
	}
}

// encryptedPart is one part of an encrypted bill, as it came over the wire. It is the destination
// of its download.
type encryptedPart struct {
	file
	*tempfile.File
	stream *apiv3.AESGCMStream
	got    *download.Result
	whole  bool // and authenticated
}

func (p *encryptedPart) Released() int64 { return 0 }
func (p *encryptedPart) Commit() error   { return nil }
func (p *encryptedPart) Abandon()        {}

// Rewind begins anew.
func (p *encryptedPart) Rewind() bool {
	var err error
	p.stream, err = apiv3.NewAESGCMStream(p.key, []byte(p.Nonce), nil)
	return err == nil && p.File.Rewind()
}

func (p *encryptedPart) Write(b []byte) (int, error) {
	if _, err := p.stream.Write(b); err != nil {
		return 0, err
	}
	return p.File.Write(b)
}

// Finish authenticates what was written.
func (p *encryptedPart) Finish() error {
	if err := p.stream.Authenticate(); err != nil {
		return fmt.Errorf("part %d of the bill was changed on the way, or its key is another: %w", p.Sequence, err)
	}
	return nil
}

// fetch downloads and authenticates the part.
func (p *encryptedPart) fetch(ctx context.Context, g *Getting, report func(received, total int64)) error {
	call, err := g.Client.Link(ctx, p.URL, true) // the tag vouches for the content, under a key out of a signed response
	if err != nil {
		return err
	}
	if !p.Rewind() {
		return g.Client.Failed(Build, fmt.Errorf("part %d of the bill has no nonce", p.Sequence))
	}
	plan := *g.Plan
	plan.Want, plan.Encrypted, plan.Raw, plan.Progress = download.Digest{}, true, true, report
	plan.Spent = plan.MaxSize - g.mostEncrypted()
	p.got, err = download.Fetch(ctx, call, p, &plan)
	p.whole = err == nil
	return err
}

// plain reads the plain text.
func (p *encryptedPart) plain() (io.Reader, error) { return download.Expand(p.decrypted()) }

// decrypted reads what was encrypted.
func (p *encryptedPart) decrypted() io.Reader { return p.stream.Decrypt(p.File.Reader()) }

// write writes the plain text to w and whole, checks its digest, and counts in got.
func (p *encryptedPart) write(
	ctx context.Context, plan *download.Plan, w io.Writer, got *download.Result, whole hash.Hash,
) *download.Failure {
	sum, err := plan.Algorithms.New(p.digest())
	if err != nil {
		return &download.Failure{Err: err}
	}
	plain, err := download.Expand(wait.Reader(ctx, p.decrypted()))
	if err != nil {
		return download.Unreadable(err)
	}
	own, rest := &download.Counts{Received: p.File.Size()}, *plan
	rest.Spent = got.Size
	if failure := rest.Pass(w, plain, own, sum, whole); failure != nil {
		return failure
	}
	got.Size += own.Size
	if sum == nil {
		return nil
	}
	return p.compare(ctx, sum, got)
}

// compare checks the digest of a part. The platform does not say what it covers here, so it may be
// that of the plain text, of the gzip file inside, or of the download. All of them come from what
// is authenticated already.
func (p *encryptedPart) compare(ctx context.Context, sum hash.Hash, got *download.Result) *download.Failure {
	want := p.digest()
	mismatch := want.Check(sum)
	covers := "plain"
	for _, other := range []struct {
		name    string
		content io.Reader
	}{{"gzip", p.decrypted()}, {"download", p.File.Reader()}} {
		if mismatch == nil {
			break
		}
		sum.Reset()
		content := struct{ io.Reader }{wait.Reader(ctx, other.content)}
		if _, err := io.CopyBuffer(struct{ io.Writer }{sum}, content, make([]byte, download.BufferSize)); err != nil {
			return download.Unreadable(err)
		}
		if want.Check(sum) == nil {
			mismatch, covers = nil, other.name
		}
	}
	if mismatch != nil {
		return &download.Failure{Err: fmt.Errorf("part %d of the bill: %w", p.Sequence, mismatch)}
	}
	got.DigestOf = covers
	return nil
}
