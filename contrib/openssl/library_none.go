//go:build !(((linux && !android) || (darwin && !ios)) && (amd64 || arm64))

package openssl

import (
	"context"
	"crypto"
	"fmt"
	"runtime"
)

// privateKey cannot be had here.
type privateKey struct{}

func importKey([]byte) (*privateKey, error) {
	return nil, fmt.Errorf("%w on %s/%s: this package opens it on linux and darwin, amd64 and arm64", ErrUnavailable, runtime.GOOS, runtime.GOARCH)
}

func libraryVersion() string { return "libcrypto" }

func (*privateKey) free() {}

func (*privateKey) sign(context.Context, []byte, crypto.Hash, int, int, int) ([]byte, error) {
	return nil, ErrUnavailable
}

func (*privateKey) decrypt(context.Context, []byte, crypto.Hash, crypto.Hash, []byte) ([]byte, error) {
	return nil, ErrUnavailable
}
