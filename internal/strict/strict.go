// Package strict reads single values out of a JSON text that package jsonwalk has read: gjson finds them, and a value that
// is not exactly of the kind that the caller asks for is an error.
package strict

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Get returns the value at a gjson path. Outside of an object or array nothing exists: gjson would look for one inside of a
// string too.
func Get(text []byte, path string) gjson.Result {
	root := jsonwalk.Cursor{Text: text}
	if first := root.Peek(); first != '{' && first != '[' {
		return gjson.Result{}
	}
	return gjson.GetBytes(text, path)
}

// Int returns a whole number that is written as one and fits.
func Int(value gjson.Result) (int64, error) { return whole(value, "a whole number") }

// Fen returns an amount in the smallest unit of a currency: what Int returns.
func Fen(value gjson.Result) (int64, error) { return whole(value, "a whole number of fen") }

func whole(value gjson.Result, wanted string) (int64, error) {
	if value.Type != gjson.Number {
		return 0, mismatch(value, wanted)
	}
	number, err := strconv.ParseInt(value.Raw, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("is a number beyond 64 bits, not " + wanted)
	case err != nil:
		return 0, errors.New("is a number with a fraction or an exponent, not " + wanted)
	}
	return number, nil
}

// Text returns a string.
func Text(value gjson.Result) (string, error) {
	if value.Type != gjson.String {
		return "", mismatch(value, "a text")
	}
	return value.Str, nil
}

// Bool returns true or false.
func Bool(value gjson.Result) (bool, error) {
	if !value.IsBool() {
		return false, mismatch(value, "true or false")
	}
	return value.Type == gjson.True, nil
}

// Time returns a time in the form of RFC 3339, with its offset.
func Time(value gjson.Result) (time.Time, error) {
	const wanted = "a time such as 2018-06-08T10:34:56+08:00"
	if value.Type != gjson.String {
		return time.Time{}, mismatch(value, wanted)
	}
	var at time.Time
	if at.UnmarshalText([]byte(value.Str)) != nil { // whose text repeats the value
		return time.Time{}, errors.New("is another text, not " + wanted)
	}
	return at, nil
}

// Read returns the value at a path. An error names the path and what stands there; if nothing does, and documented, which is
// all that is known, has no such path, also the one that was probably meant.
func Read[T any](get func(string) gjson.Result, documented []fact.Field, path string, as func(gjson.Result) (T, error)) (T, error) {
	found := get(path)
	value, err := as(found)
	if err != nil {
		err = errors.New(redact.OneLine(path) + " " + err.Error() + meant(found, documented, path))
	}
	return value, err
}

// Need returns an error that names those of paths at which nothing stands, or null; nil when there are none.
func Need(get func(string) gjson.Result, documented []fact.Field, paths []string) error {
	var absent []string
	hints := ""
	for _, path := range paths {
		if found := get(path); found.Type == gjson.Null {
			absent = append(absent, redact.OneLine(path))
			hints += meant(found, documented, path)
		}
	}
	switch len(absent) {
	case 0:
		return nil
	case 1:
		return errors.New(absent[0] + " is absent" + hints)
	}
	return errors.New(strings.Join(absent, ", ") + " are absent" + hints)
}

func meant(found gjson.Result, documented []fact.Field, path string) string {
	if found.Exists() {
		return ""
	}
	switch near, undocumented := Undocumented(documented, path); {
	case near != "":
		return "; the catalogue has " + near
	case undocumented:
		return "; the catalogue does not have it"
	}
	return ""
}

// mismatch tells what stands in the place of what was wanted; its value stays out of it.
func mismatch(value gjson.Result, wanted string) error {
	if !value.Exists() {
		return errors.New("is absent")
	}
	return errors.New(kind(value) + ", not " + wanted)
}

func kind(value gjson.Result) string {
	switch value.Type {
	case gjson.Null:
		return "is null"
	case gjson.True, gjson.False:
		return "is true or false"
	case gjson.Number:
		return "is a number"
	case gjson.String:
		return "is a text"
	}
	if value.IsArray() {
		return "is an array"
	}
	return "is an object"
}
