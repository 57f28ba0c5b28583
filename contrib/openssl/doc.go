// Package openssl signs with the system's libcrypto (OpenSSL 3), which makes the same RSA-2048
// signature as crypto/rsa in a fraction of the time. The signature takes nearly all of a call's
// processor time. Use this package only in a program whose processors are busy with signatures.
//
//	key, err := wxpay.LoadPrivateKey("apiclient_key.pem")
//	signer, err := openssl.New(key)
//	client, err := wxpay.New(wxpay.Merchant{ID: mchid, Serial: serial, PrivateKey: signer}, …)
//
// New fails with [ErrUnavailable] if the library is absent or too old. The program can then sign
// with the key itself:
//
//	var signer crypto.Signer = key
//	if fast, err := openssl.New(key); err == nil {
//		signer = fast
//	} else {
//		slog.Warn("signing with crypto/rsa", "reason", err)
//	}
//
// # What it trades
//
//   - A system library enters the trust boundary: it sees the private key. The dynamic linker
//     chooses it (libcrypto.so.3 on Linux, libcrypto.3.dylib on macOS) and obeys LD_LIBRARY_PATH.
//     The system updates it, not the program; an update takes effect when the program restarts.
//   - github.com/ebitengine/purego (Apache 2.0) opens the library at run time, so the build needs
//     no C compiler. But the program is linked dynamically even with CGO_ENABLED=0: on Linux it
//     needs the system's dynamic loader and C library. It does not run in an image FROM scratch,
//     and only with the C library of its build, which is glibc by default.
//   - It works on Linux and macOS, amd64 and arm64. Elsewhere the package builds, and New fails
//     with ErrUnavailable.
//   - The library holds a copy of the private key until [Signer.Close], or until the Signer is
//     garbage. New does not wipe the original key.
//   - A fault in C code ends the process, and no deferred function runs.
//
// On Debian the library is in the package libssl3 (libssl3t64 since Debian 13), on Alpine in
// libcrypto3, with Homebrew in openssl@3. The system's configuration (openssl.cnf, a FIPS provider)
// applies. The gain depends on the processor (AVX-512 IFMA helps most); go test -bench . in this
// folder measures it, and docs/performance.md shows a whole run. There is no verifier: crypto/rsa
// verifies in a tenth of the time that libcrypto needs to sign.
//
// # What it promises
//
// New tests the key: its signature must equal that of crypto/rsa byte for byte, and it must decrypt
// a ciphertext made for it. A Signer is safe for concurrent use. At most GOMAXPROCS signatures run
// at once (its value when the library is opened); others wait. The library keeps no Go memory, and
// Go keeps no memory of the library but the key. Errors contain no key, digest or plaintext.
//
// # Sources
//
// RFC 8017 for the algorithms, and the manual pages of OpenSSL 3.0: d2i_PrivateKey(3),
// EVP_PKEY_sign(3), EVP_PKEY_decrypt(3), EVP_PKEY_CTX_ctrl(3), ERR_get_error(3).
package openssl
