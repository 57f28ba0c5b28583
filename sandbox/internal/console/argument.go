package console

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// readArgument reads a parameter. A duration is a text, such as 24h.
func readArgument(name string, kind reflect.Type, text json.RawMessage) (reflect.Value, error) {
	value := reflect.New(kind)
	if len(text) == 0 {
		return value.Elem(), nil
	}
	if kind == reflect.TypeFor[json.RawMessage]() {
		value.Elem().SetBytes(text)
		return value.Elem(), nil
	}
	if kind == reflect.TypeFor[time.Duration]() {
		var d Duration
		if err := json.Unmarshal(text, &d); err != nil {
			return value, misread(name, err)
		}
		value.Elem().SetInt(int64(d))
		return value.Elem(), nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(value.Interface()); err != nil {
		return value, misread(name, err)
	}
	return value.Elem(), nil
}

// misread says of a parameter which field is wrong, and what it must be instead.
func misread(name string, err error) error {
	name = strings.Replace(name, "*", "the body", 1)
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("%s: %s", name, strings.TrimPrefix(strings.TrimPrefix(err.Error(), "json: "), "sandbox: "))
	}
	if wrong.Field != "" {
		name += "." + wrong.Field
	}
	given := wrong.Value
	if number, ok := strings.CutPrefix(given, "number "); ok {
		given = "the number " + number
	} else if strings.Contains("aeiou", given[:1]) {
		given = "an " + given
	} else {
		given = "a " + strings.Replace(given, "bool", "boolean", 1)
	}
	return fmt.Errorf("%s must be %s, not %s", strings.TrimPrefix(name, "the body."), wanted(wrong.Type), given)
}

// wanted names what JSON has for a type.
func wanted(kind reflect.Type) string {
	if kind.Kind() == reflect.Pointer { // of one that reads texts itself
		kind = kind.Elem()
	}
	switch of := kind.Kind(); {
	case of == reflect.String, reflect.PointerTo(kind).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "a string"
	case of == reflect.Bool:
		return "a boolean"
	case of == reflect.Slice, of == reflect.Array:
		return "an array"
	case of >= reflect.Int && of <= reflect.Uint64:
		return fmt.Sprintf("an integer of %d bits", kind.Bits())
	case of == reflect.Float32, of == reflect.Float64:
		return "a number"
	}
	return "an object"
}

// Duration is one in JSON.
type Duration time.Duration

func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return errors.New(`a duration is a text such as "300ms", "15s" or "24h"`)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return errors.New(`a duration is a text such as "300ms", "15s" or "24h"`)
	}
	*d = Duration(parsed)
	return nil
}

func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// fromQuery makes JSON of the values of a query parameter, for a parameter of that kind.
func fromQuery(values json.RawMessage, kind reflect.Type) json.RawMessage {
	if kind.Kind() == reflect.Slice {
		return values
	}
	var texts []string
	if json.Unmarshal(values, &texts) != nil || len(texts) == 0 {
		return nil
	}
	if last := texts[len(texts)-1]; kind.Kind() != reflect.String {
		if _, err := strconv.ParseInt(last, 10, 64); err == nil || last == "true" || last == "false" {
			return json.RawMessage(last)
		}
	}
	return say.JSON(texts[len(texts)-1])
}

// objectOf makes a JSON object of a query, for a struct of that kind.
func objectOf(fields map[string]json.RawMessage, kind reflect.Type) json.RawMessage {
	object := make(map[string]json.RawMessage, len(fields))
	for name, values := range fields {
		field := reflect.TypeFor[string]()
		for i := range kind.NumField() {
			if tag, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ","); tag == name {
				field = kind.Field(i).Type
			}
		}
		object[name] = fromQuery(values, field)
	}
	return say.JSON(object)
}
