//go:build go1.25

package sandbox_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// killedVariable has the test binary serve a sandbox in the directory that it names.
const killedVariable = "WXPAY_TEST_SERVE"

// TestMain runs the tests, or is the process that [TestKilled] kills.
func TestMain(m *testing.M) {
	path := os.Getenv(killedVariable)
	if path == "" {
		flag.Parse()
		if flag.Lookup("test.bench").Value.String() == "" { // the tests make much garbage, and keep little
			debug.SetGCPercent(400)
		}
		os.Exit(m.Run())
	}
	err := func() error {
		d, err := sandbox.OpenDirectory(path)
		if err != nil {
			return err
		}
		s, err := sandbox.New(sandbox.WithStore(d))
		if err != nil {
			return err
		}
		server, err := s.Listen("127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println("serving " + server.URL)
		_, err = io.Copy(io.Discard, os.Stdin) // until it is killed, or nobody is left to do so
		return err
	}()
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// serveToBeKilled starts a process that serves the directory, and returns its URL.
func serveToBeKilled(t *testing.T, path string) (child *exec.Cmd, url string) {
	t.Helper()
	child = exec.Command(os.Args[0])
	child.Env = append(os.Environ(), killedVariable+"="+path)
	child.Stderr = os.Stderr
	_, err := child.StdinPipe()
	require.NoError(t, err)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			return child, url
		}
	}
	child.Process.Kill()
	require.NoError(t, child.Wait())
	require.Fail(t, "the process did not serve")
	return nil, ""
}

// TestKilled kills a sandbox in the midst of its work (kill -9) and looks for everything that it had acknowledged.
func TestKilled(t *testing.T) {
	path := t.TempDir()
	s, end := kept(t, path) // makes the keys, with which the requests are signed
	end()
	var mu sync.Mutex
	created, paid, asked := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for round := range 3 {
		child, url := serveToBeKilled(t, path)
		enough := make(chan struct{}) // closed when there is enough to lose
		acknowledged := 0
		note := func(in map[string]bool, number string) {
			mu.Lock()
			defer mu.Unlock()
			in[number] = true
			if acknowledged++; acknowledged == 60 {
				close(enough)
			}
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
		var load sync.WaitGroup
		for worker := range 4 {
			load.Go(func() {
				for i := 0; ; i++ {
					number := fmt.Sprintf("ORDER-%d-%d-%d", round, worker, i)
					mu.Lock()
					asked[number] = true
					mu.Unlock()
					c := newCall(s, time.Now(), "POST", "/v3/pay/transactions/native", with(native(s), "out_trade_no", number)).sign(s)
					request, err := http.NewRequest(c.method, url+c.target, bytes.NewReader(c.body))
					if err != nil {
						return
					}
					request.Header = c.header
					if !answered(client, request) {
						return // killed
					}
					note(created, number)
					body, _ := json.Marshal(map[string]string{"out_trade_no": number})
					request, err = http.NewRequest("POST", url+sandbox.ControlPath+"pay", bytes.NewReader(body))
					if err != nil {
						return
					}
					request.Header.Set("Content-Type", "application/json")
					if !answered(client, request) {
						return
					}
					note(paid, number)
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(time.Minute):
			assert.Fail(t, "too little was acknowledged")
		}
		require.NoError(t, child.Process.Kill())
		child.Wait()
		load.Wait()

		restarted, end := kept(t, path)
		orders, payments := make(map[string]int), make(map[string]int)
		for _, e := range restarted.Ledger.Effects() {
			require.True(t, asked[e.Number], "%s was never asked for", e.Number)
			switch e.Kind {
			case sandbox.OrderEffect:
				orders[e.Number]++
				assert.Equal(t, map[bool]string{true: "SUCCESS", false: "NOTPAY"}[paid[e.Number] || e.State == "SUCCESS"], e.State, e.Number)
			case sandbox.PaymentEffect:
				payments[e.Number]++
			}
		}
		for number := range created {
			assert.Equal(t, 1, orders[number], "%s was acknowledged", number)
		}
		for number := range paid {
			assert.Equal(t, 1, payments[number], "the payment of %s was acknowledged", number)
		}
		for number, times := range orders {
			assert.Equal(t, 1, times, number)
		}
		for number, times := range payments {
			assert.Equal(t, 1, times, number)
			assert.Equal(t, 1, orders[number], "%s cannot be paid without having been made", number)
		}
		assert.LessOrEqual(t, len(orders), len(created)+4*(round+1), "besides what was under way nothing else is there")
		assert.Len(t, restarted.Deliveries.All(), len(payments), "each payment is there with its notification")
		end()
	}
}

// answered reports whether a request was answered 200, whole.
func answered(client *http.Client, request *http.Request) bool {
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == 200
}
