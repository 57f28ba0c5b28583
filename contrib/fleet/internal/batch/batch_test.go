package batch_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/batch"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

func TestVersion(t *testing.T) {
	code, stdout, stderr := newShell(t).run("--version")
	assert.Zero(t, code, stderr)
	assert.Regexp(t, `^wxpay-batch version \S+\n$`, stdout)
}

// All in one process, and once more: nothing is sent twice.
func TestRun(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	file := s.file("feeds.ndjson", feedLines(50)+"{\"broken\n"+strings.Replace(feedLine(3), "15_1200_1", "other", 1)+"\n")
	args := []string{file, "POST", feedsPath, "--rate", "1000", "--data", s.path("data"), "-o", s.path("out.ndjson"), "--select", "card_id"}
	code, stdout, stderr := s.run(args...)
	assert.Equal(t, 1, code, stderr)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "A key was made")
	assert.Contains(t, stderr, "feeds.ndjson, line 51: it is not a JSON object")
	assert.Contains(t, stderr, "feeds.ndjson, line 52: the number stands for another request, submitted before as feeds.ndjson, line 4")
	assert.Contains(t, stderr, "Lines: 50 queued, 0 in the queue already, 0 done before, 2 rejected.")
	assert.Contains(t, stderr, "        50  succeeded\n")
	assert.NotContains(t, stderr, "\r", "no progress bar in a pipe")
	assert.NotContains(t, stderr, "obLat")
	rejected, err := os.ReadFile(strings.TrimSuffix(file, ".ndjson") + ".rejects.ndjson")
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(rejected), "\n"))
	assert.Contains(t, string(rejected), `{"rejected":{"file":"feeds.ndjson","line":51,"reason":"it is not a JSON object"},"text":"{\"broken"}`)
	out, err := os.ReadFile(s.path("out.ndjson"))
	require.NoError(t, err)
	list := results(t, string(out))
	require.Len(t, list, 50)
	for _, r := range list {
		assert.Equal(t, fleet.Succeeded, r.State)
		assert.Equal(t, `"pbLat"`, string(r.Selected["card_id"]))
	}
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 50)

	code, _, stderr = s.run(args...)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "Lines: 0 queued, 0 in the queue already, 50 done before, 2 rejected.")
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 50)
	assert.Len(t, gateway.Journal.All(), 50)
	assert.NotContains(t, stderr, "in flight")

	s.file("feeds.ndjson", feedLines(50))
	code, _, stderr = s.run(append(args, "--in-flight", "7")...)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stderr, "No line was rejected; "+s.path("feeds.rejects.ndjson")+" is of an earlier run.")
	assert.FileExists(t, s.path("feeds.rejects.ndjson"), "somebody may have mended lines in it")
	other := s.file("other.txt", "mine")
	code, _, stderr = s.run(append(args, "--rejects", other)...)
	assert.Equal(t, 0, code, stderr)
	assert.FileExists(t, other, "it is no file of rejects")
	assert.NotContains(t, stderr, "in flight", "nobody else has the directory, so the queue is made anew with what is said")
}

func TestRunOfCSV(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	text := "\xef\xbb\xbfbrand;card;code;who;no;text\r\n1004;c;7;o;N1;a\r\n1004;c;8;o;N2;b\r\n"
	code, stdout, stderr := s.feed(strings.NewReader(text), "-", feedsPath, "--sandbox", "--format", "csv", "--comma", ";", "--rate", "100",
		"--map", "brand_id=brand", "--map", "card_id=card", "--map", "user_card_code=code", "--map", "openid=who", "--map", "out_request_no=no",
		"--map", "cell_message=text", "-o", "-")
	assert.Equal(t, 0, code, stderr)
	list := results(t, stdout)
	require.Len(t, list, 2)
	assert.ElementsMatch(t, []string{"N1", "N2"}, []string{list[0].Number, list[1].Number})
	assert.Equal(t, "stdin", list[0].File)
}

