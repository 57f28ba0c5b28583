package batch

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
	"github.com/wxpay-go/wxpay/wxcode"
)

// tally adds results up, by state and code.
type tally map[outcome]*tallied

type outcome struct {
	state fleet.State
	code  string
}

type tallied struct {
	jobs int
	sums sums
}

func (t tally) add(r fleet.Result) {
	key := outcome{state: r.State}
	if r.State.Ended() {
		key.code = r.Code
	}
	if t[key] == nil {
		t[key] = &tallied{sums: make(sums)}
	}
	t[key].jobs++
	t[key].sums.add(r.Amounts)
}

// outcomes are in the order of states in summaries; within a state the most frequent comes first.
func (t tally) outcomes() []outcome {
	var list []outcome
	for o := range t {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b outcome) int {
		return cmp.Or(slices.Index(states, a.state)-slices.Index(states, b.state), t[b].jobs-t[a].jobs, strings.Compare(a.code, b.code))
	})
	return list
}

// total is all of them together.
func (t tally) total() tallied {
	all := tallied{sums: make(sums)}
	for _, one := range t {
		all.jobs += one.jobs
		for member, fen := range one.sums {
			all.sums.addBig(member, fen)
		}
	}
	return all
}

// text is the tally as a person reads it.
func (t tally) text() string {
	if len(t) == 0 {
		return "no jobs"
	}
	all := t.total()
	members := all.sums.members()
	line := func(one tallied, name string) string {
		text := fmt.Sprintf("%10d  %s", one.jobs, name)
		for i, member := range members {
			separator := ", "
			if i == 0 {
				separator = ": "
			}
			if fen := one.sums[member]; fen != nil {
				text += separator + member + " " + inYuan(fen, ",") + " yuan"
			}
		}
		return text
	}
	var lines []string
	for _, o := range t.outcomes() {
		lines = append(lines, line(*t[o], strings.TrimSpace(string(o.state)+" "+printable(o.code))))
	}
	if len(t) > 1 && len(members) > 0 {
		lines = append(lines, line(all, "in all"))
	}
	return strings.Join(lines, "\n")
}

// rows are the tally as a table.
func (t tally) rows() [][]xlsx.Output {
	all := t.total()
	members := all.sums.members()
	head := heads("state", "code", "meaning of the code", "attention", "jobs")
	for _, member := range members {
		head = append(head, heads(member+" (yuan)")...)
	}
	rows := [][]xlsx.Output{head}
	row := func(state, code, note string, mark xlsx.Format, one tallied) {
		cells := []xlsx.Output{{Text: state, Format: mark}, {Text: code, Format: mark},
			{Text: wxcode.Of(0, wxcode.Code(code)).Meaning, Format: mark}, {Text: note, Format: mark},
			{Text: strconv.Itoa(one.jobs), Format: xlsx.Count}}
		for _, member := range members {
			cell := xlsx.Output{}
			if fen := one.sums[member]; fen != nil {
				cell = xlsx.Output{Text: inYuan(fen, ""), Format: xlsx.Yuan}
			}
			cells = append(cells, cell)
		}
		rows = append(rows, cells)
	}
	for _, o := range t.outcomes() {
		note, mark := attention(o.state)
		row(string(o.state), o.code, note, mark, *t[o])
	}
	row("in all", "", "", xlsx.Head, all)
	return rows
}

// states are in the order of summaries.
var states = []fleet.State{
	fleet.Unknown, fleet.Refused, fleet.Failed, fleet.Partial, fleet.Action, fleet.Expired, fleet.Cancelled, fleet.Waiting, fleet.Begun, fleet.Taken, fleet.Accepted, fleet.Succeeded,
}

// attention says what a person has to know of a state, and how it is marked; empty for what went well.
func attention(state fleet.State) (string, xlsx.Format) {
	switch state {
	case fleet.Succeeded, fleet.Accepted, fleet.Taken:
		return "", xlsx.Plain
	case fleet.Unknown:
		return "UNKNOWN: it may have taken effect", xlsx.Yellow
	case fleet.Waiting, fleet.Begun:
		return "NOT DONE YET", xlsx.Yellow
	case fleet.Action:
		return "STANDS STILL until the merchant acts", xlsx.Yellow
	case fleet.Partial:
		return "DONE IN PART", xlsx.Red
	}
	return "NOT DONE", xlsx.Red
}

// heads are the names of columns.
func heads(names ...string) (row []xlsx.Output) {
	for _, name := range names {
		row = append(row, xlsx.Output{Text: name, Format: xlsx.Head})
	}
	return row
}
