package batch_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/batch"
	"github.com/wxpay-go/wxpay/internal/iotest"
)

// A server may have a certificate of the operator's own, and ask for one of the client's.
func TestServerWithCertificates(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	own, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(own)
	nats, err := server.NewServer(&server.Options{
		ServerName: "one", Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
		TLS: true, TLSVerify: true, TLSTimeout: 30,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, ClientCAs: pool,
			ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13},
	})
	require.NoError(t, err)
	nats.Start()
	require.True(t, nats.ReadyForConnections(30*time.Second))
	defer func() {
		nats.Shutdown()
		nats.WaitForShutdown()
	}()
	address := "WXPAY_BATCH_NATS=tls://" + nats.Addr().String()
	s := newShell(t, append(listen(t).Env(), "WXPAY_BATCH_KEY="+strings.Repeat("ab", 32), address)...)
	file := s.file("feeds.ndjson", feedLines(1))
	ca := s.file("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	private := s.file("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	for name, tt := range map[string]struct {
		flags []string
		code  int
	}{
		"all":                   {[]string{"--nats-ca", ca, "--nats-cert", ca, "--nats-key", private}, 0},
		"a server nobody knows": {[]string{"--nats-cert", ca, "--nats-key", private}, 4},
		"no certificate":        {[]string{"--nats-ca", ca}, 4},
	} {
		code, _, stderr := s.run(append([]string{"submit", file, feedsPath}, tt.flags...)...)
		assert.Equal(t, tt.code, code, "%s: %s", name, stderr)
	}
}

// A server that is not up yet is waited for.
func TestServerComesLater(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(t, free.Close())
	s := newShell(t, "WXPAY_BATCH_KEY="+strings.Repeat("ab", 32))
	var notes iotest.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- batch.Main(t.Context(), []string{"status", "--nats", fmt.Sprintf("nats://127.0.0.1:%d", port), "--nats-wait", "5m"}, nil, io.Discard, &notes, s.env)
	}()
	require.Eventually(t, func() bool { return strings.Contains(notes.String(), "Waiting for a server, up to 5m0s: ") }, time.Minute, time.Millisecond)
	nats, err := server.NewServer(&server.Options{
		ServerName: "one", Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
	})
	require.NoError(t, err)
	nats.Start()
	defer func() {
		nats.Shutdown()
		nats.WaitForShutdown()
	}()
	assert.Equal(t, 2, <-ended)
	assert.Contains(t, notes.String(), "there is no such queue")
}
