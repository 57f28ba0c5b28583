package keylist

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// chosen is the set of keys in use, and the choice among them. Readers see one whole set or the next.
type chosen struct {
	set   current
	clock func() time.Time
	share float64 // percent of the calls that use the public key
}

// current is a set that readers and a writer share. It is no atomic.Pointer, since the compiler compiles the methods of
// a generic type again for each package that can reach it.
type current struct{ set atomic.Value }

func (c *current) load() *apiv3.KeySet {
	set, _ := c.set.Load().(*apiv3.KeySet)
	return set
}

func (c *current) store(set *apiv3.KeySet) { c.set.Store(set) }

// choose returns the key for one request: the public key for a random share of the requests, the certificate that
// expires last for the others, and the kind that exists where the other does not.
func (c *chosen) choose() (apiv3.PlatformKey, bool) {
	set := c.set.load()
	public, ok := set.PublicKey()
	if ok && (c.share >= 100 || c.share > 0 && rand.Float64()*100 < c.share) {
		return public, true
	}
	if certificate, ok := set.Certificate(c.clock()); ok {
		return certificate, true
	}
	return public, ok
}

// find returns the key that serial names exactly, as [apiv3.KeySet.Find] does.
func (c *chosen) find(serial string) (apiv3.PlatformKey, error) {
	return c.set.load().Find(serial, c.clock())
}
