package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const program = `package main

import (
	"context"
	"fmt"

	"github.com/wxpay-go/wxpay"IMPORT
)

func main() {
	client, err := wxpay.FromEnv()
	if err != nil {
		panic(err)
	}
	fmt.Println(CHAIN.Post(context.Background(), wxpay.JSON{"brand_id": "1004"}))
}
`

// TestProgramSize builds the same program twice, with a plain and with a pure chain. Of this package no function and no
// table may be linked, so that only line numbers and names of what was put in place remain: less than a page.
func TestProgramSize(t *testing.T) {
	if os.Getenv("WXPAY_TEST_LONG") == "" {
		t.Skip("it links two programs: set WXPAY_TEST_LONG=1 to run it")
	}
	const page = 4096
	dir := t.TempDir()
	build := func(name, imports, chain string) (size int64, symbols string) {
		source, target := filepath.Join(dir, name+".go"), filepath.Join(dir, name)
		text := strings.NewReplacer("IMPORT", imports, "CHAIN", chain).Replace(program)
		require.NoError(t, os.WriteFile(source, []byte(text), 0o600))
		out, err := exec.Command("go", "build", "-o", target, source).CombinedOutput()
		require.NoError(t, err, string(out))
		list, err := exec.Command("go", "tool", "nm", target).Output()
		require.NoError(t, err)
		info, err := os.Stat(target)
		require.NoError(t, err)
		return info.Size(), string(list)
	}
	plain, symbols := build("plain", "", `client.Chain("v3/brand/partner/card-member/user-feeds")`)
	assert.Contains(t, symbols, "wxpay.Chain.Do")
	pure, symbols := build("pure", "\n\t\"github.com/wxpay-go/wxpay/api\"", "api.V3(client).Brand().Partner().CardMember().UserFeeds()")
	assert.Contains(t, symbols, "wxpay.Chain.Do")
	assert.NotContains(t, symbols, "github.com/wxpay-go/wxpay/api.")
	assert.Less(t, pure, plain+page)
	t.Logf("plain %d bytes, pure %d bytes: %+d", plain, pure, pure-plain)
}
