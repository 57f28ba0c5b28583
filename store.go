package wxpay

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/middleware"
)

// Store is a place outside the process that several processes share. A field is nil if the store
// does not keep it.
type Store struct {
	// Keys is for [Config].KeyStore.
	Keys KeyStore
	// Limiter is for [Config].Limiter.
	Limiter middleware.Limiter
	// Close ends the store's connections.
	Close func() error
}

var (
	openersMu sync.RWMutex
	openers   = map[string]func(ctx context.Context, url string) (Store, error){}
)

// RegisterStore makes [Config] open URLs of a scheme with open. A package of stores calls it in its
// init, so that a program has the schemes of the packages that it imports; contrib/redis and
// contrib/sql do. open gets the whole URL and ten seconds. Its errors must not contain the URL,
// which may have a password. RegisterStore panics if the scheme has a function already.
func RegisterStore(scheme string, open func(ctx context.Context, url string) (Store, error)) {
	openersMu.Lock()
	defer openersMu.Unlock()
	if openers[scheme] != nil || open == nil {
		panic("wxpay: RegisterStore: the scheme " + redact.Quote(scheme) + " has a function already, or the new one is nil")
	}
	openers[scheme] = open
}

// origins name the packages of this project that register schemes. An error tells them.
var origins = map[string]string{
	"redis": "contrib/redis", "rediss": "contrib/redis",
	"postgres": "contrib/sql", "postgresql": "contrib/sql", "mysql": "contrib/sql", "sqlite": "contrib/sql",
}

// storeScheme finds the scheme of a URL, in any case. One of a single letter is a drive of Windows.
var storeScheme = regexp.MustCompile(`^(?i:[a-z][a-z0-9+.-]+):`)

// stores are the opened stores of a configuration, by URL.
type stores map[string]Store

// open opens the store at url, once.
func (s stores) open(url string) (Store, error) {
	written := storeScheme.FindString(url)
	if written == "" {
		return Store{}, errors.New("it is not the URL of a store, such as redis://localhost:6379")
	}
	scheme := strings.ToLower(strings.TrimSuffix(written, ":"))
	url = scheme + ":" + url[len(written):]
	if store, opened := s[url]; opened {
		return store, nil
	}
	openersMu.RLock()
	open := openers[scheme]
	openersMu.RUnlock()
	switch origin, known := origins[scheme]; {
	case open == nil && known:
		return Store{}, fmt.Errorf("the program does not import the stores of %s: add import _ %q", scheme, "github.com/wxpay-go/wxpay/"+origin)
	case open == nil:
		return Store{}, fmt.Errorf("no imported package has registered the scheme %s", redact.Quote(scheme))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	store, err := open(ctx, url)
	if err == nil {
		s[url] = store
	}
	return store, err
}

// keys opens the store of a configuration's keys: a folder or a URL.
func (s stores) keys(text string) (KeyStore, error) {
	if !storeScheme.MatchString(text) {
		return FileStore(text), nil
	}
	store, err := s.open(text)
	if err == nil && store.Keys == nil {
		err = errors.New("a store of this scheme keeps no keys")
	}
	return store.Keys, err
}

// limiter opens the store that counts a configuration's requests.
func (s stores) limiter(url string) (middleware.Limiter, error) {
	store, err := s.open(url)
	if err == nil && store.Limiter == nil {
		err = errors.New("a store of this scheme counts no requests; contrib/redis has one that does")
	}
	return store.Limiter, err
}

func (s stores) close() error {
	var all []error
	for _, store := range s {
		if store.Close != nil {
			all = append(all, store.Close())
		}
	}
	return errors.Join(all...)
}
