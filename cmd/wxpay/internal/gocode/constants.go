package gocode

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/fact"
)

// enumerable reports whether a field gets a type with constants. A number may have a fraction, and a boolean needs none.
func enumerable(field *fact.Field) bool {
	if len(field.Enum) == 0 || field.JSONText || field.Cipher != fact.Plain {
		return false
	}
	for _, value := range field.Enum {
		switch value.(type) {
		case string:
			if field.Type.Element() != fact.String {
				return false
			}
		case int64:
			if field.Type.Element() != fact.Integer {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func baseOf(field *fact.Field) string {
	if field.Type.Element() == fact.Integer {
		return "int64"
	}
	return "string"
}

// constants returns the declarations of the constants of a field whose type has this name, and their names.
func constants(typeName string, field *fact.Field) (code string, names []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n// Constants of %s.\nconst (\n", typeName)
	taken := map[string]bool{}
	for i, value := range field.Enum {
		word := constantWord(fmt.Sprint(value))
		for base, n := word, 2; taken[word]; n++ {
			word = base + strconv.Itoa(n)
		}
		taken[word] = true
		names = append(names, typeName+word)
		fmt.Fprintf(&b, "%s%s %s = %s", typeName, word, typeName, literal(value))
		if field.EnumLabels != nil && field.EnumLabels[i] != "" {
			b.WriteString(" // " + strings.Join(strings.Fields(field.EnumLabels[i]), " "))
		}
		b.WriteByte('\n')
	}
	b.WriteString(")\n")
	return b.String(), names
}

func literal(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(text)
	}
	return fmt.Sprint(value)
}

// constantWord returns the end of the name of a constant, UserPaid for USER_PAID. It depends on the value alone.
func constantWord(value string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if word == strings.ToUpper(word) {
			word = strings.ToLower(word)
		}
		first, size := utf8.DecodeRuneInString(word)
		b.WriteRune(unicode.ToUpper(first))
		b.WriteString(word[size:])
	}
	if b.Len() == 0 {
		return "Other"
	}
	return b.String()
}
