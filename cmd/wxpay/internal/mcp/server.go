package mcp

import (
	"bytes"
	"context"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/page"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

// server is what the tools share.
type server struct {
	sh      *shell.Shell
	manuals map[language.Language]func() *page.Manual // made when they are wanted

	mu      sync.Mutex
	gateway *sandbox.Server // nil until it is started
}

func newServer(sh *shell.Shell) *server {
	s := &server{sh: sh, manuals: make(map[language.Language]func() *page.Manual)}
	for _, l := range []language.Language{language.English, language.Chinese} {
		s.manuals[l] = sync.OnceValue(func() *page.Manual {
			facts := sh.Facts().Described()
			return page.New(facts.All(), facts.Events(), l)
		})
	}
	return s
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gateway != nil {
		s.gateway.Close()
		s.gateway.Sandbox.Close()
		s.gateway = nil
	}
}

// command runs a command of the program wxpay, and returns what it prints.
func command(ctx context.Context, environ []string, stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.Run(ctx, shell.New(strings.NewReader(stdin), &out, &errs, environ), args)
	return code, out.String(), errs.String()
}
