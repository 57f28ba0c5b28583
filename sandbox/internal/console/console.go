// Package console serves the control API: JSON in, JSON out, one order for each method of the Go
// API.
package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Path is where the orders are.
const Path = "/_sandbox/"

// Health is where a watchdog asks whether the sandbox can carry out calls.
const Health = Path + "health"

// maxBody bounds the body of an order; a snapshot can be large.
const maxBody = 256 << 20

// Console serves the orders of the control API. Sandbox.Control documents it.
type Console struct {
	Network   bool     // peers and names beyond this machine are permitted
	Names     []string // of this machine
	Merchants func() []string
	Lost      func() error // why nothing can be kept any more; nil if all is well
	// Orders returns those of a merchant, or of the first one if the number is empty.
	Orders func(merchant string) (orders []Order, known bool)
}

// ServeHTTP carries one order out.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, response := http.StatusOK, any(nil)
	if r.URL.Path == Health { // for whoever asks, as it tells nothing
		if err := c.Lost(); err != nil {
			status, response = http.StatusServiceUnavailable, problemOf(err)
		} else {
			response = struct{}{}
		}
	} else if reason := c.forbids(r); reason != "" {
		status, response = http.StatusForbidden, problemOf(errors.New(reason))
	} else if orders, err := c.orders(r); err != nil {
		status, response = http.StatusBadRequest, problemOf(err)
	} else if o, err := orderOf(orders, r); err != nil {
		status, response = http.StatusNotFound, problemOf(err)
	} else {
		var err error
		switch response, err = o.carryOut(r); {
		case errors.Is(err, journal.ErrExpectation):
			status, response = http.StatusConflict, problemOf(err)
		case err != nil:
			status, response = http.StatusBadRequest, problemOf(err)
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(say.JSON(response), '\n'))
}

// problem is the response to an order that is not carried out.
type problem struct {
	Message string `json:"message"`
}

func problemOf(err error) problem {
	return problem{strings.TrimPrefix(err.Error(), "sandbox: ")}
}

// forbids reports why a request may not control the sandbox.
func (c *Console) forbids(r *http.Request) string {
	for _, name := range [...]string{"Origin", "Referer"} {
		if r.Header.Get(name) != "" {
			return "a request with the header " + name + " comes from a page in a browser, and pages do not control the sandbox"
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && (site != "none" || r.Method != http.MethodGet) {
		return "the header Sec-Fetch-Site says that a page in a browser sends this, and pages do not control the sandbox"
	}
	peer, _, _ := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(peer); !c.Network && (ip == nil || !ip.IsLoopback()) {
		return "the sandbox is controlled from its own machine only; see WithNetwork"
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	switch {
	case host == "localhost", ip != nil && (c.Network || ip.IsLoopback()), slices.Contains(c.Names, host):
		return ""
	}
	return "the header Host names another machine; call the sandbox by 127.0.0.1, or see WithNetwork"
}

// orderOf returns the order that a request means.
func orderOf(orders []Order, r *http.Request) (o Order, err error) {
	path, below := strings.CutPrefix(r.URL.Path, Path)
	var others []string
	for _, o := range orders {
		if below && o.Path == path {
			if o.Method == r.Method {
				return o, nil
			}
			others = append(others, o.Method)
		}
	}
	if others != nil {
		return o, fmt.Errorf("%s is for %s", r.URL.Path, strings.Join(others, " and "))
	}
	var list strings.Builder
	for _, o := range orders {
		fmt.Fprintf(&list, "\n%s %s%s %s", o.Method, Path, o.Path, o.In)
	}
	return o, errors.New("there is no such order; there are" + list.String())
}

// orders are those of the merchant whom the request means: the query parameter merchant, or the
// first one.
func (c *Console) orders(r *http.Request) ([]Order, error) {
	id := r.URL.Query().Get("merchant")
	orders, known := c.Orders(id)
	if !known {
		return nil, fmt.Errorf("the sandbox has no merchant %q; it has %s", id, strings.Join(c.Merchants(), ", "))
	}
	return orders, nil
}

// carryOut carries an order out.
func (o Order) carryOut(r *http.Request) (any, error) {
	query := r.URL.Query()
	query.Del("merchant")
	var fields map[string]json.RawMessage
	var body []byte
	if r.Method == http.MethodGet {
		fields = make(map[string]json.RawMessage)
		for name, values := range query {
			fields[name] = say.JSON(values)
		}
	} else {
		if len(query) > 0 {
			return nil, errors.New("parameters other than merchant belong into the JSON body")
		}
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody)); err != nil {
			return nil, errors.New("the body did not arrive whole, or is too large")
		}
		media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if len(body) > 0 && media != "application/json" {
			return nil, errors.New("the body must be JSON, and Content-Type application/json")
		}
		if o.In != "*" && len(body) > 0 {
			if err := json.Unmarshal(body, &fields); err != nil {
				return nil, errors.New("the body is not a JSON object")
			}
		}
	}
	run := reflect.ValueOf(o.Run)
	var arguments []reflect.Value
	at := 0
	if run.Type().NumIn() > 0 && run.Type().In(0) == reflect.TypeFor[context.Context]() {
		arguments, at = append(arguments, reflect.ValueOf(r.Context())), 1
	}
	names := strings.Fields(o.In)
	for i, name := range names {
		kind := run.Type().In(at + i)
		name, optional := strings.CutSuffix(name, "?")
		var text json.RawMessage
		switch {
		case name == "*" && r.Method == http.MethodGet:
			text = objectOf(fields, kind)
			fields = nil
		case name == "*":
			text = body
		default:
			text = fields[name]
			delete(fields, name)
			if r.Method == http.MethodGet && text != nil {
				text = fromQuery(text, kind)
			}
			if text == nil && !optional {
				return nil, fmt.Errorf("%s is missing; the order takes %s", name, o.In)
			}
		}
		value, err := readArgument(name, kind, text)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, value)
	}
	for name := range fields {
		return nil, fmt.Errorf("there is no parameter %q; the order takes %s", name, cmp.Or(o.In, "none"))
	}
	call := run.Call
	if run.Type().IsVariadic() {
		call = run.CallSlice
	}
	results := call(arguments)
	if n := len(results); n > 0 {
		if err, ok := results[n-1].Interface().(error); ok && err != nil {
			return nil, err
		}
		if run.Type().Out(n-1) == reflect.TypeFor[error]() {
			results = results[:n-1]
		}
	}
	switch {
	case len(results) == 0:
		return struct{}{}, nil
	case o.Out == "":
		return shown(results[0].Interface()), nil
	}
	return map[string]any{o.Out: shown(results[0].Interface())}, nil
}
