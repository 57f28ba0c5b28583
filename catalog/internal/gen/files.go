package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wxpay-go/wxpay/catalog/internal/facts"
	"github.com/wxpay-go/wxpay/catalog/internal/pack"
	"github.com/wxpay-go/wxpay/catalog/internal/text"
)

const (
	factsName  = "facts.pack"
	textsName  = "texts.pack"
	eventsName = "events.txt"
	codesName  = "codes.txt"

	correctionsName = "edition/corrections.txt" // where programs find it, too
)

// fileName returns the name of the text that holds the operations of a path: its first two segments.
func fileName(path string) string {
	segments := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 3)
	return strings.Join(segments[:min(2, len(segments))], ".") + ".txt"
}

func correctionsFile(dir string) string { return filepath.Join(dir, correctionsName) }

func textNames(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(dir, "data", "*.txt"))
}

// readTexts reads all texts of the catalogue in dir as one sorted document. A folder without data is an empty catalogue;
// a folder that is not there is an error.
func readTexts(dir string) (*text.Document, error) {
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		return nil, fmt.Errorf("%w (run it from the module's root, or name the package's folder with -catalog)", err)
	}
	names, err := textNames(dir)
	if err != nil {
		return nil, err
	}
	all := &text.Document{}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		doc, err := text.Parse(string(src))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all.Operations = append(all.Operations, doc.Operations...)
		all.Events = append(all.Events, doc.Events...)
		all.Codes = append(all.Codes, doc.Codes...)
	}
	facts.Sort(all)
	return all, nil
}

// writeTexts writes a sorted document as texts, and removes those that it no longer fills.
func writeTexts(dir string, all *text.Document) error {
	texts := map[string]*text.Document{eventsName: {Events: all.Events}, codesName: {Codes: all.Codes}}
	if len(all.Codes) == 0 {
		delete(texts, codesName)
	}
	for _, operation := range all.Operations {
		name := fileName(operation.Path)
		if texts[name] == nil {
			texts[name] = &text.Document{}
		}
		texts[name].Operations = append(texts[name].Operations, operation)
	}
	for name, doc := range texts {
		if err := os.WriteFile(filepath.Join(dir, "data", name), []byte(text.Format(doc)), 0o644); err != nil {
			return err
		}
	}
	names, err := textNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if texts[filepath.Base(name)] == nil {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// writePacked writes the document in the form that programs embed. A copy that already holds it stays as it is, because
// another release of Go may compress the same text to other bytes.
func writePacked(dir string, all *text.Document) error {
	facts, texts, err := pack.Write(all)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{factsName: facts, textsName: texts} {
		name = filepath.Join(dir, name)
		if old, err := os.ReadFile(name); err == nil && pack.Same(string(old), string(content)) {
			continue
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
