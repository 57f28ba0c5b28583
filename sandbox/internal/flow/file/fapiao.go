package file

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// listFapiaoFiles returns the address of the file of an invoice. The sandbox keeps no invoices:
// every application has one.
func listFapiaoFiles(c *gate.Call) (any, *say.Rejection) {
	id := c.Query.Get("fapiao_id")
	content := sample.PDF("Invoice "+id, "of application "+c.Path["fapiao_apply_id"], "made by a sandbox: no invoice at all")
	return map[string]any{"fapiao_download_info_list": []any{map[string]any{
		"fapiao_id": id, "status": "ISSUED",
		"download_url": c.DownloadURL(gate.FapiaoFiles, "", func() *gate.Stream { return gate.FileOf("application/pdf", content) }),
	}}}, nil
}
