package call

// Headers are the header values that all requests of a line share. Each is full, so that an append elsewhere copies instead
// of overwriting.
type Headers struct{ accept, agent, content, language []string }

// NewHeaders returns those of a product, and of a language if it is not empty.
func NewHeaders(agent, language string) Headers {
	h := Headers{accept: []string{"application/json"}, agent: []string{agent}, content: []string{"application/json"}}
	if language != "" {
		h.language = []string{language}
	}
	return h
}

// acceptAll is what a download says it takes; it is full, as Headers are.
var acceptAll = []string{"*/*"}
