package shell

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// FlagError puts an error of a command's flags into the words of this program: the flag, the text that was typed, and
// what to write instead.
func FlagError(command *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && command.HasAvailableSubCommands() && command.Flags().NArg() > 0:
		return NoCommand(command, command.Flags().Arg(0)) // a flag of that command
	case errors.As(err, &unknown):
		return unknownFlag(command, unknown)
	case errors.As(err, &empty):
		placeholder, _ := pflag.UnquoteUsage(empty.GetFlag())
		return Usage("%s has no value: write %[1]s %s", flagName(empty.GetFlag()), placeholder)
	case errors.As(err, &bad):
		return badValue(bad)
	}
	return Usage("%w", err)
}

func unknownFlag(command *cobra.Command, unknown *pflag.NotExistError) error {
	name := unknown.GetSpecifiedName()
	typed := "--" + name
	if cluster := unknown.GetSpecifiedShortnames(); cluster != "" { // -timeout is -t -i -m … to pflag
		name, typed = strings.SplitN(cluster, "=", 2)[0], "-"+cluster
	}
	var names []string
	command.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := Nearest(name, names); near != "" {
		return Usage("there is no flag %s: did you mean --%s?", Printable(typed), near)
	}
	return Usage("there is no flag %s", Printable(typed))
}

func badValue(bad *pflag.InvalidValueError) error {
	if own := new(ExitError); errors.As(bad, &own) {
		return own // which names the flag
	}
	flag, value := flagName(bad.GetFlag()), bad.GetValue()
	switch bad.GetFlag().Value.Type() {
	case "duration":
		if isDigits(value) {
			return Usage("%s %q has no unit: write %[3]ss for seconds, %[3]sm for minutes, or %[3]sms for milliseconds",
				flag, value, value)
		}
		return Usage("%s %q is not a duration: write 500ms, 5s, 2m or 1h30m", flag, value)
	case "bool":
		return Usage("%s=%s is neither true nor false: write %[1]s, or %[1]s=false", flag, Printable(value))
	case "int", "int64":
		return Usage("%s %q is not a whole number", flag, value)
	}
	// pflag strips the text of a value of its quotes: what was typed is here.
	return Usage("%s %q: %w", flag, value, bad.Unwrap())
}

// flagName returns a flag as it is written: -F for a flag that has a letter.
func flagName(flag *pflag.Flag) string {
	if flag.Shorthand != "" {
		return "-" + flag.Shorthand
	}
	return "--" + flag.Name
}

func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
