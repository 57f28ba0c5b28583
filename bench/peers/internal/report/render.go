package report

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
)

// Where things are, from the folder of the module.
const (
	Raw      = "results/run.txt"
	Document = "../../docs/performance.md"
	Aims     = "../../docs/internals/targets.md"
	Plot     = "../../docs/performance.svg"
)

// Load reads the recorded run. folder is that of the module.
func Load(folder string) (*Run, error) {
	raw, err := os.Open(filepath.Join(folder, Raw))
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	return Read(raw, Raw)
}

// Render writes the pages and the plot from the recorded run.
func Render(folder string) error {
	run, err := Load(folder)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{{Document, run.Document}, {Aims, run.Aims}, {Plot, run.Plot}} {
		var content bytes.Buffer
		if err := file.write(&content); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, file.name), content.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
