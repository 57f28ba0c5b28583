package text

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/wxpay-go/wxpay/fact"
)

// FieldLine returns the line of one field, without indentation and without its own fields.
func FieldLine(field *fact.Field) string {
	s := field.Name + " " + string(field.Type)
	if field.Required {
		s += "!"
	}
	if field.Confirmed {
		s += "!"
	}
	for _, mark := range []string{field.Format, string(field.Cipher), string(field.Unit), boundsText(field)} {
		if mark != "" {
			s += " " + mark
		}
	}
	if field.JSONText {
		s += " jsontext"
	}
	for _, other := range field.Alt {
		s += " alt:" + other
	}
	if field.ByHand {
		s += " hand"
	}
	if field.Reviewed {
		s += " reviewed"
	}
	for i, constant := range field.Enum {
		if i == 0 {
			s += " = "
		} else {
			s += " | "
		}
		s += constantText(field.Type.Element(), constant)
		if field.EnumLabels != nil && field.EnumLabels[i] != "" {
			s += " (" + field.EnumLabels[i] + ")"
		}
	}
	if field.Label != "" || field.Sample != nil {
		s += strings.TrimRight(" # "+field.Label, " ")
	}
	if field.Sample != nil {
		s += " : " + sampleText(field.Type.Element(), field.Sample)
	}
	return s
}

// factsLine is FieldLine without labels and sample.
func factsLine(field *fact.Field) string {
	bare := *field
	bare.Label, bare.EnumLabels, bare.Sample = "", nil, nil
	return FieldLine(&bare)
}

// boundsText returns MIN..MAX, where either may be missing, or nothing.
func boundsText(field *fact.Field) string {
	if field.Min == 0 && field.Max == 0 {
		return ""
	}
	bound := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	return bound(field.Min) + ".." + bound(field.Max)
}

func constantText(base fact.Type, constant any) string {
	switch value := constant.(type) {
	case string:
		if base == fact.String && plain(value) {
			return value
		}
		return quote(value)
	case float64:
		s := strconv.FormatFloat(value, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	}
	return fmt.Sprint(constant)
}

// sampleText is constantText at the end of a line, where nothing is divided any more.
func sampleText(base fact.Type, sample any) string {
	s, ok := sample.(string)
	bare := ok && base == fact.String && s != "" && s[0] != '"' && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, unicode.IsControl)
	if bare {
		return s
	}
	return constantText(base, sample)
}

// plain says that s can stand in a list of constants as it is.
func plain(s string) bool {
	return s != "" && !strings.ContainsAny(s, "\"|=#()\n") && strings.TrimSpace(s) == s
}

// quote quotes s so that the marks that divide constants do not appear in it.
func quote(s string) string {
	return strings.NewReplacer("|", `\x7c`, "=", `\x3d`, "#", `\x23`, "(", `\x28`, ")", `\x29`).Replace(strconv.Quote(s))
}

// setTexts reads what is meant for people: [ LABEL] [ : SAMPLE].
func setTexts(field *fact.Field, s string) error {
	label, sample, hasSample := strings.Cut(s, " : ")
	if label == "" && !hasSample {
		return problem("has neither a label nor a sample behind #")
	}
	if label != "" {
		label, spaced := strings.CutPrefix(label, " ")
		if !spaced || label == "" {
			return problem("a label stands behind one blank")
		}
		field.Label = label
	}
	if hasSample {
		var err error
		field.Sample, err = parseConstant(field.Type.Element(), sample)
		return err
	}
	return nil
}

func setMark(field *fact.Field, mark string) bool {
	set := func(b *bool) bool {
		was := *b
		*b = true
		return !was
	}
	switch mark {
	case "hand":
		return set(&field.ByHand)
	case "reviewed":
		return set(&field.Reviewed)
	case "jsontext":
		return set(&field.JSONText)
	case string(fact.RSA), string(fact.AES):
		if field.Cipher != fact.Plain {
			return false
		}
		field.Cipher = fact.RSA
		if mark == string(fact.AES) {
			field.Cipher = fact.AES
		}
	case "rfc3339", "date", "media", "url":
		if field.Format != "" {
			return false
		}
		field.Format = mark
	case string(fact.Fen), string(fact.Microfen), string(fact.Minor), string(fact.Percent), string(fact.Permyriad),
		string(fact.Second), string(fact.Minute), string(fact.Day):
		if field.Unit != "" {
			return false
		}
		field.Unit = fact.Unit(mark)
	default:
		if low, high, ok := strings.Cut(mark, ".."); ok {
			return setBounds(field, low, high)
		}
		other, ok := strings.CutPrefix(mark, "alt:")
		if !ok || other == "" {
			return false
		}
		field.Alt = append(field.Alt, other)
	}
	return true
}

func setBounds(field *fact.Field, low, high string) bool {
	if field.Min != 0 || field.Max != 0 {
		return false
	}
	read := func(s string, to *int64) bool {
		if s == "" {
			return true
		}
		n, err := strconv.ParseInt(s, 10, 64)
		*to = n
		return err == nil && n != 0
	}
	return (low != "" || high != "") && read(low, &field.Min) && read(high, &field.Max)
}

// parseConstant reads a constant of a field of type base. Text is bare in a string's list and quoted in another's.
func parseConstant(base fact.Type, s string) (any, error) {
	if strings.HasPrefix(s, `"`) {
		text, err := strconv.Unquote(s)
		if err != nil {
			return nil, fmt.Errorf("the constant %s is not quoted well", s)
		}
		return text, nil
	}
	switch base {
	case fact.String:
		if s != "" {
			return s, nil
		}
	case fact.Integer, fact.Number:
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return i, nil
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && strings.Trim(s, "+-.0123456789e") == "" {
			return f, nil
		}
	case fact.Boolean:
		if s == "true" || s == "false" {
			return s == "true", nil
		}
	}
	return nil, fmt.Errorf("the constant %q does not fit the type %s", s, base)
}

var fieldTypes = []fact.Type{
	fact.String, fact.Integer, fact.Object, fact.Number, fact.Objects, fact.Strings, fact.Boolean, fact.File,
	fact.Numbers, fact.Integers, fact.Booleans,
}

// fieldType returns s as a constant, or nothing when it is none.
func fieldType(s string) fact.Type {
	for _, t := range fieldTypes {
		if string(t) == s {
			return t
		}
	}
	return ""
}
