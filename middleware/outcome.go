package middleware

// Outcome is what is known about an operation at the platform. It belongs to a logical call, over all its attempts.
type Outcome uint8

const (
	// Unknown: the operation may have taken effect. Query it by your own number before repeating, and repeat only with
	// the same number and parameters. It is the zero value, because it is the safe answer.
	Unknown Outcome = iota
	// NotSent: not one byte left this process for the platform. Repeating is safe.
	NotSent
	// Rejected: the platform refused this request, which took no effect. It says nothing of the merchant's number, which an
	// earlier request may have used.
	Rejected
	// Confirmed: the platform confirmed success, and a later local step failed. Never repeat it.
	Confirmed
)

// String returns the name in words.
func (o Outcome) String() string {
	switch o {
	case NotSent:
		return "not sent"
	case Rejected:
		return "rejected"
	case Confirmed:
		return "confirmed"
	}
	return "outcome unknown"
}

// Then is what is known after one more attempt. Success settles everything. A doubt stays until then: a later refusal may
// be the echo of an earlier success. And a refusal says more than a request that never left.
func (o Outcome) Then(next Outcome) Outcome {
	switch {
	case o == Confirmed || next == Confirmed:
		return Confirmed
	case o == Unknown || next == Unknown:
		return Unknown
	case o == Rejected || next == Rejected:
		return Rejected
	}
	return NotSent
}
