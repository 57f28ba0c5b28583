package main

import "strings"

// initialisms are the words of the API's paths that Go writes in capitals. Only whole words count,
// so a name follows from its segment without a dictionary: sub_mchid is SubMchid.
var initialisms = map[string]bool{
	"api": true, "etc": true, "h5": true, "hk": true, "id": true, "jsapi": true, "qq": true, "sn": true, "url": true,
}

// words returns the words of a segment in the form of an exported Go name.
func words(segment string) []string {
	list := strings.FieldsFunc(segment, func(r rune) bool { return r == '-' || r == '_' })
	for i, word := range list {
		if initialisms[word] {
			list[i] = strings.ToUpper(word)
		} else {
			list[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return list
}

// exported returns the name of the method for a segment, before collisions are resolved.
func exported(segment string) string {
	if segment == "" {
		return "Slash"
	}
	return strings.Join(words(segment), "")
}

// parameter returns the name of the argument that fills a placeholder.
func parameter(placeholder string) string {
	list := words(placeholder)
	list[0] = strings.ToLower(list[0])
	return strings.Join(list, "")
}
