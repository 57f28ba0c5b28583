// Package pkcs12 reads what the core does not: the file apiclient_cert.p12, which holds the merchant's private key and
// certificate under a password, and private keys in encrypted PKCS#8. The serial comes out of the certificate, so that
// nobody has to type it.
//
//	own, err := pkcs12.LoadFile("apiclient_cert.p12", mchid)
//	client, err := wxpay.New(wxpay.Merchant{ID: mchid, PrivateKey: own.PrivateKey, Certificate: own.Certificate}, …)
//
// It is the wrong choice where apiclient_key.pem and apiclient_cert.pem are at hand: they hold the same, come in the same
// archive, and wxpay.LoadPrivateKey and wxpay.LoadCertificate read them. And it is no safe for keys: the password that WeChat Pay sets is the merchant number, which
// is no secret, and a .p12 in the old ciphers gives little protection even under a good one.
//
// Everything here is safe for concurrent use and keeps nothing. Errors are apiv3.ErrKey, a wrong password is ErrPassword
// too; no error contains a password or a part of the file. What stands in the way is bounded: a file has at most 1 MiB,
// and the work that an encrypted PKCS#8 key asks for is limited. A .p12 does as much work as it asks for, so load only
// your own.
//
// # Sources
//
// The .p12 format is RFC 7292 and RFC 9579, decoded by software.sslmate.com/src/go-pkcs12 (BSD licence), the maintained
// successor of the frozen golang.org/x/crypto/pkcs12; it reads DER only. Encrypted PKCS#8 is RFC 5958 with PBES2 of
// RFC 8018 (and RFC 7914 for scrypt), decoded here over the standard library, since the libraries for it that were tried
// (github.com/youmark/pkcs8, go.step.sm/crypto/pemutil, github.com/emmansun/gmsm/pkcs8, in November 2026) all panic on a
// damaged file, and the first takes a key written by Java for one with another password. That the password of
// apiclient_cert.p12 is the merchant number stands in the instructions inside the archive that the merchant platform
// hands out.
package pkcs12
