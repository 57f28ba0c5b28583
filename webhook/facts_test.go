package webhook_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/webhook"
)

// The catalogue is what the reviewed tables are held against; the package itself works without it.
var _ webhook.Lookup = (*catalog.Catalog)(nil)

func TestQuestionsAgreeWithTheCatalogue(t *testing.T) {
	// One is not marked in the catalogue: its response has no members, but accepting it may mean
	// consent.
	unmarked := []string{"ENTRUST.TERMINATE_INQUIRY"}
	seen := 0
	for e := range catalog.V3().Events() {
		signed, known := webhook.InquiryByReview(e.Type)
		if e.Reply == nil {
			assert.Equal(t, slices.Contains(unmarked, e.Type), known, e.Type)
			continue
		}
		seen++
		assert.True(t, known, "%s wants an answer and is not in the table of questions", e.Type)
		assert.Equal(t, slices.ContainsFunc(e.Reply.Header, func(f fact.Field) bool { return f.Name == "Authorization" }), signed, e.Type)
	}
	assert.Equal(t, webhook.InquiryCount, seen+len(unmarked), "questions that the catalogue does not know")
}

// Every known event whose official name speaks of money is one that must not be lost, or was reviewed not to be.
func TestMoneyEventsAgreeWithTheCatalogue(t *testing.T) {
	words := []string{"支付", "付款", "退款", "转账", "扣费", "扣款", "还款", "充值", "提现", "收款", "转付", "结算", "资金", "到账"}
	harmless := []string{ // contracts, authorizations and news: nothing was paid
		"APPLYMENT_STATE.APPROVED", "CREDIT_REPAYMENT.SIGN_CONTRACT", "CREDIT_REPAYMENT.TERMINATE_CONTRACT", "CROSS_BORDER_PAY.GET_MCH_INFO",
	}
	seen := map[string]bool{}
	for e := range catalog.V3().Events() {
		money := webhook.AboutMoney(e.Type)
		for _, beginning := range webhook.MoneyEvents() {
			seen[beginning] = seen[beginning] || strings.HasPrefix(e.Type, beginning)
		}
		name := strings.NewReplacer("支付分", "", "企业支付", "").Replace(e.Name) // products
		speaks := slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
		if speaks && !money {
			assert.Contains(t, harmless, e.Type, e.Name)
		}
	}
	for beginning, known := range seen {
		assert.True(t, known, "%s begins no known event", beginning)
	}
	require.NotEmpty(t, seen)
}

// The constants are types that the catalogue knows, and the usual families are whole.
func TestConstantsAgreeWithTheCatalogue(t *testing.T) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var constants []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		d, ok := n.(*ast.GenDecl)
		if !ok || d.Tok != token.CONST {
			return true
		}
		for _, spec := range d.Specs {
			v := spec.(*ast.ValueSpec)
			eventType, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			constants = append(constants, eventType)
			_, known := catalog.V3().Event(eventType)
			assert.True(t, known, eventType)
			assert.Equal(t, strings.NewReplacer(".", "", "_", "").Replace(eventType), strings.ToUpper(v.Names[0].Name))
		}
		return false
	})
	for e := range catalog.V3().Events() {
		for _, family := range []string{"TRANSACTION.", "REFUND.", "MCHTRANSFER.", "PROFITSHARING."} {
			if strings.HasPrefix(e.Type, family) {
				assert.Contains(t, constants, e.Type)
			}
		}
	}
	require.NotEmpty(t, constants)
}

func TestFinalsAgreeWithTheCatalogue(t *testing.T) {
	finals := webhook.Finals()
	require.NotEmpty(t, finals)
	for _, f := range finals {
		e, ok := catalog.V3().Event(f.EventType)
		require.True(t, ok, f.EventType)
		assert.Contains(t, e.OriginalTypes, f.OriginalType, f.EventType)
		for _, name := range []string{f.Number, f.State, f.Unless} {
			// The catalogue joins the payloads of TRANSACTION.SUCCESS under their common members.
			if name != "" {
				assert.True(t, slices.ContainsFunc(e.Resource, func(field fact.Field) bool { return field.Name == name }), "%s has no %s", f.EventType, name)
			}
		}
		i := slices.IndexFunc(e.Resource, func(field fact.Field) bool { return field.Name == f.State })
		require.GreaterOrEqual(t, i, 0)
		for _, state := range f.States {
			assert.Contains(t, e.Resource[i].Enum, state, f.EventType)
		}
	}
}

// Of the documented events only those of TRANSACTION come with the original type of another family.
func TestForeignOriginalTypesAgreeWithTheCatalogue(t *testing.T) {
	for e := range catalog.V3().Events() {
		for _, original := range e.OriginalTypes {
			foreign := strings.HasPrefix(e.Type, "TRANSACTION.") && original == "profitsharing"
			assert.Equal(t, foreign, webhook.Foreign(e.Type, original), "%s of %s", e.Type, original)
		}
		if len(e.OriginalTypes) > 1 {
			assert.Equal(t, "TRANSACTION.SUCCESS", e.Type, "another event with several original types")
		}
	}
}
