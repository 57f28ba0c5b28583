package sandbox

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withoutControl are the methods of the Go API that the control API has no order for, and why.
var withoutControl = map[string]string{
	"Sandbox.Clock":       "its methods have orders",
	"Sandbox.Close":       "ends the sandbox, which ends with the process that serves it",
	"Sandbox.Control":     "is the control API",
	"Sandbox.DeliverTo":   "takes a handler in process",
	"Sandbox.Env":         "is told with GET merchant",
	"Sandbox.Format":      "is for printing",
	"Sandbox.Journal":     "is GET journal without a filter",
	"Sandbox.Listen":      "serves the sandbox, and is done before it can be asked for",
	"Sandbox.LookupEnv":   "is told with GET merchant",
	"Sandbox.MarshalText": "is for printing",
	"Sandbox.OnRefusal":   "takes a function; a refusal is found with GET journal?refused=true, and explained with GET journal/explain",
	"Sandbox.PublicKey":   "is told with GET merchant",
	"Sandbox.PublicKeyID": "is told with GET merchant",
	"Sandbox.ServeHTTP":   "are the platform's own paths",
	"Sandbox.String":      "is for printing",
	"Sandbox.Transport":   "calls in process",
	"Clock.Format":        "is for printing",
	"Clock.MarshalText":   "is for printing",
	"Clock.String":        "is for printing",
	"Clock.Frozen":        "is told with GET clock",
}

// TestControlIsOneToOne: every method has an order or a reason to have none, and every order has a method.
func TestControlIsOneToOne(t *testing.T) {
	methods := make(map[string]bool)
	for _, of := range []reflect.Type{reflect.TypeFor[*Sandbox](), reflect.TypeFor[*Clock]()} {
		for i := range of.NumMethod() {
			methods[of.Elem().Name()+"."+of.Method(i).Name] = true
		}
	}
	require.Greater(t, len(methods), 50)
	does, places := make(map[string]bool), make(map[string]bool)
	for _, c := range controls {
		assert.True(t, methods[c.does], "%s %s does %s, which there is not", c.method, c.path, c.does)
		assert.False(t, does[c.does], "%s has two orders", c.does)
		assert.Empty(t, withoutControl[c.does], "%s has an order after all", c.does)
		does[c.does] = true
		place := c.method + " " + c.path
		assert.False(t, places[place], "%s stands twice", place)
		places[place] = true

		kind := reflect.TypeOf(c.run)
		require.Equal(t, reflect.Func, kind.Kind(), place)
		first := 0
		if kind.In(0).String() == "context.Context" {
			first = 1
		}
		require.Equal(t, reflect.TypeFor[*Sandbox](), kind.In(first), place)
		assert.Len(t, strings.Fields(c.in), kind.NumIn()-first-1, "%s: a name for each parameter", place)
		for i := first + 1; i < kind.NumIn(); i++ {
			assert.NotContains(t, []reflect.Kind{reflect.Func, reflect.Chan, reflect.Interface}, kind.In(i).Kind(), place)
		}
		results := kind.NumOut()
		if results > 0 && kind.Out(results-1) == reflect.TypeFor[error]() {
			results--
		}
		assert.LessOrEqual(t, results, 1, place)
	}
	for name := range methods {
		assert.True(t, does[name] || withoutControl[name] != "",
			"%s has no order: add one to controls in control.go, or say in withoutControl why there is none", name)
	}
	for name := range withoutControl {
		assert.True(t, methods[name], fmt.Sprintf("there is no %s", name))
	}
}
