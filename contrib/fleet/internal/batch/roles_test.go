package batch_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// roles are those of deploy/nats/wxpay.conf.
var roles = []string{"reader", "submitter", "worker", "operator", "keeper"}

// natsServer runs a server with the configuration that is handed out, and returns its address and the seed of each role.
func natsServer(t *testing.T) (address string, seeds map[string]string, log *violations) {
	t.Helper()
	seeds = make(map[string]string)
	for _, role := range roles {
		pair, err := nkeys.CreateUser()
		require.NoError(t, err)
		seed, err := pair.Seed()
		require.NoError(t, err)
		public, err := pair.PublicKey()
		require.NoError(t, err)
		t.Setenv("WXPAY_NATS_"+strings.ToUpper(role), public)
		seeds[role] = string(seed)
	}
	t.Setenv("WXPAY_NATS_STORE", filepath.ToSlash(t.TempDir()))
	o, err := server.ProcessConfigFile("../../../../deploy/nats/wxpay.conf")
	require.NoError(t, err)
	o.Port, o.NoSigs = server.RANDOM_PORT, true
	s, err := server.NewServer(o)
	require.NoError(t, err)
	log = new(violations)
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	require.True(t, s.ReadyForConnections(30*time.Second))
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s.ClientURL(), seeds, log
}

// violations is a server's log, of which it keeps what users were not permitted.
type violations struct {
	mu   sync.Mutex
	list []string
}

func (v *violations) Errorf(format string, a ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if text := fmt.Sprintf(format, a...); strings.Contains(text, "Violation") {
		v.list = append(v.list, text)
	}
}

func (v *violations) all() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.list)
}

func (*violations) Noticef(string, ...any) {}
func (*violations) Warnf(string, ...any)   {}
func (*violations) Fatalf(string, ...any)  {}
func (*violations) Debugf(string, ...any)  {}
func (*violations) Tracef(string, ...any)  {}

