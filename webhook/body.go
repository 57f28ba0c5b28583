package webhook

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
)

// firstRead is the memory in bytes for a body before any of it has arrived: an announced length
// costs a sender nothing.
const firstRead = 8 << 10

// readBody reads a request's body, at most limit bytes. Its memory grows with the arrived part.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	source := http.MaxBytesReader(w, r.Body, limit)
	size := int64(1023)
	if r.ContentLength >= 0 {
		size = r.ContentLength
	}
	// one more than is there: the end is found without growing
	body := make([]byte, 0, withResource(int(min(size+1, firstRead))))
	for {
		n, err := source.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err != nil {
			return body, bodyError(r, int64(len(body)), err)
		}
		if len(body) == cap(body) {
			body = slices.Grow(body, len(body))
		}
	}
}

// bodyError returns the error of a body that ended after n bytes; nil if it is complete.
func bodyError(r *http.Request, n int64, err error) error {
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return fmt.Errorf("%w of %d bytes (WithMaxBody raises it)", ErrTooLarge, tooLong.Limit)
	case errors.Is(err, http.ErrBodyReadAfterClose):
		return fmt.Errorf("%w (it is closed)", ErrBodyConsumed)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w within the budget: %w", ErrBodyCut, os.ErrDeadlineExceeded)
	case !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w after %d bytes", ErrBodyCut, n)
	case r.ContentLength >= 0 && n != r.ContentLength:
		return fmt.Errorf("%w (%d of %d bytes are there)", ErrBodyConsumed, n, r.ContentLength)
	}
	return nil
}
