package fleet

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
)

// manifestFile says, in the directory of an embedded engine, how its files were when it was closed.
const manifestFile = "manifest.json"

// manifest is the content of that file.
type manifest struct {
	// Files lists the files with messages, each with its size in bytes and the time of its last
	// change in nanoseconds.
	Files map[string][2]int64 `json:"files"`
	// Standings has where queues stood, by their names, sealed.
	Standings map[string][]byte `json:"standings,omitempty"`
}

// listFiles lists the files with messages as they are now.
func listFiles(dir string) (map[string][2]int64, error) {
	files, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*", "msgs", "*.blk"))
	if err != nil {
		return nil, err
	}
	list := make(map[string][2]int64, len(files))
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return nil, err
		}
		list[filepath.ToSlash(name)] = [2]int64{info.Size(), info.ModTime().UnixNano()}
	}
	return list, nil
}

// writeManifest writes down how the files are, now that nobody changes them.
func writeManifest(dir string, standings map[string][]byte) error {
	list, err := listFiles(dir)
	if err != nil {
		return err
	}
	text, err := json.Marshal(manifest{list, standings})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestFile), text, 0o600)
}

// readManifest reads the manifest, and reports whether the files are as it says.
func readManifest(dir string) (m manifest, intact bool, err error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return m, false, err
	}
	now, err := listFiles(dir)
	return m, err == nil && json.Unmarshal(text, &m) == nil && maps.Equal(m.Files, now), err
}

// takeManifest reports whether the files are as they were when the engine was closed, and how many
// queues they hold. If they are not, or it never was, the server has to read them all. Its index
// may tell of messages that are gone, and what is stored over those would be gone, too.
func takeManifest(dir string) (intact bool, queues int, err error) {
	_, intact, err = readManifest(dir)
	if err != nil {
		return false, 0, err
	}
	streams := filepath.Join(dir, "jetstream", "*", "streams")
	settings, err := filepath.Glob(filepath.Join(streams, "KV_*-control"))
	if err != nil {
		return false, 0, err
	}
	if !intact {
		indexes, err := filepath.Glob(filepath.Join(streams, "*", "msgs", "index.db"))
		if err != nil {
			return false, 0, err
		}
		for _, index := range indexes {
			if err := os.Remove(index); err != nil {
				return false, 0, err
			}
		}
	}
	if err := os.Remove(filepath.Join(dir, manifestFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, 0, err
	}
	return intact, len(settings), nil
}
