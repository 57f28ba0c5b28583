package peers

import (
	"compress/gzip"
	"io"
)

// Unpack expands a downloaded bill, as users of clients that only download must do.
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
