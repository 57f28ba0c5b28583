package wxpay

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
	"github.com/wxpay-go/wxpay/internal/fault"
)

// sealedAtOnce is how many parts of an encrypted bill are downloaded at the same time: their links get too old together.
const sealedAtOnce = 4

// openKey decrypts the key of a part with the merchant's private key.
func (p *billPart) openKey(f *flight) error {
	key, err := f.client.own.Decrypt(f.client.scheme, f.Serial, []byte(p.EncryptKey))
	switch {
	case err != nil:
		return fmt.Errorf("the key of part %d cannot be opened with the merchant's private key: %w", p.Sequence, err)
	case len(key) == 16:
		return fmt.Errorf("part %d is encrypted with SM4: apply with AEAD_AES_256_GCM", p.Sequence)
	case len(key) != apiv3.KeySize:
		return fmt.Errorf("the key of part %d has %d bytes instead of %d", p.Sequence, len(key), apiv3.KeySize)
	}
	p.key = key
	return nil
}

// writeSealed gets an encrypted bill. All parts are downloaded into temporary files and authenticated; only then the first
// byte of plain text is written.
func (b *billing) writeSealed(ctx context.Context, parts []billPart, dst destination) (*DownloadResult, error) {
	sealed, got, err := b.fetchSealed(ctx, parts)
	if err != nil {
		return nil, err
	}
	kept, keep := dst.(*keptFile)
	defer func() {
		if err != nil || !keep {
			closeAll(sealed)
		}
	}()
	var w io.Writer = dst
	if keep {
		w = io.Discard
	}
	whole, err := b.options.hash(b.options.want) // what the caller demands is of the whole bill
	if err != nil {
		return nil, b.flight.error(StageBuild, NotSent, err)
	}
	failed := func(failure *DownloadError) error {
		failure.Written, failure.passing = dst.released(), false
		return b.flight.error(StageDownload, Unknown, failure)
	}
	for _, part := range sealed {
		if failure := part.write(ctx, b.options, w, got, whole); failure != nil {
			err = failed(failure)
			return nil, err
		}
	}
	if problem := b.options.want.check(whole); problem != nil {
		err = failed(&DownloadError{Err: problem})
		return nil, err
	}
	if whole != nil && got.DigestOf == "" {
		got.DigestOf = "plain"
	}
	if keep {
		for _, part := range sealed {
			kept.sealed = append(kept.sealed, part)
		}
	}
	return got, nil
}

// fetchSealed brings all parts, each with the key, nonce and digest of the application that its link came from. When links
// get too old it applies again, as often as that gets it further and a few times in vain; a part that is there already is kept
// only if its digest says that it is still the same.
func (b *billing) fetchSealed(ctx context.Context, parts []billPart) (sealed []*sealedPart, got *DownloadResult, err error) {
	defer func() {
		if err != nil {
			closeAll(sealed)
		}
	}()
	progress := b.progress()
	most := 0 // parts that were kept
	for n := 1; ; n++ {
		var kept int
		if sealed, kept, err = renewed(sealed, parts); err != nil {
			return sealed, nil, b.flight.error(StageBuild, NotSent, err)
		}
		if kept > most { // the application before got further, so it is none of those that were in vain
			most = kept
			n--
		}
		if got, err = b.fetchMissing(ctx, sealed, progress); err == nil || !expired(err) || n >= maxApplications {
			return sealed, got, err
		}
		if parts, _, err = b.apply(ctx); err != nil {
			return sealed, nil, err
		}
		if len(parts) == 0 || slices.ContainsFunc(parts, func(p billPart) bool { return !p.sealed() }) {
			return sealed, nil, b.flight.error(StageDecode, Unknown, errors.New("the bill changed while it was downloaded"))
		}
	}
}

// renewed returns what there is to get of parts, taking over from before what is there and is the same; kept counts that.
func renewed(before []*sealedPart, parts []billPart) (sealed []*sealedPart, kept int, err error) {
	asMany := len(before) == len(parts) // of another division nothing is the same
	for _, part := range parts {
		i := slices.IndexFunc(before, func(s *sealedPart) bool {
			return asMany && s.whole && s.Sequence == part.Sequence && part.digest() != digest{} && s.digest() == part.digest()
		})
		if i >= 0 {
			sealed, kept = append(sealed, before[i]), kept+1
			before = slices.Delete(before, i, i+1)
			continue
		}
		s := &sealedPart{billPart: part}
		if s.spill, err = newSpill(); err != nil {
			break
		}
		sealed = append(sealed, s)
	}
	closeAll(before)
	return sealed, kept, err
}

func closeAll(sealed []*sealedPart) {
	for _, part := range sealed {
		_ = part.Close()
	}
}

