package operation

import (
	"net/url"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

// Address is where a request goes, as the user gave it: a path of the manual, or the whole URL of one.
type Address struct {
	Path  string
	Query []shell.Pair // behind a ?, decoded
	base  *url.URL     // scheme and host of a URL; nil for a path
}

// ParseAddress reads a path or a URL. No error shows a value of the query, which may be a token.
func ParseAddress(text string) (Address, error) {
	at := Address{Path: text}
	if text, _, ok := strings.Cut(text, "#"); ok {
		return at, shell.Usage("%s has a # in it: leave out what begins there", shell.Printable(withoutQuery(text)))
	}
	text, query, asked := strings.Cut(text, "?")
	at.Path = text
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		host, path, _ := strings.Cut(rest, "/")
		base, err := url.Parse(strings.ToLower(scheme + "://" + host))
		if strings.Contains(host, "@") {
			return at, shell.Usage("the URL has a user in it: leave out what stands before the @, for a gateway has none")
		}
		if err != nil || base.Hostname() == "" || base.Scheme != "https" && base.Scheme != "http" {
			return at, shell.Usage("%q is no URL of an operation: give one such as https://%s/v3/certificates, or the path alone",
				text, fact.DefaultHost)
		}
		at.base, at.Path = base, path
	}
	if at.Path == "" {
		return at, shell.Usage("the path is missing: give it as the manual prints it, for example v3/certificates")
	}
	if !asked {
		return at, nil
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, ok := strings.Cut(pair, "=")
		name, nameErr := url.PathUnescape(name) // which keeps a plus, as in a time with +08:00
		value, valueErr := url.PathUnescape(value)
		if !ok || name == "" || nameErr != nil || valueErr != nil {
			return at, shell.Usage("the query of %s is not of the form name=value&name=value, percent-encoded: give -q name=value",
				shell.Printable(text))
		}
		at.Query = append(at.Query, shell.Pair{Name: name, Value: value})
	}
	return at, nil
}

func withoutQuery(text string) string {
	text, _, _ = strings.Cut(text, "?")
	return text
}

// Filled returns the query behind the ?. A placeholder there, as the manual prints it, is an error.
func (a Address) Filled() ([]shell.Pair, error) {
	for _, q := range a.Query {
		if _, open := fact.Placeholder(q.Value); open {
			return nil, shell.Usage("the query of the path has no value for %s: leave it out, and give -q %s=…",
				shell.Printable(q.Value), shell.Printable(q.Name))
		}
	}
	return a.Query, nil
}

// Fits reports an error if the host of the URL is another gateway than that of the client. A URL of the platform fits a
// gateway that is not the platform's, such as a sandbox: so what the manual prints can be tried there.
func (a Address) Fits(gateway string) error {
	if a.base == nil {
		return nil
	}
	own, err := url.Parse(gateway)
	if err != nil {
		return err
	}
	named := a.base.Hostname()
	of := fact.IsPlatformHost(named)
	if a.base.Host == own.Host || of && (sibling(named) == sibling(own.Hostname()) || !fact.IsPlatformHost(own.Hostname())) {
		return nil
	}
	if of {
		return shell.Usage("the URL is of %s, and the gateway is %s: set WXPAY_BASE_URL=https://%s, or give the path alone",
			named, own.Host, named)
	}
	return shell.Usage("the URL is of %s, which is neither the gateway %s nor a host of WeChat Pay: give the path alone",
		shell.Printable(a.base.Host), own.Host)
}

// sibling returns the host to which another is the backup.
func sibling(host string) string {
	if host == fact.BackupHost {
		return fact.DefaultHost
	}
	return host
}
