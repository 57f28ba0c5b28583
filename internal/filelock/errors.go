package filelock

import "errors"

// ErrLocked means that somebody holds the lock.
var ErrLocked = errors.New("the file is locked")
