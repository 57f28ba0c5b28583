// Package pkcs12 reads two key files that the core does not: apiclient_cert.p12, which holds the
// merchant's private key and certificate under a password, and private keys in encrypted PKCS#8. It
// takes the serial from the certificate.
//
//	own, err := pkcs12.LoadFile("apiclient_cert.p12", mchid)
//	client, err := wxpay.New(wxpay.Merchant{ID: mchid, PrivateKey: own.PrivateKey, Certificate: own.Certificate}, …)
//
// Prefer apiclient_key.pem and apiclient_cert.pem: they hold the same key and certificate, come in
// the same archive, and wxpay.LoadPrivateKey and wxpay.LoadCertificate read them. A .p12 file
// protects little: WeChat Pay sets the merchant number as its password, which is not secret, and
// old ciphers are weak even with a good password.
//
// The package is safe for concurrent use and keeps no state. Errors are apiv3.ErrKey; a wrong
// password is also ErrPassword. No error contains a password or a part of the file. A file may have
// 1 MiB at most. The package bounds the work that an encrypted PKCS#8 key may demand, but not that
// of a .p12 file, so load only your own.
//
// # Sources
//
// The .p12 format is RFC 7292 and RFC 9579, decoded by software.sslmate.com/src/go-pkcs12 (BSD
// licence), the maintained successor of the frozen golang.org/x/crypto/pkcs12; it reads DER only.
// Encrypted PKCS#8 is RFC 5958 with PBES2 of RFC 8018 (and RFC 7914 for scrypt), decoded by this
// package over the standard library. No library fits: in November 2026 github.com/youmark/pkcs8,
// go.step.sm/crypto/pemutil v0.92.0 and github.com/emmansun/gmsm/pkcs8 panic on a damaged file (one
// whose encrypted part is not whole cipher blocks), and the first rejects the right password of a key
// that Java wrote. The instructions in the archive of the merchant platform
// name the merchant number as the password of apiclient_cert.p12.
//
// Guide: docs/keys.md.
package pkcs12
