package report

import (
	"bytes"
	"os"
	"path/filepath"
)

// Where things are, from the folder of the module.
const (
	Raw      = "results/run.txt"
	Document = "../../docs/performance.md"
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

// Render writes document and plot from the recorded run.
func Render(folder string) error {
	run, err := Load(folder)
	if err != nil {
		return err
	}
	var document, plot bytes.Buffer
	if err := run.Document(&document); err != nil {
		return err
	}
	if err := run.Plot(&plot); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, Document), document.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, Plot), plot.Bytes(), 0o644)
}
