package peers

import (
	"compress/gzip"
	"io"
)

// Unpack is what a user of a client that only downloads does with what came.
func Unpack(w io.Writer, r io.Reader, packed bool) error {
	if packed {
		var err error
		if r, err = gzip.NewReader(r); err != nil {
			return err
		}
	}
	_, err := io.Copy(w, r)
	return err
}