// fetchMissing downloads the parts that are not there, several at a time. Of several errors one that is not of a link that
// is too old comes first, since that one has no remedy.
func (b *billing) fetchMissing(ctx context.Context, sealed []*sealedPart, progress func() func(received, total int64)) (*DownloadResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var failure error
	var size int64 // of what is there
	var work sync.WaitGroup
	places := make(chan struct{}, sealedAtOnce)
	for _, part := range sealed {
		report := progress()
		if part.whole {
			report(part.got.Received, part.got.Received)
			mu.Lock()
			size += part.got.Received
			mu.Unlock()
			continue
		}
		places <- struct{}{}
		work.Add(1)
		go func() {
			defer work.Done()
			err, returned := errExited, false
			defer func() { // also when code of the user's panics or ends the goroutine
				if !returned {
					err = b.flight.error(StageDownload, Unknown, &DownloadError{Err: err})
				}
				<-places
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					if size += part.got.Received; size > b.mostSealed() {
						err = b.flight.error(StageDownload, Unknown, &DownloadError{Err: b.options.tooLarge()})
					}
				}
				if err != nil && (failure == nil || expired(failure) && !expired(err) && ctx.Err() == nil) {
					failure = err
				}
				if err != nil && !expired(err) {
					cancel()
				}
			}()
			defer caught("a middleware, an observer or other code given to the client", &err)
			err = part.fetch(ctx, b, report)
			returned = true
		}()
	}
	work.Wait()
	if failure != nil {
		return nil, failure
	}
	got := *sealed[len(sealed)-1].got
	got.Size, got.Received, got.Verified = 0, 0, true // the key came in a signed answer, and it authenticates the content
	for _, part := range sealed {
		got.Received += part.got.Received
	}
	return &got, nil
}

// mostSealed bounds the encrypted bill: what is MaxSize at most when it is opened and expanded, is hardly larger before.
func (b *billing) mostSealed() int64 {
	most := b.options.most
	return most + min(most/16+64<<10, math.MaxInt64-most)
}

// progress returns what makes the reports of the parts one report.
func (b *billing) progress() func() func(received, total int64) {
	if b.options.progress == nil {
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
			b.options.progress(sum, -1)
		}
	}
}

// sealedPart is one part of an encrypted bill, as it came over the wire. It is the destination of its download.
type sealedPart struct {
	billPart
	*spill
	stream *apiv3.AESGCMStream
	got    *DownloadResult
	whole  bool // and authenticated
}

func (s *sealedPart) released() int64 { return 0 }
func (s *sealedPart) commit() error   { return nil }
func (s *sealedPart) abandon()        {}

func (s *sealedPart) rewind() bool {
	var err error
	s.stream, err = apiv3.NewAESGCMStream(s.key, []byte(s.Nonce), nil)
	return err == nil && s.spill.rewind()
}

func (s *sealedPart) Write(p []byte) (int, error) {
	if _, err := s.stream.Write(p); err != nil {
		return 0, err
	}
	return s.spill.Write(p)
}

// finish authenticates what was written.
func (s *sealedPart) finish() error {
	if err := s.stream.Authenticate(); err != nil {
		return fmt.Errorf("part %d of the bill was changed on the way, or its key is another: %w", s.Sequence, err)
	}
	return nil
}

// fetch downloads and authenticates the part.
func (s *sealedPart) fetch(ctx context.Context, b *billing, report func(received, total int64)) error {
	f, err := b.client.link(ctx, s.URL)
	if err != nil {
		return err
	}
	f.Vouched = true // the tag does, under a key out of a signed answer
	if !s.rewind() {
		return f.error(StageBuild, NotSent, fmt.Errorf("part %d of the bill has no nonce", s.Sequence))
	}
	asItIs := *b.options
	asItIs.want, asItIs.gunzip, asItIs.raw, asItIs.progress = digest{}, false, true, report
	asItIs.spent = asItIs.most - b.mostSealed()
	s.got, err = f.fetch(ctx, s, &asItIs)
	s.whole = err == nil
	return err
}

// plain reads the plain text.
func (s *sealedPart) plain() (io.Reader, error) { return gunzip(s.opened()) }

// opened reads what was encrypted.
func (s *sealedPart) opened() io.Reader { return s.stream.Decrypt(s.spill.reader()) }

// write writes the plain text to w and whole, checks its digest, and counts in got.
func (s *sealedPart) write(ctx context.Context, d *download, w io.Writer, got *DownloadResult, whole hash.Hash) *DownloadError {
	sum, err := d.hash(s.digest())
	if err != nil {
		return &DownloadError{Err: err}
	}
	plain, err := gunzip(&untilEnded{ctx, s.opened()})
	if err != nil {
		return unreadable(err)
	}
	own, rest := &DownloadResult{Received: s.size}, *d
	rest.spent = got.Size
	if failure := rest.pass(w, plain, own, sum, whole); failure != nil {
		return failure
	}
	got.Size += own.Size
	if sum == nil {
		return nil
	}
	return s.compare(ctx, sum, got)
}

// compare checks the digest of a part. The platform does not say what it covers here, so it may be that of the plain text,
// of the gzip file inside, or of the download. All of them come from what is authenticated already.
func (s *sealedPart) compare(ctx context.Context, sum hash.Hash, got *DownloadResult) *DownloadError {
	want := s.digest()
	mismatch := want.check(sum)
	covers := "plain"
	for _, other := range []struct {
		name    string
		content io.Reader
	}{{"gzip", s.opened()}, {"download", s.spill.reader()}} {
		if mismatch == nil {
			break
		}
		sum.Reset()
		if _, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{&untilEnded{ctx, other.content}}, make([]byte, copyBuffer)); err != nil {
			return unreadable(err)
		}
		if want.check(sum) == nil {
			mismatch, covers = nil, other.name
		}
	}
	if mismatch != nil {
		return &DownloadError{Err: fmt.Errorf("part %d of the bill: %w", s.Sequence, mismatch)}
	}
	got.DigestOf = covers
	return nil
}

// untilEnded reads until ctx ends.
type untilEnded struct {
	ctx context.Context
	io.Reader
}

func (r *untilEnded) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, fault.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