// A process that is killed at any moment loses nothing, and the next one repeats nothing that has effect.
func TestKilled(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	const n = 300
	file := s.file("feeds.ndjson", feedLines(n))
	args := []string{file, feedsPath, "--rate", "1000", "--data", s.path("data"), "--workers", "8", "--moved"} // behind a gate and without
	for _, lost := range []bool{false, true} {                                                                 // what was in hand had its effect, or never arrived
		gate := keep(t, gateway, 60)
		child := exec.Command(os.Args[0], args...)
		child.Env = append(append(os.Environ(), s.env...), "BATCH_TEST_PROGRAM=1", gate.env())
		child.Stderr = os.Stderr
		require.NoError(t, child.Start())
		<-gate.full
		require.NoError(t, child.Process.Kill())
		_ = child.Wait()
		gate.release(lost)
	}
	code, _, stderr := s.run(append(args, "-o", s.path("out.ndjson"))...)
	assert.Equal(t, 0, code, stderr)
	times := make(map[string]int)
	for _, e := range gateway.Ledger.Effects(sandbox.FeedEffect) {
		times[e.Number]++
	}
	assert.Len(t, times, n)
	for number, k := range times {
		assert.Equal(t, 1, k, number)
	}
	out, err := os.ReadFile(s.path("out.ndjson"))
	require.NoError(t, err)
	assert.Len(t, results(t, string(out)), n)
	_, exact, _ := s.run("status", "--exact", "--data", s.path("data"))
	_, stdout, _ := s.run("status", "--data", s.path("data"))
	assert.Contains(t, stdout, "       300  succeeded\n")
	assert.Equal(t, exact, stdout, "the counts are those of the records")
}

// A rejection that concerns the merchant stops the run and tells why; when the reason is gone, the same command goes on.
func TestPaused(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ServerError, Status: 403, Code: "NO_AUTH"}))
	s := newShell(t, gateway.Env()...)
	file := s.file("feeds.ndjson", feedLines(30))
	args := []string{file, feedsPath, "--rate", "1000", "--data", s.path("data")}
	code, _, stderr := s.run(args...)
	assert.Equal(t, 4, code, stderr)
	assert.Contains(t, stderr, "NO_AUTH")
	assert.Regexp(t, `wxpay-batch: the queue is paused since .+ by .+, process \d+: .*NO_AUTH`, stderr)
	code, stdout, _ := s.run("status", "--data", s.path("data"))
	assert.Equal(t, 0, code)
	assert.Regexp(t, `^paused since [-0-9]{10} [:0-9]{8} [+-][0-9]{2}:[0-9]{2} by .+, process \d+: `, stdout)
	gateway.Faults.Clear()
	code, _, stderr = s.run(args...)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stderr, "It was paused: ")
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 30)
}

// What is unknown has an exit code of its own, stands first in the results, and is found out.
func TestUnknown(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	s := newShell(t, gateway.Env()...)
	file := s.file("feeds.ndjson", feedLines(5))
	data := []string{"--data", s.path("data")}
	code, stdout, stderr := s.run(append([]string{file, feedsPath, "--rate", "1000", "--workers", "1", "--on-unknown", "hold", "-o", "-"}, data...)...)
	assert.Equal(t, 3, code, stderr)
	list := results(t, stdout)
	require.Len(t, list, 5)
	assert.Equal(t, fleet.Unknown, list[0].State)
	assert.Contains(t, stderr, "         1  unknown\n         4  succeeded\n")

	code, _, stderr = s.run(append([]string{"retry"}, data...)...)
	assert.Equal(t, 0, code)
	assert.Contains(t, stderr, "1 jobs that were unknown are queued again")
	code, _, stderr = s.run(append([]string{"work", "--until-idle", "--rate", "1000"}, data...)...)
	assert.Equal(t, 3, code, "what was held is held")
	assert.Contains(t, stderr, `"settle" writes down`)
	assert.Len(t, gateway.Journal.All(), 5)
	code, _, _ = s.run(append([]string{"retry"}, data...)...)
	assert.Equal(t, 0, code)
	code, _, stderr = s.run(append([]string{"work", "--until-idle", "--rate", "1000", "--on-unknown", "repeat"}, data...)...)
	assert.Equal(t, 0, code, stderr)
	code, stdout, _ = s.run(append([]string{"status", "--json"}, data...)...)
	assert.Equal(t, 0, code)
	var status map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &status))
	runs, _ := status["runs"].([]any)
	delete(status, "runs")
	assert.Len(t, runs, 1)
	text, err := json.Marshal(status)
	require.NoError(t, err)
	assert.JSONEq(t, `{"queued":0,"running":0,"known":5,"dead":0,"closed":false,"pause":null,"workers":[],"jobs":[{"state":"succeeded","jobs":5}]}`, string(text))
	code, stdout, _ = s.run(append([]string{"results", "--state", "unknown"}, data...)...)
	assert.Equal(t, 0, code)
	assert.Empty(t, stdout)
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 5)
}

