package batch_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// The commands of the page for people who bring lists do what it says, in their order.
func TestPageOfLists(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell here")
	}
	program, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	for _, page := range []string{"batch.md", "zh/batch.md"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../../../../docs/" + page)
			require.NoError(t, err)
			blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1)
			require.Len(t, blocks, 4, "look, send, send what was mended, results")
			gateway := listen(t)
			s := newShell(t, gateway.Env()...)
			for _, order := range []string{"0004200001", "0004200002"} {
				_, err := gateway.Users.AddPaidOrder(order, 10_000)
				require.NoError(t, err)
			}
			require.NoError(t, os.Mkdir(s.path("bin"), 0o700))
			require.NoError(t, os.Symlink(program, s.path("bin/wxpay-batch")))
			list := func(name string, rows ...[]string) {
				var out bytes.Buffer
				w := xlsx.NewWriter(&out, "one")
				for _, row := range rows {
					var cells []xlsx.Output
					for _, text := range row {
						cells = append(cells, xlsx.Output{Text: text})
					}
					require.NoError(t, w.Row(cells...))
				}
				require.NoError(t, w.Close())
				s.file(name, out.String())
			}
			names := []string{"商户订单号", "商户退款单号", "退款金额", "订单金额", "退款原因", "#经办人"}
			row := func(number, amount string) []string {
				return []string{"000420000" + number, "000R0000" + number, amount, "100.00", "商品已售完", "张三"}
			}
			list("refunds.xlsx", names, row("1", "12.30"), row("2", "12.345"))
			for i, want := range []struct {
				code, refunds int
				says          string
			}{
				{1, 0, "Sum of amount.refund: 12.30 yuan"},
				{1, 1, "line 3: C3 (column 退款金额): it is not an amount in yuan of the form 1234.50"},
				{0, 2, "Lines: 1 queued"},
				{0, 2, "amount.refund 24.64 yuan"},
			} {
				command := exec.Command(shell, "-c", string(blocks[i][1]))
				command.Dir = s.dir
				command.Env = append(append(os.Environ(), s.env...), "BATCH_TEST_PROGRAM=1", "PATH="+s.path("bin"))
				output, err := command.CombinedOutput()
				if want.code == 0 {
					assert.NoError(t, err, "%s", output)
				} else {
					assert.EqualError(t, err, fmt.Sprintf("exit status %d", want.code), "%s", output)
				}
				assert.Contains(t, string(output), want.says)
				assert.Len(t, gateway.Ledger.Effects(sandbox.RefundEffect), want.refunds)
				if i == 1 {
					rejects := sheets(t, s.path("refunds.rejects.xlsx"))["rejects"]
					require.Len(t, rejects, 2)
					rejects[1][4] = "12.34"
					list("refunds.rejects.xlsx", rejects...)
				}
			}
			for name, rows := range map[string]int{"results.xlsx": 1, "mended.xlsx": 1, "all.xlsx": 2} {
				assert.Len(t, sheets(t, s.path(name))["results"], 1+rows, name)
			}
		})
	}
}

// The commands of the page for operators are ones that the program takes, in the page's order, on a queue with a job whose outcome
// is unknown.
func TestPageOfFleet(t *testing.T) {
	t.Parallel()
	program, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	for _, page := range []string{"fleet.md", "zh/fleet.md"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../../../../docs/" + page)
			require.NoError(t, err)
			gateway := listen(t)
			require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
			s := newShell(t, gateway.Env()...)
			run := func(args ...string) (int, string) {
				command := exec.Command(program, args...)
				command.Dir = s.dir
				command.Env = append(append(os.Environ(), s.env...), "BATCH_TEST_PROGRAM=1")
				output, err := command.CombinedOutput()
				var failed *exec.ExitError
				if !errors.As(err, &failed) {
					require.NoError(t, err)
				}
				return command.ProcessState.ExitCode(), string(output)
			}
			file := s.file("feeds.ndjson", feedLines(3))
			code, output := run(file, feedsPath, "--rate", "1000", "--on-unknown", "hold", "--workers", "1")
			require.Equal(t, 3, code, output)
			values := strings.NewReplacer("FILE …", file+" "+feedsPath+" --rate 1000", "FILE", file+" "+feedsPath+" --rate 1000", "NUMBER", "F00000")
			seen := make(map[string]bool)
			for _, span := range regexp.MustCompile("`wxpay-batch\\s+([^`]+)`").FindAllStringSubmatch(string(text), -1) {
				args := strings.Fields(values.Replace(span[1]))
				code, output := run(args...)
				if name := args[0]; name == file {
					assert.Contains(t, []int{0, 3}, code, "%v: %s", args, output)
				} else {
					seen[name] = true
					assert.Zero(t, code, "%v: %s", args, output)
				}
			}
			for _, name := range []string{"purge", "reseal", "resume", "cancel", "status", "settle"} {
				assert.True(t, seen[name], name)
			}
		})
	}
}
