package fleet

import "errors"

// ErrInUse means that another process has the directory of an embedded engine open.
var ErrInUse = errors.New("fleet: the directory is in use")

// lockName is the file in the directory of an embedded engine that its process holds.
const lockName = "lock"
