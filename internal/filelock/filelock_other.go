//go:build (!unix && !windows) || solaris || aix

package filelock

import "os"

func acquire(path string) (release func() error, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return file.Close, nil
}
