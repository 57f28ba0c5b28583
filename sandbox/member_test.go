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

func TestRepeatedFeeds(t *testing.T) {
	for name, test := range map[string]struct {
		way         sandbox.RepeatedFeed
		same, other string // the code of a repetition, and of another feed under the number; empty for success
		effects     int
	}{
		"same":      {sandbox.RepeatSame, "", "ALREADY_EXISTS", 1},
		"duplicate": {sandbox.RepeatDuplicate, "", "", 3},
		"exists":    {sandbox.RepeatExists, "ALREADY_EXISTS", "ALREADY_EXISTS", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.OnRepeatedFeed(test.way)
			require.Equal(t, 200, ask(t, s, "POST", feedPath, feed()).StatusCode)
			for cell, code := range map[string]string{"15_1200_1": test.same, "15_1200_2": test.other} {
				body := feed()
				body["cell_message"] = cell
				a := ask(t, s, "POST", feedPath, body)
				verify(t, s, time.Now(), a)
				if code == "" {
					assert.Equal(t, 200, a.StatusCode)
					continue
				}
				assert.Equal(t, 400, a.StatusCode)
				assert.Equal(t, code, a.json(t)["code"])
			}
			effects := s.Ledger.Effects()
			assert.Len(t, effects, test.effects)
			for _, e := range effects {
				assert.Equal(t, sandbox.FeedEffect, e.Kind)
				assert.Equal(t, "100002322019090134234sfdf", e.Number)
				assert.Equal(t, "SUCCESS", e.State)
			}
		})
	}
}
