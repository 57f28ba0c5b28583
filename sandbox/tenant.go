package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// tenants are the merchants of one sandbox, each as the view of it.
type tenants struct {
	mu   sync.RWMutex
	list []*Sandbox // in the order in which they came
}

func (t *tenants) find(id string) *Sandbox {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, s := range t.list {
		if s.merchant.ID == id {
			return s
		}
	}
	return nil
}

// ids returns the merchants' numbers, in the order in which they came.
func (t *tenants) ids() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make([]string, len(t.list))
	for i, s := range t.list {
		list[i] = s.merchant.ID
	}
	return list
}

func checkMerchantNumber(where, id string) error {
	if err := visible.Word(id); err != nil {
		return fmt.Errorf("sandbox: %s: of the merchant number %s, %w", where, redact.Quote(id), err)
	}
	if len(id) < 8 || len(id) > 10 || strings.Trim(id, "0123456789") != "" {
		return fmt.Errorf("sandbox: %s: a merchant number has 8 to 10 digits, unlike %s", where, redact.Quote(id))
	}
	return nil
}

// AddMerchant adds a merchant with keys and state of its own, and returns the sandbox as that merchant sees it: its
// [Sandbox.Merchant], [Sandbox.Env], [Sandbox.Pay], [Sandbox.Ledger], [Sandbox.SetKeyMode] and so on are about the new merchant, while
// journal, faults, clock and deliveries are those of all. If the sandbox has the merchant already, it is returned as it is. The
// number has 8 to 10 digits. The merchant in Authorization decides whose request it is, whichever view serves it.
func (s *Sandbox) AddMerchant(id string) (*Sandbox, error) {
	if err := checkMerchantNumber("AddMerchant", id); err != nil {
		return nil, err
	}
	return s.gateway.add(id, BothKeys)
}

// Merchants returns the sandbox as each of its merchants sees it, in the order in which they were added.
func (s *Sandbox) Merchants() []*Sandbox {
	s.tenants.mu.RLock()
	defer s.tenants.mu.RUnlock()
	return slices.Clone(s.tenants.list)
}

// add returns the view of a merchant, who is made unless there is one of that number.
func (g *gateway) add(id string, mode KeyMode) (*Sandbox, error) {
	if known := g.tenants.find(id); known != nil {
		return known, nil
	}
	merchant, keys, err := issue(id, g.scheme, mode, g.clock()) // outside of any lock: it takes time
	if err != nil {
		return nil, err
	}
	s := &Sandbox{g, &tenant{merchant: merchant}}
	s.platform.Store(keys)

	g.records.mu.Lock()
	defer g.records.mu.Unlock()
	g.tenants.mu.Lock()
	defer g.tenants.mu.Unlock()
	for _, other := range g.tenants.list {
		if other.merchant.ID == id { // added meanwhile
			return other, nil
		}
	}
	g.enlist(s)
	s.state.putKeys(keys, g.clock())
	if err := g.records.flush(); err != nil {
		g.tenants.list = g.tenants.list[:len(g.tenants.list)-1]
		return nil, err
	}
	g.records.arm()
	return s, nil
}

// enlist gives a merchant state. Both mutexes are held, or nobody knows the gateway yet.
func (g *gateway) enlist(s *Sandbox) {
	s.state = newState(s, g.records, s.merchant.ID)
	g.tenants.list = append(g.tenants.list, s)
}

// AddSubMerchant makes a merchant number a sub-merchant of this merchant, who is its service provider. The number may be that
// of a merchant of the sandbox, or any other of 8 to 10 digits: a sub-merchant needs no keys.
func (s *Sandbox) AddSubMerchant(id string) error {
	if err := checkMerchantNumber("AddSubMerchant", id); err != nil {
		return err
	}
	if id == s.merchant.ID {
		return fmt.Errorf("sandbox: AddSubMerchant: %s is no sub-merchant of its own", id)
	}
	st := s.begin()
	if _, known := st.subs.get(id); !known {
		st.subs.put(id, subMerchant{Since: s.clock()})
	}
	return st.end()
}

// SubMerchants returns the numbers of this merchant's sub-merchants, sorted.
func (s *Sandbox) SubMerchants() []string {
	st := s.begin()
	defer st.commit()
	return st.subs.keys()
}

// isSub reports whether a number is that of a sub-merchant of the caller.
func (c *call) isSub(id string) bool {
	s := c.begin()
	defer s.commit()
	_, known := s.subs.get(id)
	return known
}
