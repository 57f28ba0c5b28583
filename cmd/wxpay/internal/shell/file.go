package shell

import (
	"errors"

	"github.com/wxpay-go/wxpay/internal/atomicfile"
)

// NewFile is atomicfile.Create with an error that tells only the reason: the command says which file cannot be written.
func NewFile(path string, replace bool) (*atomicfile.File, error) {
	file, err := atomicfile.Create(path, replace)
	return file, reasonOf(err)
}

// ReplaceFile is atomicfile.Replace with such an error.
func ReplaceFile(path string, content []byte) error {
	return reasonOf(atomicfile.Replace(path, content))
}

func reasonOf(err error) error {
	if reason := errors.Unwrap(err); reason != nil {
		return reason
	}
	return err
}
