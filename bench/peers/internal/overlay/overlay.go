// Package overlay takes RSA out of a build: it copies the sources of crypto/rsa of the Go
// installation at hand into a folder, with entry points that return at once, and writes the file
// that go's flag -overlay reads. A program built so is good for nothing but measuring what is left.
package overlay

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// entries are the functions that do the arithmetic, and what they return instead: a value of the
// right length, and no error.
var entries = map[string]string{
	"SignPKCS1v15":   "return make([]byte, priv.Size()), nil",
	"VerifyPKCS1v15": "return nil",
	"EncryptOAEP":    "return make([]byte, pub.Size()), nil",
}

// Make writes the overlay into folder and returns the path of its file.
func Make(folder string) (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	sources, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src", "crypto", "rsa", "*.go"))
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	done := 0
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		text, err := os.ReadFile(source)
		if err != nil {
			return "", err
		}
		patched, n, err := Patch(text)
		if err != nil {
			return "", fmt.Errorf("%s: %w", source, err)
		}
		if n == 0 {
			continue
		}
		done += n
		target := filepath.Join(folder, filepath.Base(source))
		if err := os.WriteFile(target, patched, 0o600); err != nil {
			return "", err
		}
		replace[source] = target
	}
	if done != len(entries) {
		return "", errors.New("crypto/rsa of this Go has other entry points than expected: look at package overlay")
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, "overlay.json")
	return file, os.WriteFile(file, list, 0o600)
}

// Patch returns a source with the entry points in it returning at once, and how many there were.
func Patch(source []byte) (patched []byte, n int, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, 0, err
	}
	last := 0
	for _, decl := range file.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok || function.Recv != nil || entries[function.Name.Name] == "" {
			continue
		}
		behind := files.Position(function.Body.Lbrace).Offset + 1
		patched = append(append(patched, source[last:behind]...), entries[function.Name.Name]+"\n"...)
		last = behind
		n++
	}
	return append(patched, source[last:]...), n, nil
}
