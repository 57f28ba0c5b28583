// Package openssl signs with the system's libcrypto (OpenSSL 3), which makes an RSA-2048 signature in a fraction of the
// time that crypto/rsa needs, and the same one. The signature is nearly all of a call's processor time, so this is
// for a program that makes so many calls that its processors are full of signatures, and the wrong choice for every
// other.
//
//	key, err := wxpay.LoadPrivateKey("apiclient_key.pem")
//	signer, err := openssl.New(key)
//	client, err := wxpay.New(wxpay.Merchant{ID: mchid, Serial: serial, PrivateKey: signer}, …)
//
// Where the library is absent or too old, New fails with [ErrUnavailable], and the program goes on with the key as it is:
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
//   - A library of the system comes inside the trust boundary: it sees the private key, and it is whichever
//     libcrypto.so.3 (Linux) or libcrypto.3.dylib (macOS) the dynamic linker finds, LD_LIBRARY_PATH included. Its
//     updates come from the system, not with the program, and take effect when the program starts again.
//   - The library is opened at run time through github.com/ebitengine/purego (Apache 2.0), and neither building nor
//     running needs a C compiler. But the program is linked dynamically even with CGO_ENABLED=0: on Linux it needs the
//     system's dynamic loader and C library, so an image made FROM scratch does not run it, and it is tied to the C library
//     it was made for, glibc unless it is built otherwise.
//   - Linux and macOS on amd64 and arm64 only. Elsewhere the package builds, and New fails with ErrUnavailable.
//   - A copy of the private key lives in the memory of the library until [Signer.Close], or until nothing refers to the
//     Signer any more. The key that New was given is not wiped.
//   - A fault in C code ends the process, and no deferred function runs.
//
// On Debian the library is in the package libssl3 (libssl3t64 since Debian 13), on Alpine in libcrypto3, with Homebrew in
// openssl@3. Configuration of the system (openssl.cnf, a FIPS provider) applies. How much faster it signs depends on the
// processor (AVX-512 IFMA helps most); go test -bench . in this folder tells, and docs/performance.md has a whole run.
// There is no verifier, since crypto/rsa verifies in a tenth of the time that libcrypto signs in.
//
// # What it promises
//
// New tries the key out: a signature has to be the one that crypto/rsa makes, byte for byte, and what is encrypted for the
// key has to come out again. A Signer is safe for concurrent use; as many calls work at once as GOMAXPROCS says when the
// library is opened, the others wait for their turn. The library keeps no memory of Go's, and Go none of the
// library's but the key. Errors contain no key, digest or plaintext.
//
// # Sources
//
// RFC 8017 for the algorithms, and the manual pages of OpenSSL 3.0: d2i_PrivateKey(3), EVP_PKEY_sign(3),
// EVP_PKEY_decrypt(3), EVP_PKEY_CTX_ctrl(3), ERR_get_error(3).
package openssl
