package catalog_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// A label is a word: it has a Chinese character, or a Latin letter and more, and no mark of a page around it.
var (
	word      = regexp.MustCompile(`\p{Han}|\p{Latin}[\p{Latin}\d]`)
	pageMarks = regexp.MustCompile("[<>`*\\\\]|&[a-z]+;|https?:|\\]\\(")
)

// Labels that two constants of one list share, because the platform has two constants for one thing.
var shared = map[string]bool{"用户申请平台协助": true}

func badLabel(label string) bool { return !word.MatchString(label) || pageMarks.MatchString(label) }

func TestLabelsAreWords(t *testing.T) {
	seen, used := 0, map[string]bool{}
	walk(catalog.V3().Described(), func(where string, f *fact.Field) {
		if f.Label != "" {
			seen++
			assert.False(t, badLabel(f.Label), "%s: the label %q", where, f.Label)
		}
		of := map[string]any{}
		for i, label := range f.EnumLabels {
			if label == "" {
				continue
			}
			assert.False(t, badLabel(label), "%s: the label %q of %v", where, label, f.Enum[i])
			if other, twice := of[label]; twice && !shared[label] {
				t.Errorf("%s: %v and %v have one label, %q", where, other, f.Enum[i], label)
			} else if twice {
				used[label] = true
			}
			of[label] = f.Enum[i]
		}
	})
	require.Positive(t, seen, "the data have labels")
	assert.Equal(t, shared, used, "each exception is one")
	for _, bad := range []string{"1", "-", "A", "：", "<br>", "**状态**", "状态&nbsp;", "[状态](https://x)"} {
		assert.True(t, badLabel(bad), bad)
	}
}
