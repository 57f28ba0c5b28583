package call

import (
	"time"

	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
)

// Spec is the call that a chain describes. Lists are newest first; the first of a name wins.
type Spec struct {
	// Mistake is the first mistake of the chain; with one, nothing else counts.
	Mistake error

	Path      string // checked template, with its leading slash
	Variables []target.Variable
	Query     []target.Param
	Header    []Header
	Rules     []sensitive.Rule // what to encrypt; they override the catalogue

	Total, Attempt time.Duration // 0: those of the line
	Idempotent     bool          // the caller vouches that sending again does no harm
	Unbind         bool          // the response is accepted unchecked
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
