package shell_test

import (
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// A wrong flag is told with what was typed, and with what to write instead.
func TestFlagError(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"misspelt":                {[]string{"--tiemout", "5s"}, "there is no flag --tiemout: did you mean --timeout?"},
		"with an underscore":      {[]string{"--no_check"}, "there is no flag --no_check: did you mean --no-check?"},
		"cut short":               {[]string{"--time=5s"}, "there is no flag --time: did you mean --timeout?"},
		"with one hyphen":         {[]string{"-timeout=5s"}, "there is no flag -timeout=5s: did you mean --timeout?"},
		"like none":               {[]string{"--colour"}, "there is no flag --colour"},
		"a letter like none":      {[]string{"-Q"}, "there is no flag -Q"},
		"without a value":         {[]string{"--timeout"}, "--timeout has no value: write --timeout duration"},
		"without a named value":   {[]string{"-o"}, "-o has no value: write -o FILE"},
		"a number for a time":     {[]string{"--timeout", "5"}, `--timeout "5" has no unit: write 5s for seconds, 5m for minutes, or 5ms for milliseconds`},
		"a word for a time":       {[]string{"--timeout", "soon"}, `--timeout "soon" is not a duration: write 500ms, 5s, 2m or 1h30m`},
		"no time":                 {[]string{"--timeout", "0"}, "--timeout is 0, it must be positive"},
		"less than no time":       {[]string{"--timeout=-5s"}, "--timeout is -5s, it must be positive"},
		"a word for a switch":     {[]string{"--no-check=maybe"}, "--no-check=maybe is neither true nor false: write --no-check, or --no-check=false"},
		"a word for a number":     {[]string{"-n", "all"}, `-n "all" is not a whole number`},
		"a pair without its name": {[]string{"--var", "=x"}, `--var "=x": it is not of the form name=value`},
		"a pair with quotes":      {[]string{"--var", `'a`}, `--var "'a": it is not of the form name=value`},
	} {
		t.Run(name, func(t *testing.T) {
			command := &cobra.Command{Use: "x", SilenceErrors: true, SilenceUsage: true, RunE: func(*cobra.Command, []string) error { return nil }}
			command.SetFlagErrorFunc(shell.FlagError)
			flags := command.Flags()
			limit := time.Second
			shell.TimeoutFlag(flags, &limit, "how long to wait")
			flags.Bool("no-check", false, "")
			flags.IntP("number", "n", 0, "")
			flags.StringP("output", "o", "", "`FILE` to write to")
			flags.Var(&shell.PairFlag{List: new([]shell.Pair)}, "var", "")
			command.SetArgs(test.args)
			err := command.Execute()
			require.Error(t, err)
			assert.Equal(t, test.want, err.Error())
			assert.Equal(t, shell.ExitUsage, shell.ExitCode(err))
		})
	}
}

func TestNearest(t *testing.T) {
	names := []string{"out_trade_no", "out_refund_no", "mchid", "sub_mchid", "a"}
	for name, want := range map[string]string{
		"out_tradeno": "out_trade_no", "outTradeNo": "out_trade_no", "out_trade": "out_trade_no", "mcihd": "mchid",
		"mch": "mchid", "A": "a", "b": "", "openid": "", "": "",
	} {
		assert.Equal(t, want, shell.Nearest(name, names), name)
	}
}
