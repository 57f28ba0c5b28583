package checkup

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// service is the service of the user.
type service struct {
	address string // HOST:PORT
	network *http.Client

	order, refund, cancel, books *request // nil for one that it does not have
}

// slowest is how long a response of the service may take.
const slowest = 2 * time.Minute

func newService(port int) *service {
	return &service{
		address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		network: &http.Client{
			Timeout:       slowest,
			Transport:     &http.Transport{},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// freePort returns a port on which nobody listens. It is not one that systems give to connections by themselves, which
// could take it before the service does. Other checkups do not choose it before claim is closed: each holds the UDP port
// beside its own, which a service of HTTP does not use.
func freePort() (port int, claim io.Closer, err error) {
	const lowest, count, tries = 20000, 5000, 1000
	for range tries {
		port = lowest + 2*rand.IntN(count)
		if err = vacant(port); err != nil {
			continue
		}
		if claim, err = net.ListenPacket("udp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+1))); err == nil {
			return port, claim, nil
		}
	}
	return 0, nil, shell.Say("there is no free port for the service: %w", err)
}

// vacant returns an error if somebody listens on a port.
func vacant(port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return shell.Say("the port of the service is taken: %w", err)
	}
	return listener.Close()
}

// receiver delivers notifications to the service, whichever host their address names.
func (s *service) receiver() http.Handler {
	to := &url.URL{Scheme: "http", Host: s.address}
	return &httputil.ReverseProxy{
		Transport:    &http.Transport{DisableKeepAlives: true},
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

// request is a request to the service, with placeholders.
type request struct{ method, path, body string }

func parseRequest(text string) (*request, error) {
	method, rest, _ := strings.Cut(text, " ")
	path, body, _ := strings.Cut(rest, " ")
	if method == "" || method != strings.ToUpper(method) || !strings.HasPrefix(path, "/") {
		return nil, shell.Say(`it is not of the form "POST /path BODY"`)
	}
	if _, err := url.ParseRequestURI(path); err != nil {
		return nil, shell.Say("the path is not that of a URL")
	}
	return &request{method, path, body}, nil
}

// values are those of the placeholders.
type values struct {
	order  string // out_trade_no
	number string // of a refund
	amount int64  // fen
}

// fill replaces the placeholders.
func (v values) fill(text string, escape func(string) string) string {
	return strings.NewReplacer("{out_trade_no}", escape(v.order), "{number}", escape(v.number),
		"{amount}", strconv.FormatInt(v.amount, 10)).Replace(text)
}

// statusError is a response that is not 2xx.
type statusError struct{ code int }

func (e *statusError) Error() string { return strconv.Itoa(e.code) }

// do sends a request, and returns the body of a response with a status 2xx.
func (s *service) do(ctx context.Context, r *request, v values) ([]byte, error) {
	body := v.fill(r.body, func(text string) string { return text })
	address := "http://" + s.address + v.fill(r.path, url.PathEscape)
	request, err := http.NewRequestWithContext(ctx, r.method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := s.network.Do(request)
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if err != nil {
		return nil, shell.Say("the service did not respond to %s %s: %w", r.method, r.path, err)
	}
	defer response.Body.Close()
	const largest = 1 << 20
	content, err := io.ReadAll(io.LimitReader(response.Body, largest))
	if err != nil {
		return nil, shell.Say("the service did not respond to %s %s: %w", r.method, r.path, err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, shell.Say("the service responded %w to %s %s", &statusError{response.StatusCode}, r.method, r.path)
	}
	return content, nil
}

// booked is what the books say of an order, in fen.
type booked struct{ paid, refunded int64 }

// read reads the books about an order.
func (s *service) read(ctx context.Context, order string) (booked, error) {
	content, err := s.do(ctx, s.books, values{order: order})
	if err != nil {
		return booked{}, err
	}
	var found struct {
		Paid     *int64 `json:"paid"`
		Refunded *int64 `json:"refunded"`
	}
	if err := json.Unmarshal(content, &found); err != nil || found.Paid == nil || found.Refunded == nil {
		return booked{}, shell.Say(`the response to %s %s is not {"paid":FEN,"refunded":FEN} with whole numbers`,
			s.books.method, s.books.path)
	}
	return booked{*found.Paid, *found.Refunded}, nil
}
