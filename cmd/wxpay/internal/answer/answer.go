// Package answer calls the sandbox with the examples of the manual, and returns its responses: what a page shows is what the
// sandbox really sent.
//
// A response proves nothing about the real platform. The sandbox is new for every example, its clock stands still, and its
// seed is always the same: only the numbers that it chooses and what it encrypts differ the next time. A Platform is for one
// goroutine.
package answer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/example"
	"github.com/wxpay-go/wxpay/contrib/sm"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Platform is a sandbox with a merchant, a sub-merchant and a brand, and clients of them.
type Platform struct {
	sandbox         *sandbox.Sandbox
	merchant, brand *wxpay.Client
	began           []byte                     // a snapshot: each example finds the sandbox new
	operations      map[string]*fact.Operation // by METHOD /path
	writes          map[string]*fact.Operation // whose outcome a query tells, by the query
}

// Answer is a response of the sandbox.
type Answer struct {
	Status int
	Kind   string // Content-Type
	Body   []byte // of a JSON response
	Size   int    // of another body, in bytes
	// First names the operation that was called before, because the response needs its effect; empty mostly.
	First string
}

// New starts a sandbox that knows how these operations depend on each other.
func New(operations []*fact.Operation) (*Platform, error) {
	clock := func() time.Time { return time.Date(2026, 1, 2, 15, 4, 5, 0, fact.Beijing) }
	scheme := hashed{apiv3.RSA()}
	s, err := sandbox.New(sandbox.WithMerchant(example.MerchantID), sandbox.WithSeed(1), sandbox.WithBillRows(3), sandbox.WithClock(clock), sandbox.WithScheme(scheme))
	if err != nil {
		return nil, err
	}
	p := &Platform{sandbox: s, operations: make(map[string]*fact.Operation), writes: make(map[string]*fact.Operation)}
	if err := errors.Join(s.AddSubMerchant(example.SubMerchantID), s.Rules.Relax(s.Rules.All()...)); err != nil {
		return nil, err
	}
	options := []wxpay.Option{
		wxpay.WithTransport(s.Transport()), wxpay.WithClock(clock), wxpay.WithAttempts(1), wxpay.WithLogger(slog.New(slog.DiscardHandler)),
	}
	if p.merchant, err = wxpay.FromLookupEnv(s.LookupEnv, append(options, wxpay.WithScheme(scheme))...); err != nil {
		return nil, err
	}
	brand, err := s.Brand()
	if err != nil {
		return nil, err
	}
	p.brand, err = wxpay.New(wxpay.Merchant{
		ID: brand.ID, Serial: brand.Serial, PrivateKey: brand.PrivateKey, APIv3Key: brand.Key,
	}, append(options, wxpay.WithScheme(apiv3.Brand()), wxpay.WithPublicKey(brand.PublicKeyID, brand.PublicKey))...)
	if err != nil {
		return nil, err
	}
	if p.began, err = s.Snapshot(); err != nil {
		return nil, err
	}
	for _, operation := range operations {
		p.operations[operation.Method+" "+operation.Path] = operation
	}
	for _, operation := range operations {
		if link := operation.Link; link != nil && !link.Acts && p.writes["GET "+link.Query] == nil {
			p.writes["GET "+link.Query] = operation
		}
	}
	return p, nil
}

// hashed is a scheme that signs with a hash. Client and sandbox are one process, a page shows no signature, and RSA would take
// most of the time.
type hashed struct{ apiv3.Scheme }

func (hashed) Sign(_ crypto.Signer, message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	return sum[:], nil
}

func (h hashed) Verify(_ crypto.PublicKey, message, signature []byte) error {
	if want, _ := h.Sign(nil, message); !bytes.Equal(signature, want) {
		return apiv3.ErrSignature
	}
	return nil
}

// Close stops the sandbox.
func (p *Platform) Close() error { return p.sandbox.Close() }

// Of calls an operation with its example, and returns the response, whatever its status.
func (p *Platform) Of(ctx context.Context, operation *fact.Operation) (Answer, error) {
	if err := p.sandbox.Restore(p.began); err != nil {
		return Answer{}, err
	}
	call := example.Of(operation)
	first, err := p.prepare(ctx, &call)
	if err != nil {
		return Answer{}, err
	}
	answer, err := p.send(ctx, &call)
	answer.First = first
	return answer, err
}

// makers are the operations that make the object of another one, where no link of the facts tells. Both name the object
// by fields of the same names.
var makers = map[string]string{
	"POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close":                    "POST /v3/pay/transactions/native",
	"POST /v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close":            "POST /v3/pay/partner/transactions/native",
	"POST /v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close":        "POST /v3/combine-transactions/native",
	"POST /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel": "POST /v3/fund-app/mch-transfer/transfer-bills",
	"GET /v3/merchant-service/complaint-notifications":                               "POST /v3/merchant-service/complaint-notifications",
	"PUT /v3/merchant-service/complaint-notifications":                               "POST /v3/merchant-service/complaint-notifications",
	"DELETE /v3/merchant-service/complaint-notifications":                            "POST /v3/merchant-service/complaint-notifications",
}

