// Package report reads a recorded run, and writes the document and the plot from it. Nothing in
// them is typed by hand: what the tables say comes out of the raw file, and what the text says of
// targets is decided from it.
package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// Run is a recorded run.
type Run struct {
	// Config are the lines "key: value" of the raw file, the last of each key.
	Config map[string]string

	samples map[string]map[int]float64 // by key of work, contestant and unit, and by round
	absent  map[string]string          // the reason, by work and contestant
}

// Units of the raw file, as package benchfmt calls them.
const (
	processor   = "cpu-us/op" // processor time, of all threads
	perOp       = "sec/op"
	bytesPerOp  = "B/op"
	allocsPerOp = "allocs/op"
)

// absence is the beginning of a line for a contestant that failed in a piece of work.
const absence = "absent: "

// place is the place in a source file that go test prints before a message.
var place = regexp.MustCompile(`^\w+\.go:\d+: `)

// WriteAbsent writes a line of a raw file: the contestant of "Work/contestant" failed. The reason
// becomes one line of at most 200 bytes.
func WriteAbsent(w io.Writer, name, reason string) {
	reason = place.ReplaceAllString(strings.Join(strings.Fields(reason), " "), "")
	if len(reason) > 200 {
		reason = strings.ToValidUTF8(reason[:200], "") + "…"
	}
	fmt.Fprintf(w, "%s%s: %s\n", absence, processors.ReplaceAllString(name, ""), reason)
}

// processors is the number that go test appends to the name of a benchmark; elapsed its time.
var processors = regexp.MustCompile(`(-\d+)?( \(.*\))?$`)

// Read reads a raw file: the output of go test -bench, with lines "round: 1" between the rounds,
// and those of WriteAbsent.
func Read(r io.Reader, name string) (*Run, error) {
	run := &Run{Config: map[string]string{}, samples: map[string]map[int]float64{}, absent: map[string]string{}}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if line, found := strings.CutPrefix(line, absence); found {
			who, reason, _ := strings.Cut(strings.TrimSpace(line), ": ")
			run.absent[who] = reason
		}
	}
	for reader := benchfmt.NewReader(bytes.NewReader(text), name); reader.Scan(); {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, record
		case *benchfmt.Result:
			for _, config := range record.Config {
				run.Config[config.Key] = string(config.Value)
			}
			round, err := strconv.Atoi(record.GetConfig("round"))
			if err != nil {
				return nil, fmt.Errorf("%s: a result without a round: %s", name, record.Name)
			}
			full, _, _ := strings.Cut(string(record.Name), "-"+strconv.Itoa(gomaxprocs(record)))
			for _, value := range record.Values {
				key := key(record.GetConfig("rsa"), full, value.Unit)
				if run.samples[key] == nil {
					run.samples[key] = map[int]float64{}
				}
				run.samples[key][round] = value.Value
			}
		}
	}
	if len(run.samples) == 0 {
		return nil, fmt.Errorf("%s: there are no results in it", name)
	}
	return run, nil
}

// gomaxprocs is the number that go test appends to a benchmark's name, 1 if it appends none.
func gomaxprocs(r *benchfmt.Result) int {
	_, parts := r.Name.Parts()
	if len(parts) > 0 {
		if n, err := strconv.Atoi(strings.TrimPrefix(string(parts[len(parts)-1]), "-")); err == nil {
			return n
		}
	}
	return 1
}

func key(rsa, name, unit string) string { return rsa + " " + name + " " + unit }

// Stat is the median of the rounds, with the quartiles around it.
type Stat struct {
	Median, Low, High float64
	Rounds            int
}

// Known reports whether there was a result at all.
func (s Stat) Known() bool { return s.Rounds > 0 }

func stat(values []float64) Stat {
	if len(values) == 0 {
		return Stat{}
	}
	slices.Sort(values)
	return Stat{quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75), len(values)}
}

// quantile of sorted values, between neighbours.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Of is a result: of a benchmark by its full name, with RSA "in" or "out".
func (r *Run) Of(rsa, name, unit string) Stat {
	var values []float64
	for _, v := range r.samples[key(rsa, name, unit)] {
		values = append(values, v)
	}
	return stat(values)
}

// Ratio is the median of the ratios that the rounds had, of one result to another. Both were
// measured seconds apart, so what slowed one round down slowed both.
func (r *Run) Ratio(rsa, name, floor, unit string) Stat {
	var values []float64
	base := r.samples[key(rsa, floor, unit)]
	for round, v := range r.samples[key(rsa, name, unit)] {
		if b := base[round]; b > 0 {
			values = append(values, v/b)
		}
	}
	return stat(values)
}
