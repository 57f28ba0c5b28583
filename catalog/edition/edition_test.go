package edition_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/catalog/edition"
)

// events returns a facts file with every event of the catalogue, as far as the test changes it: one member each.
func events(t *testing.T, change func(eventType string, row map[string]any) bool) string {
	t.Helper()
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for event := range catalog.V3().Events() {
		row := map[string]any{"ev": event.Type, "n": event.Name, "alg": event.Algorithm,
			"res": []any{map[string]any{"n": "id", "t": "string"}}}
		if change(event.Type, row) {
			require.NoError(t, encoder.Encode(row))
		}
	}
	name := filepath.Join(t.TempDir(), "events.jsonl")
	require.NoError(t, os.WriteFile(name, lines.Bytes(), 0o600))
	return name
}

func TestDiff(t *testing.T) {
	name := events(t, func(eventType string, row map[string]any) bool {
		switch eventType {
		case "REFUND.CLOSED":
			return false
		case "REFUND.SUCCESS":
			row["n"], row["ev"] = "新的通知", "REFUND.NEW"
		case "SECURITY_ECHO.SUCCESS":
			row["n"] = "another`name"
		}
		return true
	})
	var out strings.Builder
	different, err := edition.Diff(&out, name)
	require.NoError(t, err)
	assert.True(t, different)
	assert.Contains(t, out.String(), "# What the facts change\n\n1 added, 2 removed, ")
	assert.Contains(t, out.String(), "; then 1078 operations and 108 events.\n")
	assert.Contains(t, out.String(), "\n## Added\n\n- `event REFUND.NEW` 新的通知\n\n## Removed\n\n- `event REFUND.CLOSED` 退款关闭通知\n- `event REFUND.SUCCESS` ")
	assert.Contains(t, out.String(), "\n### `event SECURITY_ECHO.SUCCESS` another`name\n\n")
	assert.Contains(t, out.String(), "- `+ resource.id string`\n")
	assert.Contains(t, out.String(), "\n## Corrections without a place\n\n")
	assert.Regexp(t, "\n- `line \\d+: event REFUND.CLOSED resource.success_time .*: there is no such row`\n", out.String())
	assert.Regexp(t, "\n- `line \\d+: event REFUND.ABNORMAL resource.success_time .*: there is no field \"success_time\"`\n", out.String())
	assert.Contains(t, out.String(), "-> another`name ``\n", "what has a mark of code in it is fenced by two")
}

func TestDiffOfBadFiles(t *testing.T) {
	var out strings.Builder
	different, err := edition.Diff(&out)
	assert.ErrorContains(t, err, "name at least one facts file")
	assert.False(t, different)

	_, err = edition.Diff(&out, filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)

	name := filepath.Join(t.TempDir(), "facts.jsonl")
	require.NoError(t, os.WriteFile(name, []byte(`{"ev":"a"}`), 0o600))
	_, err = edition.Diff(&out, name)
	assert.ErrorContains(t, err, "facts.jsonl:1: a: bad event type")
	assert.Empty(t, out.String())

	name = events(t, func(string, map[string]any) bool { return true })
	_, err = edition.Diff(full{}, name)
	assert.ErrorIs(t, err, errFull)
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
