package batch

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/internal/atomicfile"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
)

// storeOptions say where the queue is.
type storeOptions struct {
	data, nats, key, queue string
	accessOptions
	wait     time.Duration
	existing bool // a queue that is not there is not made, but for one that is not kept
	hidden   bool // nats is no argument
	attach   bool // to a process that has the directory open

	*clientOptions // nil for the commands that need no client
}

// clientOptions are those of the commands that check jobs or carry them out.
type clientOptions struct {
	moved    bool
	inFlight int
	sandbox  bool
	rate     int
}

// queueName is what fleet.QueueConfig.Name takes.
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

const storeHelp = `The queue is in the directory --data, in which one process at a time works: "status", "results", "pause", "resume", "cancel",
"retry", "settle", "drain", "purge", "reseal" and "submit" reach it while it does. Or it is on a server or cluster, with --nats, for any number of processes. Bodies and
numbers are sealed before they are stored, under the first of the keys in --key or in WXPAY_BATCH_KEY: 32 bytes in hex or base64, one
a line (openssl rand -hex 32). Without either a key is made in the directory, which keeps the data from nobody who can read the
directory; with --nats a key has to be given, the same everywhere. WXPAY_BATCH_NATS stands for --nats where neither it nor --data is
given.`

const clientHelp = `Credentials come from the environment, as for wxpay: WXPAY_MCHID, WXPAY_SERIAL, WXPAY_PRIVATE_KEY, WXPAY_PUBLIC_KEY_ID,
WXPAY_PUBLIC_KEY, and if need be WXPAY_APIV3_KEY and WXPAY_BASE_URL. The commands that neither submit nor work need none of them. A
queue belongs to the platform behind the base URL: rehearse against a sandbox in another directory, or another queue.`

// defaultData is the directory of the queue.
const defaultData = ".wxpay-batch"

func (o *storeOptions) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.data, "data", "", "the `DIR` of the queue (default "+defaultData+")")
	flags.StringVar(&o.nats, "nats", "", "a NATS server or cluster instead: `URL`, several divided by commas")
	o.accessOptions.flags(flags)
	flags.DurationVar(&o.wait, "nats-wait", 0, "how long to wait for a server that cannot be reached yet")
	flags.StringVar(&o.key, "key", "", "the `FILE` with the keys that seal what is stored")
	flags.StringVar(&o.queue, "queue", "wxpay", "the `NAME` of the queue")
	if o.clientOptions == nil {
		return
	}
	flags.IntVar(&o.inFlight, "in-flight", 0, "how many jobs may be in hand or wait for their next step at once, taken when the queue is made (default 100000)")
	flags.BoolVar(&o.moved, "moved", false, "the queue goes on at another WXPAY_BASE_URL, which leads to the same platform")
	flags.BoolVar(&o.sandbox, "sandbox", false, "call an embedded sandbox, which needs no credentials; without --data or --nats nothing is kept")
}

// rateFlag is for the commands that send.
func (o *clientOptions) rateFlag(flags *pflag.FlagSet) {
	flags.IntVar(&o.rate, "rate", 0, "calls a second to each operation, over all workers (default: the documented rates)")
}

// check finds what is wrong with the options before anything is made or asked.
func (o *storeOptions) check() error {
	switch {
	case o.nats != "" && o.data != "":
		return usageError("--data and --nats exclude each other")
	case strings.Contains(o.nats, "@") && !o.hidden:
		return usageError("--nats: a password in an argument can be seen by everybody on this machine: put the address into WXPAY_BATCH_NATS, or use --creds or --nkey")
	case o.nats == "" && o.accessOptions != (accessOptions{}):
		return usageError("--creds, --nkey, --nats-ca, --nats-cert and --nats-key belong to --nats")
	case o.clientOptions != nil && o.rate < 0:
		return usageError("--rate must not be negative")
	case o.clientOptions != nil && o.inFlight < 0:
		return usageError("--in-flight must not be negative")
	case !queueName.MatchString(o.queue):
		return usageError("--queue takes letters, digits, - and _, at most 32")
	}
	return nil
}

// store is an open queue, and all that it needs.
type store struct {
	engine *fleet.Engine
	queue  *fleet.Queue
	alone  bool // nobody else can have the queue open
	leave  []func()
}

func (s *store) close() {
	for i := len(s.leave) - 1; i >= 0; i-- {
		s.leave[i]()
	}
}

// locate completes the place of the queue by the environment.
func (p *program) locate(o *storeOptions) {
	if o.nats == "" && o.data == "" {
		o.nats, o.hidden = p.lookup("WXPAY_BATCH_NATS") // where a password in it is no argument that everybody can see
	}
}

