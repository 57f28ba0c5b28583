package middleware_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/middleware"
)

// Nonces of the default source are long enough that none comes twice, and fit into the header.
func TestAppendNonce(t *testing.T) {
	var s middleware.Signer
	seen := make(map[string]bool)
	for range 1000 {
		nonce := s.AppendNonce([]byte("before-"))
		assert.Regexp(t, `^before-[A-Z2-7]{26}$`, string(nonce))
		assert.False(t, seen[string(nonce)])
		seen[string(nonce)] = true
	}
	s.Nonce = func() string { return "own" }
	assert.Equal(t, "own", string(s.AppendNonce(nil)))
}
