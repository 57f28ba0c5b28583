package shell

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
	"github.com/wxpay-go/wxpay/sandbox"
)

// lacks tells what a client needs of the environment.
var lacks = Say(`Needed are WXPAY_MCHID, WXPAY_PRIVATE_KEY with WXPAY_SERIAL or WXPAY_CERTIFICATE (or WXPAY_P12 for both), and
WXPAY_PUBLIC_KEY_ID with WXPAY_PUBLIC_KEY, or WXPAY_APIV3_KEY for a merchant with platform certificates.
"wxpay init" keeps them in a file. Without an account: --sandbox calls an embedded sandbox, and "wxpay sandbox" serves one
and prints these variables.`)

// Source says where a client comes from.
type Source struct {
	Sandbox bool             // an embedded sandbox instead of the environment
	Gateway []sandbox.Option // of that sandbox
	Flags   CredentialFlags
	AppID   string // filled into calls, with the merchant's mchid; empty fills in nothing
	Options []wxpay.Option
}

// Client returns a client of the source. An embedded sandbox lives until leave is called.
func (sh *Shell) Client(source Source) (client *wxpay.Client, leave func(), err error) {
	if err := source.Flags.Check(source.Sandbox); err != nil {
		return nil, nil, err
	}
	if source.Sandbox {
		client, server, err := sh.Connect(source)
		if err != nil {
			return nil, nil, err
		}
		return client, func() {
			server.Close()
			sh.NoteRejections(server.Sandbox)
		}, nil
	}
	credentials, err := sh.Credentials(&source.Flags)
	if err != nil {
		return nil, nil, err
	}
	if err = credentials.Err(); err == nil {
		client, err = sh.connect(credentials.Lookup, source)
		err = asGiven(err, credentials.given)
	}
	if err != nil && credentials.profile != "" {
		return nil, nil, Usage("%w", credentials.Explain(err))
	}
	if err != nil {
		return nil, nil, Usage("%w\n%w", err, lacks)
	}
	return client, func() {}, nil
}

// ClientFrom returns a client of a profile in the file: the one that is named, or that of WXPAY_PROFILE, or "default".
// Other variables of the environment do not count.
func (sh *Shell) ClientFrom(name string) (*wxpay.Client, error) {
	name = cmp.Or(name, sh.Getenv(variableProfile), DefaultProfile)
	profiles, err := sh.Profiles()
	profile, err := sh.profile(name, profiles, err)
	if err != nil {
		return nil, err
	}
	return sh.ClientOf(name, profile)
}

// ClientOf returns a client of a profile, which need not be in the file.
func (sh *Shell) ClientOf(name string, profile Profile) (*wxpay.Client, error) {
	values := profile.Variables()
	c := sh.collect(name, func(variable string) (string, bool) { text, ok := values[variable]; return text, ok })
	c.values[variableOverlay] = values[variableOverlay]
	err := c.replace(new(CredentialFlags))
	if err == nil {
		err = c.Err()
	}
	if err != nil {
		return nil, c.Explain(err)
	}
	client, err := sh.connect(c.Lookup, Source{})
	if err != nil {
		return nil, c.Explain(asGiven(err, c.given))
	}
	return client, nil
}

// Connect starts a sandbox on a free loopback port, and returns a client of it.
func (sh *Shell) Connect(source Source) (*wxpay.Client, *sandbox.Server, error) {
	server, err := Listen("127.0.0.1:0", source.Gateway...)
	if err != nil {
		return nil, nil, err
	}
	client, err := sh.connect(server.LookupEnv, source)
	if err != nil {
		server.Close()
		return nil, nil, &ExitError{ExitNotSent, err}
	}
	return client, server, nil
}

func (sh *Shell) connect(lookup func(string) (string, bool), source Source) (*wxpay.Client, error) {
	options := append(source.Options, sh.Options...)
	if sh.overlaid != nil {
		options = append(options, wxpay.WithCatalog(sh.overlaid)) // also for a sandbox, whose variables are its own
	}
	if source.AppID != "" {
		mchid, _ := lookup("WXPAY_MCHID")
		options = append(options, wxpay.WithDefaults(mchid, source.AppID))
	}
	return wxpay.FromLookupEnv(lookup, options...)
}

// Listen serves a new sandbox on an address.
func Listen(addr string, options ...sandbox.Option) (*sandbox.Server, error) {
	s, err := sandbox.New(options...)
	if err != nil {
		return nil, &ExitError{ExitNotSent, err}
	}
	server, err := s.Listen(addr)
	if err != nil {
		return nil, Usage("%w", err)
	}
	return server, nil
}

// NoteRejections lists the requests that the sandbox rejected, the last 10 if there are more.
func (sh *Shell) NoteRejections(s *sandbox.Sandbox) {
	const most = 10
	var rejected []sandbox.Entry
	for _, e := range s.Journal.All() {
		if e.Reason != "" {
			rejected = append(rejected, e)
		}
	}
	if more := len(rejected) - most; more > 0 {
		sh.Note("sandbox: %d requests were rejected, the last %d:", len(rejected), most)
		rejected = rejected[more:]
	}
	for _, e := range rejected {
		sh.NoteRejection(e)
	}
	if slices.ContainsFunc(rejected, TooFast) {
		sh.NoteRates()
	}
}

// TooFast reports whether a request was rejected because it came faster than documented.
func TooFast(e sandbox.Entry) bool { return e.Status == http.StatusTooManyRequests && e.Fault == "" }

// NoteRates tells how to call faster than documented.
func (sh *Shell) NoteRates() {
	sh.Note("sandbox: 429 is the documented rate of an operation, as in production; --relax rates switches the rates off")
}

// NoteRejection tells of one rejected request, and explains it if a line is not enough.
func (sh *Shell) NoteRejection(e sandbox.Entry) {
	text := "sandbox: " + Printable(sh.Rejection(e))
	if e.Explanation != "" {
		text += "\n  " + strings.ReplaceAll(Printable(sh.Explanation(e.Explanation)), "\n", "\n  ")
	}
	sh.Note("%s", text)
}

// Rejection returns an entry of the journal on one line, in the language of the shell.
func (sh *Shell) Rejection(e sandbox.Entry) string {
	if sh.Chinese {
		first, rest, more := strings.Cut(e.Reason, "\n")
		if e.Reason = zh.Rejection(first, gjson.GetBytes(e.ResponseBody, "message").String()); more {
			e.Reason += "\n" + rest
		}
	}
	return e.String()
}

// Explanation returns what the sandbox says about a rejected request, in the language of the shell.
func (sh *Shell) Explanation(english string) string {
	if sh.Chinese {
		return zh.Explanation(english)
	}
	return english
}

// Refusal returns what the sandbox says about an order that it did not carry out, in the language of the shell.
func (sh *Shell) Refusal(english string) string {
	if sh.Chinese {
		return zh.Refusal(english)
	}
	return english
}
