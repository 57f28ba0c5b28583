// Package fault separates the errors of this module from foreign errors.
//
// A foreign error (the cause of a context, an error of a reader, a signer or a middleware of the
// user) may hold anything, even an API error of another call: errgroup makes the first failure the
// cause that ends the other calls. [Outside] shows such an error, but nobody can take it for an
// error of the platform or of the transport about this call: errors.Is and errors.As find
// everything in it except the types and the sentinels of this module. So code can inspect an error
// without knowing its origin.
//
// The path of its package marks a type of this module; [New] makes all of its sentinels.
package fault

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// New returns a sentinel: an error of this module to compare with errors.Is.
func New(text string) error { return &sentinel{text} }

type sentinel struct{ text string }

func (s *sentinel) Error() string { return s.text }

// ErrExited means that the caller's code ended its goroutine.
var ErrExited = New("code given to the client ended its goroutine (runtime.Goexit, which FailNow of package testing calls)")

// Limit is the cause of a context ended by a time limit of this module; it is not a foreign error.
// It is context.DeadlineExceeded.
type Limit struct {
	Text  string // with one verb, for Bound
	Bound time.Duration
}

func (l Limit) Error() string { return fmt.Sprintf(l.Text, l.Bound) }

// Is reports whether target is context.DeadlineExceeded.
func (l Limit) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout returns true: it is a timeout in the sense of net.Error.
func (l Limit) Timeout() bool { return true }

// Outside returns err, an error of foreign code, as one that is shown and not believed; nil for
// nil. A plain text, which holds no other error, stays unchanged, because io.EOF and its like are
// compared with ==.
func Outside(err error) error {
	switch {
	case err == nil, err == context.DeadlineExceeded, reflect.TypeOf(err) == plain:
		return err
	}
	switch err.(type) {
	case Limit, *outside:
		return err
	}
	return &outside{err}
}

// Holding is Outside for an error that carries own, an error of this module, which is believed.
func Holding(err, own error) error {
	if err == own {
		return own
	}
	return &holding{outside{err}, own}
}

// Cause returns the reason for the end of ctx, nil if ctx has not ended. It is ctx.Err() and shows
// the context's cause, in which it believes only a [Limit].
func Cause(ctx context.Context) error {
	cause, end := context.Cause(ctx), ctx.Err()
	if cause == end {
		return end
	}
	if limit, ok := cause.(Limit); ok {
		return limit
	}
	return &ended{holding{outside{cause}, end}}
}

// During is Outside for an error of code that used ctx. If the code failed because ctx ended, the
// result is also the error of ctx.
func During(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return Outside(err)
	}
	if cause := context.Cause(ctx); errors.Is(err, cause) && err.Error() == cause.Error() { // passed on unchanged
		return Cause(ctx)
	}
	return Holding(err, Cause(ctx))
}

// Ours reports whether v itself, not what it wraps, is of a type of this module.
func Ours(v any) bool { return ours(reflect.TypeOf(v)) }

// outside has no Unwrap: only Is and As search its error.
type outside struct{ err error }

func (o *outside) Error() string { return o.err.Error() }

func (o *outside) Is(target error) bool {
	if same, ok := target.(interface{ held() error }); ok { // wrapped once more
		return errors.Is(o.err, same.held())
	}
	return !ours(reflect.TypeOf(target)) && errors.Is(o.err, target)
}

func (o *outside) As(target any) bool {
	t := reflect.TypeOf(target).Elem() // errors.As has seen that it is a pointer
	if ours(t) {
		return false
	}
	if t.Kind() != reflect.Interface {
		return errors.As(o.err, target)
	}
	found := reflect.New(t) // a type of this module may implement the interface
	if !errors.As(o.err, found.Interface()) || ours(found.Elem().Elem().Type()) {
		return false
	}
	reflect.ValueOf(target).Elem().Set(found.Elem())
	return true
}

func (o *outside) held() error { return o.err }

// holding is an outside that has an error of this module.
type holding struct {
	outside
	own error
}

func (h *holding) Unwrap() error { return h.own }

// ended is the end of a context with a foreign cause.
type ended struct{ holding }

func (e *ended) Error() string {
	if errors.Is(e.err, e.own) {
		return e.err.Error()
	}
	return e.own.Error() + ": " + e.err.Error()
}

var (
	plain  = reflect.TypeOf(errors.New(""))
	module = strings.TrimSuffix(reflect.TypeFor[sentinel]().PkgPath(), "/internal/fault")
	// others are the parts of the repository that use this module like any user, and the sandbox,
	// which plays the platform.
	others = [...]string{"/bench/", "/cmd/", "/contrib/", "/examples/", "/sandbox/"}
)

// ours reports whether t, or its element if it is a pointer, is a type of this module.
func ours(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	room, ok := strings.CutPrefix(t.PkgPath(), module)
	if !ok || room != "" && room[0] != '/' || strings.HasSuffix(room, "_test") {
		return false
	}
	for _, other := range others {
		if strings.HasPrefix(room+"/", other) {
			return false
		}
	}
	return true
}
