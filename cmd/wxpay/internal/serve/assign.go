package serve

import (
	"encoding/json"
	"errors"
	"fmt"
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
				return fmt.Errorf("there is no field %s here, only %s", shell.OneLine(name),
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
				return fmt.Errorf("%s is an array of %d elements, numbered from 0", strings.Join(names[:i], "."), len(holder))
			}
			if last {
				holder[index], err = valueLike(holder[index], a.Value)
				return err
			}
			at = holder[index]
		default:
			return fmt.Errorf("%s has no fields", strings.Join(names[:i], "."))
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
		err = errors.New("more than one value")
	}
	kind := kindOf(old)
	if err != nil || kindOf(value) != kind {
		return old, fmt.Errorf("the field is %s, and the value is not", kind)
	}
	return value, nil
}

// kindOf names the type of a JSON value.
func kindOf(value any) string {
	switch value.(type) {
	case json.Number:
		return "a number"
	case bool:
		return "true or false"
	case string:
		return "a text"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return "null"
}
