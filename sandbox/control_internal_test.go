package sandbox

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withoutControl are the methods of the Go API that the control API has no order for, and why.
var withoutControl = map[string]string{
	"Sandbox.Close":       "ends the sandbox, which ends with the process that serves it",
	"Sandbox.Control":     "is the control API",
	"Sandbox.Env":         "is told with GET merchant",
	"Sandbox.Format":      "is for printing",
	"Sandbox.Listen":      "serves the sandbox, and is done before it can be asked for",
	"Sandbox.LookupEnv":   "is told with GET merchant",
	"Sandbox.MarshalText": "is for printing",
	"Sandbox.ServeHTTP":   "are the platform's own paths",
	"Sandbox.String":      "is for printing",
	"Sandbox.Transport":   "calls in process",
	"Clock.Format":        "is for printing",
	"Clock.MarshalText":   "is for printing",
	"Clock.String":        "is for printing",
	"Clock.Frozen":        "is told with GET clock",
	"Deliveries.To":       "takes a handler in process",
	"Journal.All":         "is GET journal without a filter",
	"Journal.Backward":    "is GET journal, in pages",
	"Journal.OnRejection": "takes a function; a rejection is found with GET journal?rejected=true, and explained with GET journal/explain",
	"Keys.PublicKey":      "is told with GET merchant",
	"Keys.PublicKeyID":    "is told with GET merchant",
	"Rules.All":           "are in the error about an unknown rule",
}

// TestControlIsOneToOne: every method has an order or a reason to have none, and every order has a method.
func TestControlIsOneToOne(t *testing.T) {
	s, err := New()
	require.NoError(t, err)
	methods := make(map[string]bool)
	for _, of := range []reflect.Type{
		reflect.TypeFor[*Sandbox](), reflect.TypeFor[*Users](), reflect.TypeFor[*Ledger](), reflect.TypeFor[*Keys](), reflect.TypeFor[*Deliveries](),
		reflect.TypeFor[*Faults](), reflect.TypeFor[*Journal](), reflect.TypeFor[*Rules](), reflect.TypeFor[*Clock](),
	} {
		for i := range of.NumMethod() {
			methods[of.Elem().Name()+"."+of.Method(i).Name] = true
		}
	}
	require.Greater(t, len(methods), 50)
	orders, _ := s.shared.orders("")
	does, places := make(map[string]bool), make(map[string]bool)
	for _, o := range orders {
		assert.True(t, methods[o.Does], "%s %s does %s, which there is not", o.Method, o.Path, o.Does)
		assert.False(t, does[o.Does], "%s has two orders", o.Does)
		assert.Empty(t, withoutControl[o.Does], "%s has an order after all", o.Does)
		does[o.Does] = true
		place := o.Method + " " + o.Path
		assert.False(t, places[place], "%s stands twice", place)
		places[place] = true

		kind := reflect.TypeOf(o.Run)
		require.Equal(t, reflect.Func, kind.Kind(), place)
		first := 0
		if kind.NumIn() > 0 && kind.In(0).String() == "context.Context" {
			first = 1
		}
		assert.Len(t, strings.Fields(o.In), kind.NumIn()-first, "%s: a name for each parameter", place)
		for i := first; i < kind.NumIn(); i++ {
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
			"%s has no order: add one in control.go or to its flow, or say in withoutControl why there is none", name)
	}
	for name := range withoutControl {
		assert.True(t, methods[name], fmt.Sprintf("there is no %s", name))
	}
}

// TestControlPage: the guide lists every order, in both languages. WXPAY_UPDATE=1 writes the lists anew.
func TestControlPage(t *testing.T) {
	const begin, end = "<!-- control -->\n", "<!-- end -->\n"
	s, err := New()
	require.NoError(t, err)
	orders, _ := s.shared.orders("")
	rows := "| --- | --- | --- | --- |\n"
	code := func(text string) string {
		if text == "" {
			return ""
		}
		return "`" + strings.Replace(text, "*", "…", 1) + "`"
	}
	for _, o := range orders {
		rows += fmt.Sprintf("| `%s %s%s` | %s | %s | `%s` |\n", o.Method, ControlPath, o.Path, code(o.In), code(o.Out), o.Does)
	}
	for name, titles := range map[string]string{
		"../docs/sandbox.md":    "| order | parameters | response | does |\n",
		"../docs/zh/sandbox.md": "| 指令 | 参数 | 应答 | 对应方法 |\n",
	} {
		have, err := os.ReadFile(name)
		require.NoError(t, err)
		head, rest, ok := strings.Cut(string(have), begin)
		require.True(t, ok)
		_, tail, ok := strings.Cut(rest, end)
		require.True(t, ok)
		page := head + begin + titles + rows + end + tail
		if os.Getenv("WXPAY_UPDATE") != "" {
			require.NoError(t, os.WriteFile(name, []byte(page), 0o644))
		}
		assert.True(t, page == string(have), "%s is stale: WXPAY_UPDATE=1 go test -run TestControlPage ./sandbox", name)
	}
}
