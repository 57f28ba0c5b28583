package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// receipt is the electronic receipt of a transfer bill, once it was applied for.
type receipt struct {
	Applied time.Time `json:"applied"`
	Changed time.Time `json:"changed"`
	Asked   int       `json:"asked,omitempty"` // how often its state was queried
}

// receiptOperations are those of the receipts of transfer bills.
func receiptOperations() []operation {
	const base = "/v3/fund-app/mch-transfer/elecsign/"
	out, id := map[string]limit{"/out_bill_no": billNumber}, map[string]limit{"/transfer_bill_no": {min: 1, max: 64}}
	// Both addresses of receipts are documented, not which one is given when.
	return []operation{
		{Operation: documented("POST", base+"out-bill-no"), limits: out, do: func(c *call) (any, *refusal) { return c.applyForReceipt(c.object["out_bill_no"].(string)) }},
		{Operation: documented("POST", base+"transfer-bill-no"), limits: id, do: func(c *call) (any, *refusal) {
			return c.applyForReceipt(c.numberOfBill(c.object["transfer_bill_no"].(string)))
		}},
		{Operation: documented("GET", base+"out-bill-no/{out_bill_no}"), do: func(c *call) (any, *refusal) {
			return c.queryReceipt(c.path["out_bill_no"], "/v3/transferdownload/signfile", "")
		}},
		{Operation: documented("GET", base+"transfer-bill-no/{transfer_bill_no}"), do: func(c *call) (any, *refusal) {
			return c.queryReceipt(c.numberOfBill(c.path["transfer_bill_no"]), "/v3/transferdownload/elecvoucherfile", "source=SANDBOX")
		}},
	}
}

// applyForReceipt begins the making of a receipt. Applying again is answered the same.
func (c *call) applyForReceipt(number string) (any, *refusal) {
	s := c.begin()
	defer s.commit()
	t, known := s.transfers.get(number)
	switch {
	case !known:
		return nil, transferNotFound
	case t.State != "SUCCESS":
		return nil, invalidRequest(text{"仅转账成功的单据可申请电子回单", "only a transfer that succeeded has a receipt"}, "the transfer bill is "+t.State)
	}
	r, applied := s.receipts.get(t.ID)
	if !applied {
		r = receipt{Applied: c.now, Changed: c.now}
		s.receipts.put(t.ID, r)
	}
	return map[string]any{"state": r.state(), "create_time": platformTime(r.Applied)}, nil
}

// state is GENERATING until it was queried once.
func (r receipt) state() string {
	if r.Asked < 2 {
		return "GENERATING"
	}
	return "FINISHED"
}

func (c *call) queryReceipt(number, path, query string) (any, *refusal) {
	s := c.begin()
	defer s.commit()
	t, known := s.transfers.get(number)
	if !known {
		return nil, transferNotFound
	}
	r, applied := s.receipts.get(t.ID)
	if !applied {
		return nil, &refusal{
			status: http.StatusNotFound, code: "NOT_FOUND", number: numberUndocumented,
			message: text{"未申请电子回单", "no receipt was applied for"}, reason: "the receipt of this transfer bill has to be applied for first",
		}
	}
	if r.Asked++; r.Asked == 2 {
		r.Changed = c.now
	}
	s.receipts.put(t.ID, r)
	answer := map[string]any{"state": r.state(), "create_time": platformTime(r.Applied), "update_time": platformTime(r.Changed)}
	if r.state() == "FINISHED" {
		content := pdf("Transfer receipt", "bill "+t.ID, "number "+t.Number, "amount "+yuan(t.Amount)+" CNY", "made by a sandbox: no money moved")
		sum := sha256.Sum256(content)
		answer["hash_type"], answer["hash_value"] = "SHA256", c.fault.Kind.digest(hex.EncodeToString(sum[:]))
		answer["download_url"] = c.downloadURL(path, query, func() *stream { return fileOf("application/pdf", content) })
	}
	return answer, nil
}
