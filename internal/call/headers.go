package call

import "net/http"

// Headers are the header values that all requests of a line share. Each has no spare capacity, so
// that an append elsewhere copies instead of overwriting.
type Headers struct {
	all     http.Header // of every request, which has a copy of the map
	content []string    // of those with a body
}

// NewHeaders returns the headers for a product, and for a language unless it is empty.
func NewHeaders(agent, language string) Headers {
	h := Headers{all: http.Header{"Accept": {"application/json"}, "User-Agent": {agent}}, content: []string{"application/json"}}
	if language != "" {
		h.all["Accept-Language"] = []string{language}
	}
	return h
}

// acceptAll is the Accept header of a download; it has no spare capacity, like Headers.
var acceptAll = []string{"*/*"}
