package shell

import "github.com/spf13/cobra"

// Group returns the run function of a command that has nothing but commands below it. choice names these, as the user
// would write them.
func Group(choice string) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		if len(args) > 0 {
			return Usage("there is no %s %s: write %s", command.Name(), Printable(args[0]), choice)
		}
		return Usage("say what to do: %s", choice)
	}
}
