package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
)

// started waits until a server that was just started responds.
func started(ctx context.Context, respond func() error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := respond()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// startRedis starts a server without persistence on a socket.
func startRedis(ctx context.Context, dir string) (socket string, stop func(), err error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return "", nil, errors.New("redis-server is not installed")
	}
	socket = filepath.Join(dir, "redis")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = os.Remove(socket) }
	if err := started(ctx, func() error { _, err := os.Stat(socket); return err }); err != nil {
		stop()
		return "", nil, err
	}
	return socket, stop, nil
}

// sqlite opens a file, as the module's page has it.
func sqlite(ctx context.Context, dir string) (*sql.DB, wxsql.Dialect, func(), error) {
	own, err := os.MkdirTemp(dir, "sqlite")
	if err != nil {
		return nil, 0, nil, err
	}
	return migrated(ctx, wxsql.SQLite, "sqlite", "file:"+filepath.Join(own, "shop.db")+"?_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)", func() {})
}

// postgreSQL starts a server with the settings that Debian gives it: a commit is on the disk.
func postgreSQL(ctx context.Context, _ string) (*sql.DB, wxsql.Dialect, func(), error) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(folders) == 0 {
		return nil, 0, nil, errors.New("PostgreSQL is not installed")
	}
	bin := folders[len(folders)-1]
	dir, err := os.MkdirTemp("", "scale-pg") // short, for the socket's path, and not below a folder of root
	if err != nil {
		return nil, 0, nil, err
	}
	var cmd *exec.Cmd
	end := func() {
		if cmd != nil && cmd.Process != nil {
			_ = cmd.Process.Signal(syscall.SIGQUIT)
			_ = cmd.Wait()
		}
		_ = os.RemoveAll(dir)
	}
	run := func(program string, args ...string) (*exec.Cmd, error) {
		c := exec.Command(filepath.Join(bin, program), args...)
		c.Dir = dir
		var err error
		c.SysProcAttr, err = unprivileged("postgres", dir)
		return c, err
	}
	initialise, err := run("initdb", "-D", "data", "-U", "shop", "-A", "trust", "-E", "UTF8", "--no-locale")
	if err == nil {
		var out []byte
		if out, err = initialise.CombinedOutput(); err != nil {
			err = fmt.Errorf("initdb: %w: %s", err, out)
		}
	}
	if err == nil {
		if cmd, err = run("postgres", "-D", "data", "-k", dir, "-h", ""); err == nil {
			err = cmd.Start()
		}
	}
	if err != nil {
		end()
		return nil, 0, nil, err
	}
	return migrated(ctx, wxsql.PostgreSQL, "pgx", "host="+dir+" user=shop dbname=postgres sslmode=disable", end)
}

// unprivileged returns the attributes of a program that runs as a user who gets the folder: servers
// refuse to run as root.
func unprivileged(name, dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, uid, gid)
}

// migrated opens a database and makes the tables.
func migrated(ctx context.Context, dialect wxsql.Dialect, driver, address string, stop func()) (*sql.DB, wxsql.Dialect, func(), error) {
	db, err := sql.Open(driver, address)
	if err != nil {
		stop()
		return nil, 0, nil, err
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	end := func() { _ = db.Close(); stop() }
	if err = started(ctx, func() error { return db.PingContext(ctx) }); err == nil {
		err = wxsql.Migrate(ctx, db, dialect)
	}
	if err != nil {
		end()
		return nil, 0, nil, err
	}
	return db, dialect, end, nil
}
