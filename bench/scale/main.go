// Command scale measures how far one process goes: merchants in it, notifications a second with
// each deduper, and what a job of the outbox and of the fleet costs. It writes each measurement as
// a line of JSON to results/run.ndjson, and docs/internals/scale.md out of that file.
//
//	go -C bench/scale run .          # a few minutes
//	go -C bench/scale run . -page    # the page alone, out of the recorded file
//
// It starts PostgreSQL and Redis by itself if Debian's programs are installed; what cannot be
// measured is a line that says why. All of its own work is done on one processor (GOMAXPROCS=1);
// servers have the others.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	onlyPage := flag.Bool("page", false, "write the page out of the recorded file, and measure nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !*onlyPage {
		if err := record(ctx, recorded); err != nil {
			log.Fatal(err)
		}
	}
	text, err := page(recorded)
	if err == nil {
		err = os.WriteFile(pagePath, []byte(text), 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

const (
	recorded = "results/run.ndjson"
	pagePath = "../../docs/internals/scale.md"
)

// measurement is one line of the record.
type measurement struct {
	Kind string // machine, merchants, notifications or jobs
	Name string `json:",omitempty"`
	// Callers is how many goroutines do the work at once.
	Callers int `json:",omitempty"`
	// Values by their names; microseconds and bytes are those of one piece.
	Values map[string]float64 `json:",omitempty"`
	// Notes are texts by their names.
	Notes map[string]string `json:",omitempty"`
	// Failed says why there are no values.
	Failed string `json:",omitempty"`
}

// record measures everything. A file is there only if all of it was measured.
func record(ctx context.Context, file string) error {
	runtime.GOMAXPROCS(1)
	partial := file + ".part"
	out, err := os.Create(partial)
	if err != nil {
		return err
	}
	defer out.Close()
	lines := json.NewEncoder(out)
	write := func(m measurement) {
		text, _ := json.Marshal(m)
		log.Printf("%s", text)
		if e := lines.Encode(m); e != nil && err == nil {
			err = e
		}
	}
	before := loadAverage()
	dir, temporary := os.MkdirTemp("", "scale")
	if temporary != nil {
		return temporary
	}
	defer os.RemoveAll(dir)
	for _, step := range []func(context.Context, string, func(measurement)){merchants, notifications, jobs} {
		step(ctx, dir, write)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	write(measurement{Kind: "machine", Notes: map[string]string{
		"measured": time.Now().UTC().Format(time.DateTime) + " UTC", "go": runtime.Version(), "processor": processor(),
		"processors": fmt.Sprint(runtime.NumCPU()), "load before": before, "load after": loadAverage(),
	}})
	if err != nil {
		return err
	}
	return os.Rename(partial, filepath.FromSlash(file))
}
