package fact

import "strings"

// Conduct is the reviewed facts about sending an operation again and about its outcome. The zero
// value means that nobody has reviewed the operation; every reader is then careful.
type Conduct struct {
	// MovesMoney says that the operation moves money or commits to moving it: refunds, transfers,
	// profit sharing, withdrawals, subsidies and direct deductions. An order that the user has yet
	// to pay moves nothing.
	MovesMoney bool
	// Repeat says whether the same request may be sent again after an unknown outcome.
	Repeat Repeat
	// Number is the merchant's own number of the order, refund or other object.
	Number MerchantNumber
	// Rate is the documented limit on requests.
	Rate Rate
	// Link is the query that shows the outcome of the operation; nil without one.
	Link *Link
	// Bind lists the fields of the call that its response repeats: a different value shows that the
	// response belongs to another call. The first is the number that identifies the call. Reads
	// have it, too. It is empty if nobody has reviewed it or the response repeats nothing.
	Bind []Copy
	// Excludes lists the codes of a verified 4xx that exclude an effect of the rejected request.
	// Only operations that move money need it. It says nothing of the number, which an earlier
	// request may have used.
	Excludes []Exclude
}

// Exclude is a code that excludes an effect of the rejected request.
type Exclude struct {
	Code string
	// Doc is the documentation id of the page that lists the code for this operation; see [DocURL].
	Doc string
}

// Excluded reports whether a verified 4xx with this code excludes an effect of the request.
func (c *Conduct) Excluded(code string) bool {
	for i := range c.Excludes {
		if c.Excludes[i].Code == code {
			return true
		}
	}
	return false
}

// Repeat says what a second, equal request does.
type Repeat string

// Repeat classes. Unreviewed is the zero value.
const (
	Unreviewed Repeat = ""
	Documented Repeat = "documented" // the platform promises one effect for one number
	Assumed    Repeat = "assumed"    // one effect is likely, nobody promises it
	Never      Repeat = "no"         // must not be repeated
)

// MerchantNumber is a number chosen by the merchant.
type MerchantNumber struct {
	// Space is the set in which the number is unique, such as "order" or "refund". Empty means no
	// number.
	Space string
	// Field is its place in the request: a body field by its dotted path, or a placeholder in
	// braces.
	Field string
}

// Rate is a documented limit, at the time of review. Limits change and are often raised on request.
type Rate struct {
	// PerSecond is the number of requests; 0 means that none is documented.
	PerSecond int
	// Per is the subject of the limit: "merchant" or "provider", the signing number in either case.
	Per string
}

// Link connects a write with the query that shows its outcome.
type Link struct {
	// Query is the query's path template. Its method is GET.
	Query string
	// Copy lists the values that the query takes from the write.
	Copy []Copy
	// Missing lists the codes of a verified 404 that mean that the object does not exist.
	Missing []string
	// State is the response field with the state, by its dotted path.
	State string
	// Means lists the reviewed states. Any other state is Taken: it means only that the object
	// exists.
	Means []Means
	// Parts refines Succeeded for a request with several parts that end separately, else nil.
	Parts *Parts
	// Same lists fields that never change: they must be equal if both write and response contain
	// them.
	Same []Copy
	// Only lists fields of the write's response that the query's lacks, such as prepay_id. To get
	// one, send the write again.
	Only []string
	// LookBack is the reach of the query in days; 0 if no bound is documented.
	LookBack int
	// Acts says that the operation acts on an object that exists before it. Then only the states in
	// Means prove anything, not the existence of the object.
	Acts bool
}

// Copy pairs a field of one side with one of the other.
type Copy struct {
	// To is a placeholder or query field of the query, or a response field by dotted path.
	To string
	// From is the place of the value in the call: a body field by dotted path, a placeholder in
	// braces, or, for Bind, a query field behind a question mark.
	From string
	// Optional says that the write may lack the field. Without Optional, such a write has no query.
	Optional bool
}

// Means is the meaning of one state for the write.
type Means struct {
	Value   string
	Meaning Meaning
}

// Meaning is the meaning of a state for a write.
type Meaning string

// Meanings of states.
const (
	Taken       Meaning = "taken"     // taken; how it ends is not known
	Accepted    Meaning = "accepted"  // taken, not finished
	Succeeded   Meaning = "succeeded" // has taken effect
	Failed      Meaning = "failed"    // ended without effect, for good: this number will never succeed
	Partial     Meaning = "partial"   // some parts have taken effect, the others never will
	NeedsAction Meaning = "action"    // stands still until the merchant does something
)

// Parts tells how a write with several parts ended.
type Parts struct {
	List      string // the field that lists the parts
	State     string // a part's own state
	Succeeded string // its value for a part that has taken effect
	Failed    string // and for one that never will
}

// Meaning returns the meaning of a state, Taken for one that nobody has reviewed.
func (l *Link) Meaning(state string) Meaning {
	for _, m := range l.Means {
		if m.Value == state {
			return m.Meaning
		}
	}
	return Taken
}

// QueryField returns the name in a source that is a query field behind a question mark.
func QueryField(source string) (name string, ok bool) { return strings.CutPrefix(source, "?") }

// Placeholder returns the name in a source that is a placeholder in braces.
func Placeholder(source string) (name string, ok bool) {
	name, opened := strings.CutPrefix(source, "{")
	name, closed := strings.CutSuffix(name, "}")
	return name, opened && closed
}
