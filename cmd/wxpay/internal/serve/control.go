package serve

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

// control takes orders for the notifications of a sandbox, on a loopback port of its own, below a secret path: a page in
// a browser can reach any port of this machine. It forwards requests to other paths.
type control struct {
	sh      *shell.Shell
	sandbox *sandbox.Sandbox
	forward *Forwarder // nil if nothing is forwarded
	server  *http.Server
	address string // http://127.0.0.1:PORT
	url     string // the same, with the secret path
}

func startControl(sh *shell.Shell, s *sandbox.Sandbox, forward *Forwarder) (*control, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &control{sh: sh, sandbox: s, forward: forward, address: "http://" + listener.Addr().String()}
	secret := "/" + rand.Text()
	c.url = c.address + secret
	orders := http.NewServeMux()
	orders.HandleFunc("POST "+secret+"/trigger", c.trigger)
	orders.HandleFunc("POST "+secret+"/resend", c.resend)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason := foreign(r); reason != nil {
			http.Error(w, sh.ErrorText(reason), http.StatusForbidden)
			return
		}
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

// foreign tells why a request is not one of a program on this machine. A page in a browser can reach any port of the
// machine, under a name of its own.
func foreign(r *http.Request) error {
	for _, name := range []string{"Origin", "Referer", "Cookie"} {
		if r.Header.Get(name) != "" {
			return shell.Say("a request with the header %s comes from a browser, and none is taken from there", name)
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" {
		return shell.Say("the header Sec-Fetch-Site says that a page in a browser sends this, and none is taken from there")
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return shell.Say("the header Host names another machine; post to 127.0.0.1 or localhost")
	}
	return nil
}

// complain responds with a text in the language of the sandbox's shell.
func (c *control) complain(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(complaint{strings.TrimPrefix(c.sh.ErrorText(err), "sandbox: ")})
}

// readOrder reads an order. If that fails, it has written the response.
func readOrder[T any](c *control, w http.ResponseWriter, r *http.Request) (o T, ok bool) {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxNotification)).Decode(&o); err != nil {
		c.complain(w, shell.Say("the order is not in the form of this version of wxpay, or too large"))
		return o, false
	}
	return o, true
}

func (c *control) trigger(w http.ResponseWriter, r *http.Request) {
	o, ok := readOrder[Order](c, w, r)
	if !ok {
		return
	}
	to, err := c.destination(o.To)
	if err != nil {
		c.complain(w, err)
		return
	}
	resource, err := c.resource(o)
	if err != nil {
		c.complain(w, err)
		return
	}
	if o.DryRun {
		c.build(w, to, o, resource)
		return
	}
	id, err := c.sandbox.Deliveries.Deliver(to, o.Event, resource, o.Faults...)
	if err != nil {
		c.complain(w, err)
		return
	}
	c.await(w, r, id, 1)
}

// destination returns the address of a notification.
func (c *control) destination(to string) (string, error) {
	switch {
	case to == "" && c.forward == nil:
		return "", shell.Say("this sandbox forwards nothing: give the address with --to, or serve it with wxpay " +
			"webhook listen --forward-to")
	case to == "":
		return c.forward.to.String(), nil
	}
	u, err := ParseURL(to)
	if err != nil {
		return "", shell.Say("--to: %w", err)
	}
	if c.forward != nil {
		c.forward.permit(u)
	}
	return u.String(), nil
}

// freshen gives a sample its own numbers of the platform: a receiver takes two notifications with the same number and
// state for one.
func freshen(sample map[string]any) {
	for _, field := range []string{"transaction_id", "refund_id", "transfer_bill_no", "batch_id"} {
		if number, ok := sample[field].(string); ok && len(number) > 12 {
			sample[field] = fmt.Sprintf("%s%012d", number[:len(number)-12], mathrand.N(int64(1e12)))
		}
	}
}

// resource returns the resource before it is encrypted.
func (c *control) resource(o Order) (any, error) {
	if o.Data != "" {
		return json.RawMessage(o.Data), nil
	}
	sample, err := c.sandbox.Deliveries.Sample(o.Event)
	if err != nil {
		return nil, err
	}
	freshen(sample)
	for _, a := range o.Set {
		if err := assign(sample, a); err != nil {
			return nil, shell.Say("--set %s: %w", shell.OneLine(a.Path), err)
		}
	}
	return sample, nil
}

// build responds with the request of a dry run.
func (c *control) build(w http.ResponseWriter, to string, o Order, resource any) {
	request, err := c.sandbox.Deliveries.Notify(o.Event, resource, o.Faults...)
	if err != nil {
		c.complain(w, err)
		return
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		c.complain(w, err)
		return
	}
	u, err := ParseURL(to)
	if err != nil {
		c.complain(w, err)
		return
	}
	header := request.Header
	header.Set("Content-Length", strconv.Itoa(len(body)))
	var text strings.Builder
	fmt.Fprintf(&text, "POST %s HTTP/1.1\r\nHost: %s\r\n", u.RequestURI(), u.Host)
	_ = header.Write(&text) // a strings.Builder takes everything
	text.WriteString("\r\n")
	text.Write(body)
	respond(w, Delivered{Request: text.String()})
}

func (c *control) resend(w http.ResponseWriter, r *http.Request) {
	id, ok := readOrder[string](c, w, r)
	if !ok {
		return
	}
	before, err := c.sandbox.Deliveries.Await(r.Context(), id, 0)
	if err == nil {
		err = c.sandbox.Deliveries.Redeliver(id)
	}
	if err != nil {
		c.complain(w, err)
		return
	}
	c.await(w, r, id, len(before.Attempts)+1)
}

// await responds with the attempt of that number, counted from 1.
func (c *control) await(w http.ResponseWriter, r *http.Request, id string, number int) {
	d, err := c.sandbox.Deliveries.Await(r.Context(), id, number)
	if err == nil && len(d.Attempts) < number {
		err = shell.Say("it was not attempted")
	}
	if err != nil {
		c.complain(w, err)
		return
	}
	a := d.Attempts[number-1]
	out := Delivered{ID: d.ID, Event: d.Event, To: d.URL, Status: a.Status, Response: string(a.Response), Error: a.Error,
		Took: a.Took}
	if d.State == sandbox.Waiting {
		out.Next = max(time.Until(d.Next), time.Millisecond)
	}
	respond(w, out)
}

func respond(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
