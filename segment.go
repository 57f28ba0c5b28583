package wxpay

import "slices"

// Package internal/target builds paths. This file answers its question to the client: which names
// are segments of the API although they look like values.

// oddSegments are the segments of the API that look like values in the form of properties, such as
// h5Presign.
var oddSegments = []string{"h5-pre-entrust-sign", "h5-presign", "n-qualifications"}

// segmenter is an optional ability of a catalogue: it knows the literal segments of its paths, for
// At.
type segmenter interface {
	HasSegment(segment string) bool
}

// knowsSegment reports whether a path of the API has this literal segment. c may be nil.
func (c *Client) knowsSegment(segment string) bool {
	if slices.Contains(oddSegments, segment) {
		return true
	}
	if c == nil {
		return false
	}
	facts, ok := c.facts().(segmenter)
	return ok && facts.HasSegment(segment)
}
