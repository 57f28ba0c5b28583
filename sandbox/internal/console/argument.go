package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// readArgument reads a parameter. A duration is a text, such as 24h.
func readArgument(kind reflect.Type, text json.RawMessage) (reflect.Value, error) {
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
			return value, err
		}
		value.Elem().SetInt(int64(d))
		return value.Elem(), nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(value.Interface()); err != nil {
		return value, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return value.Elem(), nil
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
