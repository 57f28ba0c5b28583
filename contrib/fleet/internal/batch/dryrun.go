package batch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// shownRequests is how many requests a dry run shows.
const shownRequests = 3

// dryRun makes all checks, and shows what would be sent. It needs no queue, so it does not know what was submitted before.
func (p *program) dryRun(ctx context.Context, jobs iter.Seq2[fleet.Job, error], o *sourceOptions, c clientOptions) error {
	client, err := p.client(c, nil)
	if err != nil {
		return err
	}
	rejected := p.rejects(o)
	type origin struct {
		content [sha256.Size]byte
		line    int
	}
	numbers := make(map[[sha256.Size]byte]origin)
	count, again := 0, 0
	total := make(sums)
	var shown strings.Builder
	for job, err := range jobs {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		var bad *fleet.LineError
		if err == nil {
			if wrong := job.Check(ctx, client); wrong != nil {
				err = &fleet.LineError{File: job.File, Line: job.Line, Source: job.Source, Err: wrong}
			}
		}
		if err == nil {
			content := sha256.Sum256([]byte(request(&job)))
			key := sha256.Sum256([]byte(job.Method + " " + job.Path + "\x00" + job.Number))
			before, known := numbers[key]
			switch {
			case !known:
				numbers[key] = origin{content, job.Line}
			case before.content == content:
				again++
				continue
			default:
				err = &fleet.LineError{File: job.File, Line: job.Line, Source: job.Source, Err: fmt.Errorf("%w, in line %d", fleet.ErrConflict, before.line)}
			}
		}
		if errors.As(err, &bad) {
			rejected.add(bad)
			continue
		}
		if err != nil {
			rejected.close(false)
			return err
		}
		if count++; count <= shownRequests {
			fmt.Fprintf(&shown, "%s, line %d:\n%s\n", job.File, job.Line, request(&job))
		}
		total.add(job.Amounts())
	}
	rejected.close(true)
	fmt.Fprintf(&shown, "Requests: %d, each with a number of its own; nothing was sent, and the queue was not asked.\n", count)
	if again > 0 {
		fmt.Fprintf(&shown, "Lines that repeat another one: %d; they are not sent again.\n", again)
	}
	if rejected.count > 0 {
		fmt.Fprintf(&shown, "Lines that are rejected: %d.\n", rejected.count)
	}
	for _, member := range total.members() {
		fmt.Fprintf(&shown, "Sum of %s: %s yuan\n", member, inYuan(total[member], ","))
	}
	if err := p.print(printable(shown.String())); err != nil {
		return err
	}
	if rejected.count > 0 {
		return &exitError{exitRefused, nil}
	}
	return nil
}

// request is a job as a person reads it.
func request(job *fleet.Job) string {
	var b strings.Builder
	b.WriteString(cmp.Or(job.Method, http.MethodPost) + " /" + strings.TrimPrefix(job.Path, "/") + "\n")
	for _, values := range []any{job.Vars, job.Query} {
		if text, _ := json.Marshal(values); string(text) != "null" { // whose fields are sorted
			b.Write(append(text, '\n'))
		}
	}
	var body bytes.Buffer
	if json.Indent(&body, job.Body, "", "  ") == nil {
		b.Write(append(body.Bytes(), '\n'))
	}
	return b.String()
}
