package fact

import "strings"

// Conduct is what was reviewed by hand about repeating an operation and about finding out what became of it. The zero
// value says that nobody reviewed the operation, and every reader takes the careful answer then.
type Conduct struct {
	// MovesMoney says that carrying the operation out moves money, or commits to it: refunds, transfers, profit sharing,
	// withdrawals, subsidies and direct deductions. Creating an order that the user still has to pay moves nothing.
	MovesMoney bool
	// Repeat says whether the same request may be sent again when nobody knows what became of it.
	Repeat Repeat
	// Number is the merchant's own number that identifies what the operation does.
	Number MerchantNumber
	// Rate is the documented limit on requests.
	Rate Rate
	// Link tells how to find out what became of the operation; nil when no query tells.
	Link *Link
	// Bind lists what of the call its answer repeats: a member that differs shows that the answer is another call's. The
	// first is the number that tells the call from every other one. Reads have it, too. It is empty where nobody reviewed it,
	// and where the answer repeats nothing.
	Bind []Copy
	// Excludes lists the codes of a verified 4xx that rule out that the refused request took effect. Only operations that
	// move money need it. It says nothing of the number, which an earlier request may have used.
	Excludes []Exclude
}

// Exclude is a code that rules out an effect of the refused request.
type Exclude struct {
	Code string
	// Doc is the documentation id of the page that lists the code for this operation; see [DocURL].
	Doc string
}

// Excluded reports whether a verified 4xx with this code rules out that the request took effect.
func (c *Conduct) Excluded(code string) bool {
	for i := range c.Excludes {
		if c.Excludes[i].Code == code {
			return true
		}
	}
	return false
}

// Repeat says what the same request does a second time.
type Repeat string

// Repeat classes. Unreviewed is the zero value.
const (
	Unreviewed Repeat = ""
	Documented Repeat = "documented" // the platform promises one effect for one number
	Assumed    Repeat = "assumed"    // one effect is likely, nobody promises it
	Never      Repeat = "no"         // must not be repeated
)

// MerchantNumber is a number that the merchant chooses.
type MerchantNumber struct {
	// Space is what the number is unique among, such as "order" or "refund". Empty means that there is no number.
	Space string
	// Field is its place in the request: a body field by its dotted path, or a placeholder in braces.
	Field string
}

// Rate is a documented limit, at the time of review. Limits change and are often raised on request.
type Rate struct {
	// PerSecond is the number of requests; 0 means that none is documented.
	PerSecond int
	// Per is what the limit counts by: "merchant" or "provider". It is the number that signs in either case.
	Per string
}

// Link leads from a write to the query that tells what became of it.
type Link struct {
	// Query is the query's path template. Its method is GET.
	Query string
	// Copy lists what the query takes from the write.
	Copy []Copy
	// Missing lists the codes with which a verified 404 says that the platform knows of no such thing.
	Missing []string
	// State is the member of the answer that tells the state, by its dotted path.
	State string
	// Means lists the reviewed states. A state that is not listed says only that the thing exists, which is Taken.
	Means []Means
	// Parts refines Succeeded where one request has several parts that end apart; nil otherwise.
	Parts *Parts
	// Same lists members that cannot have changed: where write and answer both carry one, it must be equal.
	Same []Copy
	// Only lists members that the write answers and the query does not, such as prepay_id. Who needs one repeats the write.
	Only []string
	// LookBack is how many days the query reaches back; 0 when no bound is documented.
	LookBack int
	// Acts says that the operation acts on something that exists before it, so that finding it proves nothing and only
	// the states in Means do.
	Acts bool
}

// Copy pairs a member of one side with one of the other.
type Copy struct {
	// To is a placeholder or query member of the query, or a member of an answer by dotted path.
	To string
	// From is where the call carries the value: a body member by dotted path, a placeholder in braces, or, for Bind, a
	// query member behind a question mark.
	From string
	// Optional says that a write without the member has nothing to copy. Without it there can be no query.
	Optional bool
}

// Means says what one state means for the write.
type Means struct {
	Value   string
	Meaning Meaning
}

// Meaning is what a state says about a write.
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
	List      string // the member that lists the parts
	State     string // a part's own state
	Succeeded string // its value for a part that has taken effect
	Failed    string // and for one that never will
}

// Meaning returns what a state means. A state that nobody reviewed is Taken: it exists, and that is all.
func (l *Link) Meaning(state string) Meaning {
	for _, m := range l.Means {
		if m.Value == state {
			return m.Meaning
		}
	}
	return Taken
}

// QueryField returns the name in a source that is a query member behind a question mark.
func QueryField(source string) (name string, ok bool) { return strings.CutPrefix(source, "?") }

// Placeholder returns the name in a source that is a placeholder in braces.
func Placeholder(source string) (name string, ok bool) {
	name, opened := strings.CutPrefix(source, "{")
	name, closed := strings.CutSuffix(name, "}")
	return name, opened && closed
}
