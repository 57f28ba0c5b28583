package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
)

// titles are the words of cobra around the texts of a command.
var titles = strings.NewReplacer(
	"Usage:", "用法：", "Aliases:", "别名：", "Examples:", "示例：", "Available Commands:", "命令：", "Additional Commands:", "其他命令：",
	"Global Flags:", "全局选项：", "Flags:", "选项：", "Additional help topics:", "其他主题：",
	`Use "{{.CommandPath}} [command] --help" for more information about a command.`, `用 "{{.CommandPath}} [command] --help" 查看各命令的帮助。`,
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
	if command.Name() == "completion" {
		return // what is beneath it is cobra's, and mostly lines for a shell
	}
	for _, child := range command.Commands() {
		helpTexts(child, visit)
	}
}

// inChinese puts the help of all commands into Chinese. What has no translation stays English.
func inChinese(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.SetUsageTemplate(titles.Replace(root.UsageTemplate()))
	helpTexts(root, func(english string) string {
		chinese, _ := zh.Paragraphs(english)
		return chinese
	})
}
