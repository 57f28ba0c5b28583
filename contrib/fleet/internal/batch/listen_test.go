package batch_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/batch"
	"github.com/wxpay-go/wxpay/internal/iotest"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// get asks a process for a page.
func get(t *testing.T, url string) (status int, text string) {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(body)
}

// samples reads metrics: the value of each series. Every line has to be as Prometheus reads it, and the family to be described.
func samples(t *testing.T, text string) map[string]string {
	t.Helper()
	head := regexp.MustCompile(`^# (HELP|TYPE) (wxpay_batch_[a-z_]+) (.+)$`)
	line := regexp.MustCompile(`^((wxpay_batch_[a-z_]+?)(_bucket|_sum|_count)?(\{[a-z]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z]+="(?:[^"\\\n]|\\[\\"n])*")*\})?) (-?[0-9.e+-]+)$`)
	all := make(map[string]string)
	types := make(map[string]string)
	family := ""
	for text := range strings.Lines(text) {
		text = strings.TrimSuffix(text, "\n")
		if m := head.FindStringSubmatch(text); m != nil {
			if m[1] == "TYPE" {
				assert.NotContains(t, types, m[2])
				family, types[m[2]] = m[2], m[3]
			}
			continue
		}
		m := line.FindStringSubmatch(text)
		if assert.NotNil(t, m, text) {
			assert.True(t, m[2] == family || m[2]+m[3] == family, "%s stands with %s", m[1], family)
			assert.NotContains(t, all, m[1])
			all[m[1]] = m[5]
		}
	}
	for name, kind := range types {
		assert.Equal(t, kind == "counter", strings.HasSuffix(name, "_total"), name)
	}
	return all
}

// A process tells how the queue stands and what it did, to people and to Prometheus.
func TestListen(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.Limited, Count: 1}))
	s := newShell(t, gateway.Env()...)
	data := []string{"--data", s.path("data")}
	code, _, stderr := s.run(append([]string{"submit", s.file("feeds.ndjson", feedLines(20)), feedsPath}, data...)...)
	require.Zero(t, code, stderr)
	var notes iotest.Buffer
	working, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		ended <- batch.Main(working, append([]string{"work", "--rate", "1000", "--listen", ":0", "--pprof", "--log", "json"}, data...), nil, io.Discard, &notes, s.env)
	}()
	address := regexp.MustCompile(`Listening on (127\.0\.0\.1:[0-9]+)\.`)
	require.Eventually(t, func() bool { return address.MatchString(notes.String()) }, time.Minute, time.Millisecond)
	url := "http://" + address.FindStringSubmatch(notes.String())[1]
	var have map[string]string
	require.Eventually(t, func() bool {
		_, text := get(t, url+"/metrics")
		have = samples(t, text)
		return have["wxpay_batch_queued_jobs"] == "0" && have[`wxpay_batch_ended_jobs_total{code="",state="succeeded"}`] == "20"
	}, time.Minute, 100*time.Millisecond)
	for name, want := range map[string]string{
		"wxpay_batch_queue_up": "1", "wxpay_batch_known_jobs": "20", "wxpay_batch_running_jobs": "0", "wxpay_batch_workers": "1", "wxpay_batch_paused": "0",
		"wxpay_batch_unknown_jobs": "0", "wxpay_batch_blocked_orders": "0",
		"wxpay_batch_workers_aside": "0", "wxpay_batch_closed": "0", "wxpay_batch_in_doubt": "0", "wxpay_batch_dead_jobs": "0", "wxpay_batch_oldest_job_age_seconds": "0",
		`wxpay_batch_requests_total{status="200"}`: "20", `wxpay_batch_requests_total{status="429"}`: "1",
		`wxpay_batch_limiter_wait_seconds_bucket{le="+Inf"}`: "21", "wxpay_batch_limiter_wait_seconds_count": "21",
	} {
		assert.Equal(t, want, have[name], name)
	}
	status, text := get(t, url+"/readyz")
	assert.Equal(t, 200, status)
	assert.Equal(t, "ok\n", text)
	code, _, stderr = s.run(append([]string{"pause"}, data...)...)
	require.Zero(t, code, stderr)
	require.Eventually(t, func() bool {
		_, text := get(t, url+"/readyz")
		return text == "ok, paused\n"
	}, time.Minute, 100*time.Millisecond)
	_, text = get(t, url+"/metrics")
	assert.Equal(t, "1", samples(t, text)["wxpay_batch_paused"])
	status, _ = get(t, url+"/healthz")
	assert.Equal(t, 200, status)
	status, _ = get(t, url+"/debug/pprof/goroutine")
	assert.Equal(t, 200, status)
	stop()
	assert.Zero(t, <-ended)
	for line := range strings.Lines(notes.String()) {
		var record struct {
			Time       time.Time
			Level, Msg string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &record), line)
		assert.NotZero(t, record.Time)
		assert.NotEmpty(t, record.Level+record.Msg)
	}
	assert.Contains(t, notes.String(), "the queue is paused since")

	// The rules and the board that are handed out name nothing else, and the board shows all.
	rules, err := os.ReadFile(filepath.Join(deployed, "alerts", "wxpay-batch.yaml"))
	require.NoError(t, err)
	shown := boardExpressions(t)
	family := regexp.MustCompile(`wxpay_batch_[a-z_]+`)
	named := family.FindAllString(string(rules)+shown, -1)
	require.NotEmpty(t, named)
	for _, name := range named {
		assert.Contains(t, text, "# TYPE "+strings.TrimSuffix(name, "_bucket")+" ")
	}
	served := regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, served)
	for _, name := range served {
		assert.Contains(t, shown, name[1])
	}
}

