package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Loopback is a server certificate for 127.0.0.1 that this process, and those that it starts, take
// for a root of the system. So every client keeps its default transport.
type Loopback struct {
	certificate tls.Certificate
	folder      string
}

// TrustLoopback makes one. It has to come before the first TLS connection, for crypto/x509 reads
// the roots once. It works where crypto/x509 heeds SSL_CERT_FILE, which macOS and Windows do not.
func TrustLoopback() (*Loopback, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "loopback"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "loopback-")
	if err != nil {
		return nil, err
	}
	l := &Loopback{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, folder}
	file := filepath.Join(folder, "root.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return nil, err
	}
	// The system's own roots are left out: how many there are differs, and they take memory.
	return l, errors.Join(os.Setenv("SSL_CERT_FILE", file), os.Setenv("SSL_CERT_DIR", folder))
}

// Config is the server's side of TLS, HTTP/1.1 as the platform speaks it.
func (l *Loopback) Config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{l.certificate}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
}

// Remove removes the root's file.
func (l *Loopback) Remove() { _ = os.RemoveAll(l.folder) }