// What nobody can ask the platform about is settled by hand.
func TestSettle(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	s := newShell(t, gateway.Env()...)
	data := []string{"--data", s.path("data")}
	code, _, stderr := s.run(append([]string{s.file("feeds.ndjson", feedLines(2)), feedsPath, "--rate", "1000", "--workers", "1",
		"--on-unknown", "hold"}, data...)...)
	require.Equal(t, 3, code, stderr)
	code, stdout, stderr := s.run(append([]string{"settle", "F00000", "succeeded", "--path", "/" + feedsPath}, data...)...)
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, "POST "+feedsPath+" is settled: succeeded\n", stdout)
	code, stdout, _ = s.run(append([]string{"results"}, data...)...)
	assert.Equal(t, 0, code)
	settled := 0
	for _, r := range results(t, stdout) {
		assert.Equal(t, fleet.Succeeded, r.State)
		if r.Settled {
			assert.Equal(t, "F00000", r.Number)
			settled++
		}
	}
	assert.Equal(t, 1, settled)
	code, _, stderr = s.run(append([]string{"settle", "F00000", "failed"}, data...)...)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "no job with this number is of unknown outcome")
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 2)
}

// What is missing is not made anew where it would be of no use.
func TestMissing(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	data := []string{"--data", s.path("data")}
	code, _, stderr := s.run(append([]string{"submit", s.file("feeds.ndjson", feedLines(2)), feedsPath}, data...)...)
	require.Equal(t, 0, code, stderr)

	code, _, stderr = s.run(append([]string{"drain"}, data...)...)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, `2 jobs wait, and nobody can carry them out while this program has the directory: "work --until-idle" does`)
	code, stdout, _ := s.run(append([]string{"status"}, data...)...)
	assert.Equal(t, 0, code)
	assert.NotContains(t, stdout, "closed")

	key, err := os.ReadFile(s.path("data/key"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(s.path("data/key")))
	for range 2 {
		code, _, stderr = s.run(append([]string{"status"}, data...)...)
		assert.Equal(t, 2, code)
		assert.Contains(t, stderr, "key is missing")
		assert.NoFileExists(t, s.path("data/key"))
	}
	require.NoError(t, os.WriteFile(s.path("data/key"), key, 0o600))

	require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	code, _, stderr = s.run(append([]string{"work", "--until-idle", "--rate", "1000", "--workers", "1", "--on-unknown", "hold"}, data...)...)
	assert.Equal(t, 3, code, "it tells how the jobs stand")
	assert.Contains(t, stderr, "         1  unknown\n         1  succeeded\n")
	code, _, stderr = s.run(append([]string{"settle", "F00009", "failed"}, data...)...)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "no job with this number")
}

