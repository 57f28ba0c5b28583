package batch

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// exposition is a text in the format in which Prometheus reads metrics, version 0.0.4. The samples of a family stand together.
type exposition struct{ bytes.Buffer }

// family begins a family of samples.
func (e *exposition) family(name, kind, help string) {
	fmt.Fprintf(e, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// escapes are those of a label's value.
var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes a value; labels are names and values in turn.
func (e *exposition) sample(name string, value float64, labels ...string) {
	e.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		e.WriteByte(separator)
		fmt.Fprintf(e, `%s="%s"`, labels[i], escapes.Replace(strings.ToValidUTF8(labels[i+1], "")))
	}
	if len(labels) > 0 {
		e.WriteByte('}')
	}
	e.WriteByte(' ')
	e.WriteString(strconv.FormatFloat(value, 'g', -1, 64))
	e.WriteByte('\n')
}

// gauge writes a family of one sample without labels.
func (e *exposition) gauge(name, help string, value float64) {
	e.family(name, "gauge", help)
	e.sample(name, value)
}
