//go:build ((linux && !android) || (darwin && !ios)) && (amd64 || arm64)

package openssl

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ebitengine/purego"
)

// names are where the library is looked for, first come first served. Only version 3 is asked for by name: macOS ends a
// program that opens libcrypto.dylib without one.
var names = map[string][]string{
	"linux": {"libcrypto.so.3"},
	"darwin": {
		"libcrypto.3.dylib",
		"/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
		"/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
		"/opt/local/libexec/openssl3/lib/libcrypto.3.dylib",
	},
}[runtime.GOOS]

// library is libcrypto: the addresses of its functions, under the names that they have there.
type library struct {
	version uintptr
	digests map[crypto.Hash]uintptr // EVP_MD, of the hashes that this library has
	slots   chan struct{}           // one element for each call under way

	initCrypto, versionNum, mdFetch                          uintptr
	bioNew, bioMem, bioWrite, bioFree, decode                uintptr
	keyFree, ctxNew, ctxFree                                 uintptr
	signInit, sign, setPadding, setSignatureMD, setPSSSalt   uintptr
	decryptInit, decrypt, setOAEPMD, setMGF1MD, setOAEPLabel uintptr
	memdup, free                                             uintptr
	errClear, errLast, errText                               uintptr
}

// libcrypto opens the library once and for all: what was loaded stays loaded.
var libcrypto = sync.OnceValues(open)

func open() (*library, error) {
	var failures []error
	for _, name := range names {
		// The reason is asked for in a second call, and the library of C keeps it by thread.
		runtime.LockOSThread()
		handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
		runtime.UnlockOSThread()
		if err != nil {
			failures = append(failures, err)
			continue
		}
		// Each call holds a thread. No more of them than there are processors: more sign no faster, and ten thousand
		// threads end a Go program.
		l := &library{slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
		if err := l.bind(handle); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", name, err))
			continue
		}
		return l, nil
	}
	return nil, fmt.Errorf("%w (Debian: apt install libssl3; Homebrew: brew install openssl@3): %w", ErrUnavailable, errors.Join(failures...))
}

// bind finds the functions. All of them are in OpenSSL 3.0, the oldest that will do.
func (l *library) bind(handle uintptr) error {
	for _, function := range []struct {
		name    string
		address *uintptr
	}{
		{"OpenSSL_version_num", &l.versionNum},
		{"OPENSSL_init_crypto", &l.initCrypto},
		{"EVP_MD_fetch", &l.mdFetch},
		{"BIO_new", &l.bioNew},
		{"BIO_s_mem", &l.bioMem},
		{"BIO_write", &l.bioWrite},
		{"BIO_free", &l.bioFree},
		{"d2i_PrivateKey_bio", &l.decode},
		{"EVP_PKEY_free", &l.keyFree},
		{"EVP_PKEY_CTX_new", &l.ctxNew},
		{"EVP_PKEY_CTX_free", &l.ctxFree},
		{"EVP_PKEY_sign_init", &l.signInit},
		{"EVP_PKEY_sign", &l.sign},
		{"EVP_PKEY_CTX_set_rsa_padding", &l.setPadding},
		{"EVP_PKEY_CTX_set_signature_md", &l.setSignatureMD},
		{"EVP_PKEY_CTX_set_rsa_pss_saltlen", &l.setPSSSalt},
		{"EVP_PKEY_decrypt_init", &l.decryptInit},
		{"EVP_PKEY_decrypt", &l.decrypt},
		{"EVP_PKEY_CTX_set_rsa_oaep_md", &l.setOAEPMD},
		{"EVP_PKEY_CTX_set_rsa_mgf1_md", &l.setMGF1MD},
		{"EVP_PKEY_CTX_set0_rsa_oaep_label", &l.setOAEPLabel},
		{"CRYPTO_memdup", &l.memdup},
		{"CRYPTO_free", &l.free},
		{"ERR_clear_error", &l.errClear},
		{"ERR_peek_last_error", &l.errLast},
		{"ERR_error_string_n", &l.errText},
	} {
		address, err := purego.Dlsym(handle, function.name)
		if err != nil || address == 0 {
			return fmt.Errorf("it is too old or another library, %s is missing", function.name)
		}
		*function.address = address
	}
	if l.version, _, _ = purego.SyscallN(l.versionNum); l.version>>28 != 3 {
		return fmt.Errorf("it is version %d.%d", l.version>>28, l.version>>20&0xff)
	}
	// Without its handler at exit, which would take the library away under threads that still sign.
	const noAtExit = 0x00080000
	if !ok(purego.SyscallN(l.initCrypto, noAtExit, 0)) {
		return errors.New("it could not be initialised")
	}
	l.digests = map[crypto.Hash]uintptr{}
	for hash, name := range hashes {
		text := append([]byte(name), 0)
		if md, _, _ := purego.SyscallN(l.mdFetch, 0, uintptr(unsafe.Pointer(&text[0])), 0); md != 0 {
			l.digests[hash] = md // for the life of the process
		}
	}
	return nil
}

// libraryVersion names the library.
func libraryVersion() string {
	l, err := libcrypto()
	if err != nil {
		return "libcrypto"
	}
	return fmt.Sprintf("libcrypto %d.%d.%d", l.version>>28, l.version>>20&0xff, l.version>>4&0xff)
}

// ok reads the int of a C function that returns 1 for success. It takes the results of SyscallN as they come: the upper
// half of the register that an int comes in is undefined.
func ok(result, _, _ uintptr) bool { return int32(result) == 1 }

