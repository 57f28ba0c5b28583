package shell

import (
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Pair is a name with its value.
type Pair struct{ Name, Value string }

// PairFlag is a flag that collects pairs.
type PairFlag struct {
	List   *[]Pair
	Header bool // name: value instead of name=value
}

func (f *PairFlag) String() string { return "" }

// Type returns the form of a value, for the help.
func (f *PairFlag) Type() string {
	if f.Header {
		return "'name: value'"
	}
	return "name=value"
}

// Set reads a pair.
func (f *PairFlag) Set(text string) error {
	separator := "="
	if f.Header {
		separator = ":"
	}
	name, value, ok := strings.Cut(text, separator)
	if !ok || name == "" {
		return Say("it is not of the form %s", strings.Trim(f.Type(), "'"))
	}
	if f.Header {
		value = strings.TrimSpace(value)
	}
	*f.List = append(*f.List, Pair{name, value})
	return nil
}

// FormatFlag adds the flag --format to a command whose result is for a person, or with json for a machine.
func FormatFlag(command *cobra.Command, json *bool) {
	command.Flags().Var((*jsonFlag)(json), "format", "`FORMAT` of the result: text, or json for machines")
	_ = command.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// jsonFlag is true for json and false for text.
type jsonFlag bool

func (f *jsonFlag) String() string {
	if *f {
		return "json"
	}
	return "text"
}

func (f *jsonFlag) Type() string { return "format" }

func (f *jsonFlag) Set(text string) error {
	if text != "text" && text != "json" {
		return Say("it is not one of text, json")
	}
	*f = text == "json"
	return nil
}

// TimeoutFlag adds the flag --timeout, which is positive. Its value stays what it is where the flag is not given.
func TimeoutFlag(flags *pflag.FlagSet, value *time.Duration, usage string) {
	flags.Var((*timeoutFlag)(value), "timeout", usage)
}

type timeoutFlag time.Duration

func (f *timeoutFlag) String() string {
	if *f == 0 {
		return "" // and the help shows no default
	}
	return time.Duration(*f).String()
}

func (f *timeoutFlag) Type() string { return "duration" }

func (f *timeoutFlag) Set(text string) error {
	limit, err := time.ParseDuration(text)
	if err == nil && limit <= 0 {
		err = Usage("--timeout is %s, it must be positive", text)
	}
	*f = timeoutFlag(limit)
	return err
}

// CheckFlags rejects invisible characters in the value of a flag, such as a no-break space from a web page: no file,
// address or number contains one. Flags whose value is sent or searched for as it is may contain anything.
func CheckFlags(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		verbatim := f.Value.Type() != "string" || f.Name == "get" || f.Shorthand == "d"
		for i, r := range []rune(value) {
			if err == nil && !verbatim && !unicode.IsPrint(r) {
				err = Usage("--%s is %q: character %d is %U, which is invisible", f.Name, value, i+1, r)
			}
		}
	})
	return err
}
