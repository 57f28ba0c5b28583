package serve

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// assign changes one field of a sample, and keeps its type.
func assign(sample map[string]any, a Assignment) error {
	var at any = sample
	names := strings.Split(a.Path, ".")
	for i, name := range names {
		last := i == len(names)-1
		switch holder := at.(type) {
		case map[string]any:
			old, ok := holder[name]
			if !ok {
				return shell.Say("there is no field %s here, only %s", shell.OneLine(name),
					strings.Join(slices.Sorted(maps.Keys(holder)), ", "))
			}
			if last {
				value, err := valueLike(old, a.Value)
				holder[name] = value
				return err
			}
			at = old
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || index < 0 || index >= len(holder) {
				return shell.Say("%s is an array of %d elements, numbered from 0", strings.Join(names[:i], "."), len(holder))
			}
			if last {
				holder[index], err = valueLike(holder[index], a.Value)
				return err
			}
			at = holder[index]
		default:
			return shell.Say("%s has no fields", strings.Join(names[:i], "."))
		}
	}
	return nil
}

// valueLike reads text as a value of the type of old.
func valueLike(old any, text string) (any, error) {
	if _, ok := old.(string); ok {
		return text, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err == nil && decoder.More() {
		err = shell.Say("more than one value")
	}
	kind := kindOf(old)
	if err != nil || kindOf(value) != kind {
		return old, shell.Say("the field is %s, and the value is not", kind)
	}
	return value, nil
}

// The types of JSON values.
var (
	aNumber  = shell.Say("a number")
	aBoolean = shell.Say("true or false")
	aText    = shell.Say("a text")
	anArray  = shell.Say("an array")
	anObject = shell.Say("an object")
	aNull    = shell.Say("null")
)

// kindOf names the type of a JSON value.
func kindOf(value any) error {
	switch value.(type) {
	case json.Number:
		return aNumber
	case bool:
		return aBoolean
	case string:
		return aText
	case []any:
		return anArray
	case map[string]any:
		return anObject
	}
	return aNull
}
