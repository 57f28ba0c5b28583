package wxpay

import (
	"context"

	"github.com/wxpay-go/wxpay/internal/keylist"
)

// KeyStore keeps a copy of the platform's certificate list outside the process, so that a fleet
// fetches it once and a restart fetches nothing. The copy is opaque: the platform has encrypted and
// signed it, so a store needs only one protection, that nobody but the fleet can write to it. The
// client decrypts and verifies a copy after loading it; if that fails, it fetches the list.
//
// Several goroutines call both methods, which should return soon after ctx ends.
type KeyStore interface {
	// Load returns the last copy saved under name, nil if there is none.
	Load(ctx context.Context, name string) ([]byte, error)
	// Save replaces the copy under name atomically: a reader sees the old or the new one.
	Save(ctx context.Context, name string, copy []byte) error
}

// FileStore returns a KeyStore with one file for each merchant in dir. It makes a missing dir.
// Several machines may share dir.
func FileStore(dir string) KeyStore { return keylist.FileStore(dir) }
