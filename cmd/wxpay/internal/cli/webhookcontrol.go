package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox"
)

// sandboxVariable names the variable with the address at which a running sandbox is told what to send.
const sandboxVariable = "WXPAY_SANDBOX_URL"

// servedSandbox is a sandbox that is served, with its control.
type servedSandbox struct {
	p       *program
	server  *sandbox.Server
	control *control
	live    bool // refusals are told when they happen
}

// serveSandbox serves a sandbox on addr. Its notifications go to forward, or over the network if that is nil.
func (p *program) serveSandbox(addr string, forward *forwarder, options ...sandbox.Option) (*servedSandbox, error) {
	server, err := listen(addr, options...)
	if err != nil {
		return nil, err
	}
	c, err := serveControl(server.Sandbox, forward)
	if err != nil {
		server.Close()
		return nil, &exitError{exitNotSent, err}
	}
	if forward != nil {
		server.DeliverTo(forward)
	}
	return &servedSandbox{p: p, server: server, control: c}, nil
}

// env returns the variables that connect a client, and the commands webhook trigger and resend.
func (s *servedSandbox) env() []string {
	return append(s.server.Env(), sandboxVariable+"="+s.control.url)
}

// close ends everything, and tells what was refused.
func (s *servedSandbox) close() {
	s.control.server.Close()
	s.server.Sandbox.Close()
	s.server.Close()
	if !s.live {
		s.p.noteRefusals(s.server.Sandbox)
	}
}

// control takes orders for the notifications of a sandbox, on a loopback port of its own, below a path that nobody can
// guess: a page in a browser can reach any port of this machine. What is posted elsewhere on that port is forwarded.
type control struct {
	sandbox *sandbox.Sandbox
	forward *forwarder // nil if nothing is forwarded
	server  *http.Server
	address string // http://127.0.0.1:PORT
	url     string // the same, with the secret path
}

func serveControl(s *sandbox.Sandbox, forward *forwarder) (*control, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &control{sandbox: s, forward: forward, address: "http://" + listener.Addr().String()}
	secret := "/" + rand.Text()
	c.url = c.address + secret
	orders := http.NewServeMux()
	orders.HandleFunc("POST "+secret+"/trigger", c.trigger)
	orders.HandleFunc("POST "+secret+"/resend", c.resend)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if forward == nil || strings.HasPrefix(r.URL.Path, secret+"/") {
			orders.ServeHTTP(w, r)
			return
		}
		forward.outside(w, r)
	})
	c.server = &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10}
	go c.server.Serve(listener) // ends with Close
	return c, nil
}

// order is what webhook trigger asks for.
type order struct {
	Event  string              `json:"event"`            // may have /original_type
	To     string              `json:"to,omitempty"`     // empty: where everything is forwarded to
	Data   string              `json:"data,omitempty"`   // the whole resource; empty: a sample
	Set    []assignment        `json:"set,omitempty"`    // changes of the sample
	Faults []sandbox.FaultKind `json:"faults,omitempty"` // of the first attempt
	DryRun bool                `json:"dry_run,omitempty"`
}

// assignment changes one member of a sample.
type assignment struct {
	Path  string `json:"path"`
	Value string `json:"value"`
}

// delivered is what became of it.
type delivered struct {
	ID     string        `json:"id"`
	Event  string        `json:"event"`
	To     string        `json:"to"`
	Status int           `json:"status"` // 0 if there was no answer
	Answer string        `json:"answer,omitempty"`
	Error  string        `json:"error,omitempty"` // why there was none
	Took   time.Duration `json:"took"`
	Next   time.Duration `json:"next,omitempty"` // until the next attempt; 0 if none is to come

	Request string `json:"request,omitempty"` // of a dry run, which has nothing else
}

// complaint is the answer to an order that cannot be carried out.
type complaint struct {
	Message string `json:"message"`
}

func complain(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(complaint{strings.TrimPrefix(err.Error(), "sandbox: ")})
}

// readOrder reads what is asked for. If it cannot be read, it has been answered.
func readOrder[T any](w http.ResponseWriter, r *http.Request) (o T, ok bool) {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, largestNotification)).Decode(&o); err != nil {
		complain(w, errors.New("the order is not in the form of this version of wxpay, or too large"))
		return o, false
	}
	return o, true
}

func (c *control) trigger(w http.ResponseWriter, r *http.Request) {
	o, ok := readOrder[order](w, r)
	if !ok {
		return
	}
	to, err := c.destination(o.To)
	if err != nil {
		complain(w, err)
		return
	}
	resource, err := c.resource(o)
	if err != nil {
		complain(w, err)
		return
	}
	if o.DryRun {
		c.build(w, to, o, resource)
		return
	}
	id, err := c.sandbox.Deliver(to, o.Event, resource, o.Faults...)
	if err != nil {
		complain(w, err)
		return
	}
	c.await(w, r, id, 1)
}

