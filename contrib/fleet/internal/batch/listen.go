package batch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// listenOptions say where the process tells of itself.
type listenOptions struct {
	listen string
	pprof  bool
}

const listenHelp = `--listen serves /metrics (in the text format of Prometheus), /healthz (the process runs) and /readyz (the queue answers) to
everybody who reaches the address.`

func (o *listenOptions) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.listen, "listen", "", "serve metrics and health at `[HOST]:PORT`; without HOST on this machine alone")
	flags.BoolVar(&o.pprof, "pprof", false, "serve /debug/pprof/ there, too")
}

// window is what others see of the process while it runs.
type window struct {
	stopping context.Context             // ends when no more jobs are begun
	queue    atomic.Pointer[fleet.Queue] // nil until it is open

	asking sync.Mutex // one question to the engine at a time
	cached glance

	unsettled     fleet.Unsettled
	unsettledAt   time.Time // zero for never
	unsettledNext time.Time // not to be asked again before
}

// glance is a look at the queue.
type glance struct {
	status fleet.Status
	err    error
	at     time.Time
	took   time.Duration
}

// A glance is good for glanceAge, and given up after glanceWait.
const (
	glanceAge  = time.Second
	glanceWait = 5 * time.Second
)

// window begins to serve, and returns how to end that. Without --listen it does nothing.
func (p *program) window(ctx context.Context, o listenOptions) (*window, func(), error) {
	if o.listen == "" {
		if o.pprof {
			return nil, nil, usageError("--pprof belongs to --listen")
		}
		return new(window), func() {}, nil
	}
	host, port, err := net.SplitHostPort(o.listen)
	if err != nil {
		return nil, nil, usageError("--listen takes [HOST]:PORT, such as :9090, not %q", o.listen)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, nil, usageError("--listen: %w", err)
	}
	w := &window{stopping: ctx}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, "ok") })
	mux.HandleFunc("GET /readyz", w.ready)
	p.meter.registry.MustRegister(w)
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.meter.registry, promhttp.HandlerOpts{}))
	if o.pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // it ends with Close
	}()
	p.note("Listening on %s.", listener.Addr())
	return w, func() {
		_ = server.Close()
		<-served
	}, nil
}

// look asks how the queue stands, unless somebody has just asked. It reports whether there is one.
func (w *window) look(ctx context.Context) (glance, bool) {
	queue := w.queue.Load()
	if queue == nil {
		return glance{}, false
	}
	w.asking.Lock()
	defer w.asking.Unlock()
	if time.Since(w.cached.at) > glanceAge {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), glanceWait)
		defer cancel()
		begin := time.Now()
		status, err := queue.Status(ctx)
		w.cached = glance{status, err, time.Now(), time.Since(begin)}
	}
	return w.cached, true
}

// settle asks what is of unknown outcome, at most once in unsettledAge: it costs more than a glance. It reports whether that is
// known, and not much older.
func (w *window) settle(ctx context.Context) (fleet.Unsettled, bool) {
	w.asking.Lock()
	defer w.asking.Unlock()
	if queue := w.queue.Load(); time.Now().After(w.unsettledNext) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), glanceWait)
		defer cancel()
		if u, err := queue.Unsettled(ctx); err == nil {
			w.unsettled, w.unsettledAt = u, time.Now()
		}
		w.unsettledNext = time.Now().Add(unsettledAge)
	}
	return w.unsettled, time.Since(w.unsettledAt) < 3*unsettledAge
}

// unsettledAge is how old figures of what is of unknown outcome may be.
const unsettledAge = 30 * time.Second

func (w *window) ready(rw http.ResponseWriter, r *http.Request) {
	g, open := w.look(r.Context())
	switch {
	case w.stopping.Err() != nil:
		http.Error(rw, "it is stopping", http.StatusServiceUnavailable)
	case !open:
		http.Error(rw, "the queue is not open", http.StatusServiceUnavailable)
	case g.err != nil:
		http.Error(rw, inFlags(g.err.Error()), http.StatusServiceUnavailable)
	case g.status.Pause != nil:
		fmt.Fprintln(rw, "ok, paused") // a new process would be as well
	default:
		fmt.Fprintln(rw, "ok")
	}
}

// Describe says nothing of how the queue stands: much of it is absent while the queue does not answer.
func (w *window) Describe(chan<- *prometheus.Desc) {}

// Collect tells how the queue stands. Every process of a queue tells the same.
func (w *window) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(name, help string, value float64) {
		metrics <- prometheus.MustNewConstMetric(prometheus.NewDesc("wxpay_batch_"+name, help, nil, nil), prometheus.GaugeValue, value)
	}
	ctx := context.Background()
	g, open := w.look(ctx)
	up := 0.0
	if open && g.err == nil {
		up = 1
		g.tell(gauge)
		if u, known := w.settle(ctx); known {
			gauge("unknown_jobs", "Jobs of unknown outcome, half a minute ago at most. Absent while that cannot be counted within five seconds.", float64(u.Unknown))
			gauge("blocked_orders", "Orders of which jobs stand behind one of unknown outcome, or would.", float64(len(u.Blocked)))
		}
	}
	gauge("queue_up", "Whether the queue is open and answers. Without that there are no other figures of it.", up)
}

// tell tells what the look has found.
func (g *glance) tell(gauge func(name, help string, value float64)) {
	s := &g.status
	truth := map[bool]float64{true: 1}
	gauge("queue_response_seconds", "How long the engine took for the answer to half a dozen questions.", g.took.Seconds())
	gauge("queued_jobs", "Jobs that wait or run.", float64(s.Queued))
	gauge("running_jobs", "Jobs, or orders with jobs, in hand or waiting for their next step.", float64(s.Running))
	gauge("known_jobs", "Jobs with a record.", float64(s.Known))
	gauge("dead_jobs", "Jobs that were refused, or are of unknown outcome without an order.", float64(s.Dead))
	age := 0.0
	if !s.Oldest.IsZero() {
		age = max(0, g.at.Sub(s.Oldest).Seconds())
	}
	gauge("oldest_job_age_seconds", "Time since the oldest job was queued that waits or runs, 0 for none.", age)
	aside := 0
	for _, m := range s.Workers {
		if m.Aside != nil {
			aside++
		}
	}
	gauge("workers", "Workers of the queue.", float64(len(s.Workers)))
	gauge("workers_aside", "Workers that have stepped aside because of trouble of their own.", float64(aside))
	gauge("paused", "Whether the queue is paused.", truth[s.Pause != nil])
	gauge("closed", "Whether the queue takes no new jobs.", truth[s.Closed])
	gauge("in_doubt", "Whether records were lost, so that new numbers count as sent.", truth[!s.InDoubt.IsZero()])
}
