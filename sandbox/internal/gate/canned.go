package gate

import (
	"crypto/sha1"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// canned responds with values made from the facts of the response. They repeat what the request
// says under the same names. The same request at the same time gets the same values, but for
// encryption, which is random, and links, each of which is another.
func (c *Call) canned() (any, *say.Rejection) {
	if rejected := c.checkCaller(); rejected != nil || c.Operation.Response != fact.JSONResponse {
		return nil, rejected
	}
	sent := sample.Told(&c.Operation.In, c.Object, c.Query, c.Path)
	m := sample.Maker{
		Now: c.Now, MerchantID: c.Platform.CallerID, Random: sample.Random(c.Seed, c.identity()...),
		Sent: sent, Joined: c.Operation.Joined, Link: c.cannedFile, Hash: cannedHash, Encrypt: c.EncryptToCaller,
	}
	response := m.Object(c.Operation.described().Out, c.Object)
	sent.Page(c.Operation.Out, response, c.Target)
	return response, nil
}

// checkCaller rejects a request that says it comes from another merchant than the one who signed
// it: sp_mchid is always the caller's number, and mchid is where it stands beside an appid and only
// direct merchants may call. Elsewhere it can be another merchant's, of whom the request is.
func (c *Call) checkCaller() *say.Rejection {
	names := []string{"sp_mchid"}
	indirect := func(role string) bool {
		return !strings.HasPrefix(role, "普通商户") && !strings.HasPrefix(role, "直连")
	}
	appid := func(field fact.Field) bool { return field.Name == "appid" }
	if roles, in := c.Operation.Roles, c.Operation.In; len(roles) > 0 && !slices.ContainsFunc(roles, indirect) &&
		(slices.ContainsFunc(in.JSON, appid) || slices.ContainsFunc(in.Query, appid)) {
		names = append(names, "mchid")
	}
	for _, name := range names {
		if id := c.Field(name); id != "" {
			if rejected := c.CheckMerchant("body", "/"+name, id); rejected != nil {
				return rejected
			}
		}
		if id := c.Query.Get(name); id != "" {
			if rejected := c.CheckMerchant("query", name, id); rejected != nil {
				return rejected
			}
		}
	}
	return nil
}

// identity tells this request from others. The page that is asked for is no part of it, so that the
// pages of a list come from one list.
func (c *Call) identity() []string {
	path, _, _ := strings.Cut(c.Target, "?")
	query := maps.Clone(c.Query)
	maps.DeleteFunc(query, func(name string, _ []string) bool { return slices.Contains(sample.PageFields, name) })
	return []string{c.Operation.Method, path, url.Values(query).Encode(), string(say.JSON(c.Object))}
}

// cannedContent is what is in every file that a canned response links to.
const cannedContent = "sandbox\n"

var cannedHash = fmt.Sprintf("%x", sha1.Sum([]byte(cannedContent)))

func (c *Call) cannedFile() string {
	return c.DownloadURL("/v3/billdownload/file", "", func() *Stream { return FileOf("text/plain", []byte(cannedContent)) })
}