// refund needs an order that was paid.
const refund = "POST /v3/refund/domestic/refunds"

// prepare makes the object of a call, if it is known how, and returns the operation that made it.
func (p *Platform) prepare(ctx context.Context, call *example.Call) (first string, err error) {
	operation := call.Operation
	name := operation.Method + " " + operation.Path
	if name == refund {
		number, _ := call.Get("out_trade_no")
		amount, _ := call.Get("amount")
		for name, total := range amount.(example.Object).All() {
			if name == "total" {
				_, err = p.sandbox.Users.AddPaidOrder(example.Text(number), total.(int64))
			}
		}
		return "", err
	}
	values := make(map[string]any)
	for _, m := range slices.Concat(call.Path, call.Query) {
		values[m.Field.Name] = m.Value
	}
	write := p.operations[makers[name]]
	if write == nil && operation.Method == http.MethodGet {
		if write = p.writes[name]; write == nil {
			return "", nil
		}
		for _, pair := range write.Link.Copy {
			if from, isPlaceholder := fact.Placeholder(pair.From); !isPlaceholder {
				values[pair.From] = values[pair.To]
			} else {
				values[from] = values[pair.To]
			}
		}
	}
	if write == nil {
		return "", nil
	}
	before := example.Of(write)
	before.Set(values)
	if _, err := p.prepare(ctx, &before); err != nil {
		return "", err
	}
	answer, err := p.send(ctx, &before)
	if err != nil || answer.Status >= http.StatusMultipleChoices {
		return "", err
	}
	return write.Method + " " + write.Path, nil
}

func (p *Platform) send(ctx context.Context, call *example.Call) (Answer, error) {
	client := p.merchant
	if call.Operation.Scheme == fact.BrandScheme {
		client = p.brand
	}
	chain := client.Chain(call.Operation.Path[1:]).Unbind() // a canned response may name another number
	for _, m := range call.Path {
		chain = chain.Var(m.Field.Name, m.Value)
	}
	for _, m := range call.Query {
		chain = chain.Query(m.Field.Name, example.Text(m.Value))
	}
	for _, m := range call.Header {
		chain = chain.Header(m.Field.Name, example.Text(m.Value))
	}
	var response *wxpay.Response
	var err error
	switch {
	case call.Upload:
		picture := []byte("\x89PNG\r\n\x1a\n")
		file := wxpay.FileFrom(uploadName(call.Operation), bytes.NewReader(picture), int64(len(picture)))
		if call.Operation.UploadForm().Algorithm != "" {
			file = file.Hash(sm.NewSM3)
		}
		for _, m := range call.Meta {
			file = file.Meta(m.Field.Name, m.Value)
		}
		response, err = chain.Upload(ctx, file)
	case call.Body != nil:
		response, err = chain.Do(ctx, call.Operation.Method, json.RawMessage(call.JSON()))
	default:
		response, err = chain.Do(ctx, call.Operation.Method, nil)
	}
	var rejection *wxpay.APIError
	switch {
	case errors.As(err, &rejection):
		return made(rejection.Status, rejection.Header, rejection.Raw), nil
	case err != nil:
		return Answer{}, err
	}
	return made(response.Status, response.Header, response.Raw()), nil
}

// uploadName returns the name of a file that an operation takes.
func uploadName(operation *fact.Operation) string {
	limits := fact.UploadAt(operation.Path)
	if limits == nil || limits.Takes("png") {
		return "picture.png"
	}
	suffix, _, _ := strings.Cut(limits.Suffixes, " ")
	return "file." + suffix
}

// long is a text that nobody reads to its end: a ciphertext, a token.
var long = regexp.MustCompile(`"[^"\\\s]{120,}"`)

func made(status int, header http.Header, body []byte) Answer {
	answer := Answer{Status: status, Kind: header.Get("Content-Type"), Size: len(body)}
	var out bytes.Buffer
	if json.Indent(&out, body, "", "  ") == nil && len(body) > 0 {
		answer.Body = long.ReplaceAllFunc(out.Bytes(), func(text []byte) []byte { return append(text[:33:33], "…\""...) })
	}
	return answer
}

// Resource returns a sample of the decrypted resource of a notification.
func (p *Platform) Resource(event *fact.Event) (map[string]any, error) {
	if err := p.sandbox.Restore(p.began); err != nil {
		return nil, err
	}
	return p.sandbox.Deliveries.Sample(event.Type)
}
