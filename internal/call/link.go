package call

import (
	"context"
	"errors"
	"net/http"

	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/middleware"
)

// Link returns the call that gets a given address.
func (l *Line) Link(ctx context.Context, address string) (*Call, error) {
	c := New(l, http.MethodGet)
	c.Template, c.Linked = "(link)", true
	if ctx == nil {
		return nil, c.Failed(StageBuild, middleware.NotSent, errNoContext)
	}
	u, path, err := target.Gateway{Base: l.Base, Backups: l.Backups}.Link(address)
	if err != nil {
		return nil, c.Failed(StageBuild, middleware.NotSent, err)
	}
	c.URL, c.Host = *u, u.Host
	c.Stream = true
	c.Limits = l.Limits
	// An unknown link is not shown: any part of it may identify something.
	if family := middleware.FamilyOf(c.Method, path); family != nil {
		c.Template = family.Path
	}
	if facts := l.Facts(); facts != nil {
		if operation, ok := facts.Lookup(c.Method, path); ok {
			c.Operation, c.Template = operation, operation.Path
		}
	}
	c.plan = l.Plans.Of(c.Operation)
	return c, nil
}

var errNoContext = errors.New("the context is nil: pass context.Background() if there is none")
