package call

// Headers are the header values that all requests of a line share. Each has no spare capacity, so
// that an append elsewhere copies instead of overwriting.
type Headers struct{ accept, agent, content, language []string }

// NewHeaders returns the headers for a product, and for a language unless it is empty.
func NewHeaders(agent, language string) Headers {
	h := Headers{accept: []string{"application/json"}, agent: []string{agent}, content: []string{"application/json"}}
	if language != "" {
		h.language = []string{language}
	}
	return h
}

// acceptAll is the Accept header of a download; it has no spare capacity, like Headers.
var acceptAll = []string{"*/*"}
