package transfer

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// applyForReceipt begins to make a receipt. A repeated application gets the same response.
func (f *Flow) applyForReceipt(c *gate.Call, number string) (any, *say.Rejection) {
	defer c.Begin().Commit()
	t, known := f.transfers.Get(number)
	switch {
	case !known:
		return nil, transferNotFound
	case t.State != "SUCCESS":
		return nil, say.InvalidRequest(
			say.Both("仅转账成功的单据可申请电子回单", "only a transfer that succeeded has a receipt"),
			"the transfer bill is "+t.State,
		)
	}
	r, applied := f.receipts.Get(t.ID)
	if !applied {
		r = receipt{Applied: c.Now, Changed: c.Now}
		f.receipts.Put(t.ID, r)
	}
	return map[string]any{"state": r.state(), "create_time": say.Time(r.Applied)}, nil
}

// state is GENERATING for the first query, and FINISHED from the second one on.
func (r receipt) state() string {
	if r.Asked < 2 {
		return "GENERATING"
	}
	return "FINISHED"
}

func (f *Flow) queryReceipt(c *gate.Call, number, path, query string) (any, *say.Rejection) {
	defer c.Begin().Commit()
	t, known := f.transfers.Get(number)
	if !known {
		return nil, transferNotFound
	}
	r, applied := f.receipts.Get(t.ID)
	if !applied {
		return nil, say.NotFound("NOT_FOUND", say.Both("未申请电子回单", "no receipt was applied for"),
			"the receipt of this transfer bill has to be applied for first")
	}
	if r.Asked++; r.Asked == 2 {
		r.Changed = c.Now
	}
	f.receipts.Put(t.ID, r)
	response := map[string]any{"state": r.state(), "create_time": say.Time(r.Applied), "update_time": say.Time(r.Changed)}
	if r.state() == "FINISHED" {
		content := sample.PDF(
			"Transfer receipt", "bill "+t.ID, "number "+t.Number, "amount "+sample.Yuan(t.Amount)+" CNY",
			"made by a sandbox: no money moved",
		)
		sum := sha256.Sum256(content)
		response["hash_type"], response["hash_value"] = "SHA256", c.Digest(hex.EncodeToString(sum[:]))
		response["download_url"] = c.DownloadURL(path, query, func() *gate.Stream { return gate.FileOf("application/pdf", content) })
	}
	return response, nil
}
