package text

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/wxpay-go/wxpay/fact"
)

// Characters of names. Regular expressions would be linked into every program that reads the catalogue.
const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// made says that s is not empty and has no other characters than those.
func made(s, characters string) bool {
	return s != "" && strings.Trim(s, characters) == ""
}

func isMember(name string) bool { return made(name, lower+upper+digits+"_-") }

type checker struct {
	known func(id string) *fact.Operation
	where string
	found []error
}

func (c *checker) report(format string, args ...any) {
	c.found = append(c.found, fmt.Errorf("%s: "+format, append([]any{c.where}, args...)...))
}

func (c *checker) scheme(s fact.Scheme) {
	if s != fact.MerchantScheme && s != fact.BrandScheme {
		c.report("unknown scheme %q", s)
	}
}

// words checks texts that have to be there, trimmed, on one line and once.
func (c *checker) words(what string, list ...string) {
	for i, s := range list {
		if s == "" || strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) || slices.Contains(list[:i], s) {
			c.report("%s %q is empty, untrimmed, or given twice", what, s)
		}
	}
}

func (c *checker) docs(ids []string) {
	c.words("doc", ids...)
	for _, id := range ids {
		if strings.ContainsAny(id, " \t") || !strings.Contains(id, "/") {
			c.report("doc %q is no documentation id", id)
		}
	}
}

// fields checks the fields of one level and below. byHand says that they belong to a row added by hand.
func (c *checker) fields(where string, list []fact.Field, byHand, form bool) {
	seen := map[string]bool{}
	for i := range list {
		field := &list[i]
		at := where + "." + field.Name
		for _, name := range append([]string{field.Name}, field.Alt...) {
			if !isMember(name) {
				c.report("%s: the name %q has other characters than letters, digits, - and _", at, name)
			}
			if seen[name] {
				c.report("%s: the name %q stands twice on its level", at, name)
			}
			seen[name] = true
		}
		base := field.Type.Element()
		switch {
		case fieldType(string(field.Type)) == "":
			c.report("%s: unknown type %q", at, field.Type)
		case field.Type == fact.File && !form:
			c.report("%s: a file outside a form", at)
		case base != fact.String && (field.Format != "" || field.Cipher != fact.Plain):
			c.report("%s: only text has a format or is encrypted", at)
		case field.JSONText && field.Type != fact.String:
			c.report("%s: only a string carries a JSON text", at)
		case len(field.Fields) > 0 && base != fact.Object && !field.JSONText:
			c.report("%s: only objects and JSON texts have fields", at)
		case field.Reviewed && len(field.Enum) == 0:
			c.report("%s: there are no constants to be reviewed", at)
		case byHand && !field.ByHand:
			c.report("%s: a field of a row added by hand has to be marked so, too", at)
		}
		if field.Format != "" && !slices.Contains([]string{"rfc3339", "date", "media", "url"}, field.Format) {
			c.report("%s: unknown format %q", at, field.Format)
		}
		c.marks(at, field)
		for k, constant := range field.Enum {
			if c.constant(at, field, constant) && slices.Contains(field.Enum[:k], constant) {
				c.report("%s: the constant %v stands twice", at, constant)
			}
		}
		c.fields(at, field.Fields, field.ByHand, false)
	}
}

// constant checks that a constant or sample fits the type of its field, and can be written and read again.
func (c *checker) constant(at string, field *fact.Field, constant any) bool {
	switch constant.(type) {
	case string, int64, float64, bool:
	default:
		c.report("%s: the constant %v is neither text nor a number nor a truth value", at, constant)
		return false
	}
	base := field.Type.Element()
	if back, err := parseConstant(base, constantText(base, constant)); err != nil {
		c.report("%s: %w", at, err)
	} else if back != constant {
		c.report("%s: the constant %v does not fit the type %s", at, constant, field.Type)
	}
	return true
}

// marks checks how sure a field is, its unit and bounds, and what is meant for people.
func (c *checker) marks(at string, field *fact.Field) {
	base := field.Type.Element()
	number := base == fact.Integer || base == fact.Number
	if field.Confirmed && !field.Required {
		c.report("%s: only a required field is confirmed as such", at)
	}
	if field.Unit != "" && (!number || !setMark(&fact.Field{}, string(field.Unit))) {
		c.report("%s: the unit %q is unknown, or not of a number", at, field.Unit)
	}
	if (field.Min != 0 || field.Max != 0) && (!number && base != fact.String || field.Max != 0 && field.Min > field.Max) {
		c.report("%s: the bounds %s make no sense", at, boundsText(field))
	}
	if field.EnumLabels != nil && len(field.EnumLabels) != len(field.Enum) {
		c.report("%s: %d labels for %d constants", at, len(field.EnumLabels), len(field.Enum))
	}
	for _, label := range append([]string{field.Label}, field.EnumLabels...) {
		if strings.ContainsAny(label, "\"=|#:()") || strings.ContainsFunc(label, unicode.IsControl) || strings.TrimSpace(label) != label {
			c.report("%s: the label %q has characters that divide lines", at, label)
		}
	}
	switch _, text := field.Sample.(string); {
	case field.Sample == nil || !c.constant(at, field, field.Sample):
	case text != (base == fact.String):
		c.report("%s: the sample %v is not of the type %s", at, field.Sample, base)
	case field.Cipher != fact.Plain:
		c.report("%s: an encrypted field has no sample", at)
	}
}
