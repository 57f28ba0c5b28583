//go:build !unix

package book

// syncDirectory does nothing: directories cannot be forced onto the disk here.
func syncDirectory(string) error { return nil }
