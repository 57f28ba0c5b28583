// Package sparekey makes RSA keys that prove nothing to anybody outside, such as those of a sandbox: each when it is first used,
// and once per process, because a key takes a fraction of a second.
package sparekey

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// Bits is the size of a key.
const Bits = 2048

// known are the keys of the process by what they are for.
var known struct {
	sync.Mutex
	keys map[string]*Key
}

// Named returns the key that the process knows by a name.
func Named(name string) *Key {
	known.Lock()
	defer known.Unlock()
	if known.keys == nil {
		known.keys = make(map[string]*Key)
	}
	key := known.keys[name]
	if key == nil {
		key = new(Key)
		known.keys[name] = key
	}
	return key
}

// Key is a private key that is generated when it is first used.
type Key struct {
	once    sync.Once
	made    atomic.Bool
	written []byte // in PKCS #8, if another process made it
	private *rsa.PrivateKey
	err     error
}

// Of is a key that is there already.
func Of(private *rsa.PrivateKey) *Key {
	k := &Key{private: private}
	k.once.Do(func() { k.made.Store(true) })
	return k
}

// Generate returns the key, which the first call makes.
func (k *Key) Generate() (*rsa.PrivateKey, error) {
	k.once.Do(func() {
		private, err := k.make()
		if err != nil {
			k.err = fmt.Errorf("generating a key: %w", err)
			return
		}
		k.private = private
		k.made.Store(true)
	})
	return k.private, k.err
}

func (k *Key) make() (*rsa.PrivateKey, error) {
	if k.written == nil {
		return rsa.GenerateKey(rand.Reader, Bits)
	}
	key, err := x509.ParsePKCS8PrivateKey(k.written)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is not one of RSA")
	}
	return private, nil
}

// Private is Generate for those who cannot return an error: there is one for want of randomness only.
func (k *Key) Private() *rsa.PrivateKey {
	private, err := k.Generate()
	if err != nil {
		panic(err)
	}
	return private
}

// Made reports whether the key was generated: nobody can have used one that was not.
func (k *Key) Made() bool { return k.made.Load() }

// Generate makes keys that are not there yet, in parallel.
func Generate(keys ...*Key) error {
	errs := make([]error, len(keys))
	var wait sync.WaitGroup
	for i, key := range keys {
		wait.Add(1)
		go func() {
			defer wait.Done()
			_, errs[i] = key.Generate()
		}()
	}
	wait.Wait()
	return errors.Join(errs...)
}

// Made returns the keys that the process has made, by name.
func Made() map[string]*rsa.PrivateKey {
	known.Lock()
	defer known.Unlock()
	made := make(map[string]*rsa.PrivateKey)
	for name, key := range known.keys {
		if key.Made() {
			made[name] = key.private
		}
	}
	return made
}

// Forget makes the process begin without keys, for tests.
func Forget() {
	known.Lock()
	defer known.Unlock()
	known.keys = nil
}

// Write writes the keys that the process has made for Read, for tests that start many processes.
func Write(file string) error {
	written := make(map[string][]byte)
	for name, key := range Made() {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		written[name] = der
	}
	text, err := json.Marshal(written)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// Read takes the keys of another process instead of making some.
func Read(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var written map[string][]byte
	if err := json.Unmarshal(text, &written); err != nil {
		return err
	}
	for name, der := range written {
		Named(name).written = der
	}
	return nil
}
