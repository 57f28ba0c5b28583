package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJournalEntry(t *testing.T) {
	s := newSandbox(t, fixed(noon))
	assert.Empty(t, s.Journal.All())
	c := newCall(s, noon, "POST", feedPath, feed()).sign(s)
	a := c.send(t, s.Transport(), inProcess)
	newCall(s, noon, "GET", "/v3/nothing?x=%7C", nil).send(t, s.Transport(), inProcess)

	entries := s.Journal.All()
	require.Len(t, entries, 2)
	e := entries[0]
	assert.Equal(t, a.Header.Get("Request-ID"), e.ID)
	assert.Equal(t, noon, e.Time)
	assert.Equal(t, "POST", e.Method)
	assert.Equal(t, feedPath, e.Target)
	assert.Equal(t, c.header.Get("Authorization"), e.Header.Get("Authorization"), "the signature is kept")
	assert.Equal(t, string(c.body), string(e.Body))
	assert.Equal(t, 200, e.Status)
	assert.Equal(t, a.Header.Get("Wechatpay-Signature"), e.ResponseHeader.Get("Wechatpay-Signature"))
	assert.Equal(t, string(a.body), string(e.ResponseBody))
	assert.True(t, e.Verified)
	assert.Empty(t, e.Reason)
	assert.Equal(t, "POST "+feedPath+" 200", e.String())

	e = entries[1]
	assert.Equal(t, "/v3/nothing?x=%7C", e.Target)
	assert.Equal(t, 404, e.Status)
	assert.False(t, e.Verified)
	assert.Regexp(t, `^[0-9A-F]{32}$`, e.ID)
	assert.Equal(t, "GET /v3/nothing?x=%7C 404: the sandbox knows no such path", fmt.Sprintf("%+v", e))

	s.Journal.Reset()
	assert.Empty(t, s.Journal.All())
	newCall(s, noon, "GET", "/v3/after", nil).send(t, s.Transport(), inProcess)
	require.Len(t, s.Journal.All(), 1)
	assert.Len(t, entries, 2, "an old snapshot stays")
}

func TestJournalIsBounded(t *testing.T) {
	s := newSandbox(t)
	send := func(target string, body string) {
		request, err := http.NewRequest("POST", inProcess+target, strings.NewReader(body))
		require.NoError(t, err)
		response, err := s.Transport().RoundTrip(request)
		require.NoError(t, err)
		response.Body.Close()
	}
	for i := range 1005 {
		send(fmt.Sprintf("/v3/nothing/%d", i), "")
	}
	entries := s.Journal.All()
	require.Equal(t, 1000, len(entries))
	for i, e := range entries {
		require.Equal(t, fmt.Sprintf("/v3/nothing/%d", i+5), e.Target, "the oldest gave way")
	}

	s.Journal.Reset()
	large := strings.Repeat("x", 100_000) // of which 64 KiB are kept: 512 would be the bound of 32 MiB, without their headers
	for i := range 600 {
		send(fmt.Sprintf("/v3/large/%d", i), large)
	}
	entries = s.Journal.All()
	require.Less(t, len(entries), 512)
	require.Greater(t, len(entries), 500)
	assert.Equal(t, "/v3/large/599", entries[len(entries)-1].Target)
	assert.Equal(t, fmt.Sprintf("/v3/large/%d", 600-len(entries)), entries[0].Target)
	assert.Len(t, entries[0].Body, 64<<10)
	for i := range 1000 {
		send(fmt.Sprintf("/v3/small/%d", i), "")
	}
	entries = s.Journal.All()
	require.Equal(t, 1000, len(entries))
	assert.Equal(t, "/v3/small/0", entries[0].Target)
}
