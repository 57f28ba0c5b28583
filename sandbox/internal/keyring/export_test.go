package keyring

import (
	"maps"
	"slices"
)

// Forget makes the process begin without keys.
func Forget() {
	cache.Lock()
	defer cache.Unlock()
	cache.keys = nil
}

// Made returns the names of the keys that the process has made, sorted.
func Made() []string {
	cache.Lock()
	defer cache.Unlock()
	return slices.Sorted(maps.Keys(cache.keys))
}
