package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/wxpay-go/wxpay/wxcode"
)

// guides are the commands of the program wxpay whose help is a guide.
var guides = []string{"call", "resolve", "bill", "upload", "download", "sandbox", "checkup", "keys check", "webhook verify", "webhook trigger"}

const (
	operationScheme = "wxpay://operation/"
	guideScheme     = "wxpay://guide/"
)

func (s *server) addGuides(p *mcp.Server) {
	p.AddResourceTemplate(&mcp.ResourceTemplate{
		Name: "operation", URITemplate: operationScheme + "{method}/{+path}", MIMEType: "text/markdown",
		Description: s.sh.Words("The documentation of an operation, such as wxpay://operation/POST/v3/refund/domestic/refunds"),
	}, s.readOperation)
	p.AddResource(&mcp.Resource{
		URI: guideScheme + "errors", Name: "errors", MIMEType: "text/markdown",
		Description: s.sh.Words("The error codes of the platform, and the reaction to each"),
	}, s.readErrors)
	for _, name := range guides {
		p.AddResource(&mcp.Resource{
			URI: guideScheme + strings.ReplaceAll(name, " ", "-"), Name: name, MIMEType: "text/plain",
			Description: s.sh.Words("How to use wxpay %s, and what its exit codes mean", name),
		}, func(ctx context.Context, r *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
			code, help, _ := command(ctx, s.sh.Environ, "", append(strings.Fields(name), "--help")...)
			if code != 0 {
				return nil, errors.New(s.sh.Words("the guide cannot be read"))
			}
			return s.resource(r, "text/plain", help), nil
		})
	}
}

func (s *server) resource(r *mcp.ReadResourceRequest, kind, text string) *mcp.ReadResourceResult {
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: r.Params.URI, MIMEType: kind, Text: bounded(s.sh, text)}}}
}

func (s *server) readOperation(_ context.Context, r *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	method, path, _ := strings.Cut(strings.TrimPrefix(r.Params.URI, operationScheme), "/")
	if plain, err := url.PathUnescape(path); err == nil { // placeholders come escaped from some clients
		path = plain
	}
	text, err := s.markdown(place{method, "/" + path})
	if err != nil {
		return nil, mcp.ResourceNotFoundError(r.Params.URI)
	}
	return s.resource(r, "text/markdown", text), nil
}

func (s *server) readErrors(_ context.Context, r *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	var out strings.Builder
	out.WriteString(s.sh.Words("| code | status | meaning | class | where money moves |") + "\n| --- | --- | --- | --- | --- |\n")
	for _, info := range wxcode.All() {
		statuses := slices.Clone(info.Statuses)
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", info.Code, strings.Trim(fmt.Sprint(statuses), "[]"), ofClient(s.sh, info.Meaning), info.Class, info.Money)
	}
	return s.resource(r, "text/markdown", out.String()), nil
}
