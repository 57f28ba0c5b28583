package webhook

// InquiryCount is the number of reviewed inquiries.
var InquiryCount = len(inquiries)

// InquiryByReview tells what the reviewed table says of an event.
func InquiryByReview(eventType string) (signed, known bool) {
	q, known := inquiries[eventType]
	return q.signed, known
}

// Final is one row of the reviewed table of events with a final state.
type Final struct {
	EventType, OriginalType, Number, State, Unless string
	States                                         []string
}

// Finals returns that table.
func Finals() []Final {
	out := make([]Final, len(finals))
	for i, f := range finals {
		out[i] = Final{f.eventType, f.originalType, f.number, f.state, f.unless, f.states}
	}
	return out
}

// Foreign tells whether an original type does not belong to the family that the event type names.
func Foreign(eventType, originalType string) bool {
	return foreign(&Event{Type: eventType, OriginalType: originalType})
}

// AboutMoney tells whether an event of a type must not be lost.
func AboutMoney(eventType string) bool { return aboutMoney(&Event{Type: eventType}) }

// MoneyEvents returns how the types of such events begin.
func MoneyEvents() []string { return moneyEvents }
