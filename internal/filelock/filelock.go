// Package filelock locks a file against other processes, and against other locks of this one. The
// operating system releases the lock when the process ends, however it ends. It is advisory: who
// does not ask for the lock is not stopped. On Solaris, AIX, Plan 9 and in WebAssembly nothing is
// locked.
package filelock

// Lock is a lock that is held.
type Lock struct{ release func() error }

// Acquire locks the file at path, which it creates, readable by its owner only, if there is none.
// It does not wait: the error is ErrLocked if somebody holds the lock.
func Acquire(path string) (*Lock, error) {
	release, err := acquire(path)
	if err != nil {
		return nil, err
	}
	return &Lock{release}, nil
}

// Release gives the lock back. The file stays.
func (l *Lock) Release() error { return l.release() }
