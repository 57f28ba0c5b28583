package main

// fate is the end of a mistake.
type fate string

const (
	compiler   fate = "compiler" // the compiler rejects it, and the editor marks it
	impossible fate = "cannot"   // there is no way to make it
	told       fate = "told"     // an error or the log says so before the platform does, or in its place
	refused    fate = "refused"  // the platform rejects it, if it does
	silent     fate = "silent"   // nothing says so
)

// mistake is one thing that can go wrong in these tasks.
type mistake struct {
	what  string
	fates map[string]fate
	// scenario of cmd/probe shows the fate; empty if the fates were found by reading alone.
	scenario string
	// edits make the mistake: the first text in a client's file becomes the second one.
	edits map[string][][2]string
	// as says that the clients without edits show the fate as they are: there is nothing to forget.
	as []string
}

// made reports whether the mistake is made in a client, and not only read.
func (m *mistake) made(client string) bool {
	if m.edits[client] != nil {
		return true
	}
	for _, name := range m.as {
		if name == client {
			return true
		}
	}
	return false
}

var ours = []string{"pure", "declarative", "attribute"}

const unlessEncrypted = "if err != nil {\n\t\treturn \"\", err\n\t}\n"

var mistakes = []mistake{
	{what: "a segment of the path is misspelt", scenario: "query",
		fates: each(compiler, told, told, impossible, impossible, impossible, refused, refused),
		edits: edits{
			"pure":        {{".Transactions().OutTradeNo().OutTradeNo(number).Get", ".Transaction().OutTradeNo().OutTradeNo(number).Get"}},
			"declarative": {{`transactions/out-trade-no/{out_trade_no}", number).Get`, `transaction/out-trade-no/{out_trade_no}", number).Get`}},
			"attribute":   {{`"transactions", "outTradeNo", "_out_trade_no_").Var`, `"transaction", "outTradeNo", "_out_trade_no_").Var`}},
			"resty":       {{`Get("/v3/pay/transactions/`, `Get("/v3/pay/transaction/`}},
			"requests":    {{`Pathf("/v3/pay/transactions/`, `Pathf("/v3/pay/transaction/`}},
		}},
	{what: "a required field of the body is misspelt", scenario: "place",
		fates: each(told, told, told, compiler, compiler, refused, refused, refused),
		edits: everywhere([2]string{`"description"`, `"descripton"`}, edits{
			"typed":    {{"Description: o", "Descripton: o"}},
			"official": {{"Description: core", "Descripton: core"}},
		})},
	{what: "an optional field of the body is misspelt", scenario: "place",
		fates: each(told, told, told, compiler, compiler, refused, refused, refused),
		edits: everywhere([2]string{`o.NotifyURL,`, `o.NotifyURL, "goods_tga": "WXG",`}, edits{
			"typed":    {{"o.NotifyURL,", `o.NotifyURL, Attatch: sdk.String("x"),`}},
			"official": {{"core.String(o.NotifyURL),", `core.String(o.NotifyURL), GoodsTga: core.String("WXG"),`}},
			"gopay":    {{`Set("notify_url", o.NotifyURL).`, `Set("notify_url", o.NotifyURL).Set("goods_tga", "WXG").`}},
		})},
	{what: "an amount is a text", scenario: "place",
		fates: each(told, told, told, compiler, compiler, refused, refused, refused),
		edits: everywhere([2]string{`{"total": o.Total}`, `{"total": "100"}`}, edits{
			"typed":    {{"{Total: o.Total}", `{Total: "100"}`}},
			"official": {{"core.Int64(o.Total)", `core.Int64("100")`}},
			"gopay":    {{`b.Set("total", o.Total)`, `b.Set("total", "100")`}},
		})},
	{what: "an amount in the answer is read under another name", scenario: "query",
		fates: each(told, told, told, compiler, compiler, compiler, silent, silent),
		edits: everywhere([2]string{`res.Fen("amount.total")`, `res.Fen("amount.totl")`}, edits{
			"typed":    {{"order.Amount.Total", "order.Amount.Totl"}},
			"official": {{"order.Amount.Total", "order.Amount.Totl"}},
			"gopay":    {{"res.Response.Amount.Total", "res.Response.Amount.Totl"}},
			"resty":    {{`json:"total"`, `json:"totl"`}},
			"requests": {{`json:"total"`, `json:"totl"`}},
		})},
	{what: "a number with a slash goes into the path", scenario: "slash", as: clients,
		fates: each(impossible, impossible, impossible, impossible, impossible, refused, impossible, refused)},
	{what: "a sensitive field is not encrypted", scenario: "transfer", as: ours,
		fates: each(impossible, impossible, impossible, refused, refused, refused, refused, refused),
		edits: edits{
			"typed":    {{"name, err := c.Transfers.EncryptText(t.UserName)\n\t" + unlessEncrypted, "name := t.UserName\n"}},
			"official": {{"if _, err := c.EncryptRequest(ctx, &body); err != nil {\n\t\treturn \"\", err\n\t}\n", ""}},
			"gopay":    {{"name, err := c.V3EncryptText(t.UserName)\n\t" + unlessEncrypted, "name := t.UserName\n"}},
			"resty":    {{"name, err := c.keys.Encrypt(t.UserName)\n\t" + unlessEncrypted, "name := t.UserName\n"}},
			"requests": {{"name, err := c.keys.Encrypt(t.UserName)\n\t" + unlessEncrypted, "name, err := t.UserName, error(nil)\n"}},
		}},
	{what: "the answer to a refund is lost, and nobody asks",
		fates: each(told, told, told, silent, silent, silent, silent, silent)},
	{what: "a list is taken to end where total_count is missing",
		fates: each(impossible, impossible, impossible, impossible, silent, silent, silent, silent)},
	{what: "a day is taken in another time zone than Beijing's", scenario: "day", as: ours,
		fates: each(impossible, impossible, impossible, silent, silent, silent, silent, silent),
		edits: theirs([2]string{"day.In(beijing)", "day.UTC()"}, nil)},
	{what: "the digest of a bill is not compared", scenario: "digest", as: ours,
		fates: each(impossible, impossible, impossible, silent, silent, silent, silent, silent),
		edits: theirs([2]string{"!= link.Hash {", `== "" {`}, edits{
			"typed": {{"!= link.HashValue {", `== "" {`}},
			"gopay": {{"!= res.Response.HashValue {", `== "" {`}},
		})},
	{what: "a notification is not verified", scenario: "forged",
		as:    []string{"pure", "declarative", "attribute", "typed", "official", "resty", "requests"},
		fates: each(impossible, impossible, impossible, impossible, impossible, silent, impossible, impossible),
		edits: edits{"gopay": {{"notification.VerifySignByPK(c.config.PublicKey)", "error(nil)"}}}},
}

type edits = map[string][][2]string

// everywhere is the edit in each client, but for those that have their own.
func everywhere(edit [2]string, own edits) edits {
	all := theirs(edit, own)
	for _, client := range ours {
		all[client] = [][2]string{edit}
	}
	return all
}

// theirs is the same in the clients that are not ours.
func theirs(edit [2]string, own edits) edits {
	all := make(edits)
	for _, client := range clients[len(ours):] {
		if all[client] = own[client]; all[client] == nil {
			all[client] = [][2]string{edit}
		}
	}
	return all
}

// each gives the fates in the order of the columns.
func each(fates ...fate) map[string]fate {
	all := make(map[string]fate)
	for i, client := range clients {
		all[client] = fates[i]
	}
	return all
}
