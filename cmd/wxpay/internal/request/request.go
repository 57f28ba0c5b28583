// Package request builds the one request of a command, checks it against the documentation, and prints the response.
package request

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

// Options are the flags of a request. A command has some of them.
type Options struct {
	Method, Path string
	at           operation.Address // which has Path

	Variables []shell.Pair // of the path
	Escaped   []shell.Pair // the same, percent-encoded already
	Query     []shell.Pair
	Header    []shell.Pair
	Fields    []Field

	Encrypt []string // JSON pointers
	Plain   []string // JSON pointers

	Credentials shell.CredentialFlags

	AppID   string
	Get     string // gjson path of the value to print; empty prints the whole response
	Include bool   // print status and headers
	Sandbox bool
	Strict  bool // a certain mistake is an error
	NoCheck bool // no findings are shown

	Timeout time.Duration // 0 is that of the client
	Ensure  bool          // Timeout bounds all attempts together
}

// Source returns where the client comes from. The client checks the request before it sends it and, unless NoCheck is set,
// shows its findings.
func (o *Options) Source(sh *shell.Shell) shell.Source {
	source := shell.Source{Sandbox: o.Sandbox, Flags: o.Credentials, AppID: o.AppID}
	if o.Timeout > 0 && !o.Ensure {
		source.Options = []wxpay.Option{wxpay.WithTimeout(o.Timeout), wxpay.WithAttemptTimeout(o.Timeout)}
	}
	if o.NoCheck {
		source.Options = append(source.Options, wxpay.WithLogger(slog.New(slog.DiscardHandler)))
		return source
	}
	mode := wxpay.PreflightWarn
	if o.Strict {
		mode = wxpay.PreflightStrict
	}
	source.Options = append(source.Options, wxpay.WithPreflight(mode), wxpay.WithLogger(slog.New(findings{sh})))
	return source
}

// Locate takes the path and the query of an address, and compares the variables with the path.
func (o *Options) Locate(at operation.Address) error {
	query, err := at.Filled()
	if err != nil {
		return err
	}
	o.at, o.Path, o.Query = at, at.Path, append(query, o.Query...)
	var names []string
	for segment := range strings.SplitSeq(at.Path, "/") {
		if name, ok := fact.Placeholder(segment); ok {
			names = append(names, name)
		}
	}
	given := slices.Concat(o.Variables, o.Escaped)
	for _, v := range given {
		switch near := shell.Nearest(v.Name, names); {
		case slices.Contains(names, v.Name):
		case len(names) == 0:
			return shell.Usage("--var %s=…: the path has no {%s}, nor any other {name}", v.Name, v.Name)
		case near != "":
			return shell.Usage("--var %s=…: the path has no {%s}: did you mean --var %s=…?", v.Name, v.Name, near)
		default:
			return shell.Usage("--var %s=…: the path has no {%s}; it has {%s}", v.Name, v.Name, strings.Join(names, "}, {"))
		}
	}
	return nil
}

// Filled reports an error if a {name} of the path has no value.
func (o *Options) Filled() error {
	for segment := range strings.SplitSeq(o.Path, "/") {
		name, open := fact.Placeholder(segment)
		has := func(v shell.Pair) bool { return v.Name == name }
		if open && !slices.ContainsFunc(o.Variables, has) && !slices.ContainsFunc(o.Escaped, has) {
			return shell.Usage("{%s} has no value: give --var %s=…", name, name)
		}
	}
	return nil
}

// Client returns a client for the address; see [shell.Shell.Client].
func (o *Options) Client(sh *shell.Shell) (client *wxpay.Client, leave func(), err error) {
	if client, leave, err = sh.Client(o.Source(sh)); err != nil {
		return nil, nil, err
	}
	if err := o.at.Fits(client.BaseURL()); err != nil {
		leave()
		return nil, nil, err
	}
	return client, leave, nil
}

// Chain returns the chain of the request. The verb reports a mistake in it.
func (o *Options) Chain(client *wxpay.Client) wxpay.Chain {
	chain := client.Chain(o.Path)
	for _, v := range o.Variables {
		chain = chain.Var(v.Name, v.Value)
	}
	for _, v := range o.Escaped {
		chain = chain.RawVar(v.Name, v.Value)
	}
	values := make(map[string][]string)
	for _, q := range o.Query {
		values[q.Name] = append(values[q.Name], q.Value)
	}
	for _, q := range o.Query {
		if all, ok := values[q.Name]; ok {
			chain = chain.Query(q.Name, all)
			delete(values, q.Name)
		}
	}
	for _, h := range o.Header {
		chain = chain.Header(h.Name, h.Value)
	}
	for _, pointer := range o.Encrypt {
		chain = chain.Encrypt(pointer)
	}
	for _, pointer := range o.Plain {
		chain = chain.Plain(pointer)
	}
	if o.Timeout > 0 && o.Ensure {
		chain = chain.Timeout(o.Timeout)
	}
	return chain
}
