// Package bill gets bills and receipts: it applies, waits until the platform has made the file,
// downloads it, decrypts and verifies it, and reads its rows. It makes no call by itself: see
// Client.
package bill

import (
	"context"
	"errors"

	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/internal/tempfile"
)

// Keep gets the whole of the bill into temporary files.
func (g *Getting) Keep(ctx context.Context, content *Content) (*download.Result, error) {
	temporary, err := tempfile.New()
	if err != nil {
		return nil, g.Client.Failed(Build, err)
	}
	kept := &keptFile{File: temporary}
	g.Plan.Raw = true
	got, err := g.Write(ctx, kept)
	if err != nil {
		_ = kept.Close()
		return nil, err
	}
	content.parts = kept.parts()
	return got, nil
}

// Write brings the plain text to dst.
func (g *Getting) Write(ctx context.Context, dst download.Destination) (*download.Result, error) {
	if g.Direct {
		return g.statement(ctx, dst)
	}
	for n := 1; ; n++ {
		files, empty, err := g.apply(ctx)
		switch {
		case err != nil || empty != nil:
			return empty, err
		case files[0].encrypted():
			return g.writeEncrypted(ctx, files, dst)
		case len(files) > 1:
			several := errors.New("the bill has several parts that are not encrypted, which no documentation knows")
			return nil, g.Client.Failed(Decode, several)
		}
		got, err := fetch(ctx, g.Client, &files[0], dst, g.Plan)
		if err == nil || !expired(g.Client, err) || n >= maxApplications || !dst.Rewind() {
			return got, err
		}
	}
}

// fetch downloads a file that is not encrypted.
func fetch(
	ctx context.Context, c Client, f *file, dst download.Destination, plan *download.Plan,
) (*download.Result, error) {
	plan = plan.Expecting(f.digest())
	call, err := c.Link(ctx, f.URL, plan.Want != download.Digest{})
	if err != nil {
		return nil, err
	}
	return download.Fetch(ctx, call, dst, plan)
}

// statement downloads the response to the application.
func (g *Getting) statement(ctx context.Context, dst download.Destination) (got *download.Result, err error) {
	empty, err := g.patiently(ctx, func() (err error) {
		got, err = download.Fetch(ctx, g.Client.Statement(), dst, g.Plan)
		return err
	})
	if empty != nil {
		return empty, err
	}
	return got, err
}
