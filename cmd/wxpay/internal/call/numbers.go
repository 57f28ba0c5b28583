package call

import (
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// numbers are the names of the numbers that a query needs of its caller.
func numbers(l *fact.Link) (names []string) {
	for _, pair := range l.Copy {
		if name, _ := placeholder(pair.From); !pair.Optional && !isOwn(name) {
			names = append(names, strings.ToUpper(name))
		}
	}
	return names
}

// placeholder returns the name of a value of a call, and whether it is one of the path.
func placeholder(source string) (name string, ofPath bool) {
	if name, ofPath = fact.Placeholder(source); ofPath {
		return name, true
	}
	return source, false
}

// isOwn reports whether a number may be that of the caller, who is a service provider if there is a sub_mchid.
func isOwn(name string) bool { return name == "mchid" || name == "sp_mchid" }
