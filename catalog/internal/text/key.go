package text

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Key is a keyed line of a block. A new kind of fact is one more row in OperationKeys or EventKeys.
type Key[T any] struct {
	// Name begins the line.
	Name string
	// ByHand says that facts files know nothing of this line: it is written and kept by hand.
	ByHand bool
	// Values returns the texts to print, a line for each; no text, no line. A flag has the single text "".
	Values func(*T) []string
	// Set takes the text of one line.
	Set func(*T, string) error
	// Fields returns the fields listed below the line, and SetFields takes them; both are nil for a key without fields.
	Fields    func(*T) []fact.Field
	SetFields func(*T, []fact.Field)
}

// What a key's Set says; the parser puts line and key before it.
const (
	errTwice = problem("is given twice")
	errBare  = problem("lacks its value")
	errValue = problem("takes no value")
)

type problem string

func (p problem) Error() string { return string(p) }

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func flag[T any](name string, byHand bool, at func(*T) *bool) Key[T] {
	return Key[T]{
		Name:   name,
		ByHand: byHand,
		Values: func(t *T) []string {
			if *at(t) {
				return []string{""}
			}
			return nil
		},
		Set: func(t *T, value string) error {
			if value != "" {
				return errValue
			}
			if *at(t) {
				return errTwice
			}
			*at(t) = true
			return nil
		},
	}
}

func word[T any, S ~string](name string, at func(*T) *S) Key[T] {
	return Key[T]{
		Name:   name,
		Values: func(t *T) []string { return one(string(*at(t))) },
		Set: func(t *T, value string) error {
			if value == "" {
				return errBare
			}
			if *at(t) != "" {
				return errTwice
			}
			*at(t) = S(value)
			return nil
		},
	}
}

func number[T any](name string, at func(*T) *int) Key[T] {
	return Key[T]{
		Name: name,
		Values: func(t *T) []string {
			if *at(t) == 0 {
				return nil
			}
			return []string{strconv.Itoa(*at(t))}
		},
		Set: func(t *T, value string) error {
			n, err := strconv.Atoi(value)
			switch {
			case err != nil || n <= 0:
				return fmt.Errorf("has %q; it is a number above 0", value)
			case *at(t) != 0:
				return errTwice
			}
			*at(t) = n
			return nil
		},
	}
}

func list[T any](name string, at func(*T) *[]string) Key[T] {
	return Key[T]{
		Name:   name,
		Values: func(t *T) []string { return *at(t) },
		Set: func(t *T, value string) error {
			if value == "" {
				return errBare
			}
			*at(t) = append(*at(t), value)
			return nil
		},
	}
}

func fields[T any](name string, at func(*T) *[]fact.Field) Key[T] {
	return members(name, func(t *T) []fact.Field { return *at(t) }, func(t *T, list []fact.Field) { *at(t) = list })
}

func members[T any](name string, get func(*T) []fact.Field, set func(*T, []fact.Field)) Key[T] {
	return Key[T]{
		Name: name,
		Values: func(t *T) []string {
			if len(get(t)) > 0 {
				return []string{""}
			}
			return nil
		},
		Set: func(t *T, value string) error {
			if value != "" {
				return errValue
			}
			if get(t) != nil {
				return errTwice
			}
			return nil
		},
		Fields:    get,
		SetFields: set,
	}
}

func byHand[T any](key Key[T]) Key[T] {
	key.ByHand = true
	return key
}

// words is a line of several words.
func words(name string, values func(*fact.Operation) []string, set func(*fact.Operation, string) error) Key[fact.Operation] {
	return Key[fact.Operation]{Name: name, ByHand: true, Values: values, Set: set}
}

func yes(b bool) []string {
	if b {
		return []string{""}
	}
	return nil
}

// exactly cuts a value into n words.
func exactly(value string, n int) ([]string, error) {
	list := strings.Split(value, " ")
	if len(list) != n || slices.Contains(list, "") {
		return nil, fmt.Errorf("takes %d words", n)
	}
	return list, nil
}
