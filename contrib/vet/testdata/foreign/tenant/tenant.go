// Package tenant serves many merchants from one program.
package tenant

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
)

// Tenant is one merchant.
type Tenant struct {
	Name   string
	MchID  string
	Serial string
	AppID  string
	Key    crypto.Signer
	V3Key  string
}

// Vault knows the keys of tenants.
type Vault interface {
	Secret(ctx context.Context, name string) (string, error)
	Tenants(ctx context.Context) ([]string, error)
}

// Files is a vault of files, as Kubernetes mounts them.
type Files struct{ Dir string }

// Secret reads a file.
func (f Files) Secret(_ context.Context, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(f.Dir, filepath.Base(name)))
	return string(text), err
}

// Tenants lists the tenants.
func (f Files) Tenants(context.Context) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(f.Dir, "*-mchid"))
	for i, name := range found {
		found[i] = filepath.Base(name[:len(name)-len("-mchid")])
	}
	return found, err
}

// Load reads a tenant.
func Load(ctx context.Context, vault Vault, name string) (*Tenant, error) {
	read := func(what string) string {
		text, err := vault.Secret(ctx, name+"-"+what)
		if err != nil {
			return ""
		}
		return text
	}
	key, err := wxpay.LoadPrivateKey(read("key"))
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", name, err)
	}
	return &Tenant{Name: name, MchID: read("mchid"), Serial: read("serial"), AppID: read("appid"), V3Key: read("v3key"), Key: key}, nil
}

// House has the clients of all tenants.
type House struct {
	base    *wxpay.Client
	vault   Vault
	log     *slog.Logger
	mu      sync.Mutex
	clients map[string]*client
}

// client is the client of a tenant with its name.
type client struct {
	*wxpay.Client
	tenant *Tenant
}

// New returns a house.
func New(base *wxpay.Client, vault Vault, log *slog.Logger) *House {
	return &House{base: base, vault: vault, log: log, clients: map[string]*client{}}
}

// Client returns the client of a tenant.
func (h *House) Client(ctx context.Context, name string) (*client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.clients[name]; c != nil {
		return c, nil
	}
	tenant, err := Load(ctx, h.vault, name)
	if err != nil {
		return nil, err
	}
	made, err := h.base.As(wxpay.Merchant{ID: tenant.MchID, Serial: tenant.Serial, PrivateKey: tenant.Key, APIv3Key: tenant.V3Key},
		wxpay.WithDefaults(tenant.MchID, tenant.AppID), wxpay.WithCertificates())
	if err != nil {
		return nil, err
	}
	h.clients[name] = &client{made, tenant}
	return h.clients[name], nil
}

// Prepay begins a payment for a tenant.
func (h *House) Prepay(ctx context.Context, name, number, what, openid string, fen int64) (string, error) {
	c, err := h.Client(ctx, name)
	if err != nil {
		return "", err
	}
	res, err := c.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"description": what, "out_trade_no": number, "notify_url": "https://pay.example.com/" + name + "/notify",
		"amount": wxpay.JSON{"total": fen}, "payer": wxpay.JSON{"openid": openid},
	})
	if err != nil {
		return "", h.tell(c, "prepay", err)
	}
	return res.Text("prepay_id")
}

// Refund pays back for a tenant.
func (h *House) Refund(ctx context.Context, name string, fields map[string]any) (state string, err error) {
	c, err := h.Client(ctx, name)
	if err != nil {
		return "", err
	}
	defer func() { err = h.tell(c, "refund", err) }()
	verdict, err := c.Chain("v3/refund/domestic/refunds").Ensure(ctx, fields)
	if err != nil {
		return "", err
	}
	return string(verdict.State), nil
}

func (h *House) tell(c *client, what string, err error) error {
	if err != nil {
		h.log.Error(what, "tenant", c.tenant.Name, "outcome", wxpay.OutcomeOf(err).String(), "err", err)
	}
	return err
}

// Everyone runs a function for all tenants, some at a time.
func (h *House) Everyone(ctx context.Context, most int, do func(context.Context, *client) error) error {
	names, err := h.vault.Tenants(ctx)
	if err != nil {
		return err
	}
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		errs  []error
		slots = make(chan struct{}, most)
	)
	for _, name := range names {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			c, err := h.Client(ctx, name)
			if err == nil {
				err = do(ctx, c)
			}
			if err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// Balances collects what all tenants have.
func (h *House) Balances(ctx context.Context) (map[string]int64, error) {
	var mu sync.Mutex
	balances := map[string]int64{}
	err := h.Everyone(ctx, 8, func(ctx context.Context, c *client) error {
		res, err := c.Chain("v3/merchant/fund/balance/{account_type}").Var("account_type", "BASIC").Get(ctx)
		if err != nil {
			return err
		}
		fen, err := res.Fen("available_amount")
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		balances[c.tenant.Name] = fen
		return nil
	})
	return balances, err
}

// Handler takes the notifications of all tenants. The path names the tenant.
func (h *House) Handler(paid func(ctx context.Context, tenant string, number string, fen int64) error) (http.Handler, error) {
	handler, err := webhook.NewMulti(func(ctx context.Context, d *webhook.Delivery) (*webhook.Merchant, error) {
		name, _ := ctx.Value(tenantKey{}).(string)
		c, err := h.Client(ctx, name)
		if err != nil {
			return nil, err
		}
		return &webhook.Merchant{ID: c.tenant.MchID, APIv3Key: c.tenant.V3Key, Keys: c}, nil
	}, webhook.WithTimeout(4*time.Second))
	if err != nil {
		return nil, err
	}
	handler.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		name, _ := ctx.Value(tenantKey{}).(string)
		fen, err := e.Fen("amount.total")
		if err != nil {
			return err
		}
		return paid(ctx, name, e.Get("out_trade_no").String(), fen)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), tenantKey{}, r.PathValue("tenant"))
		handler.ServeHTTP(w, r.WithContext(ctx))
	}), nil
}

type tenantKey struct{}

// KeyAge tells operators which tenants still verify by certificates.
func (h *House) KeyAge(ctx context.Context, serials []string) map[string]string {
	found := map[string]string{}
	for _, serial := range serials {
		key, err := h.base.Key(ctx, serial)
		switch {
		case errors.Is(err, apiv3.ErrUnknownSerial):
			found[serial] = "unknown"
		case err != nil:
			found[serial] = err.Error()
		default:
			found[serial] = fmt.Sprintf("%T", key)
		}
	}
	return found
}
