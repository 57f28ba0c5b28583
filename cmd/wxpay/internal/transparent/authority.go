// Package transparent lets programs reach a sandbox under the names of the platform: it has certificates for these names,
// from an authority of its own, and a proxy that answers for them.
package transparent

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

// Hosts are those that serve the platform's API.
var Hosts = fact.PlatformHosts()

// IsPlatform reports whether a host, without port, is one of the platform's.
func IsPlatform(host string) bool {
	return fact.IsPlatformHost(strings.ToLower(host))
}

// Authority issues certificates for the platform's hosts, for this machine, and for further names, and for nobody else: its
// own certificate is constrained to these. It is safe for concurrent use.
type Authority struct {
	// File is the path of the authority's certificate, in PEM.
	File string

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by name or address
}

const (
	authorityFile = "ca.pem"
	keyFile       = "ca-key.pem"
	authorityLife = 2 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
)

// Open returns the authority of a folder. It makes one that only the owner can read if there is none, or if it ends soon or
// is not for all names.
func Open(folder string, names []string) (*Authority, error) {
	a := &Authority{File: filepath.Join(folder, authorityFile), leaves: make(map[string]*tls.Certificate)}
	if a.read(filepath.Join(folder, keyFile)) && a.fits(names) {
		return a, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := a.make(names); err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	// The certificate comes last: without its key it would be found, and fit nothing.
	return a, errors.Join(
		shell.ReplaceFile(filepath.Join(folder, keyFile), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		shell.ReplaceFile(a.File, a.PEM()),
	)
}

// read reads what an earlier start has written.
func (a *Authority) read(keyFile string) bool {
	first := func(file string) []byte {
		content, err := os.ReadFile(file)
		block, _ := pem.Decode(content)
		if err != nil || block == nil {
			return nil
		}
		return block.Bytes
	}
	certificate, err := x509.ParseCertificate(first(a.File))
	if err != nil {
		return false
	}
	key, err := x509.ParsePKCS8PrivateKey(first(keyFile))
	if err != nil {
		return false
	}
	private, ok := key.(*ecdsa.PrivateKey)
	a.certificate, a.key = certificate, private
	return ok && private.PublicKey.Equal(certificate.PublicKey)
}

// fits reports whether the authority lasts for a month, and may issue for all names.
func (a *Authority) fits(names []string) bool {
	domains := a.certificate.PermittedDNSDomains
	return a.certificate.NotAfter.After(time.Now().AddDate(0, 1, 0)) &&
		!slices.ContainsFunc(permitted(names), func(name string) bool { return !slices.Contains(domains, name) })
}

// permitted are the names that the authority may issue for.
func permitted(names []string) []string { return slices.Concat(Hosts, []string{"localhost"}, names) }

func (a *Authority) make(names []string) (err error) {
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "wxpay sandbox, for tests on this machine"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: permitted(names),
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
		// An authority without these could issue for any address of mail and any URI.
		PermittedEmailAddresses: []string{"localhost"}, PermittedURIDomains: []string{"localhost"},
	}
	a.certificate, err = issue(template, template, a.key.Public(), a.key)
	return err
}

func issue(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func serial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b)
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}

// PEM returns the authority's certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// TLS returns the server's side of TLS, for HTTP/1.1 as the platform has it, and for HTTP/2 too if that is wanted.
func (a *Authority) TLS(http2 bool) *tls.Config {
	protocols := []string{"http/1.1"}
	if http2 {
		protocols = []string{"h2", "http/1.1"}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, GetCertificate: a.leaf}
}

// leaf returns the certificate of the name that a client calls, or of the address that it has called without a name.
func (a *Authority) leaf(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(hello.ServerName)
	if name == "" {
		name, _, _ = net.SplitHostPort(hello.Conn.LocalAddr().String())
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if known := a.leaves[name]; known != nil && known.Leaf.NotAfter.After(now.Add(time.Hour)) {
		return known, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(leafLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	leaf, err := issue(template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots}); err != nil {
		return nil, fmt.Errorf("the sandbox has no certificate for %s", name)
	}
	a.leaves[name] = &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	return a.leaves[name], nil
}
