package file

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/request"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/contrib/sm"
)

type downloadOptions struct {
	request.Options // path, variables, query, sandbox

	out    destination
	digest string
}

// Download returns wxpay download.
func Download(sh *shell.Shell) *cobra.Command {
	o := new(downloadOptions)
	command := &cobra.Command{
		Use:   "download URL|PATH [-o FILE]",
		Short: "Download a file by its link, or by its path",
		Long: `Download a file. URL is a download_url from a response: wxpay signs it and requests it untouched, at once, since links
live for half a minute, and only from the gateway of the credentials. PATH is an operation that responds with a file, such
as the image of a complaint, with {name} for each value.

wxpay expands a file that is gzip. --digest checks the file against the digest that came with the link (hash_type and
hash_value). For a whole bill use "wxpay bill", which does all of that.

With -o FILE the file appears when all of it is right: a failure, or Ctrl-C, leaves nothing. On a terminal stderr shows
the progress.

` + exitCodeHelp,
		Example: `  wxpay download "$url" -o bill.csv --digest SHA1:0ac6f552415553af1770c605de92d66f087c4881
  wxpay download v3/merchant-service/images/{media_id} --raw-var media_id=ChsyMDAyMDAwMDA%2FQyMDA%3D -o image.jpg`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) != 1 {
				return shell.Usage("give one address or path; quote an address, for it contains &")
			}
			o.Path = args[0]
			if err := o.out.check(); err != nil {
				return err
			}
			return o.run(command.Context(), sh)
		},
		ValidArgsFunction: func(command *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return operation.CompleteFlag(sh.Facts(), http.MethodGet)(command, args, text)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	o.out.flags(flags)
	flags.StringVar(&o.digest, "digest", "", "`ALGORITHM:HEX` that the content must have, such as SHA1:0ac6…; also SHA256 and SM3")
	flags.Var(&shell.PairFlag{List: &o.Variables}, "var", "a `name=value` for {name} in PATH")
	flags.Var(&shell.PairFlag{List: &o.Escaped}, "raw-var", "the same, with a value that is percent-encoded already")
	flags.VarP(&shell.PairFlag{List: &o.Query}, "query", "q", "a `name=value` of the query of PATH")
	shell.TimeoutFlag(flags, &o.Timeout, "how long to wait for a response, or for a transfer that stands still, such as 5s")
	flags.BoolVar(&o.Sandbox, "sandbox", false, "call an embedded sandbox, which needs no credentials")
	o.Credentials.Add(flags)
	operation.CompleteFlags(sh.Facts(), command)
	return command
}

func (o *downloadOptions) run(ctx context.Context, sh *shell.Shell) error {
	options := []wxpay.DownloadOption{wxpay.DigestAlgorithm("SM3", sm.NewSM3)}
	if o.digest != "" {
		algorithm, value, ok := strings.Cut(o.digest, ":")
		if !ok {
			return shell.Usage("--digest is not of the form ALGORITHM:HEX, such as SHA1:0ac6…")
		}
		options = append(options, wxpay.Digest(algorithm, value))
	}
	linked := strings.Contains(o.Path, "://")
	if linked && len(o.Variables)+len(o.Escaped)+len(o.Query) > 0 {
		return shell.Usage("an address is requested as it is: --var, --raw-var and --query belong to a path")
	}
	if !linked {
		at, err := operation.ParseAddress(o.Path)
		if err != nil {
			return err
		}
		if err := o.Locate(at); err != nil {
			return err
		}
	}
	client, leave, err := o.Client(sh)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	bar, end := newBar(sh, shell.Text("downloading"))
	defer end()
	options = append(options, wxpay.Progress(bar.show))

	var got *wxpay.DownloadResult
	err = o.out.download(sh, func(w io.Writer) (err error) {
		if linked {
			got, err = client.Fetch(ctx, o.Path, w, options...)
		} else {
			got, err = o.Chain(client).Download(ctx, w, options...)
		}
		return err
	})
	end()
	if err != nil {
		return o.out.failure(err)
	}
	o.out.note(sh, got)
	return nil
}
