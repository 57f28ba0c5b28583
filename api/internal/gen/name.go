package main

import (
	"strings"

	"github.com/wxpay-go/wxpay/internal/gosource"
)

// exported returns the name of the method for a segment, before collisions are resolved.
func exported(segment string) string {
	if segment == "" {
		return "Slash"
	}
	return gosource.Exported(segment)
}

// parameter returns the name of the argument that fills a placeholder.
func parameter(placeholder string) string {
	list := gosource.Words(placeholder)
	list[0] = strings.ToLower(list[0])
	return strings.Join(list, "")
}
