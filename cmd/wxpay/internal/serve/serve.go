// Package serve serves a sandbox to other programs, with the control port of wxpay webhook trigger and resend, and the
// forwarder of wxpay webhook listen.
package serve

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Served is a sandbox that is served, with its control.
type Served struct {
	*sandbox.Server
	sh      *shell.Shell
	control *control
	more    []string // variables besides those of the sandbox
	live    bool     // rejections are noted when they happen
}

// Start serves a sandbox on an address. Its notifications go to forward, or over the network if that is nil.
func Start(sh *shell.Shell, addr string, forward *Forwarder, options ...sandbox.Option) (*Served, error) {
	server, err := shell.Listen(addr, options...)
	if err != nil {
		return nil, err
	}
	c, err := startControl(sh, server.Sandbox, forward)
	if err != nil {
		server.Close()
		return nil, &shell.ExitError{Code: shell.ExitNotSent, Err: err}
	}
	if forward != nil {
		server.Deliveries.To(forward)
	}
	return &Served{Server: server, sh: sh, control: c}, nil
}

// Env returns the variables that connect a client, and the commands wxpay webhook trigger and resend.
func (s *Served) Env() []string {
	env := append(s.Server.Env(), Variable+"="+s.control.url)
	if s.Keys.Mode() == sandbox.CertificatesOnly { // another key of the environment would not fit
		env = append(env, "WXPAY_PUBLIC_KEY_ID=", "WXPAY_PUBLIC_KEY=")
	}
	for _, name := range shell.ClientVariables() { // others of the environment would not fit
		if s.sh.Getenv(name) != "" && !slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") }) {
			env = append(env, name+"=")
		}
	}
	return append(env, s.more...)
}

// Add adds variables to those of [Served.Env].
func (s *Served) Add(variables ...string) { s.more = append(s.more, variables...) }

// ControlURL returns the address of the control port, without its secret path. Notifications that are posted to it are
// forwarded.
func (s *Served) ControlURL() string { return s.control.address }

// Run serves until an interrupt, or while a command runs that gets the variables.
func (s *Served) Run(ctx context.Context, command []string) error {
	if len(command) > 0 {
		return s.sh.RunWith(ctx, s.Env(), command)
	}
	var out bytes.Buffer
	for _, variable := range s.Env() {
		name, value, _ := strings.Cut(variable, "=")
		out.WriteString("export " + name + "=" + quote(value) + "\n")
	}
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	if err := s.sh.Write(out.Bytes()); err != nil {
		return err
	}
	s.live = true
	var rates sync.Once
	s.Journal.OnRejection(func(e sandbox.Entry) {
		s.sh.NoteRejection(e)
		if shell.TooFast(e) {
			rates.Do(s.sh.NoteRates)
		}
	})
	s.sh.Note("The sandbox listens on %s until it is interrupted. Paste the lines above into another shell.", s.URL)
	<-ctx.Done()
	return nil
}

// quote quotes text for sh, also if it has line breaks.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Close ends everything, and notes the rejections that are not noted yet.
func (s *Served) Close() {
	s.control.server.Close()
	s.Sandbox.Close()
	s.Server.Close()
	if !s.live {
		s.sh.NoteRejections(s.Sandbox)
	}
}
