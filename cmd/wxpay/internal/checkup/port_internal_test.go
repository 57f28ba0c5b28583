package checkup

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Checkups that begin at the same time have ports of their own.
func TestCheckupsShareNoPort(t *testing.T) {
	chosen := make(map[int]bool)
	for range 400 { // of which two are all but certainly the same where nothing keeps them apart
		port, claim, err := freePort()
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, claim.Close()) })
		assert.False(t, chosen[port], "%d is chosen twice", port)
		chosen[port] = true
	}
}
