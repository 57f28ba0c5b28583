package gocode

// Pure is the pure chain of a path.
func (w *Writer) Pure(path string) (expression string, ok bool) { return w.pure(path) }
