package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Forwarder forwards every notification byte for byte, and reports it. As a handler it receives the deliveries of the
// sandbox; outside serves those of other senders.
type Forwarder struct {
	to      *url.URL
	network *http.Transport

	mu     sync.Mutex
	direct map[string]*url.URL // addresses of --to, by host and target; they get their deliveries themselves
	sh     *shell.Shell
}

// NewForwarder returns a forwarder to an address. The shell gets a line for each notification.
func NewForwarder(to *url.URL, sh *shell.Shell) *Forwarder {
	return &Forwarder{
		to: to, sh: sh, direct: make(map[string]*url.URL),
		network: &http.Transport{
			DialContext:        (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			DisableCompression: true, // which would add a header
			IdleConnTimeout:    time.Second,
		},
	}
}

// ParseURL reads an address to deliver to. http:// may be left out.
func ParseURL(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, shell.Say("it is not an address such as http://localhost:8080/notify")
	}
	u.Fragment, u.RawFragment = "", "" // which is never sent
	return u, nil
}

// permit lets deliveries of the sandbox to this address go there.
func (f *Forwarder) permit(u *url.URL) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.direct[u.Host+u.RequestURI()] = u
}

// MaxNotification is the largest notification that is taken, in bytes.
const MaxNotification = 4 << 20

// hopHeaders belong to one connection, not to the notification.
var hopHeaders = []string{
	"Connection", "Expect", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// ServeHTTP forwards a delivery of the sandbox.
func (f *Forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	to, named := f.direct[r.Host+r.URL.RequestURI()]
	f.mu.Unlock()
	if !named {
		to = f.to
	}
	f.serve(w, r, to, named)
}

func (f *Forwarder) outside(w http.ResponseWriter, r *http.Request) { f.serve(w, r, f.to, false) }

// serve forwards a request, and names the address if it is not the usual one.
func (f *Forwarder) serve(w http.ResponseWriter, r *http.Request, to *url.URL, named bool) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, f.sh.Words("notifications are sent with POST"), http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxNotification))
	if err != nil {
		http.Error(w, f.sh.Words("the body did not arrive, or is too large"), http.StatusBadRequest)
		return
	}
	begin := time.Now()
	response, content, err := f.send(r, to, body)
	took := time.Since(begin)
	status, remark := "–", ""
	if err == nil {
		status = strconv.Itoa(response.StatusCode)
	} else {
		remark = "  " + f.sh.ErrorText(reasonOf(r.Context(), err))
	}
	if named {
		remark = "  -> " + to.Redacted() + remark
	}
	f.report("%s  %3s  %6s  %s%s", begin.Format(time.TimeOnly), status, Milliseconds(took), f.sh.Words(titleOf(body)), remark)
	if err != nil {
		http.Error(w, "wxpay webhook listen: "+f.sh.ErrorText(reasonOf(r.Context(), err)), http.StatusBadGateway)
		return
	}
	header := w.Header()
	maps.Copy(header, response.Header)
	dropHopHeaders(header)
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(content) // a sender that is gone sends it again
}

// send sends the notification, and reads the response.
func (f *Forwarder) send(r *http.Request, to *url.URL, body []byte) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header = r.Header.Clone()
	dropHopHeaders(request.Header)
	if _, sent := request.Header["User-Agent"]; !sent {
		request.Header["User-Agent"] = nil // keeps net/http from sending its own
	}
	response, err := f.network.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	defer f.network.CloseIdleConnections() // a restarted receiver is found at once, and no header has to ask for it
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, MaxNotification))
	return response, content, err
}

func dropHopHeaders(header http.Header) {
	for _, named := range slices.Clone(header["Connection"]) {
		for name := range strings.SplitSeq(named, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopHeaders {
		header.Del(name)
	}
}

func (f *Forwarder) report(format string, a ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sh.Note(format, a...)
}

// reasonOf tells why there was no response.
func reasonOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return shell.Say("no response before the sender gave up")
	}
	return shell.Say("no response: %w", err)
}

// titleOf names a notification that is not verified.
func titleOf(body []byte) string {
	var about struct {
		ID   string `json:"id"`
		Type string `json:"event_type"`
	}
	if err := json.Unmarshal(body, &about); err != nil || about.Type == "" {
		return shell.Text("(not a notification)")
	}
	return shell.Bounded(about.Type) + "  " + shell.Bounded(about.ID)
}

// Milliseconds formats a duration in milliseconds.
func Milliseconds(d time.Duration) string {
	return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + "ms"
}
