package call

import (
	"time"

	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
)

// Spec is one wanted call, as a chain says it. Of what is set twice the first counts: lists are newest first.
type Spec struct {
	// Mistake is the first one that was made on the way; nothing else counts then.
	Mistake error

	Path      string // checked template, with its leading slash
	Variables []target.Variable
	Query     []target.Param
	Header    []Header
	Rules     []sensitive.Rule // of what to encrypt, against the catalogue's

	Total, Attempt time.Duration // 0: those of the line
	Idempotent     bool          // the caller vouches that sending it again does no harm
	Unbind         bool          // the response is taken as it is
	SentBefore     bool          // an earlier process may have sent it
}

// Header is one request header, its name in canonical form.
type Header struct{ Name, Value string }

// headerOf returns the value of a header in a list, and whether it is set.
func headerOf(list []Header, name string) (string, bool) {
	for _, h := range list {
		if h.Name == name {
			return h.Value, true
		}
	}
	return "", false
}
