//go:build !unix

package sandbox

// syncDirectory does nothing: directories cannot be forced onto the disk here.
func syncDirectory(string) error { return nil }
