package report

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/wxpay-go/wxpay/bench/peers"
)

//go:embed performance.md.tmpl targets.md.tmpl
var texts embed.FS

// contestants in the order of the tables.
var contestants = []string{"floor", "wxpay", "official", "gopay"}

var names = map[string]string{"floor": "floor", "wxpay": "wxpay", "official": "official Go SDK", "gopay": "gopay"}

// Document writes the document.
func (r *Run) Document(w io.Writer) error { return r.execute(w, "performance.md.tmpl") }

// Aims writes the page of targets, for those who change the code.
func (r *Run) Aims(w io.Writer) error { return r.execute(w, "targets.md.tmpl") }

func (r *Run) execute(w io.Writer, name string) error {
	t, err := template.ParseFS(texts, name)
	if err != nil {
		return err
	}
	return t.Execute(w, view{r})
}

// view has the values of the template.
type view struct{ *Run }

// Times is the table of ratios.
func (v view) Times() string {
	t := table{head: append([]string{"work", "RSA"}, columns()...)}
	for _, work := range works {
		rsa := work.rsa
		row := []string{titles[work.name], map[string]string{"in": "included", "out": "taken out"}[rsa]}
		for _, who := range contestants {
			row = append(row, ratio(v.Ratio(rsa, work.bench+"/"+who, work.bench+"/floor", work.unit)))
		}
		t.add(row...)
	}
	return t.String()
}

// works are the rows of the table of ratios, and the bars of the plot.
var works = []struct{ name, bench, rsa, unit string }{
	{"Feed", "Feed", "out", processor}, {"Order", "Order", "out", processor}, {"Notify", "Notify", "in", processor},
	{"Handle", "Handle", "in", processor},
	{"Transfer", "Transfer", "out", processor}, {"Upload", "Upload", "out", processor}, {"Loopback", "Loopback", "in", processor},
}

func columns() []string {
	var all []string
	for _, who := range contestants {
		all = append(all, names[who])
	}
	return all
}

// Allocations is the table of allocations.
func (v view) Allocations() string {
	t := table{head: append([]string{"work"}, columns()...)}
	for _, work := range works {
		if work.name == "Loopback" {
			continue
		}
		row := []string{titles[work.name]}
		for _, who := range contestants {
			name := work.bench + "/" + who
			row = append(row, allocated(v.Of(work.rsa, name, allocsPerOp), v.Of(work.rsa, name, bytesPerOp)))
		}
		t.add(row...)
	}
	return t.String()
}

// Bills is the table of downloads.
func (v view) Bills() string {
	t := table{head: []string{"bill", "floor", "wxpay without its catalogue", "wxpay", "official Go SDK", "gopay"}}
	for _, size := range []string{"256MiB", "1024MiB"} {
		for _, coding := range []string{"plain", "gzip"} {
			name := "Bill/" + size + "-" + coding + "/"
			row := []string{strings.Replace(size, "MiB", " MiB", 1) + ", " + coding}
			for _, who := range billers {
				cell := unknown
				if peak := v.peak(name + who); peak.Known() {
					cell = fmt.Sprintf("%s, %.1f MiB", ratio(v.Ratio("in", name+who, name+"floor", processor)), peak.Median)
				}
				row = append(row, cell)
			}
			t.add(row...)
		}
	}
	return t.String()
}

// billers are the programs that fetch bills, in the order of the table.
var billers = []string{"floor", "wxpay", "wxpay-catalog", "official", "gopay"}

// Parts is the table of the parts of a call, and of the two signers.
func (v view) Parts() string {
	t := table{head: []string{"part", "time"}}
	for _, part := range [][2]string{
		{"RSA/sign", "signature, crypto/rsa"}, {"RSA/sign-openssl", "signature, libcrypto"}, {"RSA/verify", "verification, crypto/rsa"},
		{"Busy/rsa", "a call of wxpay with crypto/rsa, 64 goroutines at once"}, {"Busy/openssl", "the same with libcrypto"},
	} {
		s := v.Of("in", part[0], processor)
		t.add(part[1], fmt.Sprintf("%.0f µs (%.0f–%.0f)", s.Median, s.Low, s.High))
	}
	return t.String()
}

// Throughput is the table of calls per second over loopback.
func (v view) Throughput() string {
	t := table{head: []string{"client", "calls per second", "floor = 1.00", "processor time of a call, server included"}}
	for _, who := range append(slices.Clone(contestants), "wxpay-openssl") {
		s := v.Of("in", "Loopback/"+who, perOp)
		title := names[who]
		if title == "" {
			title = "wxpay with libcrypto"
		}
		calls := unknown
		if s.Known() {
			calls = fmt.Sprintf("%.0f", 1/s.Median)
		}
		t.add(title, calls, ratio(v.Ratio("in", "Loopback/floor", "Loopback/"+who, perOp)),
			ratio(v.Ratio("in", "Loopback/"+who, "Loopback/floor", processor)))
	}
	return t.String()
}

