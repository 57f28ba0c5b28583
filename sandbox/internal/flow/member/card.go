package member

import (
	"cmp"
	"maps"
	"slices"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

func (f *Flow) createCard(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	one := card{
		ID: f.draw("card", "pb", len(sampleCard), say.Alphanumeric), Fields: c.OfBrand(),
		Since: c.Now, Changed: c.Now, Direct: say.IsBrand(c.Target),
	}
	f.cards.Put(one.ID, one)
	return c.Tell(one.tell()), nil
}

func (f *Flow) listCards(c *gate.Call) (any, *say.Rejection) {
	highest := 0
	if say.IsBrand(c.Target) { // documentation brand/4015582712
		highest = 20
	}
	offset, limit, rejected := c.AskedPage(20, highest)
	if rejected != nil {
		return nil, rejected
	}
	defer c.Begin().Commit()
	found := slices.Collect(book.Values(f.cards))
	if _, changed := f.cards.Get(sampleCard); !changed {
		found = append(found, theSampleCard())
	}
	slices.SortFunc(found, func(a, b card) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	var list []map[string]any
	for _, one := range found {
		told := one.tell()
		if state := c.Query.Get("state"); !one.Deleted && told["brand_id"] == c.BrandID() && (state == "" || told["state"] == state) {
			list = append(list, told)
		}
	}
	return c.Paged(list, offset, limit), nil
}

func (f *Flow) queryCard(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	one, rejected := f.brandCard(c.Path["card_id"], c.BrandID())
	if rejected != nil {
		return nil, rejected
	}
	return c.Tell(one.tell()), nil
}

// editCard changes the template that the request names, if it is the brand's.
func (f *Flow) editCard(c *gate.Call, change func(*card)) (any, *say.Rejection) {
	defer c.Begin().Commit()
	one, rejected := f.brandCard(c.Path["card_id"], c.BrandID())
	if rejected != nil {
		return nil, rejected
	}
	change(&one)
	one.Changed = c.Now
	f.cards.Put(one.ID, one)
	return c.Tell(one.tell()), nil
}

func (f *Flow) changeCard(c *gate.Call) (any, *say.Rejection) {
	return f.editCard(c, func(one *card) {
		one.Fields = maps.Clone(one.Fields)
		maps.Copy(one.Fields, c.Object)
	})
}

// invalidateCard ends a template: nobody can open it any more. Users keep their cards. A repetition
// gets the same response.
func (f *Flow) invalidateCard(c *gate.Call) (any, *say.Rejection) {
	return f.editCard(c, func(one *card) { one.Invalid = true })
}

func (f *Flow) deleteCard(c *gate.Call) (any, *say.Rejection) {
	return f.editCard(c, func(one *card) { one.Deleted = true })
}