// open opens the queue. The error tells what to do.
func (p *program) open(ctx context.Context, o storeOptions) (s *store, err error) {
	s = new(store)
	defer func() {
		if err != nil {
			s.close()
			s = nil
		}
	}()
	p.locate(&o)
	if err := o.check(); err != nil {
		return s, err
	}
	sandboxed := o.clientOptions != nil && o.sandbox
	if o.clientOptions != nil && !sandboxed { // before anything is made
		if _, err := p.client(*o.clientOptions, nil); err != nil {
			return s, err
		}
	}
	keys, err := p.givenKeys(o)
	if err != nil {
		return s, err
	}
	var access []fleet.ConnectOption
	if o.nats != "" {
		if access, err = p.access(o.accessOptions); err != nil {
			return s, err
		}
	}
	dir, found := cmp.Or(o.data, defaultData), true
	switch {
	case o.nats != "":
		s.engine, err = p.connect(ctx, o, access)
	case o.data == "" && sandboxed:
		if dir, err = os.MkdirTemp("", "wxpay-batch-"); err != nil {
			return s, &exitError{exitNotSent, err}
		}
		s.leave = append(s.leave, func() { os.RemoveAll(dir) })
		o.existing, found, s.alone = false, false, true
		s.engine, err = fleet.Embedded(dir)
	default:
		if _, missing := os.Stat(filepath.Join(dir, "jetstream")); missing != nil {
			if found = false; o.existing {
				return s, usageError("there is no queue in %s: --data names the directory of one", dir)
			}
		}
		if _, set := p.lookup("GOGC"); !set {
			debug.SetGCPercent(gcPercent)
		}
		err = s.openDir(ctx, o, dir)
	}
	if errors.Is(err, fleet.ErrAddress) {
		return s, usageError("%s: %w", o.from(), err)
	}
	if errors.Is(err, fleet.ErrDenied) {
		return s, usageError("%w: compare --creds, --nkey or --nats-cert with the server's users", err)
	}
	if errors.Is(err, fleet.ErrInUse) && !o.attach {
		err = fmt.Errorf(`%w. "status", "results", "pause", "resume", "cancel" and "submit" reach it meanwhile`, err)
	}
	if err != nil {
		return s, &exitError{exitNotSent, err}
	}
	s.leave = append(s.leave, func() {
		debug.FreeOSMemory() // an engine that ends writes down its index, of which it makes a copy in memory
		s.engine.Close()
	})
	if keys == nil {
		if keys, err = p.keysIn(dir, found || !s.alone, sandboxed); err != nil {
			return s, err
		}
	}
	config := fleet.QueueConfig{Name: o.queue, Existing: o.existing, Keys: keys}
	if o.clientOptions != nil {
		if err := p.addClient(ctx, s.engine, *o.clientOptions, &config); err != nil {
			return s, err
		}
	}
	s.queue, err = fleet.OpenQueue(ctx, s.engine, config)
	if errors.Is(err, fleet.ErrSettings) {
		return s, usageError("%w", err)
	}
	if errors.Is(err, fleet.ErrNoQueue) {
		return s, usageError("%w: --queue names one to which jobs were submitted", err)
	}
	if err == nil && config.InFlight != 0 && s.queue.InFlight() != config.InFlight {
		p.note("The queue was made with %d jobs in flight, and keeps that.", s.queue.InFlight())
	}
	return s, err
}

// addClient completes the configuration of a queue with who calls.
func (p *program) addClient(ctx context.Context, engine *fleet.Engine, o clientOptions, config *fleet.QueueConfig) error {
	var rules []middleware.Rule
	if o.rate > 0 {
		rules = append(rules, middleware.Rule{PerSecond: o.rate})
	}
	limiter, err := fleet.NewLimiter(ctx, engine, fleet.WithRules(rules...))
	if err != nil {
		return err
	}
	config.InFlight, config.Moved = o.inFlight, o.moved
	config.Client, err = p.client(o, fleet.Marking(timed{limiter, p.meter}))
	return err
}

// openDir opens the engine in a directory, or attaches to the process that has it open.
func (s *store) openDir(ctx context.Context, o storeOptions, dir string) (err error) {
	var options []fleet.EmbeddedOption
	if o.clientOptions != nil { // else it is open for a moment only
		options = append(options, fleet.WithAttach())
	}
	s.alone = true
	for until := time.Now().Add(attachWait); ; {
		s.engine, err = fleet.Embedded(dir, options...)
		if !o.attach || !errors.Is(err, fleet.ErrInUse) {
			return err
		}
		engine, failed := fleet.Attach(ctx, dir)
		switch {
		case failed == nil:
			s.engine, s.alone = engine, false
			return nil
		case !errors.Is(failed, fleet.ErrNotAttachable):
			return failed
		case !time.Now().Before(until) || !sleep(ctx):
			return err
		}
	}
}