// destination returns where a notification is sent to.
func (c *control) destination(to string) (string, error) {
	switch {
	case to == "" && c.forward == nil:
		return "", errors.New("this sandbox forwards nothing: give the address with --to, or serve it with wxpay webhook listen --forward-to")
	case to == "":
		return c.forward.to.String(), nil
	}
	u, err := forwardURL(to)
	if err != nil {
		return "", fmt.Errorf("--to: %w", err)
	}
	if c.forward != nil {
		c.forward.permit(u)
	}
	return u.String(), nil
}

// freshen gives a sample numbers of the platform of its own: a receiver takes two notifications with the same number and state
// for one.
func freshen(sample map[string]any) {
	for _, member := range []string{"transaction_id", "refund_id", "transfer_bill_no", "batch_id"} {
		if number, ok := sample[member].(string); ok && len(number) > 12 {
			sample[member] = fmt.Sprintf("%s%012d", number[:len(number)-12], mathrand.N(int64(1e12)))
		}
	}
}

// resource returns what is encrypted.
func (c *control) resource(o order) (any, error) {
	if o.Data != "" {
		return json.RawMessage(o.Data), nil
	}
	sample, err := c.sandbox.Sample(o.Event)
	if err != nil {
		return nil, err
	}
	freshen(sample)
	for _, a := range o.Set {
		if err := assign(sample, a); err != nil {
			return nil, fmt.Errorf("--set %s: %w", oneLine(a.Path), err)
		}
	}
	return sample, nil
}

// build answers with the request as it would be sent.
func (c *control) build(w http.ResponseWriter, to string, o order, resource any) {
	request, err := c.sandbox.Notify(o.Event, resource, o.Faults...)
	if err != nil {
		complain(w, err)
		return
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		complain(w, err)
		return
	}
	u, err := forwardURL(to)
	if err != nil {
		complain(w, err)
		return
	}
	header := request.Header
	header.Set("Content-Length", strconv.Itoa(len(body)))
	var text strings.Builder
	fmt.Fprintf(&text, "POST %s HTTP/1.1\r\nHost: %s\r\n", u.RequestURI(), u.Host)
	_ = header.Write(&text) // a strings.Builder takes everything
	text.WriteString("\r\n")
	text.Write(body)
	answerJSON(w, delivered{Request: text.String()})
}

func (c *control) resend(w http.ResponseWriter, r *http.Request) {
	id, ok := readOrder[string](w, r)
	if !ok {
		return
	}
	before, err := c.sandbox.Await(r.Context(), id, 0)
	if err == nil {
		err = c.sandbox.Redeliver(id)
	}
	if err != nil {
		complain(w, err)
		return
	}
	c.await(w, r, id, len(before.Attempts)+1)
}

// await answers with the attempt of that number, counted from 1.
func (c *control) await(w http.ResponseWriter, r *http.Request, id string, number int) {
	d, err := c.sandbox.Await(r.Context(), id, number)
	if err == nil && len(d.Attempts) < number {
		err = errors.New("it was not attempted")
	}
	if err != nil {
		complain(w, err)
		return
	}
	a := d.Attempts[number-1]
	out := delivered{ID: d.ID, Event: d.Event, To: d.URL, Status: a.Status, Answer: string(a.Answer), Error: a.Error, Took: a.Took}
	if d.State == sandbox.Waiting {
		out.Next = max(time.Until(d.Next), time.Millisecond)
	}
	answerJSON(w, out)
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who asked may be gone
}

// askSandbox sends an order to the sandbox that the environment names.
func (p *program) askSandbox(ctx context.Context, path string, body any) (*delivered, error) {
	address, _ := p.lookup(sandboxVariable)
	if address == "" {
		return nil, usageError("%s is not set: wxpay webhook listen, or wxpay sandbox, serves a sandbox and prints it", sandboxVariable)
	}
	u, err := forwardURL(address)
	if err != nil {
		return nil, usageError("%s: %w", sandboxVariable, errors.New("it is not what wxpay webhook listen has printed"))
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, usageError("%w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.JoinPath(path).String(), strings.NewReader(string(data)))
	if err != nil {
		return nil, usageError("%w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	client := &http.Client{Timeout: controlTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return nil, unreached(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 4*largestNotification))
	if err != nil {
		return nil, unreached(err)
	}
	var trouble complaint
	var out delivered
	switch {
	case response.StatusCode == http.StatusOK && json.Unmarshal(answer, &out) == nil:
		return &out, nil
	case response.StatusCode == http.StatusBadRequest && json.Unmarshal(answer, &trouble) == nil && trouble.Message != "":
		return nil, usageError("%s", printable(trouble.Message))
	}
	return nil, usageError("what listens at %s is not the sandbox that printed it: it answered %d", sandboxVariable, response.StatusCode)
}

// controlTimeout bounds waiting for the first attempt, which the platform bounds at 5 s.
const controlTimeout = 15 * time.Second

// unreached is the error for a sandbox that does not answer. A connection that was never made has sent nothing.
func unreached(err error) error {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return &exitError{exitNotSent, fmt.Errorf("no sandbox listens at %s: has it ended?", sandboxVariable)}
	}
	return &exitError{exitUnknown, fmt.Errorf("the sandbox did not answer, so the notification may have been sent: %w", err)}
}