// begin waits for its turn, ties the goroutine to its thread, since the library keeps its errors by thread, and forgets
// those of before. It gives up when ctx ends first.
func (l *library) begin(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
	default:
		select {
		case l.slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	runtime.LockOSThread()
	purego.SyscallN(l.errClear)
	return nil
}

// end is what has to follow a begin that went well.
func (l *library) end() {
	runtime.UnlockOSThread()
	<-l.slots
}

// failure is the last error of this thread. The library's texts name functions and reasons, never values.
func (l *library) failure(what string) error {
	code, _, _ := purego.SyscallN(l.errLast)
	text := make([]byte, 256)
	purego.SyscallN(l.errText, code, uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)))
	purego.SyscallN(l.errClear)
	text, _, _ = bytes.Cut(text, []byte{0})
	return fmt.Errorf("openssl: %s: %s", what, text)
}

// privateKey is an EVP_PKEY. Its methods are safe for concurrent use, as long as it is not freed.
type privateKey struct {
	*library
	address atomic.Uintptr // 0 once freed
}

// importKey reads a key from PKCS #1 or PKCS #8 in DER.
func importKey(der []byte) (*privateKey, error) {
	l, err := libcrypto()
	if err != nil {
		return nil, err
	}
	if err := l.begin(context.Background()); err != nil {
		return nil, err
	}
	defer l.end()
	// A buffer of the library's own, which wipes it when it is freed.
	method, _, _ := purego.SyscallN(l.bioMem)
	buffer, _, _ := purego.SyscallN(l.bioNew, method)
	if buffer == 0 {
		return nil, l.failure("no memory for the key")
	}
	defer purego.SyscallN(l.bioFree, buffer)
	if n, _, _ := purego.SyscallN(l.bioWrite, buffer, uintptr(unsafe.Pointer(&der[0])), uintptr(len(der))); int(int32(n)) != len(der) {
		return nil, l.failure("no memory for the key")
	}
	address, _, _ := purego.SyscallN(l.decode, buffer, 0)
	if address == 0 {
		return nil, l.failure("reading the key")
	}
	k := &privateKey{library: l}
	k.address.Store(address)
	return k, nil
}

// free wipes and frees the key.
func (k *privateKey) free() { purego.SyscallN(k.keyFree, k.address.Swap(0)) }

// sign returns the signature of a digest, of size bytes. salt counts for PSS alone.
func (k *privateKey) sign(ctx context.Context, digest []byte, hash crypto.Hash, padding, salt, size int) ([]byte, error) {
	md := k.digests[hash]
	if md == 0 {
		return nil, fmt.Errorf("openssl: the library has no %v", hash)
	}
	if err := k.begin(ctx); err != nil {
		return nil, err
	}
	defer k.end()
	op, _, _ := purego.SyscallN(k.ctxNew, k.address.Load(), 0)
	if op == 0 {
		return nil, k.failure("signing")
	}
	defer purego.SyscallN(k.ctxFree, op)
	signature, length := make([]byte, size), uintptr(size)
	if !ok(purego.SyscallN(k.signInit, op)) ||
		!ok(purego.SyscallN(k.setPadding, op, uintptr(padding))) ||
		!ok(purego.SyscallN(k.setSignatureMD, op, md)) ||
		padding == paddingPSS && !ok(purego.SyscallN(k.setPSSSalt, op, uintptr(salt))) ||
		!ok(purego.SyscallN(k.library.sign, op, uintptr(unsafe.Pointer(&signature[0])), uintptr(unsafe.Pointer(&length)),
			uintptr(unsafe.Pointer(&digest[0])), uintptr(len(digest)))) {
		return nil, k.failure("signing")
	}
	return signature[:length], nil
}

// decrypt opens OAEP. Its one error for a ciphertext is rsa.ErrDecryption.
func (k *privateKey) decrypt(ctx context.Context, ciphertext []byte, hash, mask crypto.Hash, label []byte) ([]byte, error) {
	md, maskMD := k.digests[hash], k.digests[mask]
	if md == 0 || maskMD == 0 {
		return nil, fmt.Errorf("openssl: the library has no %v or no %v", hash, mask)
	}
	if err := k.begin(ctx); err != nil {
		return nil, err
	}
	defer k.end()
	op, _, _ := purego.SyscallN(k.ctxNew, k.address.Load(), 0)
	if op == 0 {
		return nil, k.failure("decrypting")
	}
	defer purego.SyscallN(k.ctxFree, op)
	if !ok(purego.SyscallN(k.decryptInit, op)) ||
		!ok(purego.SyscallN(k.setPadding, op, paddingOAEP)) ||
		!ok(purego.SyscallN(k.setOAEPMD, op, md)) ||
		!ok(purego.SyscallN(k.setMGF1MD, op, maskMD)) {
		return nil, k.failure("decrypting")
	}
	if len(label) > 0 {
		// The context takes the label over and frees it, so it is given a copy of the library's own.
		own, _, _ := purego.SyscallN(k.memdup, uintptr(unsafe.Pointer(&label[0])), uintptr(len(label)), 0, 0)
		if own == 0 {
			return nil, k.failure("decrypting")
		}
		if !ok(purego.SyscallN(k.setOAEPLabel, op, own, uintptr(len(label)))) {
			purego.SyscallN(k.library.free, own, 0, 0)
			return nil, k.failure("decrypting")
		}
	}
	plaintext, length := make([]byte, len(ciphertext)), uintptr(len(ciphertext))
	if !ok(purego.SyscallN(k.library.decrypt, op, uintptr(unsafe.Pointer(&plaintext[0])), uintptr(unsafe.Pointer(&length)),
		uintptr(unsafe.Pointer(&ciphertext[0])), uintptr(len(ciphertext)))) {
		clear(plaintext)
		purego.SyscallN(k.errClear)
		return nil, rsa.ErrDecryption
	}
	return plaintext[:length], nil
}
