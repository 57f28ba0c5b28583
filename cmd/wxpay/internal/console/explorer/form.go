package explorer

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Input is one field of the form.
type Input struct {
	Name      string // of the form: place, and path of the field
	Label     string // in Chinese
	Field     string // own name
	Type      fact.Type
	Group     bool // an object: its fields follow below
	Inputs    []Input
	Required  bool
	Sure      bool // a second source confirms that
	Value     string
	Sample    string
	Options   []Option
	Encrypted bool
	Hints     []string
	Min, Max  int64 // length of a text in characters
	Long      bool
}

// Option is a documented constant.
type Option struct{ Value, Label string }

// presets are values of fields that a form has before somebody types.
type presets func(field *fact.Field) (value string, ok bool)

// inputs makes a form of fields: the required ones first, with values.
func inputs(place string, fields []fact.Field, inside bool, preset presets) []Input {
	list := make([]Input, 0, len(fields))
	for i := range fields {
		field := &fields[i]
		in := Input{
			Name: place + "/" + field.Name, Label: field.Label, Field: field.Name, Type: field.Type, Required: field.Required, Sure: field.Sure(),
			Encrypted: field.Cipher == fact.RSA, Min: field.Min, Max: field.Max, Long: field.JSONText,
		}
		filled := inside && field.Required
		if field.Type == fact.Object || field.Type == fact.Objects {
			in.Group, in.Inputs = true, inputs(in.Name, field.Fields, filled, preset)
			list = append(list, in)
			continue
		}
		if field.Sample != nil {
			in.Sample = fmt.Sprint(field.Sample)
		}
		for n, constant := range field.Enum {
			option := Option{Value: fmt.Sprint(constant)}
			if n < len(field.EnumLabels) {
				option.Label = field.EnumLabels[n]
			}
			in.Options = append(in.Options, option)
		}
		if value, ok := preset(field); ok && filled {
			in.Value = value
		} else if filled {
			in.Value = in.Sample
			if in.Value == "" {
				in.Value = plausible(field)
			}
		}
		if field.Type != fact.String && field.Type != fact.Strings {
			in.Min, in.Max = 0, 0
		}
		for _, hint := range []string{field.Format, string(field.Unit)} {
			if hint != "" {
				in.Hints = append(in.Hints, hint)
			}
		}
		list = append(list, in)
	}
	slices.SortStableFunc(list, func(a, b Input) int {
		if a.Required == b.Required {
			return 0
		}
		if a.Required {
			return -1
		}
		return 1
	})
	return list
}

// plausible is a value for a required field without a sample; empty for a text that nothing is known of.
func plausible(field *fact.Field) string {
	switch {
	case len(field.Enum) > 0:
		return fmt.Sprint(field.Enum[0])
	case field.Name == "offset":
		return "0"
	case strings.HasPrefix(string(field.Type), string(fact.Integer)), strings.HasPrefix(string(field.Type), string(fact.Number)):
		return strconv.FormatInt(max(1, field.Min), 10)
	case strings.HasPrefix(string(field.Type), string(fact.Boolean)):
		return "true"
	}
	return ""
}

// body builds the JSON of the fields that are filled in, in their documented order, and returns these fields with their
// values as samples; both are nil if none is.
func body(place string, fields []fact.Field, form url.Values) (json.RawMessage, []fact.Field, error) {
	var out strings.Builder
	var filled []fact.Field
	for i := range fields {
		field := fields[i]
		value, used, err := value(place+"/"+field.Name, &field, form)
		if err != nil {
			return nil, nil, err
		}
		if !used {
			continue
		}
		name, err := json.Marshal(field.Name)
		if err != nil {
			return nil, nil, err
		}
		if out.Len() > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%s:%s", name, value)
		field.Required = true
		filled = append(filled, field)
	}
	if filled == nil {
		return nil, nil, nil
	}
	return json.RawMessage("{" + out.String() + "}"), filled, nil
}

// value reads one field of the form. field gets what was read as its sample, or its own fields.
func value(name string, field *fact.Field, form url.Values) (string, bool, error) {
	if field.Type == fact.Object || field.Type == fact.Objects {
		object, filled, err := body(name, field.Fields, form)
		if err != nil || object == nil {
			return "", false, err
		}
		field.Fields = filled
		if field.Type == fact.Objects {
			return "[" + string(object) + "]", true, nil
		}
		return string(object), true, nil
	}
	text := form.Get(name)
	if text == "" {
		return "", false, nil
	}
	field.Enum, field.EnumLabels, field.JSONText, field.Format = nil, nil, false, ""
	parts := []string{text}
	single := fact.Type(strings.TrimSuffix(string(field.Type), "[]"))
	if single != field.Type {
		parts = strings.Split(text, "\n")
	}
	var values []string
	for _, part := range parts {
		part = strings.TrimSuffix(part, "\r")
		written, sample, err := scalar(field.Name, single, part)
		if err != nil {
			return "", false, err
		}
		values = append(values, written)
		field.Sample = sample
	}
	if single != field.Type {
		return "[" + strings.Join(values, ",") + "]", true, nil
	}
	return values[0], true, nil
}

// scalar writes a text as JSON of a type.
func scalar(name string, kind fact.Type, text string) (written string, sample any, err error) {
	switch kind {
	case fact.Integer:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return "", nil, fmt.Errorf("%s: a whole number is wanted", name)
		}
		return strconv.FormatInt(n, 10), n, nil
	case fact.Number:
		var n json.Number
		if err := json.Unmarshal([]byte(strings.TrimSpace(text)), &n); err != nil || n == "" {
			return "", nil, fmt.Errorf("%s: a number is wanted", name)
		}
		return n.String(), n, nil
	case fact.Boolean:
		if text != "true" && text != "false" {
			return "", nil, fmt.Errorf("%s: true or false is wanted", name)
		}
		return text, text == "true", nil
	}
	data, err := json.Marshal(text)
	return string(data), text, err
}
