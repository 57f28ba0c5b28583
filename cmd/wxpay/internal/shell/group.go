package shell

import (
	"strings"

	"github.com/spf13/cobra"
)

// Group returns the run function of a command that has nothing but commands below it. choice names these, as the user
// would write them.
func Group(choice string) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		if len(args) > 0 {
			return NoCommand(command, args[0])
		}
		return Usage("say what to do: %s", Marked(choice))
	}
}

// NoCommand returns the error about a command that is not there, with the one that was probably meant, or all.
func NoCommand(parent *cobra.Command, name string) error {
	var names []string
	for _, command := range parent.Commands() {
		if command.IsAvailableCommand() {
			names = append(names, command.Name())
		}
	}
	if near := Nearest(name, names); near != "" {
		return Usage("there is no command %s %s: did you mean %s?", parent.CommandPath(), Printable(name), near)
	}
	if !parent.HasParent() {
		return Usage("there is no command %s %s: \"wxpay --help\" lists them. \"wxpay search %s\" finds operations, \"wxpay call\" "+
			"makes one call, and \"wxpay batch\" makes one for each line of a file",
			parent.CommandPath(), Printable(name), Printable(name))
	}
	return Usage("there is no command %s %s: there are %s", parent.CommandPath(), Printable(name), strings.Join(names, ", "))
}

// NoArgs rejects arguments of a command that takes none.
func NoArgs(command *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usage("%s takes no arguments, but %s is one: flags begin with --", command.CommandPath(), Printable(args[0]))
	}
	return nil
}