// gcPercent bounds the garbage beside what an engine in this process keeps in memory, which is much: an index of all jobs.
const gcPercent = 25

// attachWait is how long a process that has just opened a directory may take until it can be attached to. One that is about to
// end may take as long until it lets go of it.
const attachWait = 3 * time.Second

// from is where the address of the server stands.
func (o *storeOptions) from() string {
	if o.hidden {
		return "WXPAY_BATCH_NATS"
	}
	return "--nats"
}

// connect connects to a server, and waits for one that cannot be reached yet.
func (p *program) connect(ctx context.Context, o storeOptions, access []fleet.ConnectOption) (*fleet.Engine, error) {
	told := false
	for until := time.Now().Add(o.wait); ; {
		engine, err := fleet.Connect(ctx, o.nats, access...)
		if !errors.Is(err, fleet.ErrUnreachable) || !time.Now().Before(until) {
			return engine, err
		}
		if !told {
			p.note("Waiting for a server, up to %v: %s", o.wait, inFlags(err.Error()))
			told = true
		}
		if !sleep(ctx) {
			return nil, context.Cause(ctx)
		}
	}
}

// limitWait bounds a call together with its wait for the limit.
const limitWait = 10 * time.Minute

// client makes the client of the jobs.
func (p *program) client(o clientOptions, limiter middleware.Limiter) (*wxpay.Client, error) {
	options := []wxpay.Option{
		wxpay.WithPreflight(wxpay.PreflightStrict, "unknown operation"), wxpay.WithTimeout(limitWait), // see sourceOptions.listed
		wxpay.WithLogger(slog.New(&warnings{p: p})), wxpay.WithObserver(p.unanswered()), wxpay.WithMiddleware(p.meter.follow),
	}
	if limiter != nil {
		options = append(options, wxpay.WithLimiter(limiter))
	}
	lookup := p.lookup
	if o.sandbox {
		s, err := sandbox.New(sandbox.WithLenientCards())
		if err != nil {
			return nil, &exitError{exitNotSent, err}
		}
		// The sandbox keeps the documented rate. A user who names another rate has permission for
		// it.
		if o.rate > 0 {
			if err := s.Rules.Relax(sandbox.Rates); err != nil {
				return nil, err
			}
		}
		lookup = s.LookupEnv
		options = append(options, wxpay.WithTransport(s.Transport()))
	}
	client, err := wxpay.FromLookupEnv(lookup, options...)
	if err != nil {
		return nil, usageError("%w\nWithout an account: --sandbox calls an embedded sandbox", err)
	}
	return client, nil
}

// parseKeys reads the operator's keys from a text that stands somewhere.
func parseKeys(text, where string) (*fleet.Keys, error) {
	keys, err := fleet.ParseKeys(text)
	if err != nil {
		return nil, usageError("%s: %w", where, err)
	}
	return keys, nil
}

// givenKeys are the operator's keys that stand outside the directory, nil if there are none.
func (p *program) givenKeys(o storeOptions) (*fleet.Keys, error) {
	if o.key != "" {
		text, err := os.ReadFile(o.key)
		if err != nil {
			return nil, usageError("--key: %w", err)
		}
		return parseKeys(string(text), o.key)
	}
	if text, _ := p.lookup("WXPAY_BATCH_KEY"); text != "" {
		return parseKeys(text, "WXPAY_BATCH_KEY")
	}
	if o.nats != "" {
		return nil, usageError("with --nats the keys that seal what is stored have to be given: --key FILE or WXPAY_BATCH_KEY (openssl rand -hex 32 makes one)")
	}
	return nil, nil
}

// keysIn reads the key that is in a directory, and makes one for a queue that is new.
func (p *program) keysIn(dir string, found, forgotten bool) (*fleet.Keys, error) {
	path := filepath.Join(dir, "key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && found {
		return nil, usageError("%s is missing, and the queue in %s was sealed with it, or with one that was given with --key or WXPAY_BATCH_KEY", path, dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, 32)
		rand.Read(key)
		text = []byte(hex.EncodeToString(key) + "\n")
		if err = atomicfile.Replace(path, text); err == nil && !forgotten {
			p.note("A key was made: %s. Without it the queue in %s cannot be read.", path, dir)
		}
	}
	if err != nil {
		return nil, &exitError{exitNotSent, fmt.Errorf("the key of the queue: %w", err)}
	}
	return parseKeys(strings.TrimSpace(string(text)), path)
}
