//go:build go1.25

package wait_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/wait"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		assert.True(t, wait.For(ctx, 2*time.Second))
		assert.False(t, wait.For(ctx, 2*time.Second))
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.False(t, wait.For(ctx, 0))
	})
}

func TestReader(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	r := wait.Reader(ctx, strings.NewReader("text"))
	p := make([]byte, 2)
	_, err := io.ReadFull(r, p)
	require.NoError(t, err)
	assert.Equal(t, "te", string(p))
	cancel(errors.New("enough"))
	_, err = r.Read(p)
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "enough")
}