// Submitting, working and looking are apart on a server.
func TestServer(t *testing.T) {
	t.Parallel()
	o := &server.Options{ServerName: "one", Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true}
	nats, err := server.NewServer(o)
	require.NoError(t, err)
	nats.Start()
	require.True(t, nats.ReadyForConnections(30*time.Second))
	defer func() {
		nats.Shutdown()
		nats.WaitForShutdown()
	}()
	gateway := listen(t)
	s := newShell(t, append(gateway.Env(), "WXPAY_BATCH_KEY="+strings.Repeat("ab", 32))...)
	store := []string{"--nats", nats.ClientURL()}
	file := s.file("feeds.ndjson", feedLines(100))

	code, _, stderr := s.run(append([]string{"submit", file, feedsPath}, store...)...)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stderr, "100 queued")
	code, stdout, _ := s.run(append([]string{"status"}, store...)...)
	assert.Equal(t, 0, code)
	assert.Contains(t, stdout, "queued 100, of them in hand or due later 0; known 100")

	for _, command := range [][]string{{"status"}, {"results"}, {"retry"}, {"settle", "F00000", "failed"}, {"drain"}, {"resume"}, {"work", "--until-idle"}} {
		code, _, stderr := s.run(append(append(command, "--queue", "wxpya"), store...)...)
		assert.Equal(t, 2, code, command)
		assert.Contains(t, stderr, `there is no such queue as "wxpya": --queue names one to which jobs were submitted`, command)
	}

	impatient, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	var notes bytes.Buffer
	draining := make(chan int, 1)
	go func() {
		draining <- batch.Main(impatient, append([]string{"drain"}, store...), nil, io.Discard, &notes, s.env)
	}()
	require.Eventually(t, func() bool {
		_, stdout, _ := s.run(append([]string{"status"}, store...)...)
		return strings.Contains(stdout, "closed to new jobs")
	}, time.Minute, 20*time.Millisecond)
	giveUp()
	assert.Equal(t, 4, <-draining)
	assert.Contains(t, notes.String(), `"resume" opens it again`)

	working, stop := context.WithCancel(t.Context())
	ended := make(chan int, 2)
	for range 2 {
		go func() {
			ended <- batch.Main(working, append([]string{"work", "--rate", "500"}, store...), nil, io.Discard, io.Discard, s.env)
		}()
	}
	code, _, stderr = s.run(append([]string{"drain"}, store...)...)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stderr, "100  succeeded")
	stop()
	assert.Equal(t, []int{0, 0}, []int{<-ended, <-ended})
	code, _, stderr = s.run(append([]string{"submit", file, feedsPath}, store...)...)
	assert.Equal(t, 4, code)
	assert.Contains(t, stderr, "closed to new jobs")
	code, _, stderr = s.run(append([]string{file, feedsPath}, store...)...)
	assert.Equal(t, 4, code, "who closed it may have a reason")
	assert.Contains(t, stderr, "closed to new jobs")
	code, _, _ = s.run(append([]string{"resume"}, store...)...)
	assert.Equal(t, 0, code)
	code, _, stderr = s.run(append([]string{"submit", file, feedsPath}, store...)...)
	assert.Equal(t, 0, code)
	assert.Contains(t, stderr, "100 done before")
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 100)

	s.env = append(s.env, "WXPAY_BATCH_NATS="+nats.ClientURL())
	code, _, stderr = s.run("pause")
	assert.Equal(t, 0, code, stderr)
	code, _, stderr = s.run("pause", "--reason", "for the night")
	assert.Equal(t, 0, code, stderr)
	assert.Regexp(t, `^It was paused already, since .+ by .+: by hand\n$`, stderr, "the first reason stands")
	code, _, stderr = s.run(file, feedsPath)
	assert.Equal(t, 4, code, "who paused it may have a reason, wherever the address stands")
	assert.Contains(t, stderr, "the queue is paused since")
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	file := s.file("feeds.ndjson", feedLines(1))
	table := s.file("feeds.csv", "a\n1\n")
	bad := s.file("key", "abc")
	good := s.file("keys", strings.Repeat("ab", 32))
	held, err := fleet.Embedded(s.path("held"))
	require.NoError(t, err)
	defer held.Close()
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "the file is missing", nil},
		{2, "there is no file \"" + s.path("none") + "\", and no command; those are cancel, drain, pause, purge, reseal, results, resume, retry, settle, status, submit, work", []string{s.path("none"), feedsPath}},
		{2, `there is no file "list", and no command`, []string{"list", "--data", s.path("nowhere")}},
		{2, `there is no command and no file "puase": did you mean "pause"?`, []string{"puase"}},
		{2, `there is no command and no file "cancle": did you mean "cancel"?`, []string{"cancle", "--data", s.path("nowhere")}},
		{2, `there is no command and no file "resum": did you mean "resume"?`, []string{"resum", "--nats", "nats://127.0.0.1:1"}},
		{2, "wxpay-batch status takes no arguments, but \"now\" is one", []string{"status", "now"}},
		{2, "settle NUMBER succeeded|failed", []string{"settle", "F00000"}},
		{2, "--workers takes a whole number, not \"many\"", []string{"work", "--workers", "many"}},
		{2, "--grace takes a duration such as 500ms, 20s or 10m, not \"20\"", []string{"work", "--grace", "20"}},
		{2, "--json takes true or false, not \"yes\"", []string{"status", "--json=yes"}},
		{2, "--listen takes [HOST]:PORT, such as :9090, not \"9090\"", []string{"work", "--listen", "9090"}},
		{2, "--listen: listen tcp: ", []string{"work", "--listen", ":99999"}},
		{2, "--pprof belongs to --listen", []string{"work", "--pprof"}},
		{2, `--log takes text or json, not "xml"`, []string{"status", "--log", "xml"}},
		{2, "--data has no value", []string{"status", "--data"}},
		{2, "the list cannot be read: none of the names in its first line", []string{"submit", s.file("twice.csv", "a,a\n1,2\n"), feedsPath, "--data", s.path("nowhere")}},
		{2, `there is no command and no file "stauts": did you mean "status"?`, []string{"stauts"}},
		{2, "belong to --nats", []string{"status", "--nats-ca", "x"}},
		{2, "belong together", []string{"status", "--key", good, "--nats", "nats://127.0.0.1:1", "--nats-cert", "x"}},
		{4, "Waiting for a server, up to 300ms: ", []string{"status", "--nats", "nats://127.0.0.1:1", "--key", good, "--nats-wait", "300ms"}},
		{2, "segment", []string{file, "v3//x"}},
		{2, "the path is missing after the method POST", []string{file, "POST"}},
		{2, `the method "LIST" is not one of`, []string{file, "LIST", feedsPath}},
		{2, "there are 4 arguments", []string{file, "POST", feedsPath, "more", "--data", s.path("x")}},
		{2, "jobs from a table need a path", []string{table}},
		{2, "is not ndjson, csv or xlsx", []string{file, feedsPath, "--format", "xml"}},
		{2, "is not of the form FIELD=COLUMN", []string{file, feedsPath, "--map", "x"}},
		{2, "--expires takes", []string{file, feedsPath, "--expires", "soon"}},
		{2, "--rejects names the file that is read", []string{file, feedsPath, "--rejects", file}},
		{2, `a job is settled as succeeded or failed, not as "done"`, []string{"settle", "F00000", "done", "--data", s.path("d")}},
		{2, "there is no queue in", []string{"settle", "F00000", "failed", "--data", s.path("nowhere")}},
		{2, "there is no queue in", []string{"status", "--data", s.path("nowhere")}},
		{2, "--queue takes letters", []string{file, feedsPath, "--queue", "a b", "--data", s.path("nowhere")}},
		{2, "the list cannot be read: none of the names in its first line", []string{s.file("twice.csv", "a,a\n1,2\n"), feedsPath, "--data", s.path("d")}},
		{2, "do the lines of the file end with CR alone?", []string{s.file("mac.csv", "brand_id,out_request_no\r1004,F1\r"), feedsPath, "--data", s.path("d")}},
		{2, "the list cannot be read: it is empty", []string{s.file("empty.csv", ""), feedsPath, "--data", s.path("d")}},
		{2, `it has no field "cod"`, []string{file, feedsPath, "--map", "user_card_code=cod", "--data", s.path("d")}},
		{2, "--map and --skip need a path", []string{file, "--map", "a=b"}},
		{2, "the catalogue does not know GET " + feedsPath, []string{file, "GET", feedsPath, "--data", s.path("nowhere")}},
		{2, "--rejects needs the name of a file", []string{file, feedsPath, "--rejects", "-"}},
		{2, "--rejects: ", []string{file, feedsPath, "--rejects", s.path("missing/r"), "--data", s.path("nowhere")}},
		{2, "-o and --rejects name the same file", []string{file, feedsPath, "-o", s.path("x"), "--rejects", s.path("./y/../x"), "--data", s.path("nowhere")}},
		{2, "that time is over", []string{file, feedsPath, "--expires", "-5m", "--data", s.path("nowhere")}},
		{2, `says twice from where "b" comes`, []string{file, feedsPath, "--map", "b=a", "--map", "b==c", "--data", s.path("nowhere")}},
		{2, "is a directory", []string{s.path("."), feedsPath, "--data", s.path("nowhere")}},
		{2, "--creds: open ", []string{"status", "--key", good, "--creds", s.path("none"), "--nats", "nats://127.0.0.1:1"}},
		{2, "there is no user's key in them", []string{"status", "--key", good, "--creds", bad, "--nats", "nats://127.0.0.1:1"}},
		{2, "it is no seed, which begins with SU", []string{"status", "--key", good, "--nkey", bad, "--nats", "nats://127.0.0.1:1"}},
		{2, "--creds and --nkey exclude each other", []string{"status", "--key", good, "--nkey", bad, "--creds", bad, "--nats", "nats://127.0.0.1:1"}},
		{2, "there is no certificate in", []string{"status", "--key", good, "--nats-ca", bad, "--nats", "nats://127.0.0.1:1"}},
		{2, "--nats-ca: open ", []string{"status", "--key", good, "--nats-ca", s.path("none"), "--nats", "nats://127.0.0.1:1"}},
		{2, "--nats-cert and --nats-key: ", []string{"status", "--key", good, "--nats-cert", bad, "--nats-key", bad, "--nats", "nats://127.0.0.1:1"}},
		{2, "--key: open ", []string{"status", "--key", s.path("none"), "--nats", "nats://127.0.0.1:1"}},
		{2, "can be seen by everybody on this machine: put the address into WXPAY_BATCH_NATS", []string{"status", "--nats", "nats://u:s3cret@127.0.0.1:1"}},
		{2, "number 2 is not right", []string{"status", "--key", good, "--nats", "nats://127.0.0.1:1,a b"}},
		{2, "-o names the file that is read", []string{file, feedsPath, "-o", file, "--data", s.path("nowhere")}},
		{2, "-o and --rejects name the same file", []string{file, feedsPath, "-o", s.path("x"), "--rejects", s.path("x"), "--data", s.path("nowhere")}},
		{2, "a workbook cannot be read from stdin", []string{"-", feedsPath, "--format", "xlsx"}},
		{2, "--sheet belongs to a workbook", []string{file, feedsPath, "--sheet", "x"}},
		{2, "of the old form (.xls), or one with a password", []string{s.file("old.csv", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), feedsPath, "--data", s.path("nowhere")}},
		{2, "it is no workbook of the form .xlsx", []string{s.file("html.xls", "<table>"), feedsPath, "--data", s.path("nowhere")}},
		{2, `--skip "b": there is none of that name to be left out`, []string{file, feedsPath, "--map", "a=b", "--skip", "b"}},
		{2, "--comma takes one character", []string{file, feedsPath, "--comma", "::"}},
		{2, `the encoding "latin1" is not`, []string{file, feedsPath, "--encoding", "latin1"}},
		{2, "neither UTF-8 nor GB18030 nor UTF-16; save it as UTF-8", []string{s.file("latin.csv", "a\n\xff\xff\n"), feedsPath, "--data", s.path("nowhere")}},
		{2, "the first line has several of comma, tab and semicolon", []string{s.file("several.csv", "a,b;c\n"), feedsPath, "--data", s.path("nowhere")}},
		{2, "--on-unknown takes hold or repeat", []string{file, feedsPath, "--on-unknown", "x", "--data", s.path("d")}},
		{2, "--workers, --patience", []string{file, feedsPath, "--workers", "0", "--data", s.path("d")}},
		{2, "--rate must not be negative", []string{file, feedsPath, "--rate", "-1"}},
		{2, "exclude each other", []string{"status", "--data", "x", "--nats", "nats://127.0.0.1:1"}},
		{2, "belong to --nats", []string{"status", "--creds", "x"}},
		{2, "is not 32 bytes in hex or base64", []string{"status", "--data", s.path("d"), "--key", bad}},
		{2, "unknown flag: --nope", []string{"status", "--nope"}},
		{4, "no server could be reached (tried 127.0.0.1:1", []string{"status", "--key", good, "--nats", "nats://127.0.0.1:1"}},
		{2, "with --nats the keys that seal what is stored have to be given", []string{"status", "--nats", "nats://127.0.0.1:1"}},
		{4, "is in use", []string{"submit", file, feedsPath, "--data", s.path("held")}},
		{4, `"status", "results", "pause"`, []string{file, feedsPath, "--data", s.path("held")}},
	} {
		code, stdout, stderr := s.run(c.args...)
		assert.Equal(t, c.code, code, "%v: %s", c.args, stderr)
		assert.Contains(t, stderr, c.says, c.args)
		assert.NotContains(t, stderr, "s3cret")
		assert.NotContains(t, stderr, "strconv", c.args)
		assert.Empty(t, stdout)
	}
	assert.NoDirExists(t, s.path("nowhere"))
	s.env = nil
	code, _, stderr := s.run(file, feedsPath, "--data", s.path("nowhere"))
	assert.NoDirExists(t, s.path("nowhere"))
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "WXPAY_MCHID")
	assert.Contains(t, stderr, "--sandbox")
	assert.Empty(t, gateway.Journal.All())
}

