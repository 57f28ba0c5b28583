package cli

import (
	"bytes"
	"cmp"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
)

// titles are the words of cobra around the texts of a command, each at the start of a line.
var titles = map[string]string{
	"Usage:": "用法：", "Aliases:": "别名：", "Examples:": "示例：", "Available Commands:": "命令：", "Additional Commands:": "其他命令：",
	"Global Flags:": "全局选项：", "Flags:": "选项：", "Additional help topics:": "其他主题：",
}

var (
	title = regexp.MustCompile(`(?m)^[A-Z][A-Za-z ]+:`)
	more  = regexp.MustCompile(`(?m)^Use "(.+)" for more information about a command\.`)
	usual = regexp.MustCompile(`(?m) \(default (.+)\)$`)
)

// helpTexts calls visit with each text of the help of a command and those beneath it, and takes what it returns.
func helpTexts(command *cobra.Command, visit func(string) string) {
	command.InitDefaultHelpFlag()
	command.InitDefaultVersionFlag()
	command.Short = visit(command.Short)
	if command.Long != "" {
		command.Long = visit(strings.TrimRight(command.Long, "\n"))
	}
	command.Flags().VisitAll(func(f *pflag.Flag) {
		// "help for wxpay call" is a text for each command
		f.Usage = strings.TrimSuffix(f.Usage, " for "+command.DisplayName())
		f.Usage = visit(f.Usage)
	})
	for _, child := range command.Commands() {
		helpTexts(child, visit)
	}
}

// InChinese puts the help of all commands into Chinese. A text without a translation stays English.
func InChinese(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	usage := root.UsageFunc()
	// Not by cobra's template: a program in which templates can run is 3 MB larger.
	root.SetUsageFunc(func(c *cobra.Command) error {
		var text bytes.Buffer
		out := c.OutOrStderr()
		c.SetOut(&text)
		err := usage(c)
		c.SetOut(out)
		if err != nil {
			return err
		}
		chinese := title.ReplaceAllStringFunc(text.String(), func(english string) string { return cmp.Or(titles[english], english) })
		chinese = usual.ReplaceAllString(chinese, "（默认 $1）")
		_, err = io.WriteString(out, more.ReplaceAllString(chinese, `用 "$1" 查看各命令的帮助。`))
		return err
	})
	helpTexts(root, func(english string) string {
		chinese, _ := zh.Paragraphs(english)
		return chinese
	})
}
