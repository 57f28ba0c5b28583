// Package headers reads headers of HTTP messages.
package headers

// First returns the first value of a header. Unlike http.Header.Get it takes name as it is, in canonical form: every call
// asks for several.
func First(header map[string][]string, name string) string {
	if values := header[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
