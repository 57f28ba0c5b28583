package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go"
)

// ErrNotAttachable means that no process has the directory open and lets others attach to it
// ([WithAttach]).
var ErrNotAttachable = errors.New("fleet: no process that can be attached to has the directory open")

// Attach opens an engine on a directory that another process has open with [WithAttach]. It ends
// with that process: what is asked of it afterwards fails. So use it to look and to steer, and not
// for workers. It returns [ErrNotAttachable] if there is no such process.
func Attach(ctx context.Context, dir string) (*Engine, error) {
	text, err := os.ReadFile(filepath.Join(dir, attachName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNotAttachable
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: attaching: %w", err)
	}
	var a attachment
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("fleet: attaching: the file %s in the directory is not one of this program", attachName)
	}
	e, err := Connect(ctx, a.Address, WithReplicas(1), WithConnection(nats.Token(a.Token), nats.NoReconnect()))
	if errors.Is(err, ErrUnreachable) { // the file is of a process that was killed
		return nil, ErrNotAttachable
	}
	if err != nil {
		return nil, err
	}
	e.attached = true
	return e, nil
}
