package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/contrib/sm"
	"github.com/wxpay-go/wxpay/fact"
)

type uploadOptions struct {
	callOptions // path, variables, fields, get, sandbox

	file string
	name string
	part string
}

func uploadCommand(run func(context.Context, uploadOptions) error) *cobra.Command {
	o := new(uploadOptions)
	command := &cobra.Command{
		Use:   "upload FILE --to PATH",
		Short: "Upload a file",
		Long: `Upload FILE (- for stdin, then with --name) to an operation that takes one. The digest is computed here, with the
algorithm that the operation wants; the names of parts and members, and the permitted suffixes and sizes, are those that are
documented. An upload that only costs a new id is repeated when the connection fails.

-f and -F are further members of the signed meta, as in "wxpay call": item_id, bank_type and the like.

The answer is printed, with the id of the file; --get prints one value of it.

` + exitCodeHelp,
		Example: `  wxpay upload licence.png --to v3/merchant/media/upload --get media_id
  wxpay upload proof.pdf --to v3/mch-manage/submission-files/sub-mchid/{sub_mchid}/upload --var sub_mchid=1900000110 -F item_id=7
  wxpay upload fapiao.pdf --to v3/new-tax-control-fapiao/fapiao-applications/upload-fapiao-file -f file_type=PDF`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return usageError("give one file")
			case o.path == "":
				return usageError("name the operation: --to PATH, for example v3/merchant/media/upload")
			case args[0] == "-" && o.name == "":
				return usageError("what comes from stdin needs a name: --name a.png")
			}
			o.file = args[0]
			return run(command.Context(), *o)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.path, "to", "", "`PATH` of the operation")
	_ = command.RegisterFlagCompletionFunc("to", func(command *cobra.Command, _ []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return completePath(factsOf(command), "POST", text), cobra.ShellCompDirectiveNoFileComp
	})
	flags.StringVar(&o.name, "name", "", "`NAME` that the platform gets; by default that of FILE")
	flags.StringVar(&o.part, "part", "", "`NAME` of the file's part, for an operation that is not documented")
	flags.VarP(&fieldFlag{list: &o.fields}, "raw-field", "f", "a string `name=value` of the meta")
	flags.VarP(&fieldFlag{list: &o.fields, typed: true}, "field", "F", "a typed `name=value` of the meta")
	flags.Var(&pairFlag{&o.variables, "="}, "var", "a `name=value` for {name} in the path")
	flags.StringVar(&o.get, "get", "", "print one value of the answer, by its gjson `PATH`")
	flags.BoolVar(&o.sandbox, "sandbox", false, "call an embedded sandbox, which needs no credentials")
	return command
}

func (p *program) upload(ctx context.Context, o uploadOptions) error {
	bar, end := p.newBar("uploading")
	defer end()
	file, done, err := p.uploaded(o, bar)
	if err != nil {
		return err
	}
	defer done()
	client, leave, err := p.client(o.sandbox, p.checking(o.callOptions)...)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := interruptible(ctx)
	defer stop()
	res, err := o.chain(client).Upload(ctx, file)
	end()
	if err != nil {
		return p.printFailure(o.callOptions, err)
	}
	return p.printAnswer(o.callOptions, res)
}

// uploaded is the file with everything that is said of it.
func (p *program) uploaded(o uploadOptions, bar *bar) (file wxpay.File, done func(), err error) {
	done = func() {}
	if o.name == "" {
		o.name = filepath.Base(o.file)
	}
	if o.file == "-" {
		file = wxpay.FileReader(o.name, p.stdin)
	} else {
		source, err := os.Open(o.file)
		if err != nil {
			return file, done, usageError("%w", err)
		}
		info, err := source.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = usageError("%s is no regular file: pipe it in, as -", o.file)
		}
		if err != nil {
			_ = source.Close()
			return file, done, err
		}
		done = func() { _ = source.Close() }
		file = wxpay.FileFrom(o.name, readingBar{source, bar, info.Size()}, info.Size())
	}
	if o.part != "" {
		file = file.Part(o.part)
	}
	if member, algorithm := wantsSM3(p.facts(), "/"+strings.TrimPrefix(o.path, "/")); member != "" {
		file = file.Hash(sm.NewSM3).Meta(member, algorithm)
	}
	if len(o.fields) == 0 {
		return file, done, nil
	}
	text, err := fieldBody(o.fields, (&input{stdin: p.stdin}).open)
	var members map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal([]byte(text), &members)
	}
	if err != nil {
		done()
		return file, func() {}, usageError("the meta: %w", err)
	}
	for name, value := range members {
		file = file.Meta(name, value)
	}
	return file, done, nil
}

// wantsSM3 returns the member in which the operation at path is told that the digest is SM3, and how it is told; empty for
// the many that want SHA-256.
func wantsSM3(facts *catalog.Catalog, path string) (member, algorithm string) {
	operation, ok := facts.Lookup("POST", path)
	if !ok {
		return "", ""
	}
	for _, part := range operation.In.Form {
		for _, field := range part.Fields {
			if text, ok := firstConstant(field); ok && strings.HasSuffix(text, "SM3") {
				return field.Name, text
			}
		}
	}
	return "", ""
}

func firstConstant(field fact.Field) (string, bool) {
	if len(field.Enum) == 0 {
		return "", false
	}
	text, ok := field.Enum[0].(string)
	return text, ok
}
