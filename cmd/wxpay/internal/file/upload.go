package file

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/request"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/contrib/sm"
	"github.com/wxpay-go/wxpay/fact"
)

type uploadOptions struct {
	request.Options // path, variables, fields, get, sandbox

	to   string
	file string
	name string
	part string
}

// Upload returns wxpay upload.
func Upload(sh *shell.Shell) *cobra.Command {
	o := &uploadOptions{Options: request.Options{Method: http.MethodPost}}
	command := &cobra.Command{
		Use:   "upload FILE --to PATH",
		Short: "Upload a file",
		Long: `Upload FILE (- for stdin, then with --name) to an operation that takes one. wxpay computes the digest with the
algorithm of the operation. The names of parts and fields, and the permitted suffixes and sizes, are the documented ones.
If the connection fails, wxpay repeats an upload that costs no more than a new id.

-f and -F are further fields of the signed meta, as in "wxpay call": item_id, bank_type and the like.

wxpay prints the response, with the id of the file; --get prints one value of it.

` + shell.ExitCodeHelp,
		Example: `  wxpay upload licence.png --to v3/merchant/media/upload --get media_id
  wxpay upload proof.pdf --to v3/mch-manage/submission-files/sub-mchid/{sub_mchid}/upload --var sub_mchid=1900000110 -F item_id=7
  wxpay upload fapiao.pdf --to v3/new-tax-control-fapiao/fapiao-applications/upload-fapiao-file -f file_type=PDF`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return shell.Usage("give one file: wxpay upload FILE --to PATH")
			case o.to == "":
				return shell.Usage("name the operation: --to PATH, for example v3/merchant/media/upload")
			case args[0] == "-" && o.name == "":
				return shell.Usage("a file from stdin needs a name: --name a.png")
			}
			at, err := operation.ParseAddress(o.to)
			if err == nil {
				err = o.Locate(at)
			}
			if err != nil {
				return err
			}
			o.file = args[0]
			return o.run(command.Context(), sh)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.to, "to", "", "`PATH` of the operation")
	_ = command.RegisterFlagCompletionFunc("to", operation.CompleteFlag(sh.Facts(), http.MethodPost))
	flags.StringVar(&o.name, "name", "", "`NAME` that the platform gets; by default that of FILE")
	flags.StringVar(&o.part, "part", "", "`NAME` of the file's part, for an operation that is not documented")
	flags.VarP(&request.FieldFlag{List: &o.Fields}, "raw-field", "f", "a string `name=value` of the meta")
	flags.VarP(&request.FieldFlag{List: &o.Fields, Typed: true}, "field", "F", "a typed `name=value` of the meta")
	flags.Var(&shell.PairFlag{List: &o.Variables}, "var", "a `name=value` for {name} in the path")
	flags.VarP(&shell.PairFlag{List: &o.Header, Header: true}, "header", "H", "a request header, `'name: value'`")
	flags.StringVar(&o.Get, "get", "", "print one value of the response, by its gjson `PATH`")
	flags.BoolVarP(&o.Include, "include", "i", false, "print status and headers before the response")
	shell.TimeoutFlag(flags, &o.Timeout, "how long to wait for the response, such as 5s")
	flags.BoolVar(&o.Sandbox, "sandbox", false, "call an embedded sandbox, which needs no credentials")
	o.Credentials.Add(flags)
	operation.CompleteFlags(sh.Facts(), command)
	return command
}

func (o *uploadOptions) run(ctx context.Context, sh *shell.Shell) error {
	bar, end := newBar(sh, shell.Text("reading"))
	defer end()
	file, done, err := o.open(sh, bar)
	if err != nil {
		return err
	}
	defer done()
	client, leave, err := o.Client(sh)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	res, err := o.Chain(client).Upload(ctx, file)
	end()
	if err != nil {
		return request.PrintFailure(sh, &o.Options, err)
	}
	return request.PrintResponse(sh, &o.Options, res)
}

// open returns the file with its meta. done closes it.
func (o *uploadOptions) open(sh *shell.Shell, bar *bar) (file wxpay.File, done func(), err error) {
	meta, err := o.meta(sh)
	if err != nil {
		return file, nil, err
	}
	if o.name == "" {
		o.name = filepath.Base(o.file)
	}
	done = func() {}
	if o.file == "-" {
		file = wxpay.FileReader(o.name, sh.Stdin)
	} else {
		source, err := os.Open(o.file)
		if err != nil {
			return file, nil, shell.Usage("%w", err)
		}
		info, err := source.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = shell.Usage("%s is not a regular file: pipe it in, as -", o.file)
		}
		if err != nil {
			_ = source.Close()
			return file, nil, err
		}
		done = func() { _ = source.Close() }
		file = wxpay.FileFrom(o.name, &readingBar{ReaderAt: source, bar: bar, total: info.Size()}, info.Size())
	}
	if o.part != "" {
		file = file.Part(o.part)
	}
	if field, algorithm := wantsSM3(sh.Facts(), operation.Rooted(o.Path)); field != "" {
		file = file.Hash(sm.NewSM3).Meta(field, algorithm)
	}
	for name, value := range meta {
		file = file.Meta(name, value)
	}
	return file, done, nil
}

// meta returns the fields of the meta that the flags give.
func (o *uploadOptions) meta(sh *shell.Shell) (fields map[string]json.RawMessage, err error) {
	if len(o.Fields) == 0 {
		return nil, nil
	}
	text, err := request.Body(o.Fields, shell.NewInput(sh).Open)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		return nil, shell.Usage("the meta: %w", err)
	}
	return fields, nil
}

// wantsSM3 returns the field in which the operation at path names the algorithm of the digest, and the name of SM3 there.
// Both are empty for the many operations that take SHA-256.
func wantsSM3(facts *catalog.Catalog, path string) (field, algorithm string) {
	operation, ok := facts.Lookup(http.MethodPost, path)
	if !ok {
		return "", ""
	}
	for _, part := range operation.In.Form {
		for _, f := range part.Fields {
			if text, ok := firstConstant(f); ok && strings.HasSuffix(text, "SM3") {
				return f.Name, text
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
