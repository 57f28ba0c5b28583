package fleet

import (
	"regexp"
	"strings"
	"unicode"
)

// shortened is how a spreadsheet program shows, and saves, a number of more than eleven digits. The
// digits are lost.
var shortened = regexp.MustCompile(`^-?[0-9](\.[0-9]+)?E\+[0-9]+$`)

// guarded is how lists for spreadsheet programs, and the platform's bills, keep the digits of a
// number: with a tab, a backquote or an apostrophe in front.
var guarded = regexp.MustCompile("^[\t`'][0-9]|[0-9]\t$")

// spoiltMark stands before a text that was refused and would look right when it is read again.
const spoiltMark = "#VALUE!"

// errorMarks begin the errors of spreadsheet programs.
var errorMarks = []string{spoiltMark, "#N/A", "#REF!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"}

// lost is what is wrong with a text that has U+FFFD, which programs put where they cannot convert a
// character.
const lost = "a character of it was lost in a conversion (it has U+FFFD in its place): fill it in again, or name the right encoding of the file"

// spoilt reports what a spreadsheet program has done to a field, empty if nothing is seen. A number
// that is sent like this would be another number for the platform, and a second refund would not be
// recognised.
func spoilt(field string) string {
	if shortened.MatchString(field) {
		return "a spreadsheet program has shortened this number (as in 4.78516E+11), and its digits are lost: make the column text, and fill it in again"
	}
	for _, mark := range errorMarks {
		if strings.HasPrefix(field, mark) {
			return "it is an error of a spreadsheet program, or was marked as one: fill it in again"
		}
	}
	if guarded.MatchString(field) {
		return "it has a tab, a backquote or an apostrophe beside its digits, which keeps them from a spreadsheet program: remove it"
	}
	if strings.ContainsRune(field, unicode.ReplacementChar) {
		return lost
	}
	if trimmed := strings.TrimFunc(field, blank); trimmed != field {
		return "it begins or ends with a space, or another character that cannot be seen: remove it"
	}
	if strings.ContainsFunc(field, invisible) && !strings.ContainsFunc(field, written) {
		return "it has a character that cannot be seen, such as a no-break space, among letters and digits: remove it"
	}
	return ""
}

// blank reports whether nobody sees a character at the end of a field.
func blank(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// invisible reports whether a character is blank and beyond ASCII: a text in a language may need it,
// a number does not.
func invisible(r rune) bool { return r > unicode.MaxASCII && blank(r) }

// written reports whether a character belongs to a text that is not in ASCII.
func written(r rune) bool { return r > unicode.MaxASCII && !blank(r) }
