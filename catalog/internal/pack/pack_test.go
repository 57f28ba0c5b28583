package pack_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog/internal/pack"
	"github.com/wxpay-go/wxpay/catalog/internal/text"
)

const rows = `GET /v3/a
  name 甲
  query
    id string!! # 编号 : 1
    kind string = A (子) | B
  answer 204 empty

GET /v3/b
  name 乙
  answer 204 empty

event A.B
  name 丙
  algorithm x
  resource
    id string # 编号
`

func written(t testing.TB, src string) (facts, texts string) {
	t.Helper()
	doc, err := text.Parse(src)
	require.NoError(t, err)
	f, x, err := pack.Write(doc)
	require.NoError(t, err)
	return string(f), string(x)
}

func TestParts(t *testing.T) {
	packedFacts, packedTexts := written(t, rows)
	facts, err := pack.Open(packedFacts)
	require.NoError(t, err)
	texts, err := pack.Open(packedTexts)
	require.NoError(t, err)
	require.Equal(t, 3, facts.Parts(), "the index, operations, events")
	require.Equal(t, 2, texts.Parts())
	for i, want := range [][]string{
		{"GET /v3/a\nGET /v3/b", "event A.B"},
		{
			"GET /v3/a\n  name 甲\n  query\n    id string!!\n    kind string = A | B\n  answer 204 empty",
			"GET /v3/b\n  name 乙\n  answer 204 empty",
		},
		{"event A.B\n  name 丙\n  algorithm x\n  resource\n    id string"},
	} {
		blocks, err := facts.Blocks(i)
		require.NoError(t, err)
		assert.Equal(t, want, blocks)
	}
	for i, want := range [][]string{{"编号\t1\n\t\t子|", ""}, {"编号"}} {
		blocks, err := texts.Blocks(i)
		require.NoError(t, err)
		assert.Equal(t, want, blocks)
	}
}

func TestManyRowsMakeSeveralChunks(t *testing.T) {
	const row = "GET /v3/a\n  name 甲\n  answer 204 empty\n\n"
	packed, _ := written(t, strings.Repeat(row, 3000))
	facts, err := pack.Open(packed)
	require.NoError(t, err)
	index, err := facts.Blocks(0)
	require.NoError(t, err)
	require.Len(t, index, facts.Parts()-1)
	require.Greater(t, len(index), 2)
	count := 0
	for i, heads := range index {
		blocks, err := facts.Blocks(i + 1)
		require.NoError(t, err)
		assert.Len(t, blocks, strings.Count(heads, "\n")+1)
		count += len(blocks)
	}
	assert.Equal(t, 3000, count)
}

func TestSame(t *testing.T) {
	facts, texts := written(t, rows)
	other, _ := written(t, strings.Replace(rows, "name 乙", "name 己", 1))
	assert.True(t, pack.Same(facts, facts))
	assert.True(t, pack.Same(texts, texts))
	for _, s := range []string{texts, other, "", facts[:len(facts)-1], "1 1\n\nx"} {
		assert.False(t, pack.Same(facts, s))
		assert.False(t, pack.Same(s, facts))
	}
}

// Whatever is opened, nothing is read beyond it.
func FuzzOpen(f *testing.F) {
	facts, texts := written(f, rows)
	for _, s := range []string{facts, texts, "", "\n\n", "1 2\n\nab", "-1 0\n\n", "9999999999 1\n\nx", "1 x\n\n", "2 9\n\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, packed string) {
		file, err := pack.Open(packed)
		if err != nil {
			return
		}
		for i := range file.Parts() {
			_, _ = file.Blocks(i)
		}
	})
}
