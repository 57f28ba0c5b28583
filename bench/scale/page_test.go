package main

import (
	"os"
	"testing"
)

// The page says what the record says.
func TestPage(t *testing.T) {
	want, err := page(recorded)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/internals/scale.md differs from the record: go -C bench/scale run . -page")
	}
}
