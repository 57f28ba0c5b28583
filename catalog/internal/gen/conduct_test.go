package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What was reviewed by hand about an operation survives an import, also one that changes the operation.
func TestReviewedConductStays(t *testing.T) {
	reviewed := "  money\n  repeat documented\n  number x name\n  rate 5 provider\n  link GET /hk/v3/a/{id}\n  copy id name\n  missing NOT_FOUND\n"
	b := strings.Replace(bText, "  doc v3/partner/3\n", "  doc v3/partner/3\n"+reviewed, 1)
	require.NotEqual(t, bText, b)
	dir := folder(t, map[string]string{"hk.v3.txt": hkText, "v3.b.txt": b, "events.txt": eventsText})
	status, stdout, stderr := gen(t, "-catalog", dir, "-check", file(t, said))
	assert.Equal(t, same, status, stderr)
	assert.Empty(t, stdout)

	changed := strings.Replace(said, `"n":"乙"`, `"n":"戊"`, 1)
	status, _, stderr = gen(t, "-catalog", dir, "-import", file(t, changed))
	require.Equal(t, same, status, stderr)
	assert.Equal(t, strings.Replace(b, "  name 乙\n", "  name 戊\n", 1), texts(t, dir)["v3.b.txt"])
}
