// Package fault tells the errors of this module from those of others.
//
// An error that comes from outside (the cause of a context, a reader, a signer, a middleware of the user's) may hold
// anything, the platform's answer to another call among it: errgroup makes the first failure the cause that ends the other
// calls. [Outside] shows such an error and keeps it from being read as a word of the platform or of the transport about the
// call at hand: errors.Is and errors.As find everything in it but the types and the sentinels of this module. So no code
// needs to know where an error has been before it asks what it is.
//
// Ours is a type by the path of its package, and a sentinel by [New], which makes all of them.
package fault

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// New returns a sentinel: an error of this module that errors.Is can be asked for.
func New(text string) error { return &sentinel{text} }

type sentinel struct{ text string }

func (s *sentinel) Error() string { return s.text }

// ErrExited is how code of the user's ended that ended its goroutine.
var ErrExited = New("code given to the client ended its goroutine (runtime.Goexit, which FailNow of package testing calls)")

// Limit is what a context ends with for a time limit of this module: its cause is no word from outside. It is
// context.DeadlineExceeded.
type Limit struct {
	Text  string // has one verb, for Bound
	Bound time.Duration
}

func (l Limit) Error() string { return fmt.Sprintf(l.Text, l.Bound) }

// Is makes it context.DeadlineExceeded.
func (l Limit) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout makes it a timeout in the sense of net.Error.
func (l Limit) Timeout() bool { return true }

// Outside returns err, which came from code of others, as one that is shown and not believed; nil for nil. A plain text,
// which holds nothing, stays as it is, because io.EOF and its like are compared with ==.
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

// Holding is Outside of an error that carries own, an error of this module: that one is believed.
func Holding(err, own error) error {
	if err == own {
		return own
	}
	return &holding{outside{err}, own}
}

// Cause is why ctx ended, nil if it has not. It is ctx.Err(), shows the context's cause, and believes nothing in that but a
// [Limit].
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

// During is Outside of an error of code that had ctx and may have failed because ctx ended: then it is what ctx ended with,
// too.
func During(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return Outside(err)
	}
	if cause := context.Cause(ctx); errors.Is(err, cause) && err.Error() == cause.Error() { // passed on as it is
		return Cause(ctx)
	}
	return Holding(err, Cause(ctx))
}

// Ours reports whether v itself, not what it wraps, is of a type of this module.
func Ours(v any) bool { return ours(reflect.TypeOf(v)) }

// outside has no Unwrap: what it holds is found through Is and As alone.
type outside struct{ err error }

func (o *outside) Error() string { return o.err.Error() }

func (o *outside) Is(target error) bool {
	if same, ok := target.(interface{ held() error }); ok { // shielded once more
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
	found := reflect.New(t) // an interface may be met by a type of ours
	if !errors.As(o.err, found.Interface()) || ours(found.Elem().Elem().Type()) {
		return false
	}
	reflect.ValueOf(target).Elem().Set(found.Elem())
	return true
}

func (o *outside) held() error { return o.err }

// holding is an outside with an error of ours in it.
type holding struct {
	outside
	own error
}

func (h *holding) Unwrap() error { return h.own }

// ended is the end of a context with a cause of others.
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
	// others are the parts of the repository that use this module as anybody does, and the one that plays the platform.
	others = [...]string{"/bench/", "/cmd/", "/contrib/", "/examples/", "/sandbox/"}
)

// ours reports whether t, or what it points to, is a type of this module.
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
