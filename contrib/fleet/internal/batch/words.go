package batch

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// words are what errors and results of the packages name, each with its counterpart here.
var words = strings.NewReplacer(
	"set QueueConfig.Moved", "say --moved",
	"(Queue.Doubt, \"resume --in-doubt\")", "(\"resume --in-doubt\")",
	"(Keys takes several)", "(--key takes several, one a line)",
	"make a client with WithBaseURL", "set WXPAY_BASE_URL",
	"WithBaseURL", "WXPAY_BASE_URL",
	"WithInsecureHTTP", "WXPAY_INSECURE_HTTP",
	"pass WithPublicKey(id, key)", "set WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY",
	"Merchant.APIv3Key", "WXPAY_APIV3_KEY",
	"Merchant.PrivateKey", "WXPAY_PRIVATE_KEY",
	"UntilFinal", "--final",
	" (WithTimeout and WithAttemptTimeout set the limits)", "",
	" (WithTimeout sets the limit)", "",
)

// inFlags puts a text of the packages, which names options of Go, into flags and variables. Nothing in it steers a terminal.
func inFlags(text string) string {
	return words.Replace(printable(strings.TrimPrefix(strings.TrimPrefix(text, "fleet: "), "wxpay: ")))
}

// flagError is the error about a flag that cannot be read.
func flagError(_ *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		what := map[string]string{
			"int": "a whole number", "duration": "a duration such as 500ms, 20s or 10m", "bool": "true or false",
		}[bad.GetFlag().Value.Type()]
		if what != "" {
			return usageError("--%s takes %s, not %q", bad.GetFlag().Name, what, bad.GetValue())
		}
	}
	var empty *pflag.ValueRequiredError
	if errors.As(err, &empty) {
		return usageError("--%s has no value", empty.GetFlag().Name)
	}
	return usageError("%w", err)
}

// noArguments is for the commands that take flags alone.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError("%s takes no arguments, but %q is one: flags begin with --", c.CommandPath(), args[0])
	}
	return nil
}

// noCommand is the error about a word that is neither a command nor a file.
func noCommand(root *cobra.Command, word string) error {
	if like := root.SuggestionsFor(word); len(like) > 0 {
		return usageError("there is no command and no file %q: did you mean %q?", word, like[0])
	}
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			names = append(names, c.Name())
		}
	}
	return usageError("there is no file %q, and no command; those are %s", word, strings.Join(names, ", "))
}