// Ceiling is how many calls per second the processors could make if a call were a signature and a
// verification.
func (v view) Ceiling() string {
	cores := 1.0
	_, _ = fmt.Sscan(v.Config["cores"], &cores)
	both := v.Of("in", "RSA/sign", processor).Median + v.Of("in", "RSA/verify", processor).Median
	if both == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", 1e6*cores/both)
}

// Allowed is the gain that the parts allow libcrypto; Gained is the measured one.
func (v view) Allowed() string { return fmt.Sprintf("%.2f", v.allowed()) }

// Gained is by how much libcrypto made calls faster.
func (v view) Gained() string { return ratio(v.Ratio("in", "Busy/rsa", "Busy/openssl", processor)) }

// Retained is the table of the memory that stays in use.
func (v view) Retained() string {
	t := table{head: []string{"client", "goroutines", "memory"}}
	for _, who := range contestants {
		t.add(names[who], figure("%.0f", v.Of("out", "Retained/"+who, "goroutines")), figure("%.0f KiB", v.Of("out", "Retained/"+who, "kept-KiB")))
	}
	return t.String()
}

// Construction is the table of the cost of a new client.
func (v view) Construction() string {
	t := table{head: []string{"client", "time", "allocations / bytes"}}
	for _, who := range contestants {
		name := "Construction/" + who
		t.add(names[who], figure("%.1f µs", v.Of("in", name, perOp).times(1e6)),
			allocated(v.Of("in", name, allocsPerOp), v.Of("in", name, bytesPerOp)))
	}
	return t.String()
}

// Minimal is the table of the packages and modules that a client brings.
func (v view) Minimal() string {
	t := table{head: []string{"client", "modules in the program", "packages beyond the standard library", "size of the program"}}
	for _, who := range contestants {
		name := "Minimal/" + who
		t.add(names[who], figure("%.0f", v.Of("in", name, "linked-modules")), figure("%.0f", v.Of("in", name, "packages")), figure("%.1f MB", v.size(who)))
	}
	return t.String()
}

// Profile is the table of where processor time goes, with RSA in and taken out.
func (v view) Profile() string {
	t := table{head: []string{"where", "RSA included", "RSA taken out"}}
	for _, bucket := range Buckets {
		t.add(bucket, percent(v.Of("in", "Profile/"+slug(bucket), "%")), percent(v.Of("out", "Profile/"+slug(bucket), "%")))
	}
	return t.String()
}

func percent(s Stat) string {
	if !s.Known() {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", s.Median)
}

// Targets is the table of the targets.
func (v view) Targets() string {
	t := table{head: []string{"work", "measured", "target", "found", ""}}
	for _, target := range v.targets() {
		found, verdict := target.found, "reached"
		switch {
		case !target.known:
			found, verdict = "–", "not measured"
		case !target.reached:
			verdict = "**missed**"
		}
		t.add(target.work, target.what, target.bound, found, verdict)
	}
	return t.String()
}

// Missed lists the targets that were missed.
func (v view) Missed() string {
	var b strings.Builder
	for _, target := range v.targets() {
		switch {
		case !target.known:
			fmt.Fprintf(&b, "- %s, %s: not measured in this run.\n", target.work, target.what)
		case !target.reached:
			reason := target.reason
			if reason == "" {
				reason = "no reason is known."
			}
			fmt.Fprintf(&b, "- %s, %s: %s instead of %s: %s\n", target.work, target.what, target.found, target.bound, reason)
		}
	}
	if b.Len() == 0 {
		return "Nothing: every target was reached in this run.\n"
	}
	return b.String()
}

// Absent lists who is not here.
func (v view) Absent() string {
	var lines []string
	for name, reason := range peers.Absent {
		lines = append(lines, fmt.Sprintf("- %s: %s.\n", name, reason))
	}
	for name, reason := range v.absent {
		lines = append(lines, fmt.Sprintf("- %s, not measured in this run: %s\n", name, reason))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// unknown is a cell without a result.
const unknown = "not measured"

func figure(format string, s Stat) string {
	if !s.Known() {
		return unknown
	}
	return fmt.Sprintf(format, s.Median)
}

func allocated(count, bytes Stat) string {
	if !count.Known() {
		return unknown
	}
	return fmt.Sprintf("%.0f / %s", count.Median, kilobytes(bytes.Median))
}

func ratio(s Stat) string {
	switch {
	case !s.Known():
		return unknown
	case s.Low == s.High:
		return fmt.Sprintf("%.2f", s.Median)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Low, s.High)
}

func kilobytes(n float64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.1f kB", n/1e3)
	}
	return fmt.Sprintf("%.1f MB", n/1e6)
}

// table is a table in Markdown.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	line(slices.Repeat([]string{"---"}, len(t.head)))
	for _, row := range t.rows {
		line(row)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
