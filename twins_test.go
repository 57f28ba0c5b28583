// It reads every page of the repository, and go.mod of contrib/fleet names this Go.

//go:build go1.26

package wxpay_test

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each page for users is there in English and Chinese, with the same headings, tables and commands. What a program prints may differ.
func TestPagesHaveTwins(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, page := range readSources(t).pages {
		twin, has := twinOf(page)
		if !has {
			continue
		}
		seen++
		english, err := os.ReadFile(page)
		require.NoError(t, err)
		chinese, err := os.ReadFile(twin)
		if !assert.NoError(t, err, "%s is in English alone", page) {
			continue
		}
		assert.Equal(t, shapeOf(string(english)), shapeOf(string(chinese)), "%s and %s", page, twin)
	}
	require.Greater(t, seen, 30, "too few pages were found")
}

// twinOf names the page in Chinese of one in English that is for users.
func twinOf(page string) (twin string, has bool) {
	folder, name := path.Split(page)
	switch {
	case page == "docs/performance.md": // figures, which a program writes
	case folder == "docs/":
		return "docs/zh/" + name, true
	case folder == "docs-site/guides/en/":
		return "docs-site/guides/zh/" + name, true
	case name == "README.md" && (folder == "" || strings.HasPrefix(folder, "contrib/")):
		return folder + "README.zh-CN.md", true
	}
	return "", false
}

var (
	pageHeading = regexp.MustCompile(`(?m)^#+ `)
	pageRow     = regexp.MustCompile(`(?m)^\|`)
	remark      = regexp.MustCompile(`(?m)(^|\s+)(//|#)( .*)?$`)
	anyCode     = regexp.MustCompile("(?ms)^```(\\w*)$(.*?)^```$")
)

// shape is what a page and its twin have in common.
type shape struct {
	headings []string // their marks
	rows     int      // of tables
	code     []string // without remarks
}

func shapeOf(page string) (s shape) {
	for _, block := range anyCode.FindAllStringSubmatch(page, -1) {
		if block[1] != "" && block[1] != "text" {
			s.code = append(s.code, remark.ReplaceAllString(block[2], ""))
		}
	}
	page = anyCode.ReplaceAllString(page, "")
	s.headings, s.rows = pageHeading.FindAllString(page, -1), len(pageRow.FindAllString(page, -1))
	return s
}