// boardExpressions returns the expressions of the board for Grafana.
func boardExpressions(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployed, "grafana", "wxpay-batch.json"))
	require.NoError(t, err)
	var board struct {
		UID        string
		Templating struct{ List []struct{ Name, Type string } }
		Panels     []struct {
			ID         int
			Title      string
			Datasource struct{ UID string }
			GridPos    struct{ H, W, X, Y int }
			Targets    []struct{ RefID, Expr, LegendFormat string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &board))
	require.Len(t, board.Templating.List, 1)
	require.NotEmpty(t, board.UID)
	require.NotEmpty(t, board.Panels)
	var all strings.Builder
	places := make(map[[2]int]bool)
	for i, panel := range board.Panels {
		assert.Equal(t, i+1, panel.ID, panel.Title)
		assert.Equal(t, "${"+board.Templating.List[0].Name+"}", panel.Datasource.UID, panel.Title)
		place := [2]int{panel.GridPos.X, panel.GridPos.Y}
		assert.False(t, places[place], "%s covers another panel", panel.Title)
		places[place] = true
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			assert.NotEmpty(t, target.RefID+target.LegendFormat, panel.Title)
			assert.Equal(t, strings.Count(target.Expr, "("), strings.Count(target.Expr, ")"), target.Expr)
			all.WriteString(target.Expr + "\n")
		}
	}
	return all.String()
}

// A process is alive before the queue is open, and not ready.
func TestListenWhileItWaits(t *testing.T) {
	t.Parallel()
	s := newShell(t, append(listen(t).Env(), "WXPAY_BATCH_KEY="+strings.Repeat("ab", 32))...)
	var notes iotest.Buffer
	working, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- batch.Main(working, []string{"work", "--nats", "nats://127.0.0.1:1", "--nats-wait", "5m", "--listen", "127.0.0.1:0"}, nil, io.Discard, &notes, s.env)
	}()
	address := regexp.MustCompile(`Listening on (127\.0\.0\.1:[0-9]+)\.`)
	require.Eventually(t, func() bool { return address.MatchString(notes.String()) }, time.Minute, time.Millisecond)
	url := "http://" + address.FindStringSubmatch(notes.String())[1]
	status, _ := get(t, url+"/healthz")
	assert.Equal(t, 200, status)
	status, text := get(t, url+"/readyz")
	assert.Equal(t, 503, status)
	assert.Equal(t, "the queue is not open\n", text)
	_, text = get(t, url+"/metrics")
	assert.Equal(t, "0", samples(t, text)["wxpay_batch_queue_up"])
	status, _ = get(t, url+"/debug/pprof/")
	assert.Equal(t, 404, status, "nobody asked for it")
	stop()
	assert.Equal(t, 4, <-ended)
}
