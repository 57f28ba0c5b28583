// Package language picks the sentences of a page: English or Chinese. Both stand side by side where they are used, so that
// none lacks its translation.
package language

import "fmt"

// Language is the language of a page.
type Language string

// Languages.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// All lists the languages by their names on the command line.
var All = []string{string(English), string(Chinese)}

// Say returns the sentence in the language.
func (l Language) Say(english, chinese string) string {
	if l == Chinese {
		return chinese
	}
	return english
}

// Sayf is Say for a layout of fmt.Sprintf. Both layouts take the same values in the same order.
func (l Language) Sayf(english, chinese string, a ...any) string {
	return fmt.Sprintf(l.Say(english, chinese), a...)
}
