package batch

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// shownRejects is how many lines that are no jobs are shown on stderr.
const shownRejects = 5

// rejects writes down lines that are no jobs.
type rejects struct {
	p     *program
	o     *sourceOptions
	path  string
	older string // the newest file that an earlier run has left beside the one that is read, empty for none
	file  *os.File
	out   rejectWriter
	count int
	err   error
	isNew bool // a path that the catalogue does not know was among them
}

// afterRejects is the end of the name of a file of rejects, without its extension.
var afterRejects = regexp.MustCompile(`\.rejects(?:\.([1-9][0-9]{0,8}))?$`)

// rejectsPath returns where they go, and the newest file of an earlier run beside it. The files of rejects of one list, and
// of its own files of rejects, count up: refunds.rejects.csv, refunds.rejects.2.csv. So none that was mended is overwritten,
// and the newest has the highest number.
func (o *sourceOptions) rejectsPath() (path, older string) {
	if o.rejects != "" {
		return o.rejects, ""
	}
	list := o.file
	if list == "-" {
		list = "stdin"
	}
	extension := "." + o.format
	dir, name := filepath.Split(strings.TrimSuffix(list, filepath.Ext(list)))
	name = afterRejects.ReplaceAllString(name, "")
	numbered := func(n int) string {
		if n == 1 {
			return dir + name + ".rejects" + extension
		}
		return dir + name + ".rejects." + strconv.Itoa(n) + extension
	}
	entries, _ := os.ReadDir(cmp.Or(dir, ".")) // a folder that cannot be read is found out when the file is created
	highest := 0
	for _, entry := range entries {
		if end, ok := strings.CutPrefix(strings.TrimSuffix(entry.Name(), extension), name); ok && strings.HasSuffix(entry.Name(), extension) {
			if match := afterRejects.FindStringSubmatch(end); match != nil && match[0] == end {
				n, _ := strconv.Atoi(cmp.Or(match[1], "1"))
				highest = max(highest, n)
			}
		}
	}
	if highest > 0 {
		older = numbered(highest)
	}
	return numbered(highest + 1), older
}

func (p *program) rejects(o *sourceOptions) *rejects {
	path, older := o.rejectsPath()
	return &rejects{p: p, o: o, path: path, older: older}
}

func (r *rejects) add(e *fleet.LineError) {
	if r.count++; r.count <= shownRejects {
		r.p.note("%s", inFlags(e.Error()))
	}
	r.isNew = r.isNew || errors.Is(e.Err, errNew)
	if r.file == nil && r.err == nil {
		how := os.O_EXCL
		if r.o.rejects != "" {
			how = os.O_TRUNC
		}
		if r.file, r.err = os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|how, 0o600); r.err == nil {
			r.out = r.o.rejectWriter(r.file)
		}
	}
	if r.err == nil {
		r.err = r.out.add(e)
	}
}

// close ends the file, and tells where it is. If the newest of an earlier run is the same, that one stays alone. If all lines
// were read and none was rejected, an earlier file tells of lines that are right now: one that --rejects names is removed,
// and of one that may have been mended the name is told.
func (r *rejects) close(all bool) {
	if r.count == 0 {
		switch {
		case !all:
		case r.o.rejects != "" && isRejects(r.path):
			if err := os.Remove(r.path); err != nil {
				r.p.note("No line was rejected; %s is of an earlier run, and could not be removed: %v", r.path, err)
			}
		case r.older != "" && !sameFile(r.older, r.o.file):
			r.p.note("No line was rejected; %s is of an earlier run.", r.older)
		}
		return
	}
	if r.file != nil {
		r.err = errors.Join(r.err, r.out.close(), r.file.Close())
	}
	if r.err != nil {
		r.p.note("The rejected lines could not be written to %s: %v", r.path, r.err)
		return
	}
	if r.older != "" && sameContent(r.older, r.path) && os.Remove(r.path) == nil {
		r.path = r.older
	}
	if r.isNew {
		r.p.note("The catalogue does not know every path: compare it with the manual, or say --new if it is one.")
	}
	r.p.note("%d lines are no jobs and were not queued; all of them, with reasons, are in %s: mend them there, and give that file to the same command.", r.count, r.path)
}
