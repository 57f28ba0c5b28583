package mcp

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

// live makes calls to the platform.
type live struct {
	sh      *shell.Shell
	client  *wxpay.Client
	leave   func()   // the client
	allowed []string // METHOD /path of the manual

	mu  sync.Mutex
	log *os.File
}

// openLive checks what may be called, and opens the log.
func openLive(sh *shell.Shell, allow []string, allowMoney bool, log string) (*live, error) {
	l := &live{sh: sh}
	if len(allow) == 0 {
		return nil, shell.Usage("--live needs at least one --allow 'METHOD /path'")
	}
	if log == "" {
		return nil, shell.Usage("--live needs --log FILE, for every call is written down")
	}
	for _, text := range allow {
		method, at, err := operation.Args(strings.Fields(text))
		if err != nil || method == "" {
			return nil, shell.Usage("--allow %q is not of the form 'METHOD /path'", text)
		}
		found, known := sh.Facts().Lookup(method, at.Path)
		if !known {
			return nil, shell.Usage("--allow: %w", operation.Unknown(sh.Facts(), at.Path))
		}
		if found.MovesMoney && !allowMoney {
			return nil, shell.Usage("--allow %q moves money: it needs --allow-money too", text)
		}
		if found.MovesMoney && (method != http.MethodPost || found.Number.Field == "") {
			return nil, shell.Usage("--allow %q moves money and has no number of the merchant, so nothing can make it once for certain", text)
		}
		l.allowed = append(l.allowed, name(found))
	}
	var err error
	if l.client, l.leave, err = sh.Client(shell.Source{Options: []wxpay.Option{wxpay.WithLogger(nil)}}); err != nil {
		return nil, err
	}
	if l.log, err = os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, shell.Usage("--log: %w", err)
	}
	return l, nil
}

func (l *live) close() {
	l.leave()
	_ = l.log.Close()
}

func name(o *fact.Operation) string { return o.Method + " " + o.Path }

func (l *live) add(s *server, p *mcp.Server) {
	tool(s, p, "live_call", s.sh.Words("Call the REAL platform, with real keys. Allowed are only: %s. After an unknown outcome of a "+
		"POST it finds out what became of it; a call that moves money needs the merchant's number in its body.", strings.Join(l.allowed, ", ")), false, l.call)
}

// line is one line of the log.
type line struct {
	Time      time.Time `json:"time"`
	Stage     string    `json:"stage"` // calling, then ended
	Operation string    `json:"operation"`
	Number    string    `json:"number,omitempty"` // the merchant's own
	Result    string    `json:"result,omitempty"`
}

// note writes a line, and returns when it is on the disk.
func (l *live) note(entry line) error {
	entry.Time = time.Now()
	content, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.log.Write(append(content, '\n')); err != nil {
		return err
	}
	return l.log.Sync()
}

func (l *live) call(ctx context.Context, sh *shell.Shell, in requested) (string, error) {
	if err := in.complete(); err != nil {
		return "", err
	}
	found, known := l.sh.Facts().Lookup(in.Method, in.Path)
	if !known || !slices.Contains(l.allowed, name(found)) {
		return "", shell.Say("%s %s is not allowed: the user decides with --allow when the server is started", in.Method, in.Path)
	}
	for _, other := range found.Also {
		if !slices.Contains(l.allowed, name(other)) {
			return "", shell.Say("%s cannot be told from %s, which is not allowed", name(found), name(other))
		}
	}
	entry := line{Stage: "calling", Operation: name(found), Number: in.number(found)}
	if found.MovesMoney && entry.Number == "" {
		return "", shell.Say("it moves money: give the merchant's number in %q, the same for the same purpose", found.Number.Field)
	}
	if err := l.note(entry); err != nil {
		return "", shell.Say("nothing was sent: the call could not be written to the log: %w", err)
	}
	text, result, err := l.send(ctx, sh, in)
	entry.Stage, entry.Result = "ended", result
	if failed := l.note(entry); failed != nil && err == nil {
		text += "\n" + sh.Words("the end of the call could not be written to the log: %w", failed)
	}
	return text, err
}

// number returns the merchant's own number in a request; empty if there is none.
func (in *requested) number(o *fact.Operation) string {
	if placeholder, ok := strings.CutPrefix(o.Number.Field, "{"); ok {
		return in.Vars[strings.TrimSuffix(placeholder, "}")]
	}
	return gjson.GetBytes(in.text, o.Number.Field).String()
}

// send makes the call.
func (l *live) send(ctx context.Context, sh *shell.Shell, in requested) (text, result string, err error) {
	chain := in.chain(l.client)
	if in.Method != http.MethodPost {
		res, err := chain.Do(ctx, in.Method, in.body())
		result = "done"
		if err != nil {
			result = wxpay.OutcomeOf(err).String()
		}
		text, err = told(sh, in.Method, res, err)
		return text, result, err
	}
	verdict, err := chain.Ensure(ctx, in.body())
	if err != nil {
		result = wxpay.OutcomeOf(err).String()
		text, err = told(sh, in.Method, nil, err)
		return text, result, err
	}
	text = sh.Words("verdict: %s", verdict.State)
	if verdict.Response != nil {
		response, _ := told(sh, in.Method, verdict.Response, nil)
		text += "\n" + response
	}
	return text, "verdict: " + string(verdict.State), nil
}
