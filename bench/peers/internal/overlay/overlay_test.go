package overlay_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wxpay-go/wxpay/bench/peers/internal/overlay"
)

// A program that is built with the overlay signs at once, and takes any signature.
func TestRSAIsOut(t *testing.T) {
	folder := t.TempDir()
	file, err := overlay.Make(folder)
	if err != nil {
		t.Fatal(err)
	}
	const program = `package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
)

func main() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	signature, err := key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
	if err != nil || !bytes.Equal(signature, make([]byte, 256)) {
		panic("it signs")
	}
	if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, make([]byte, 32), nil) != nil {
		panic("it verifies")
	}
	text, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, &key.PublicKey, nil, nil)
	if err != nil || !bytes.Equal(text, make([]byte, 256)) {
		panic("it encrypts")
	}
}
`
	source := filepath.Join(folder, "main.go")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "run", "-overlay", file, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestPatchLeavesTheRest(t *testing.T) {
	const source = "package rsa\n\nfunc other() {}\n\nfunc (k *key) SignPKCS1v15() {}\n"
	patched, n, err := overlay.Patch([]byte(source))
	if err != nil || n != 0 || string(patched) != source {
		t.Fatalf("%s, %d, %v", patched, n, err)
	}
}
