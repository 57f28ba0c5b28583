package serve

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// Variable names the variable with the address at which a running sandbox takes orders.
const Variable = "WXPAY_SANDBOX_URL"

// Order is the notification that wxpay webhook trigger wants.
type Order struct {
	Event  string       `json:"event"`            // may have /original_type
	To     string       `json:"to,omitempty"`     // empty: the address of the forwarder
	Data   string       `json:"data,omitempty"`   // the whole resource; empty: a sample
	Set    []Assignment `json:"set,omitempty"`    // changes of the sample
	Faults []fault.Kind `json:"faults,omitempty"` // of the first attempt
	DryRun bool         `json:"dry_run,omitempty"`
}

// Assignment changes one field of a sample.
type Assignment struct {
	Path  string `json:"path"`
	Value string `json:"value"`
}

// Delivered is the outcome of an order.
type Delivered struct {
	ID       string        `json:"id"`
	Event    string        `json:"event"`
	To       string        `json:"to"`
	Status   int           `json:"status"` // 0 if there was no response
	Response string        `json:"response,omitempty"`
	Error    string        `json:"error,omitempty"` // why there was no response
	Took     time.Duration `json:"took"`
	Next     time.Duration `json:"next,omitempty"` // until the next attempt; 0 if there is none

	Request string `json:"request,omitempty"` // of a dry run, which has nothing else
}

// complaint is the response to an order that cannot be carried out.
type complaint struct {
	Message string `json:"message"`
}
