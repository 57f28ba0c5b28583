package fault

import (
	"errors"
	"os"
)

// WithoutPath removes the path from an error of a file, because it may name a person.
func WithoutPath(err error) error {
	var one *os.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one):
		return Outside(one.Err) // a reader of the user may have made it
	case errors.As(err, &two):
		return Outside(two.Err)
	}
	return err
}
