package fault

import (
	"errors"
	"os"
)

// WithoutPath takes the path out of an error of a file: it may name a person.
func WithoutPath(err error) error {
	var one *os.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one):
		return Outside(one.Err) // a reader of the user's may have made it
	case errors.As(err, &two):
		return Outside(two.Err)
	}
	return err
}
