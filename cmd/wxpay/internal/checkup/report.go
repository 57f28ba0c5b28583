package checkup

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// result is how a day went.
type result struct {
	day
	wrong error         // nil if the service was right
	left  error         // why the day was not played; nil if it was
	took  time.Duration // of the day
}

// table returns the table, the reasons below it, and the sum.
func table(sh *shell.Shell, results []result) []byte {
	paint := sh.Colours()
	var out, reasons bytes.Buffer
	var right, wrong int
	for _, r := range results {
		mark, remark := paint.Mark(true), sh.Words("%6.1f s", r.took.Seconds())
		switch {
		case r.left != nil:
			mark, remark = paint.Dash(), paint.Faint(sh.Words("not played: %s", shell.OneLine(sh.ErrorText(r.left))))
		case r.wrong != nil:
			wrong++
			mark = paint.Mark(false)
			fmt.Fprintf(&reasons, "%s %s\n  %s\n  %s\n", mark, paint.Bold(r.name), shell.OneLine(sh.ErrorText(r.wrong)), paint.Faint(sh.Words(r.remedy)))
		default:
			right++
		}
		fmt.Fprintf(&out, "%s %-14s %s\n", mark, r.name, remark)
	}
	if reasons.Len() > 0 {
		fmt.Fprintf(&out, "\n%s", reasons.Bytes())
	}
	out.WriteString("\n" + sh.Words("Days: %d right, %d wrong, %d not played.", right, wrong, len(results)-right-wrong) + "\n")
	return out.Bytes()
}

type suite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Time     string     `xml:"time,attr"` // seconds
	Cases    []testcase `xml:"testcase"`
}

type testcase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Time    string   `xml:"time,attr"` // seconds
	Failure *remark  `xml:"failure"`
	Skipped *skipped `xml:"skipped"`
}

type remark struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type skipped struct {
	Message string `xml:"message,attr"`
}

// junit returns the results in the XML of JUnit, as CI servers read it: a suite with a case for each day.
func junit(results []result) ([]byte, error) {
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
	s := suite{Name: "wxpay checkup", Tests: len(results)}
	var total time.Duration
	for _, r := range results {
		total += r.took
		c := testcase{Class: "wxpay.checkup", Name: r.name, Time: seconds(r.took)}
		switch {
		case r.left != nil:
			s.Skipped++
			c.Skipped = &skipped{shell.OneLine(r.left.Error())}
		case r.wrong != nil:
			s.Failures++
			c.Failure = &remark{shell.OneLine(r.wrong.Error()), r.about + "\n" + r.remedy}
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = seconds(total)
	content, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(content, '\n')...), nil
}
