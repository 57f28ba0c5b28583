package gocode

import (
	"fmt"
	"iter"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/gosource"
)

// Mark begins the files of a [Family], and tells them from files of the user.
const Mark = mark + "gen types"

// Family is a package with the types of several operations and notifications.
//
// A name depends on nothing but the place of its operation and field: a new operation, field or constant adds names and
// changes none. So equal types are not shared, unlike in [Types].
type Family struct {
	Package    string // its name
	Tag        string // the product family, for the comments
	Operations iter.Seq[*fact.Operation]
	Events     iter.Seq[*fact.Event]
}

// Files returns the files of the package: one for each operation and notification, and doc.go with a list. It is an error
// if two operations get the same name.
func (f Family) Files() (map[string][]byte, error) {
	command := "gen types --tag " + f.Tag
	files := make(map[string][]byte)
	owners := make(map[string]string) // the operation of each file
	doc := source{language: language.English}
	put := func(name, owner string, code []byte, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", owner, err)
		}
		file := fileName(name)
		if other, taken := owners[file]; taken {
			return fmt.Errorf("%s and %s have the same name, %s: generate them one by one with --name", other, owner, name)
		}
		owners[file], files[file] = owner, code
		doc.comment("  - ", name+": "+owner)
		return nil
	}
	doc.printf("%s%s; DO NOT EDIT.\n\n", mark, command)
	doc.comment("", fmt.Sprintf("Package %s has the types of %s: the queries, bodies and responses of operations, and the resources "+
		"of notifications. The names of a type begin with one of these:", f.Package, f.Tag))
	doc.printf("//\n")
	for operation := range f.Operations {
		t := &typer{prefix: Name(operation), named: make(map[string]*structure), language: language.English}
		code, err := t.operation(operation, command, f.Package)
		if err := put(t.prefix, operation.Method+" "+operation.Path+" "+operation.Name, code, err); err != nil {
			return nil, err
		}
	}
	for event := range f.Events {
		t := &typer{prefix: eventName(event.Type), named: make(map[string]*structure), language: language.English}
		code, err := t.event(event, command, f.Package)
		if err := put(t.prefix, event.Type+" "+event.Name, code, err); err != nil {
			return nil, err
		}
	}
	doc.printf("package %s\n", f.Package)
	files["doc.go"] = []byte(doc.String())
	return files, nil
}

// event returns the file of one notification.
func (t *typer) event(event *fact.Event, command, packageName string) ([]byte, error) {
	notes := source{language: t.language}
	notes.printf("\n")
	notes.comment("", event.Type+" "+event.Name)
	notes.pages(event.Docs)
	if len(event.Variants) > 0 {
		notes.sentence("The resource has one of several forms, and each has its own required fields: " + strings.Join(event.Variants, ", ") + ".")
	}
	t.add(t.prefix+"Resource", "is the decrypted resource of "+event.Type+" "+event.Name, event.Resource)
	if event.Reply != nil {
		notes.list("Its response has the header:", event.Reply.Header)
		if len(event.Reply.Body) > 0 {
			t.request = true
			t.add(t.prefix+"Reply", "is the response to "+event.Type+" "+event.Name, event.Reply.Body)
		}
	}
	return t.file(command, packageName, notes.String())
}

// Name returns the beginning of the names for the types of an operation in a [Family]: the words of its path without a
// leading v3, and before them the method if that is not POST. A placeholder is left out behind a segment that says the same:
// GetPayTransactionsOutTradeNo for GET /v3/pay/transactions/out-trade-no/{out_trade_no}.
func Name(operation *fact.Operation) string {
	var b strings.Builder
	if operation.Method != "POST" {
		b.WriteString(operation.Method[:1] + strings.ToLower(operation.Method[1:]))
	}
	before := ""
	for segment := range strings.SplitSeq(strings.Trim(strings.TrimPrefix(operation.Path, "/v3/"), "/"), "/") {
		name, isPlaceholder := placeholder(segment)
		switch {
		case !isPlaceholder:
			name = strings.ReplaceAll(segment, "-", "_")
		case name == before || strings.HasSuffix(name, "_"+before):
			continue
		}
		b.WriteString(gosource.Exported(name))
		before = name
	}
	return b.String()
}

// eventName returns TransactionSuccess for TRANSACTION.SUCCESS.
func eventName(eventType string) string { return constantWord(eventType) }

// fileName returns get-pay-transactions-id.go for GetPayTransactionsID. It has no underscore, which would mean a system or
// a test.
func fileName(name string) string {
	var b strings.Builder
	for i, r := range name {
		upper := 'A' <= r && r <= 'Z'
		if upper && i > 0 && !('A' <= name[i-1] && name[i-1] <= 'Z') {
			b.WriteByte('-')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String() + ".go"
}
