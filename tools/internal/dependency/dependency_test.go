package dependency_test

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/tools/internal/dependency"
	"github.com/wxpay-go/wxpay/tools/internal/tree"
)

var update = flag.Bool("update", false, "write the table of docs/internals/dependencies.md")

const (
	root = "../../.."
	page = root + "/docs/internals/dependencies.md"
)

// elsewhere are dependencies of dependencies with a licence that is not on our list. No released module requires them.
var elsewhere = map[string]string{
	"github.com/ajstarks/svgo":   "CC-BY-4.0, behind the pictures of bench/peers",
	"github.com/golang/freetype": "FTL, behind the pictures of bench/peers",
}

// The table has a row for each direct dependency, with a reason and a keeper. Licence and size are those of the module in the
// module cache, which a release looks at: that downloads every module that any of ours requires.
func TestDependenciesPage(t *testing.T) {
	found, err := dependency.All(root)
	require.NoError(t, err)
	inspected := *update || os.Getenv("WXPAY_TEST_LONG") != ""
	if inspected {
		require.NoError(t, dependency.Inspect(found))
		checkLicences(t, found)
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	head, table, ok := strings.Cut(string(text), "| --- | --- | --- | --- | --- | --- |\n")
	require.True(t, ok)
	rows, tail, _ := strings.Cut(table, "\n\n")
	said := make(map[string][]string)
	for row := range strings.Lines(rows) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "| "), " | ")
		require.Len(t, cells, 6, row)
		said[cells[0]] = cells
	}
	var want strings.Builder
	for _, d := range found {
		if !d.Direct() {
			continue
		}
		row := said[d.Path]
		if row == nil || row[2] == "" || row[3] == "" {
			t.Errorf("%s (required by %s) has no row that says why, and who keeps it", d.Path, strings.Join(d.By, ", "))
			row = []string{d.Path, "", "?", "?", "?", "?"}
		}
		why, keeper, licence, size := row[2], row[3], row[4], row[5]
		if inspected {
			licence, size = d.Licence, strconv.FormatInt((d.Size+1023)/1024, 10)
		}
		if licence == dependency.MPL && !strings.HasPrefix(why, "tests: ") {
			t.Errorf("%s is under %s, which is for tests only", d.Path, licence)
		}
		fmt.Fprintf(&want, "| %s | %s | %s | %s | %s | %s |\n", d.Path, by(d.By), why, keeper, licence, size)
	}
	if *update {
		if tail != "" {
			tail = "\n" + tail
		}
		require.NoError(t, os.WriteFile(page, []byte(head+"| --- | --- | --- | --- | --- | --- |\n"+want.String()+tail), 0o644))
		return
	}
	assert.Equal(t, strings.TrimSpace(want.String()), strings.TrimSpace(rows), "go test -C tools ./internal/dependency -update")
}

// A licence that is not on our list has no name, and fails, also that of a dependency of dependencies.
func checkLicences(t *testing.T, found []*dependency.Dependency) {
	indirect := 0
	for _, d := range found {
		if elsewhere[d.Path] == "" || d.Released {
			assert.NotEmpty(t, d.Licence, "the licence of %s is not on the list", d.Path)
		}
		if !d.Direct() {
			indirect++
		}
	}
	require.Greater(t, indirect, 20)
	require.Greater(t, len(found)-indirect, 10)
}

// by joins the names of modules.
func by(dirs []string) string {
	var names []string
	for _, dir := range dirs {
		if dir == "." {
			dir = "the core"
		}
		names = append(names, dir)
	}
	return strings.Join(names, ", ")
}

// Cryptography has one version everywhere: a fix reaches all modules at once.
func TestCryptoIsTheSame(t *testing.T) {
	modules, err := tree.Read(root)
	require.NoError(t, err)
	versions := make(map[string][]string)
	for _, m := range modules {
		for _, r := range m.File.Require {
			if r.Mod.Path == "golang.org/x/crypto" {
				versions[r.Mod.Version] = append(versions[r.Mod.Version], m.Dir)
			}
		}
	}
	assert.Len(t, versions, 1, versions)
}

func TestLicence(t *testing.T) {
	const bsd = "Redistribution and use in source\nand binary forms"
	for text, want := range map[string]string{
		"Apache License\n  Version 2.0": "Apache-2.0",
		"Permission is hereby granted, free of charge, to any person obtaining a copy": "MIT",
		bsd: "BSD-2-Clause",
		bsd + " … to endorse or promote products derived from": "BSD-3-Clause",
		"Mozilla Public License Version 2.0\n":                 "MPL-2.0",
		"GNU AFFERO GENERAL PUBLIC LICENSE":                    "",
		"all rights reserved":                                  "",
	} {
		assert.Equal(t, want, dependency.Licence(text), text)
	}
}
