package batch

import (
	"errors"
	"os"
	"path/filepath"
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
	file  *os.File
	out   rejectWriter
	count int
	err   error
	isNew bool // a path that the catalogue does not know was among them
}

// rejectsPath is where they go.
func (o *sourceOptions) rejectsPath() string {
	switch {
	case o.rejects != "":
		return o.rejects
	case o.file == "-":
		return "stdin.rejects." + o.format
	}
	return strings.TrimSuffix(o.file, filepath.Ext(o.file)) + ".rejects." + o.format
}

func (p *program) rejects(o *sourceOptions) *rejects {
	return &rejects{p: p, o: o, path: o.rejectsPath()}
}

func (r *rejects) add(e *fleet.LineError) {
	if r.count++; r.count <= shownRejects {
		r.p.note("%s", inFlags(e.Error()))
	}
	r.isNew = r.isNew || errors.Is(e.Err, errNew)
	if r.file == nil && r.err == nil {
		if r.file, r.err = os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); r.err == nil {
			r.out = r.o.rejectWriter(r.file)
		}
	}
	if r.err == nil {
		r.err = r.out.add(e)
	}
}

// close ends the file, and tells where it is. One that an earlier run has left is removed when all lines were read and none
// was rejected.
func (r *rejects) close(all bool) {
	if r.count == 0 {
		if all && isRejects(r.path) {
			if err := os.Remove(r.path); err != nil {
				r.p.note("No line was rejected; %s is of an earlier run, and could not be removed: %v", r.path, err)
			}
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
	if r.isNew {
		r.p.note("The catalogue does not know every path: compare it with the manual, or say --new if it is one.")
	}
	r.p.note("%d lines are no jobs and were not queued; all of them, with reasons, are in %s: mend them there, and give that file to the same command.", r.count, r.path)
}
