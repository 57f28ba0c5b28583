package sandbox

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// card is a card template of a brand, made by a provider (documentation v3/partner/4015336970 and its neighbours) or by the brand
// itself (brand/4015582711).
type card struct {
	ID      string         `json:"id"`      // card_id
	Members map[string]any `json:"members"` // of the request, as they were changed since
	Invalid bool           `json:"invalid,omitempty"`
	Deleted bool           `json:"deleted,omitempty"`
	Since   time.Time      `json:"since"`
	Changed time.Time      `json:"changed"`
	Direct  bool           `json:"direct,omitempty"` // the brand made it itself, and is told of its members
}

// The card of the sample values, which every sandbox has from the beginning, with the user who holds it.
const (
	sampleCard   = "pbLatjvWOibDc5-TBnbUk1pD12o0"
	sampleCode   = "478515832665"
	sampleMember = "obLatjnx9gnqzS4myYGmLZ7LgLBA"
)

// sampleSince is when the sample card was made.
var sampleSince = time.Date(2025, 1, 1, 0, 0, 0, 0, beijing)

func theSampleCard() card {
	return card{ID: sampleCard, Since: sampleSince, Changed: sampleSince, Members: map[string]any{
		"out_request_no": "SANDBOX1", "brand_id": brandID, "appid": sampleAppID, "card_type": "NORMAL", "card_title": "sandbox", "card_color": "Color010",
		"card_picture_url": "https://merchant.example/card.png", "code_mode": "SYSTEM_ALLOCATE", "code_type": "NONE_CODE", "benefits": "sandbox",
		"notify_url": "https://merchant.example/notify", "valid_date_information": map[string]any{"type": "PERMANENT"},
	}}
}

// cardOperations are those of card templates.
func cardOperations() []operation {
	const cards = "/v3/brand/partner/card-member/cards"
	return []operation{
		{Operation: documented("POST", cards), do: (*call).createCard},
		{Operation: documented("GET", cards), do: (*call).listCards},
		{Operation: documented("GET", cards+"/{card_id}"), do: (*call).queryCard},
		{Operation: documented("PATCH", cards+"/{card_id}"), do: (*call).changeCard},
		{Operation: documented("DELETE", cards+"/{card_id}"), do: (*call).deleteCard},
		{Operation: documented("POST", cards+"/{card_id}/invalidate"), do: (*call).invalidateCard},
	}
}

var cardNotExist = &refusal{
	status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
	message: text{"会员卡模板不存在", "the card does not exist"}, reason: "the brand has no card template under this card_id",
}

// card returns a template that was not deleted. The sample card needs no record until it is changed.
func (s *state) card(id string) (card, bool) {
	one, known := s.cards.get(id)
	if !known && id == sampleCard {
		return theSampleCard(), true
	}
	return one, known && !one.Deleted
}

// brandCard returns the template that a request names, if it is the brand's, in case that one is named.
func (s *state) brandCard(id string, brand any) (card, *refusal) {
	one, known := s.card(id)
	if !known || brand != nil && one.Members["brand_id"] != brand {
		return card{}, cardNotExist
	}
	return one, nil
}

// tell is what queries tell of the template.
func (k card) tell() map[string]any {
	known := maps.Clone(k.Members)
	known["card_id"], known["state"] = k.ID, "CARD_EFFECTIVE"
	if k.Invalid {
		known["state"] = "CARD_INVALID"
	}
	known["create_time"], known["modify_time"] = platformTime(k.Since), platformTime(k.Changed)
	return known
}

// draw makes an id of size characters that begins with prefix: the next of its kind, which the seed determines.
func (s *state) draw(kind, prefix string, size int, of string) string {
	counted := s.merchant + " " + kind
	n, _ := s.serials.get(counted)
	n++
	s.serials.put(counted, n)
	m := maker{random: newRandom(s.view.faults.seed, counted, strconv.FormatUint(n, 10))}
	return m.draw(prefix, size, of)
}

func (c *call) createCard() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	one := card{
		ID: s.draw("card", "pb", len(sampleCard), alphanumeric), Members: c.ofBrand(), Since: c.now, Changed: c.now, Direct: isBrandPath(c.target),
	}
	s.cards.put(one.ID, one)
	return c.tell(one.tell()), nil
}

func (c *call) listCards() (any, *refusal) {
	highest := 0
	if isBrandPath(c.target) { // documentation brand/4015582712
		highest = 20
	}
	offset, limit, refused := c.askedPage(20, highest)
	if refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	found := slices.Collect(maps.Values(s.cards.rows))
	if _, changed := s.cards.get(sampleCard); !changed {
		found = append(found, theSampleCard())
	}
	slices.SortFunc(found, func(a, b card) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	var list []map[string]any
	for _, one := range found {
		told := one.tell()
		if state := c.query.Get("state"); !one.Deleted && told["brand_id"] == c.brandOf() && (state == "" || told["state"] == state) {
			list = append(list, told)
		}
	}
	return c.paged(list, offset, limit), nil
}

func (c *call) queryCard() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	one, refused := s.brandCard(c.path["card_id"], c.brandOf())
	if refused != nil {
		return nil, refused
	}
	return c.tell(one.tell()), nil
}

// edit changes the template that the request names, if it is the brand's.
func (c *call) editCard(change func(*card)) (any, *refusal) {
	s := c.begin()
	defer s.commit()
	one, refused := s.brandCard(c.path["card_id"], c.brandOf())
	if refused != nil {
		return nil, refused
	}
	change(&one)
	one.Changed = c.now
	s.cards.put(one.ID, one)
	return c.tell(one.tell()), nil
}

func (c *call) changeCard() (any, *refusal) {
	return c.editCard(func(one *card) {
		one.Members = maps.Clone(one.Members)
		maps.Copy(one.Members, c.object)
	})
}

// invalidateCard ends a template: nobody can open it any more. Cards that users hold stay. Again is answered the same.
func (c *call) invalidateCard() (any, *refusal) {
	return c.editCard(func(one *card) { one.Invalid = true })
}

func (c *call) deleteCard() (any, *refusal) {
	return c.editCard(func(one *card) { one.Deleted = true })
}
