package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Setenv("GOWORK", "off")
	t.Setenv("GOPROXY", "off")
	t.Chdir("../../testdata")
	for name, tt := range map[string]struct {
		args   []string
		code   int
		stderr string
	}{
		"reports":      {args: []string{"-format", "json", "./gopls"}, code: 3},
		"no hints":     {args: []string{"-format", "json", "-hints=false", "./gopls"}, code: 3},
		"none":         {args: []string{"--format=json", "-tests=false", "./foreign/ops"}},
		"no package":   {args: []string{"-format", "json", "./missing"}, code: 1, stderr: "wxpayvet: "},
		"format":       {args: []string{"-format", "xml"}, code: 2, stderr: `the format "xml" is none of text, json, github, sarif`},
		"unknown flag": {args: []string{"-format", "json", "-fix"}, code: 2, stderr: "-fix"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tt.code, run(t.Context(), tt.args, &stdout, &stderr), stderr.String())
			assert.Contains(t, stderr.String(), tt.stderr)
			if tt.stderr == "" {
				var found []any
				require.NoError(t, json.Unmarshal(stdout.Bytes(), &found))
				assert.Equal(t, tt.code == 3, len(found) > 0)
			}
		})
	}
}

// Only -format leaves the flags of go vet and -fix.
func TestAsksForFormat(t *testing.T) {
	for arg, want := range map[string]bool{
		"-format": true, "--format": true, "-format=sarif": true, "--format=text": true,
		"format": false, "-formats": false, "-fix": false, "./format": false, "-V=full": false,
	} {
		assert.Equal(t, want, asksForFormat(arg), arg)
	}
}
