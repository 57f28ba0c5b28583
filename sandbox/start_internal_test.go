package sandbox

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// BenchmarkFirstStart is what the first sandbox of a process costs more: its keys, as many as the mode needs.
func BenchmarkFirstStart(b *testing.B) {
	for mode := BothKeys; mode <= PublicKeyOnly; mode++ {
		b.Run(keyModes[mode], func(b *testing.B) {
			for b.Loop() {
				cache.Lock()
				cache.keys = nil
				cache.Unlock()
				if _, err := New(WithKeyMode(mode)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestKeysAreMadeWhenNeeded: a mode costs its own keys, and no others before somebody asks for them.
func TestKeysAreMadeWhenNeeded(t *testing.T) {
	s, err := New(WithKeyMode(PublicKeyOnly))
	require.NoError(t, err)
	assert.NotNil(t, s.platform.Load().publicKey)
	assert.Empty(t, s.platform.Load().certificates)
	require.Len(t, s.Certificates(), 2)
	require.NoError(t, s.SetKeyMode(CertificatesOnly))
	serial := s.platform.Load().signs

	s, err = New(WithKeyMode(CertificatesOnly))
	require.NoError(t, err)
	assert.Nil(t, s.platform.Load().publicKey)
	assert.Equal(t, serial, s.platform.Load().signs, "the keys of a process are the same")
	require.NoError(t, s.SetKeyMode(BothKeys))
	assert.NotNil(t, s.platform.Load().publicKey)

	s, err = New(WithKeyMode(CertificatesOnly))
	require.NoError(t, err)
	assert.NotNil(t, s.PublicKey())

	for name, change := range map[string]func(*Sandbox) error{
		"add":   func(s *Sandbox) error { _, err := s.AddCertificate(1 << 40); return err },
		"shift": func(s *Sandbox) error { return s.SignWith(serial, 50) },
	} {
		s, err = New(WithKeyMode(PublicKeyOnly))
		require.NoError(t, err)
		assert.NoError(t, change(s), name)
	}
}
