// Package shell gives a command its surroundings: streams, environment, colours, exit codes, interrupts, the client that
// the environment configures, and files.
//
// It knows no command. The packages of the commands build on it and not on each other, and package cli puts them
// together. A [Shell] is for one run of the program; its methods may be called by several goroutines at once if the
// streams may be written to by several.
package shell

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/ordered"
	"github.com/wxpay-go/wxpay/middleware"
)

// Shell is one run of the program.
type Shell struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string // as from os.Environ

	Chinese  bool           // the user reads Chinese
	Terminal bool           // stdout is a terminal
	Bars     bool           // stderr is a terminal, and shows progress
	Options  []wxpay.Option // of every client

	overlaid *catalog.Catalog // nil without an overlay
}

// New returns a shell of these streams and this environment.
func New(stdin io.Reader, stdout, stderr io.Writer, environ []string) *Shell {
	sh := &Shell{
		Stdin: stdin, Stdout: stdout, Stderr: stderr, Environ: environ,
		Terminal: IsTerminal(stdout), Bars: IsTerminal(stderr),
	}
	sh.Chinese = speaksChinese(sh.Getenv)
	if debug := sh.Getenv("WXPAY_DEBUG"); debug != "" && debug != "0" {
		sh.Options = append(sh.Options, wxpay.WithMiddleware(middleware.Dump(stderr)))
	}
	return sh
}

// Lookup is os.LookupEnv over the environment of the shell. If a name occurs twice, the last counts, as for a child
// process.
func (sh *Shell) Lookup(name string) (string, bool) {
	for i := len(sh.Environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(sh.Environ[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// Getenv is os.Getenv over the environment of the shell.
func (sh *Shell) Getenv(name string) string {
	value, _ := sh.Lookup(name)
	return value
}

// LoadOverlay reads the facts of WXPAY_CATALOG_OVERLAY, if that is set. It comes before everything else.
func (sh *Shell) LoadOverlay() error {
	name := sh.Getenv("WXPAY_CATALOG_OVERLAY")
	if name == "" {
		return nil
	}
	overlay, err := os.ReadFile(name)
	if err == nil {
		sh.overlaid, err = catalog.V3().With(string(overlay))
	}
	if err != nil {
		return Usage("WXPAY_CATALOG_OVERLAY: %w", err)
	}
	return nil
}

// Facts returns the catalogue with the overlay.
func (sh *Shell) Facts() *catalog.Catalog {
	if sh.overlaid != nil {
		return sh.overlaid
	}
	return catalog.V3()
}

// Colours reports whether stdout shows colours: it is a terminal that is not dumb, and NO_COLOR is not set
// (https://no-color.org).
func (sh *Shell) Colours() Paint {
	return Paint(sh.Terminal && sh.Getenv("NO_COLOR") == "" && sh.Getenv("TERM") != "dumb")
}

// Write writes a whole result to stdout. If that fails, the operation still succeeded.
func (sh *Shell) Write(result []byte) error {
	if _, err := sh.Stdout.Write(result); err != nil {
		return &ExitError{ExitConfirmed, Say("the response could not be written: %w", err)}
	}
	return nil
}

// WriteForeign is Write of a result with text of unknown origin: a terminal gets it without what could steer it, and a pipe
// gets every byte.
func (sh *Shell) WriteForeign(result []byte) error {
	if sh.Terminal {
		result = []byte(Printable(string(result)))
	}
	return sh.Write(result)
}

// WriteJSON writes a document for machines to stdout, indented.
func (sh *Shell) WriteJSON(document any) error {
	result, err := ordered.MarshalIndent(document)
	if err != nil {
		return err
	}
	return sh.WriteForeign(result)
}

// AppendBody appends the body of a response to out: byte for byte for a pipe, with a line feed behind JSON, and indented for
// a terminal.
func (sh *Shell) AppendBody(out *bytes.Buffer, body []byte) {
	switch {
	case !sh.Terminal:
		out.Write(body)
		if !bytes.HasSuffix(body, []byte("\n")) && json.Valid(body) {
			out.WriteByte('\n')
		}
	case len(body) == 0:
	case json.Indent(out, body, "", "  ") == nil:
		out.WriteByte('\n')
	default:
		out.WriteString(Printable(string(body)))
	}
}
