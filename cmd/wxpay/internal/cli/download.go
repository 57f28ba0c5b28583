package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/sm"
)

type downloadOptions struct {
	callOptions // path, variables, query, sandbox

	out    destination
	digest string
}

func downloadCommand(run func(context.Context, downloadOptions) error) *cobra.Command {
	o := new(downloadOptions)
	command := &cobra.Command{
		Use:   "download URL|PATH [-o FILE]",
		Short: "Download a file by its link, or by its path",
		Long: `Download a file. URL is a download_url as an answer gave it: it is signed and requested untouched, at once, since links live
for half a minute, and only from the gateway that the credentials are for. PATH is an operation that answers with a file,
such as the image of a complaint, with {name} where a value goes.

A file that is gzip is expanded. --digest checks it against the digest of the response with the link (hash_type and
hash_value). For a whole bill use "wxpay bill", which does all of that.

With -o FILE the file appears when all of it is right: a failure, or Ctrl-C, leaves nothing. On a terminal stderr shows how
far it is.

` + fileExitCodeHelp,
		Example: `  wxpay download "$url" -o bill.csv --digest SHA1:0ac6f552415553af1770c605de92d66f087c4881
  wxpay download v3/merchant-service/images/{media_id} --raw-var media_id=ChsyMDAyMDAwMDA%2FQyMDA%3D -o image.jpg`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError("give one address or path; an address needs quotes, for it has & in it")
			}
			o.path = args[0]
			if err := o.out.check(); err != nil {
				return err
			}
			return run(command.Context(), *o)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	o.out.flags(flags)
	flags.StringVar(&o.digest, "digest", "", "`ALGORITHM:HEX` that the content must have, such as SHA1:0ac6…; SHA256 and SM3 are known too")
	flags.Var(&pairFlag{&o.variables, "="}, "var", "a `name=value` for {name} in PATH")
	flags.Var(&pairFlag{&o.escaped, "="}, "raw-var", "the same, with a value that is percent-encoded already")
	flags.VarP(&pairFlag{&o.query, "="}, "query", "q", "a `name=value` of the query of PATH")
	flags.BoolVar(&o.sandbox, "sandbox", false, "call an embedded sandbox, which needs no credentials")
	return command
}

func (p *program) download(ctx context.Context, o downloadOptions) error {
	options := []wxpay.DownloadOption{wxpay.DigestAlgorithm("SM3", sm.NewSM3)}
	if o.digest != "" {
		algorithm, value, ok := strings.Cut(o.digest, ":")
		if !ok {
			return usageError("--digest is not of the form ALGORITHM:HEX, such as SHA1:0ac6…")
		}
		options = append(options, wxpay.Digest(algorithm, value))
	}
	linked := strings.Contains(o.path, "://")
	if !linked && strings.ContainsAny(o.path, "?#") { // it may hold a token, so it is not shown
		return usageError("PATH has a ? or # in it: give a query with -q, or the whole address as it was given")
	}
	if linked && len(o.variables)+len(o.escaped)+len(o.query) > 0 {
		return usageError("an address is requested as it is: --var, --raw-var and --query belong to a path")
	}
	client, leave, err := p.client(o.sandbox, p.checking(o.callOptions)...)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := interruptible(ctx)
	defer stop()
	bar, end := p.newBar("downloading")
	defer end()
	options = append(options, wxpay.Progress(bar.show))

	got, err := o.out.fetch(p, func(w io.Writer) (*wxpay.DownloadResult, error) {
		if linked {
			return client.Fetch(ctx, o.path, w, options...)
		}
		return o.chain(client).Download(ctx, w, options...)
	})
	end()
	if err != nil {
		return o.out.fileError(err)
	}
	p.described(&o.out, got)
	return nil
}
