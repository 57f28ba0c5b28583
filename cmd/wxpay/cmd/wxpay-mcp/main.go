// Command wxpay-mcp serves WeChat Pay's documentation and a sandbox to an assistant, by the Model Context Protocol. "wxpay
// mcp" starts it; "wxpay-mcp --help" tells the rest.
package main

import (
	"context"
	"os"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/mcp"
)

func main() {
	os.Exit(mcp.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
