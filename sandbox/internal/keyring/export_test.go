package keyring

import "slices"

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
	var names []string
	for name, key := range cache.keys {
		if key.Made() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