// Each role of the configuration that is handed out can do its work, and no more.
func TestRoles(t *testing.T) {
	address, seeds, log := natsServer(t)
	gateway := listen(t)
	require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	key := "WXPAY_BATCH_KEY=" + strings.Repeat("ab", 32)
	as := make(map[string]*shell)
	for _, role := range roles {
		as[role] = newShell(t, key, "WXPAY_BATCH_NATS="+address, "WXPAY_BATCH_NKEY="+seeds[role])
	}
	for _, role := range []string{"submitter", "worker"} {
		as[role].env = append(as[role].env, gateway.Env()...)
	}
	file := as["submitter"].file("feeds.ndjson", feedLines(20))
	steps := []struct {
		role string
		code int
		args []string
	}{
		{"submitter", 0, []string{"submit", file, feedsPath}},
		{"submitter", 0, []string{"submit", file, feedsPath}},
		{"reader", 0, []string{"status"}},
		{"reader", 4, []string{"results"}},
		{"worker", 3, []string{"work", "--until-idle", "--rate", "100", "--workers", "1", "--on-unknown", "hold"}},
		{"worker", 0, []string{"status"}}, // what --listen asks
		{"operator", 3, []string{"results"}},
		{"operator", 0, []string{"pause"}},
		{"operator", 0, []string{"status"}},
		{"operator", 0, []string{"retry"}},
		{"operator", 0, []string{"resume"}},
		{"worker", 3, []string{"work", "--until-idle", "--rate", "100", "--workers", "1"}},
		{"operator", 0, []string{"settle", "F00000", "succeeded"}},
		{"submitter", 0, []string{"submit", as["submitter"].file("lanes.csv", lanes), pointsPath, "--order-by", "user_card_code", "--number", "out_request_no", "--map", "point_balance=point_balance:integer"}},
		{"reader", 0, []string{"status"}},
		{"operator", 0, []string{"cancel"}},
		{"submitter", 0, []string{"submit", as["submitter"].file("mended.csv", strings.ReplaceAll(lanes, "0\n", "1\n")), pointsPath, "--order-by", "user_card_code", "--number", "out_request_no", "--map", "point_balance=point_balance:integer"}},
		{"worker", 0, []string{"work", "--until-idle"}},
		{"operator", 0, []string{"drain"}},
		{"operator", 0, []string{"resume", "--in-doubt"}},
		{"reader", 0, []string{"results"}},
	}
	for _, step := range steps {
		code, stdout, stderr := as[step.role].run(step.args...)
		require.Equal(t, step.code, code, "%s %v: %s%s", step.role, step.args, stdout, stderr)
		require.Empty(t, log.all(), "%s %v", step.role, step.args)
	}
	_, stdout, _ := as["reader"].run("status", "--json")
	var status struct{ Runs []fleet.Run }
	require.NoError(t, json.Unmarshal([]byte(stdout), &status))
	require.NotEmpty(t, status.Runs)
	for _, s := range as {
		s.env = append(s.env, "WXPAY_BATCH_KEY="+strings.Repeat("cd", 32)+"\n"+strings.Repeat("ab", 32))
	}
	for _, args := range [][]string{
		{"purge", "--older-than", "1d"}, {"reseal"}, {"purge", "--yes", "--run", status.Runs[0].ID}, {"purge", "--yes", "--run", status.Runs[len(status.Runs)-1].ID},
	} {
		code, stdout, stderr := as["keeper"].run(args...)
		require.Zero(t, code, "%v: %s%s", args, stdout, stderr)
		require.Empty(t, log.all(), "%v", args)
	}
	stranger, err := nkeys.CreateUser()
	require.NoError(t, err)
	seed, err := stranger.Seed()
	require.NoError(t, err)
	code, _, stderr := newShell(t, key, "WXPAY_BATCH_NATS="+address).run("status", "--nkey", as["reader"].file("seed", string(seed)))
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "the server does not permit that: nats: Authorization Violation: compare --creds, --nkey or --nats-cert")
	assert.NotContains(t, stderr, string(seed))
	for _, c := range []struct {
		role string
		args []string
	}{
		{"reader", []string{"pause"}},
		{"reader", []string{"drain"}},
		{"reader", []string{"resume"}},
		{"submitter", []string{"work"}},
		{"submitter", []string{"pause"}},
		{"worker", []string{"resume"}},
		{"operator", []string{"purge", "--yes", "--run", status.Runs[1].ID}},
		{"keeper", []string{"drain"}},
	} {
		t.Run(c.role+" "+c.args[0], func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := as[c.role].run(c.args...)
			assert.Equal(t, 4, code, stdout)
			assert.Contains(t, stderr, "the server does not permit that: ")
		})
	}
	for role, subjects := range map[string][]string{
		"reader":    {"wxpay.job.one.x", "wxpay.record.x", "$KV.wxpay-control.pause", "$JS.API.CONSUMER.MSG.NEXT.wxpay-jobs.workers", "$JS.API.CONSUMER.DELETE.wxpay-jobs.workers"},
		"submitter": {"$KV.wxpay-control.pause", "$KV.wxpay-limits.x", "wxpay.dead.x", "$JS.API.CONSUMER.MSG.NEXT.wxpay-jobs.workers"},
		"worker":    {"wxpay.job.one.x", "wxpay.lane.x.y", "$KV.wxpay-control.resumed", "$KV.wxpay-control.settings", "$JS.API.STREAM.CREATE.x"},
		"keeper":    {"wxpay.job.one.x", "wxpay.lane.x.y", "$KV.wxpay-limits.x", "$KV.wxpay-control.closed", "$JS.API.CONSUMER.MSG.NEXT.wxpay-jobs.workers", "$JS.API.STREAM.CREATE.x"},
		"operator":  {"wxpay.lane.x.y", "$JS.API.STREAM.MSG.DELETE.wxpay-records", "$KV.wxpay-control.settings", "$KV.wxpay-limits.x", "$JS.API.CONSUMER.MSG.NEXT.wxpay-jobs.workers", "$JS.API.STREAM.CREATE.x"},
	} {
		denied := make(chan string, 1)
		seed, err := nkeys.FromSeed([]byte(seeds[role]))
		require.NoError(t, err)
		public, err := seed.PublicKey()
		require.NoError(t, err)
		conn, err := nats.Connect(address, nats.Nkey(public, seed.Sign), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err.Error() }))
		require.NoError(t, err)
		defer conn.Close()
		for _, subject := range append(subjects, "$JS.API.STREAM.DELETE.wxpay-records", "$JS.API.STREAM.PURGE.wxpay-records", "$JS.API.STREAM.DELETE.KV_wxpay-limits",
			"$JS.API.STREAM.RESTORE.wxpay-records", "$JS.API.CONSUMER.CREATE.wxpay-jobs.mine", "elsewhere") {
			require.NoError(t, conn.Publish(subject, nil))
			select {
			case text := <-denied:
				assert.Contains(t, text, `"`+subject+`"`, role)
			case <-time.After(30 * time.Second):
				assert.Fail(t, "permitted", "%s %s", role, subject)
			}
		}
	}
}

const pointsPath = "v3/brand/partner/card-member/user-points/sync"

// lanes are jobs with an order.
const lanes = `out_request_no,brand_id,card_id,openid,user_card_code,point_balance
P1,1,c,o,7,10
P2,1,c,o,7,20
P3,1,c,o,8,30
`