// An exit code that says that not all is sent has a reason.
func TestNotCarriedOut(t *testing.T) {
	t.Parallel()
	s := newShell(t, listen(t).Env()...)
	code, _, stderr := s.run("submit", s.file("feeds.ndjson", feedLines(1)), feedsPath, "--data", s.path("data"))
	assert.Equal(t, 0, code, stderr)
	code, _, stderr = s.run("results", "--data", s.path("data"))
	assert.Equal(t, 4, code)
	assert.Contains(t, stderr, "1  waiting")
	assert.Contains(t, stderr, "some jobs are not carried out yet")
}

// What is odd in every line is told once.
func TestWarningsAreToldOnce(t *testing.T) {
	s := newShell(t)
	text := strings.ReplaceAll(feedLines(30), `{"brand_id"`, `{"note":"x","brand_id"`)
	_, _, stderr := s.feed(strings.NewReader(text), "submit", "-", feedsPath, "--sandbox", "--rejects", s.path("rejects"))
	assert.Equal(t, 1, strings.Count(stderr, "documents no such field"), stderr)
	assert.Contains(t, stderr, "Warning, told once: body /note: ")
}

// A file for results that cannot be made is found before the first job is sent, not days later.
func TestResultsNowhere(t *testing.T) {
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	code, _, stderr := s.run(s.file("feeds.ndjson", feedLines(1)), feedsPath, "--data", s.path("data"), "-o", s.path("missing/out.ndjson"))
	assert.Equal(t, 2, code, stderr)
	assert.Contains(t, stderr, "the destination cannot be written: no such file or directory")
	assert.Empty(t, gateway.Journal.All())
}

