// Package sm brings the Chinese commercial algorithms SM2, SM3 and SM4 to wxpay: the authentication scheme
// WECHATPAY2-SM2-WITH-SM3 for calls, answers and sensitive fields, the cipher AEAD_SM4_GCM of notifications and platform
// certificates, and the reading of SM2 keys and certificates, which the standard library does not know.
//
//	key, err := sm.ParsePrivateKey(pem)
//	client, err := wxpay.New(wxpay.Merchant{ID: mchid, Serial: serial, PrivateKey: key},
//		wxpay.WithScheme(sm.Scheme()), wxpay.WithPublicKey(id, platformKey))
//
// It is the wrong choice unless the merchant has arranged SM2 with WeChat Pay and holds an SM2 certificate: the platform
// refuses everybody else, and every merchant has the default scheme, [apiv3.RSA]. It does not change TLS. And it reaches as
// far as the core asks a scheme, which leaves out:
//   - wxpay.FromEnv and wxpay.Load…, which read no SM2 keys: use the Parse functions here;
//   - wxpay.WithCertificates and package webhook, which open AEAD_AES_256_GCM alone: use wxpay.WithPublicKey or
//     wxpay.WithPlatformCertificates, and [Open] by hand;
//   - values of a request that were encrypted beforehand, which are not recognised: mark them with Chain.Plain.
//
// Everything here is safe for concurrent use. Errors are those of package apiv3 (ErrKey, ErrSignature, ErrDecrypt) and
// contain no key, plain text or signature.
//
// # Sources
//
// The algorithms are GB/T 32918 (SM2), GB/T 32905 (SM3), GB/T 32907 (SM4) and RFC 8998 for SM4 in GCM. What WeChat Pay
// does with them (user id, encodings, key derivation) is documented by the platform in part only; the rest is what its
// Java library does, confirmed by vectors that OpenSSL and two other implementations reproduced. No live traffic was seen.
//
// The algorithms come from github.com/emmansun/gmsm (MIT licence). In November 2026 it is the one Go library of these
// algorithms with regular releases, constant-time arithmetic, the types of the standard library (crypto.Signer,
// cipher.AEAD, *ecdsa.PublicKey), and tests that run on seven kinds of processors. The other well-known one,
// github.com/tjfoc/gmsm (Apache 2.0), has had no release since 2021, computes with math/big, keeps the initial vector of
// SM4 in a package variable, is known to panic on damaged input, and brings gRPC along. At least v0.44.1 of emmansun/gmsm
// is needed: on processors with ADX, earlier ones refuse some valid signatures, and a test here guards against that.
package sm
