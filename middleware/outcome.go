package middleware

// Outcome tells what is known of an operation at the platform, over all attempts of a logical call.
type Outcome uint8

const (
	// Unknown: the operation may have taken effect. Query it by your own number before sending
	// again, and send only the same number and parameters. It is the zero value, because it is the
	// safe assumption.
	Unknown Outcome = iota
	// NotSent: no byte left this process for the platform. Sending again is safe.
	NotSent
	// Rejected: the platform rejected this request, which took no effect. It says nothing of the
	// merchant's number, which an earlier request may have used.
	Rejected
	// Confirmed: the platform confirmed success, and a later local step failed. Never send it
	// again.
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

// Then returns the outcome after one more attempt. Confirmed wins. Unknown stays unknown: an
// earlier success may have caused a later rejection. Rejected wins over NotSent.
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
