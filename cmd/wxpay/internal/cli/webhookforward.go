package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
)

// forwarder hands every notification on, to the byte, and tells of it. As a handler it is the receiver of the sandbox's
// deliveries; outside serves those of anybody else.
type forwarder struct {
	to      *url.URL
	network *http.Transport

	mu     sync.Mutex
	direct map[string]*url.URL // addresses that were asked for by name, by host and target; they are not replaced by to
	tell   func(format string, a ...any)
}

func newForwarder(to *url.URL, tell func(format string, a ...any)) *forwarder {
	return &forwarder{
		to: to, tell: tell, direct: make(map[string]*url.URL),
		network: &http.Transport{
			DialContext:        (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			DisableCompression: true, // which would add a header
			IdleConnTimeout:    time.Second,
		},
	}
}

// forwardURL reads where to forward to; http:// may be left out.
func forwardURL(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("it is not an address such as http://localhost:8080/notify")
	}
	u.Fragment, u.RawFragment = "", "" // which is never sent
	return u, nil
}

// permit has deliveries of the sandbox to this very address go there.
func (f *forwarder) permit(u *url.URL) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.direct[u.Host+u.RequestURI()] = u
}

// largestNotification bounds what is taken in, in bytes.
const largestNotification = 4 << 20

// hopHeaders belong to one connection, not to the notification.
var hopHeaders = []string{
	"Connection", "Expect", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	to, own := f.direct[r.Host+r.URL.RequestURI()]
	f.mu.Unlock()
	if !own {
		to = f.to
	}
	f.serve(w, r, to, own)
}

func (f *forwarder) outside(w http.ResponseWriter, r *http.Request) { f.serve(w, r, f.to, false) }

// serve hands a request on. An address of its own is told.
func (f *forwarder) serve(w http.ResponseWriter, r *http.Request, to *url.URL, own bool) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "notifications are sent with POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestNotification))
	if err != nil {
		http.Error(w, "the body did not arrive, or is too large", http.StatusBadRequest)
		return
	}
	begin := time.Now()
	answer, content, err := f.send(r, to, body)
	took := time.Since(begin)
	status, remark := "–", ""
	if err == nil {
		status = strconv.Itoa(answer.StatusCode)
	} else {
		remark = "  " + reasonOf(r.Context(), err)
	}
	if own {
		remark = "  -> " + to.Redacted() + remark
	}
	f.report("%s  %3s  %6s  %s%s", begin.Format(time.TimeOnly), status, inMilliseconds(took), titleOf(body), remark)
	if err != nil {
		http.Error(w, "wxpay webhook listen: "+reasonOf(r.Context(), err), http.StatusBadGateway)
		return
	}
	header := w.Header()
	maps.Copy(header, answer.Header)
	dropHopHeaders(header)
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(content) // a sender that is gone asks again
}

// send sends the notification on, and reads the answer.
func (f *forwarder) send(r *http.Request, to *url.URL, body []byte) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header = r.Header.Clone()
	dropHopHeaders(request.Header)
	if _, sent := request.Header["User-Agent"]; !sent {
		request.Header["User-Agent"] = nil // keeps net/http from sending its own
	}
	answer, err := f.network.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	defer f.network.CloseIdleConnections() // a receiver that is started anew is found at once, and no header has to ask for it
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, largestNotification))
	return answer, content, err
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

func (f *forwarder) report(format string, a ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell(format, a...)
}

// reasonOf tells why there was no answer.
func reasonOf(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return "no answer before the sender gave up"
	}
	return "no answer: " + err.Error()
}

// titleOf names a notification that nobody vouches for.
func titleOf(body []byte) string {
	var about struct {
		ID   string `json:"id"`
		Type string `json:"event_type"`
	}
	if err := json.Unmarshal(body, &about); err != nil || about.Type == "" {
		return "(not a notification)"
	}
	return bounded(about.Type) + "  " + bounded(about.ID)
}

// oneLine takes out what could steer a terminal, and line breaks.
func oneLine(text string) string { return strings.Join(strings.Fields(printable(text)), " ") }

// bounded shortens and cleans a text that anybody may have written.
func bounded(text string) string {
	const longest = 64
	if runes := []rune(oneLine(text)); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return oneLine(text)
}

func inMilliseconds(d time.Duration) string {
	return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + "ms"
}