// What is no file, such as a pipe or the null device, is written to and not replaced by one.
func TestResultsToAPipe(t *testing.T) {
	s := newShell(t, listen(t).Env()...)
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer read.Close()
	path := fmt.Sprintf("/dev/fd/%d", write.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("pipes have no path here")
	}
	code, _, stderr := s.run(s.file("feeds.ndjson", feedLines(3)), feedsPath, "--data", s.path("data"), "--rate", "100", "-o", path)
	assert.Equal(t, 0, code, stderr)
	require.NoError(t, write.Close())
	text, err := io.ReadAll(read)
	require.NoError(t, err)
	assert.Len(t, results(t, string(text)), 3)
}

// Results that none of the keys opens are a matter of the keys, not of the file.
func TestResultsUnderAnotherKey(t *testing.T) {
	s := newShell(t, listen(t).Env()...)
	data := []string{"--data", s.path("data"), "--key"}
	before, after := strings.Repeat("01", 32)+"\n", strings.Repeat("02", 32)+"\n"
	code, _, stderr := s.run(append([]string{s.file("feeds.ndjson", feedLines(1)), feedsPath}, append(data, s.file("key1", before))...)...)
	require.Equal(t, 0, code, stderr)
	code, _, stderr = s.run(append([]string{"results"}, append(data, s.file("key2", after+before))...)...)
	assert.Equal(t, 0, code, stderr)
	code, stdout, stderr := s.run(append([]string{"results"}, append(data, s.file("key3", after))...)...)
	assert.Equal(t, 2, code, stderr)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "sealed under another key")
}

