package wxpay

import (
	"context"

	"github.com/wxpay-go/wxpay/internal/keylist"
)

// KeyStore keeps a copy of the platform's certificate list outside the process, so that a fleet fetches it once and a
// restart not at all. The copy is opaque: it is the list as the platform encrypted and signed it, so a store needs no
// protection beyond being writable by the fleet alone. A copy is decrypted and verified when it is loaded; if that fails,
// the list is fetched.
//
// Both methods are called from several goroutines, and should return soon after ctx ends.
type KeyStore interface {
	// Load returns the copy last saved under name, nil if there is none.
	Load(ctx context.Context, name string) ([]byte, error)
	// Save replaces the copy under name whole: a reader sees the old or the new one.
	Save(ctx context.Context, name string, copy []byte) error
}

// FileStore returns a KeyStore of one file for each merchant in dir, which is made when it is missing. It may lie on a disk
// that several machines share.
func FileStore(dir string) KeyStore { return keylist.FileStore(dir) }
