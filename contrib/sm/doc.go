// Package sm adds the Chinese commercial algorithms SM2, SM3 and SM4 to wxpay: the authentication
// scheme WECHATPAY2-SM2-WITH-SM3 for requests, responses and sensitive fields, the cipher
// AEAD_SM4_GCM of notifications and platform certificates, and parsers for SM2 keys and
// certificates, which the standard library does not know.
//
//	key, err := sm.ParsePrivateKey(pem)
//	client, err := wxpay.New(wxpay.Merchant{ID: mchid, Serial: serial, PrivateKey: key},
//		wxpay.WithScheme(sm.Scheme()), wxpay.WithPublicKey(id, platformKey))
//
// Use it only if the merchant has arranged SM2 with WeChat Pay and holds an SM2 certificate: the
// platform rejects everybody else, and every merchant has the default scheme, [apiv3.RSA]. It does
// not change TLS. It covers only the work that the core gives to a scheme, which excludes:
//   - wxpay.FromEnv and wxpay.Load…, which read no SM2 keys: use the Parse functions of this
//     package;
//   - wxpay.WithCertificates and package webhook, which decrypt AEAD_AES_256_GCM only: use
//     wxpay.WithPublicKey or wxpay.WithPlatformCertificates, and [Open] by hand;
//   - values that the caller has encrypted: the core does not recognise them, so mark them with
//     Chain.Plain.
//
// The package is safe for concurrent use. Its errors are those of package apiv3 (ErrKey,
// ErrSignature, ErrDecrypt) and contain no key, plaintext or signature.
//
// # Sources
//
// The algorithms are GB/T 32918 (SM2), GB/T 32905 (SM3), GB/T 32907 (SM4) and RFC 8998 for SM4 in
// GCM. The platform documents only a part of their use (user id, encodings, key derivation). The
// rest follows its Java library; OpenSSL and two other implementations reproduced the test vectors.
// The package has not been tested against the live platform.
//
// The algorithms come from github.com/emmansun/gmsm (MIT licence). In November 2026 it is the only
// Go library of these algorithms with regular releases, constant-time arithmetic, the types of the
// standard library (crypto.Signer, cipher.AEAD, *ecdsa.PublicKey), and tests that run on seven
// kinds of processors. The other well-known one, github.com/tjfoc/gmsm (Apache 2.0), has had no
// release since 2021, computes with math/big, keeps the initial vector of SM4 in a package
// variable, is known to panic on damaged input, and requires gRPC. The package needs emmansun/gmsm
// v0.44.1 or newer: on processors with ADX, earlier versions reject some valid signatures. A test
// guards against that.
//
// Guide: docs/keys.md.
package sm
