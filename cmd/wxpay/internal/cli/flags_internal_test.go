package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// letters are the flags that have a short form, each with the same letter in every command that has the flag.
var letters = map[string]string{
	"output": "o", "header": "H", "include": "i", "query": "q", "raw-field": "f", "field": "F", "method": "X", "number": "n", "help": "h",
	"version": "v",
}

// others are names that people know from other programs for a thing that has another name here.
var others = map[string]string{
	"out": "output", "file": "output", "outfile": "output", "output-file": "output", "json": "format", "output-format": "format",
	"headers": "header", "verbose": "include", "wait-for": "wait", "deadline": "timeout", "url-query": "query", "params": "query",
	"force-yes": "yes", "dryrun": "dry-run", "merchant": "profile",
}

// A flag has one name, one letter and one kind of value in all commands.
func TestFlagsHaveOneSpelling(t *testing.T) {
	kinds := make(map[string]string)
	commands := 0
	var walk func(*cobra.Command)
	walk = func(command *cobra.Command) {
		commands++
		command.InitDefaultHelpFlag()
		command.LocalFlags().VisitAll(func(f *pflag.Flag) {
			where := command.CommandPath() + " --" + f.Name
			if name, ok := others[f.Name]; ok {
				t.Errorf("%s: the name of this flag is --%s", where, name)
			}
			switch want, ok := letters[f.Name]; {
			case f.Name == "data" && f.Shorthand == "": // the folder of a sandbox
			case f.Name == "data":
				assert.Equal(t, "d", f.Shorthand, where)
			case ok:
				assert.Equal(t, want, f.Shorthand, where)
			default:
				assert.Empty(t, f.Shorthand, "%s: add the letter to the table if no other flag has it", where)
			}
			assert.Equal(t, strings.ToLower(f.Name), f.Name, where)
			kind := f.Value.Type()
			if f.Name == "format" {
				kind = "format" // of which each command has its own
			}
			if first, ok := kinds[f.Name]; ok {
				assert.Equal(t, first, kind, where)
			}
			kinds[f.Name] = kind
		})
		calls := command.LocalFlags().Lookup("profile") != nil && command.Name() != "smoke" // whose waits are minutes
		assert.Equal(t, calls, command.LocalFlags().Lookup("timeout") != nil,
			"%s: a command that calls the platform, and no other, has --timeout", command.CommandPath())
		for _, child := range command.Commands() {
			if child.Name() != "completion" && child.Name() != "help" {
				walk(child)
			}
		}
	}
	walk(command(shell.New(nil, nil, nil, nil)))
	assert.Greater(t, commands, 25)
	for _, name := range []string{"output", "format", "timeout", "header", "include"} {
		assert.Contains(t, kinds, name)
	}
}
