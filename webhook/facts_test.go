package webhook_test

import (
	"slices"
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
	// One is not marked in the catalogue: its answer has no members, but accepting it may mean consent.
	unmarked := []string{"ENTRUST.TERMINATE_INQUIRY"}
	seen := 0
	for e := range catalog.V3().Events() {
		signed, known := webhook.QuestionByReview(e.Type)
		if e.Reply == nil {
			assert.Equal(t, slices.Contains(unmarked, e.Type), known, e.Type)
			continue
		}
		seen++
		assert.True(t, known, "%s wants an answer and is not in the table of questions", e.Type)
		assert.Equal(t, slices.ContainsFunc(e.Reply.Header, func(f fact.Field) bool { return f.Name == "Authorization" }), signed, e.Type)
	}
	assert.Equal(t, webhook.QuestionCount, seen+len(unmarked), "questions that the catalogue does not know")
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
