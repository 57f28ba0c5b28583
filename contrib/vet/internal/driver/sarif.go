package driver

import (
	"net/url"
	"os"
	"path"
	"strings"
	"unicode/utf16"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/vet"
)

// The part of SARIF 2.1.0 that a log of checks needs: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
// Section numbers are those of that document.

type log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool       tool     `json:"tool"`
	ColumnKind string   `json:"columnKind"` // § 3.14.17
	Results    []result `json:"results"`
}

type tool struct {
	Driver component `json:"driver"`
}

type component struct {
	Name           string `json:"name"`
	Version        string `json:"version"`
	InformationURI string `json:"informationUri"`
	Rules          []rule `json:"rules"`
}

type rule struct {
	ID               string  `json:"id"`
	ShortDescription message `json:"shortDescription"`
	FullDescription  message `json:"fullDescription"`
	Help             message `json:"help"`
	HelpURI          string  `json:"helpUri"`
}

type message struct {
	Text string `json:"text"`
}

type result struct {
	RuleID    string     `json:"ruleId"`
	RuleIndex int        `json:"ruleIndex"`
	Level     string     `json:"level"`
	Message   message    `json:"message"`
	Locations []location `json:"locations"`
	Fixes     []fix      `json:"fixes,omitempty"`
}

type location struct {
	Physical physical `json:"physicalLocation"`
}

type physical struct {
	Artifact artifact `json:"artifactLocation"`
	Region   region   `json:"region"`
}

type artifact struct {
	URI string `json:"uri"`
}

type region struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine"`
	EndColumn   int `json:"endColumn"`
}

type fix struct {
	Description message  `json:"description"`
	Changes     []change `json:"artifactChanges"`
}

type change struct {
	Artifact     artifact      `json:"artifactLocation"`
	Replacements []replacement `json:"replacements"`
}

type replacement struct {
	Deleted  region  `json:"deletedRegion"`
	Inserted message `json:"insertedContent"`
}

// sarifLog makes the log of reports. named are the same reports with the names of files that the log shows.
func sarifLog(reports, named []Report) log {
	driver := component{Name: "wxpayvet", Version: wxpay.Version, InformationURI: "https://github.com/wxpay-go/wxpay"}
	place := map[string]int{}
	for i, check := range vet.Analyzers() {
		place[check.Name] = i
		title, rest, _ := strings.Cut(check.Doc, "\n\n")
		driver.Rules = append(driver.Rules, rule{
			ID: check.Name, ShortDescription: message{title}, FullDescription: message{rest}, Help: message{check.Doc}, HelpURI: check.URL,
		})
	}
	level := map[Severity]string{Error: "error", Hint: "warning"}
	lines := lineCache{}
	results := []result{} // an empty list says that the checks ran and found nothing (§ 3.14.23)
	for i, r := range named {
		at := artifact{address(r.File)}
		one := result{
			RuleID: r.Check, RuleIndex: place[r.Check], Level: level[r.Severity], Message: message{r.Message},
			Locations: []location{{physical{at, lines.region(reports[i].File, r.Span)}}},
		}
		for _, f := range r.Fixes {
			c := change{Artifact: at}
			for _, e := range f.Edits {
				c.Replacements = append(c.Replacements, replacement{lines.region(reports[i].File, e.Span), message{e.Text}})
			}
			one.Fixes = append(one.Fixes, fix{message{f.Message}, []change{c}})
		}
		results = append(results, one)
	}
	return log{
		Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0",
		Runs: []run{{tool{driver}, "utf16CodeUnits", results}},
	}
}

// address returns a file's URI, which is relative if its name is.
func address(name string) string {
	u := url.URL{Path: name}
	if path.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}

// lineCache holds the lines of files, to count the columns of SARIF in them.
type lineCache map[string][]string

func (c lineCache) region(file string, s Span) region {
	return region{s.Line, c.column(file, s.Line, s.Column), s.EndLine, c.column(file, s.EndLine, s.EndColumn)}
}

// column counts UTF-16 units in place of bytes. A file that cannot be read any more keeps its bytes.
func (c lineCache) column(file string, line, column int) int {
	lines, ok := c[file]
	if !ok {
		if text, err := os.ReadFile(file); err == nil {
			lines = strings.Split(string(text), "\n")
		}
		c[file] = lines
	}
	if line > len(lines) || column-1 > len(lines[line-1]) {
		return column
	}
	return 1 + len(utf16.Encode([]rune(lines[line-1][:column-1])))
}