// A path that the catalogue does not know is a mistake, unless it is said to be new.
func TestNewPath(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	file := s.file("new.ndjson", `{"out_no":"1"}`+"\n")
	args := []string{file, "v3/brand-new/things", "--number", "out_no", "--data", s.path("data")}
	code, _, stderr := s.run(args...)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "or say --new if it is one")
	whole := s.file("whole.ndjson", `{"path":"v3/brand-new/things","number":"1","body":{"out_no":"1"}}`+"\n")
	code, _, stderr = s.run(whole, "--data", s.path("data"))
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "or say --new if it is one")
	code, _, stderr = s.run(append(args, "--new")...)
	assert.Equal(t, 3, code, stderr)
	assert.Contains(t, stderr, "1  unknown", "nobody signs the rejection of a path that the platform does not know")
	journal := gateway.Journal.All()
	require.Len(t, journal, 1)
	assert.Equal(t, "/v3/brand-new/things", journal[0].Target)

	// What waits in the queue goes on, also beside a file whose paths have to be known. It is not of that file's run.
	data := []string{"--data", s.path("other")}
	code, _, stderr = s.run(append([]string{"submit", file, "v3/brand-new/things", "--number", "out_no", "--new"}, data...)...)
	assert.Equal(t, 0, code, stderr)
	code, _, stderr = s.run(append([]string{s.file("feeds.ndjson", feedLines(1)), feedsPath}, data...)...)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stderr, "1  succeeded")
	assert.Len(t, gateway.Journal.All(), 3, "it was sent")
}

// A gateway that is not there is told of at once.
func TestNoGateway(t *testing.T) {
	t.Parallel()
	s := newShell(t, append(listen(t).Env(), "WXPAY_BASE_URL=http://127.0.0.1:1")...)
	file := s.file("feeds.ndjson", feedLines(1))
	read, write := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		defer write.Close()
		ended <- batch.Main(ctx, []string{file, feedsPath, "--data", s.path("data")}, nil, io.Discard, write, s.env)
	}()
	lines := bufio.NewScanner(read)
	told := false
	for lines.Scan() {
		if strings.Contains(lines.Text(), "a call had no response: connection refused; going on") && !told {
			told = true
			stop()
		}
	}
	assert.True(t, told)
	assert.Equal(t, 4, <-ended)
}
