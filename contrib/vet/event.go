package vet

import (
	"context"
	"crypto"
	"fmt"
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/webhook"
)

// checkEvent checks the types of notifications.
var checkEvent = newCheck("wxevent", explanation{
	english: `check the types of notifications

Handler.On panics at a type that no event has. This check says so before the
program starts, and names the nearest type.`,
	chinese: `检查通知的类型

Handler.On 遇到不存在的通知类型会 panic。本检查在程序启动之前指出，并给出最接近的类型。`,
}, func(k *check) {
	if k.newerEvents() {
		return
	}
	k.each(func(expr *ast.CallExpr) {
		for _, pattern := range k.patterns(expr) {
			text, ok := k.textOf(pattern.at, nil)
			if !ok {
				continue
			}
			if fault := refused(pattern.method, text); fault != "" {
				k.certain(pattern.at, "webhook."+pattern.method+" panics: "+fault, k.nearEvent(pattern.at, text)...)
			}
		}
	})
})

// each calls f with every call of the package.
func (k *check) each(f func(*ast.CallExpr)) {
	for _, file := range k.pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			if expr, ok := n.(*ast.CallExpr); ok {
				f(expr)
			}
			return true
		})
	}
}

// pattern is one pattern of a registration.
type pattern struct {
	method   string
	at       ast.Expr
	function ast.Expr // nil for Ignore
}

// patterns returns the patterns that a call registers with a webhook.Handler.
func (s *calls) patterns(expr *ast.CallExpr) (found []pattern) {
	fun := ast.Unparen(expr.Fun)
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	f, ok := s.info.Uses[selector.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != module+"/webhook" {
		return nil
	}
	switch args := expr.Args; {
	case f.Signature().Recv() == nil && (f.Name() == "On" || f.Name() == "OnInquiry") && len(args) == 3:
		return []pattern{{f.Name(), args[1], args[2]}}
	case f.Signature().Recv() == nil || namedOf(f.Signature().Recv().Type()) != module+"/webhook.Handler":
	case (f.Name() == "On" || f.Name() == "OnInquiry") && len(args) == 2:
		return []pattern{{f.Name(), args[0], args[1]}}
	case f.Name() == "Ignore":
		for _, arg := range args {
			found = append(found, pattern{method: "Ignore", at: arg})
		}
	}
	return found
}

// newerEvents reports whether the package names events of its own, or has another catalogue.
func (k *check) newerEvents() (found bool) {
	k.each(func(expr *ast.CallExpr) {
		if selector, ok := ast.Unparen(expr.Fun).(*ast.SelectorExpr); ok {
			f, ok := k.info.Uses[selector.Sel].(*types.Func)
			found = found || ok && f.Pkg() != nil && f.Pkg().Path() == module+"/webhook" && (f.Name() == "WithEvents" || f.Name() == "WithCatalog")
		}
	})
	return found
}

// noKeys belongs to handlers that receive nothing.
type noKeys struct{}

func (noKeys) Key(context.Context, string) (crypto.PublicKey, error) {
	return nil, apiv3.ErrUnknownSerial
}

// refused asks the library whether it takes a pattern.
func refused(method, text string) (fault string) {
	handler, err := webhook.New(webhook.Merchant{ID: "1900000109", APIv3Key: strings.Repeat("0", 32), Keys: noKeys{}})
	if err != nil {
		panic(err) // it verifies nothing, so nothing can be wrong with it
	}
	defer func() {
		if said := recover(); said != nil {
			fault = strings.TrimPrefix(fmt.Sprint(said), "webhook: "+method+": ")
		}
	}()
	switch method {
	case "On":
		handler.On(text, func(_ context.Context, _ *webhook.Event) error { return nil })
	case "OnInquiry":
		handler.OnInquiry(text, func(_ context.Context, _ *webhook.Event) (any, error) { return nil, nil })
	case "Ignore":
		handler.Ignore(text)
	}
	return ""
}

func (k *check) nearEvent(at ast.Expr, text string) []analysis.SuggestedFix {
	eventType, original, divided := strings.Cut(text, "/")
	if near := facts().NearestEvents(eventType, 1); len(near) == 1 && isLiteral(at) && near[0] != eventType && !strings.Contains(text, "*") {
		if divided {
			near[0] += "/" + original
		}
		return []analysis.SuggestedFix{replace(at, "write "+near[0], strconv.Quote(near[0]))}
	}
	return nil
}

// eventsOf returns the events that a parameter of a registered function may be.
func (k *check) eventsOf() map[types.Object][]*fact.Event {
	found := map[types.Object][]*fact.Event{}
	unsure := map[types.Object]bool{}
	k.each(func(expr *ast.CallExpr) {
		for _, pattern := range k.patterns(expr) {
			parameter := k.eventParameter(pattern.function)
			if parameter == nil {
				continue
			}
			text, ok := k.textOf(pattern.at, nil)
			event, known := facts().Event(text)
			if !ok || !known || k.variables[parameter] == nil || len(k.variables[parameter].sources) > 0 {
				unsure[parameter] = true
				continue
			}
			found[parameter] = append(found[parameter], event)
		}
	})
	for parameter := range unsure {
		delete(found, parameter)
	}
	return found
}

// eventParameter returns the parameter of type *webhook.Event of a function of the package.
func (s *calls) eventParameter(function ast.Expr) types.Object {
	t, _ := s.function(function)
	if t == nil {
		return nil
	}
	for _, parameter := range t.Params.List {
		if len(parameter.Names) == 1 && namedOf(s.info.TypeOf(parameter.Type)) == module+"/webhook.Event" {
			return s.info.Defs[parameter.Names[0]]
		}
	}
	return nil
}

// function returns the source of a function of the package.
func (s *calls) function(function ast.Expr) (*ast.FuncType, *ast.BlockStmt) {
	var decl *ast.FuncDecl
	switch x := function.(type) {
	case *ast.FuncLit:
		return x.Type, x.Body
	case *ast.Ident:
		decl = s.functions[s.info.Uses[x]]
	case *ast.SelectorExpr:
		decl = s.functions[s.info.Uses[x.Sel]]
	}
	if decl == nil || decl.Body == nil {
		return nil, nil
	}
	return decl.Type, decl.Body
}
