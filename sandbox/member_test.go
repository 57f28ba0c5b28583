package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

func TestFeedIsEchoedAndSigned(t *testing.T) {
	server := sandbox.Start(t)
	for name, send := range map[string]func(c *call) answer{
		"in process": func(c *call) answer { return c.send(t, server.Transport(), inProcess) },
		"loopback": func(c *call) answer {
			transport := newTransport(t)
			return c.send(t, transport, server.URL)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := send(newCall(server.Sandbox, time.Now(), "POST", feedPath, feed()).sign(server.Sandbox))
			require.Equal(t, 200, a.StatusCode, "%s", a.body)
			assert.Equal(t, feed(), a.json(t))
			verify(t, server.Sandbox, time.Now(), a)
		})
	}
}
