package text

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// The lines of fact.Conduct: all of them are written by hand, none is in a facts file.

// linked is a line that says more about the link above it.
func linked(name string, values func(*fact.Link) []string, set func(*fact.Link, string) error) Key[fact.Operation] {
	return words(name,
		func(o *fact.Operation) []string {
			if o.Link == nil {
				return nil
			}
			return values(o.Link)
		},
		func(o *fact.Operation, value string) error {
			if o.Link == nil {
				return problem("stands before its link")
			}
			return set(o.Link, value)
		})
}

func numberText(o *fact.Operation) []string {
	if o.Number.Space == "" {
		return nil
	}
	return []string{o.Number.Space + " " + o.Number.Field}
}

func setNumber(o *fact.Operation, value string) error {
	list, err := exactly(value, 2)
	if err != nil {
		return err
	}
	if o.Number.Space != "" {
		return errTwice
	}
	o.Number = fact.MerchantNumber{Space: list[0], Field: list[1]}
	return nil
}

func rateText(o *fact.Operation) []string {
	if o.Rate.PerSecond == 0 {
		return nil
	}
	return []string{strconv.Itoa(o.Rate.PerSecond) + " " + o.Rate.Per}
}

func setRate(o *fact.Operation, value string) error {
	list, err := exactly(value, 2)
	if err != nil {
		return err
	}
	if o.Rate.PerSecond != 0 {
		return errTwice
	}
	n, err := strconv.Atoi(list[0])
	if err != nil || n <= 0 {
		return fmt.Errorf("has the rate %q; it is a number of requests a second", list[0])
	}
	o.Rate = fact.Rate{PerSecond: n, Per: list[1]}
	return nil
}

func linkText(o *fact.Operation) []string {
	if o.Link == nil {
		return nil
	}
	return []string{"GET " + o.Link.Query}
}

func setLink(o *fact.Operation, value string) error {
	path, ok := strings.CutPrefix(value, "GET /")
	switch {
	case !ok:
		return problem("is not GET /path")
	case o.Link != nil:
		return errTwice
	}
	o.Link = &fact.Link{Query: "/" + path}
	return nil
}

func setActs(l *fact.Link, value string) error {
	switch {
	case value != "":
		return errValue
	case l.Acts:
		return errTwice
	}
	l.Acts = true
	return nil
}

// copyTexts writes TO[?] [FROM]; FROM is left out where it is the same.
func copyTexts(list []fact.Copy) []string {
	var texts []string
	for _, c := range list {
		s := c.To
		if c.Optional {
			s += "?"
		}
		if c.From != c.To {
			s += " " + c.From
		}
		texts = append(texts, s)
	}
	return texts
}

func setCopy(list *[]fact.Copy, value string) error {
	to, from, _ := strings.Cut(value, " ")
	to, optional := strings.CutSuffix(to, "?")
	if from == "" {
		from = to
	}
	if to == "" || strings.Contains(from, " ") {
		return problem("takes a field, and where the write carries it if that is elsewhere")
	}
	*list = append(*list, fact.Copy{To: to, From: from, Optional: optional})
	return nil
}

func setMissing(l *fact.Link, value string) error {
	if value == "" {
		return errBare
	}
	l.Missing = append(l.Missing, value)
	return nil
}

func setState(l *fact.Link, value string) error {
	switch {
	case value == "":
		return errBare
	case l.State != "":
		return errTwice
	}
	l.State = value
	return nil
}

func meansTexts(l *fact.Link) []string {
	var texts []string
	for _, m := range l.Means {
		texts = append(texts, m.Value+" "+string(m.Meaning))
	}
	return texts
}

func setMeans(l *fact.Link, value string) error {
	list, err := exactly(value, 2)
	if err != nil {
		return err
	}
	l.Means = append(l.Means, fact.Means{Value: list[0], Meaning: fact.Meaning(list[1])})
	return nil
}

func partsText(l *fact.Link) []string {
	if l.Parts == nil {
		return nil
	}
	return []string{strings.Join([]string{l.Parts.List, l.Parts.State, l.Parts.Succeeded, l.Parts.Failed}, " ")}
}

func setParts(l *fact.Link, value string) error {
	list, err := exactly(value, 4)
	if err != nil {
		return err
	}
	if l.Parts != nil {
		return errTwice
	}
	l.Parts = &fact.Parts{List: list[0], State: list[1], Succeeded: list[2], Failed: list[3]}
	return nil
}

func setOnly(l *fact.Link, value string) error {
	if value == "" {
		return errBare
	}
	l.Only = append(l.Only, value)
	return nil
}

func lookBackText(l *fact.Link) []string {
	if l.LookBack == 0 {
		return nil
	}
	return []string{strconv.Itoa(l.LookBack)}
}

func setLookBack(l *fact.Link, value string) error {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n <= 0:
		return fmt.Errorf("has %q; it is a number of days", value)
	case l.LookBack != 0:
		return errTwice
	}
	l.LookBack = n
	return nil
}

// excludesTexts writes CODE DOC.
func excludesTexts(o *fact.Operation) []string {
	var texts []string
	for _, e := range o.Excludes {
		texts = append(texts, e.Code+" "+e.Doc)
	}
	return texts
}

func setExcludes(o *fact.Operation, value string) error {
	list, err := exactly(value, 2)
	if err != nil {
		return err
	}
	o.Excludes = append(o.Excludes, fact.Exclude{Code: list[0], Doc: list[1]})
	return nil
}
