// Package secret finds what looks like a credential in the history of a repository.
package secret

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// A Finding names the place of a credential, and never the credential.
type Finding struct {
	Commit, File, Kind string
}

func (f Finding) String() string { return fmt.Sprintf("%s %s: %s", f.Commit, f.File, f.Kind) }

// rules are looked for in each added line. The forms are those that the issuers document.
var rules = []struct {
	kind string
	form *regexp.Regexp
}{
	{"token of GitHub", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})`)},
	{"access key of AWS", regexp.MustCompile(`\b(AKIA|ASIA)[A-Z2-7]{16}\b`)},
	{"key of Google", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}\b`)},
	{"token of npm", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{"token of Slack", regexp.MustCompile(`\bxox[abprs]-[A-Za-z0-9-]{20,}`)},
	{"key of Alibaba Cloud", regexp.MustCompile(`\bLTAI[A-Za-z0-9]{16,20}\b`)},
	{"key of Tencent Cloud", regexp.MustCompile(`\bAKID[A-Za-z0-9]{32}\b`)},
	{"private key as JWK", regexp.MustCompile(`"d"\s*:\s*"[A-Za-z0-9_-]{40,}"`)},
	{"private key in one line", regexp.MustCompile(`PRIVATE KEY-----(\\n|\s)+[A-Za-z0-9+/]{40}`)},
}

var (
	head = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)
	body = regexp.MustCompile("^[\\s\"'`]*[A-Za-z0-9+/]{40}")
)

// Scan reads the output of "git log --patch --format=commit:%H" and returns what it finds. Keys below a directory testdata may
// be JWK: they belong to nobody, and tests need fixed ones.
func Scan(log io.Reader) ([]Finding, error) {
	var found []Finding
	var commit, file string
	opened := false // the line before began a PEM block
	lines := bufio.NewReaderSize(log, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		line = strings.TrimRight(line, "\r\n")
		switch added, isAdded := strings.CutPrefix(line, "+"); {
		case strings.HasPrefix(line, "commit:"):
			commit, opened = strings.TrimPrefix(line, "commit:"), false
		case strings.HasPrefix(line, "+++ "):
			file, opened = strings.TrimPrefix(strings.TrimPrefix(line, "+++ "), "b/"), false
		case isAdded:
			if opened && body.MatchString(added) {
				found = append(found, Finding{commit, file, "private key"})
			}
			opened = head.MatchString(added)
			for _, rule := range rules {
				test := strings.HasPrefix(file, "testdata/") || strings.Contains(file, "/testdata/")
				if rule.form.MatchString(added) && !(test && rule.kind == "private key as JWK") {
					found = append(found, Finding{commit, file, rule.kind})
				}
			}
		}
		if err == io.EOF {
			return found, nil
		}
	}
}
