package vet

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/wxpay-go/wxpay/webhook"
)

// checkAmount finds functions that take a payment without a look at its amount.
var checkAmount = newCheck("wxamount", explanation{
	english: `find payments whose amount nobody compares

A notification says that an order is paid, and how much was paid. A shop that
looks at the number alone hands out the goods for any amount, for instance if a
price changed after the order. Compare amount.total with your own record, or
call webhook.Payment.Check, which compares everything. Code in another package
that gets the number may do so: silence the line, and say where.`,
	chinese: `找出不核对金额的支付通知处理

支付通知说明哪个订单已支付，以及支付了多少。只看订单号就发货，意味着任何金额都能换到商品，
例如下单后价格变了。请将 amount.total 与自己的记录比较，或调用 webhook.Payment.Check。
若由其他包中拿到单号的代码核对，请屏蔽该行并注明在哪里核对。`,
}, func(k *check) {
	k.each(func(expr *ast.CallExpr) {
		for _, pattern := range k.patterns(expr) {
			text, _ := k.textOf(pattern.at, nil)
			t, body := k.function(pattern.function)
			if text != webhook.TransactionSuccess || body == nil || isTest(k.pass, expr) {
				continue
			}
			if reads, ignores := k.readsPayment(t); reads && ignores && !k.asksElsewhere(body, 0) {
				k.hint(pattern.at, "the function takes a payment and does not look at amount.total: compare it with the order")
			}
		}
	})
})

// asksElsewhere reports whether a function leaves the payment to somebody who may know its amount: it sends on a channel, or
// it calls a function of the package that reads an order of the platform, or an amount.
func (k *check) asksElsewhere(body *ast.BlockStmt, depth int) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt:
			found = true
		case *ast.BasicLit:
			found = found || depth > 0 && strings.HasPrefix(n.Value, `"amount`)
		case *ast.Ident:
			found = found || depth > 0 && strings.Contains(strings.ToLower(n.Name), "amount")
		case *ast.CallExpr:
			if c := k.byExpr[n]; c != nil && c.method == "GET" {
				found = true
			}
			if _, called := k.function(ast.Unparen(n.Fun)); called != nil && depth < 3 {
				found = found || k.asksElsewhere(called, depth+1)
			}
		}
		return !found
	})
	return found
}

// readsPayment reports whether a function reads the payment that its parameters hold, and whether it ignores the amount.
// A parameter that goes elsewhere may be compared there.
func (k *check) readsPayment(t *ast.FuncType) (reads, ignores bool) {
	for _, parameter := range t.Params.List {
		of := k.info.TypeOf(parameter.Type)
		if namedOf(of) == "context.Context" {
			continue
		}
		for _, name := range parameter.Names {
			v := k.variables[k.info.Defs[name]]
			if v == nil {
				continue
			}
			for _, u := range v.uses {
				switch seen := k.amountIn(u, of); seen {
				case readsOther:
					reads = true
				case readsAmount:
					return reads, false
				}
			}
		}
	}
	return reads, true
}

type seen uint8

const (
	readsAmount seen = iota // or may read it
	readsOther
)

// amountIn tells what a use of an event or of its resource reads.
func (k *check) amountIn(u use, of types.Type) seen {
	selector, ok := u.parents[len(u.parents)-1].(*ast.SelectorExpr)
	if !ok || selector.X != u.name {
		return readsAmount
	}
	if namedOf(of) != module+"/webhook.Event" {
		name, ok := fieldName(of, selector.Sel.Name)
		if _, method := k.info.Uses[selector.Sel].(*types.Func); method || !ok || strings.HasPrefix(strings.ToLower(name), "amount") {
			return readsAmount
		}
		return readsOther
	}
	call, ok := u.parents[len(u.parents)-2].(*ast.CallExpr)
	if !ok || call.Fun != selector {
		return readsOther // e.ID
	}
	if !isRead[selector.Sel.Name] || selector.Sel.Name == "Decode" {
		return readsAmount
	}
	for _, arg := range call.Args {
		if path, ok := k.textOf(arg, nil); !ok || strings.HasPrefix(path, "amount") || !plain.MatchString(path) {
			return readsAmount
		}
	}
	return readsOther
}
