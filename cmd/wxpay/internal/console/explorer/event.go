package explorer

import (
	"errors"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/view"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
)

// eventsOf returns the notifications that contain all words, in their types, names, fields or labels.
func (p *Pages) eventsOf(words string) []*fact.Event {
	wanted := strings.Fields(strings.ToLower(words))
	var found []*fact.Event
	for event := range p.Facts.Events() {
		var text strings.Builder
		text.WriteString(event.Type + " " + event.Name)
		write(&text, event.Resource)
		all, fits := strings.ToLower(text.String()), true
		for _, word := range wanted {
			fits = fits && strings.Contains(all, word)
		}
		if fits {
			found = append(found, event)
		}
	}
	return found
}

// write writes the names and labels of fields.
func write(text *strings.Builder, fields []fact.Field) {
	for _, field := range fields {
		text.WriteString(" " + field.Name + " " + field.Label)
		write(text, field.Fields)
	}
}

// notice is the page of one notification.
type notice struct {
	Type, Name string
	Docs       []string
	Rows       []row
}

// row is a field of the resource.
type row struct {
	Name, Label, Facts string
	Required           bool
}

func (p *Pages) event(w http.ResponseWriter, r *http.Request) {
	event, ok := p.Facts.Event(r.FormValue("type"))
	if !ok {
		view.Write(w, r, view.Frame{
			Template: "explorer", Title: "Explorer", Section: "explorer", Status: http.StatusNotFound,
			Err: errors.New(view.Say(r, "The catalogue has no such notification.")),
		}, results{})
		return
	}
	page := notice{Type: event.Type, Name: event.Name, Rows: rows("", event.Resource, language.Language(view.LanguageOf(r)))}
	for _, id := range event.Docs {
		page.Docs = append(page.Docs, fact.DocURL(id))
	}
	view.Write(w, r, view.Frame{Template: "event", Title: "Explorer", Section: "explorer"}, page)
}

// rows lists fields, and those inside them behind each.
func rows(inside string, fields []fact.Field, l language.Language) []row {
	var list []row
	for i := range fields {
		field := &fields[i]
		described := *field
		described.Label = "" // it has a column of its own
		facts := append([]string{string(field.Type)}, gocode.Remarks(&described, l)...)
		list = append(list, row{inside + field.Name, field.Label, strings.Join(facts, l.Say("; ", "；")), field.Required})
		list = append(list, rows(inside+field.Name+".", field.Fields, l)...)
	}
	return list
}
