//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// postgres is a PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket, gone afterwards.
type postgres struct {
	dir  string
	exit chan struct{} // closed when the server has ended
	cmd  *exec.Cmd
}

var errNoPostgres = errors.New(`the programs of a PostgreSQL server (initdb, postgres) are not there, and without a real server these tests show nothing.
Install them:
	apt-get install -y postgresql
or, elsewhere, put them on PATH`)

// programs returns the folder of the server's programs. Debian keeps them off PATH.
func programs() (string, error) {
	if found, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(found); err == nil && executable(filepath.Join(filepath.Dir(real), "initdb")) {
			return filepath.Dir(real), nil
		}
	}
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) }) // the newest first
	for _, folder := range folders {
		if executable(filepath.Join(folder, "initdb")) && executable(filepath.Join(folder, "postgres")) {
			return folder, nil
		}
	}
	return "", errNoPostgres
}

func version(folder string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	return n
}

func executable(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode()&0o111 != 0
}

// startPostgres makes a cluster and serves it.
func startPostgres() (_ *postgres, err error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp" // the path of a socket has at most 107 bytes
	}
	dir, err := os.MkdirTemp(parent, "wxpay-postgres-")
	if err != nil {
		return nil, err
	}
	p := &postgres{dir: dir, exit: make(chan struct{})}
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	attributes, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", p.data(), "-U", "shop", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, attributes
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	output, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer output.Close()
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", p.data(), "-k", dir, "-h", "", "-F", "-c", "max_connections=200")
	server.Dir, server.SysProcAttr, server.Stdout, server.Stderr = dir, attributes, output, output
	if err := server.Start(); err != nil {
		return nil, err
	}
	p.cmd = server
	go func() {
		_ = server.Wait() // how it ended is of no interest
		close(p.exit)
	}()
	return p, p.ready()
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

// unprivileged returns what has a program run as somebody who owns dir: the server refuses to run as root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var problems []error
	for _, name := range [...]string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		gid, groupErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err, groupErr, os.Chown(dir, int(uid), int(gid))); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, fmt.Errorf("a PostgreSQL server does not run as root, and there is nobody else: %w", errors.Join(problems...))
}

// ready waits until the server answers.
func (p *postgres) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, p.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-p.exit:
			return p.failed(errors.New("it has ended"))
		case <-ctx.Done():
			return p.failed(err)
		}
	}
}

func (p *postgres) failed(err error) error {
	said, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return fmt.Errorf("the PostgreSQL server did not start: %w\n%s", err, said)
}

func (p *postgres) url(database string) string {
	return "host=" + p.dir + " user=shop dbname=" + database + " sslmode=disable"
}

// stop ends the server and removes everything.
func (p *postgres) stop() {
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // at once, without tidying up
		select {
		case <-p.exit:
		case <-time.After(10 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.exit
		}
	}
	_ = os.RemoveAll(p.dir)
}

// database makes an empty database, and returns its address, for pools.
func database(t *testing.T) (url string) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, server.url("postgres"))
	require.NoError(t, err)
	defer conn.Close(ctx)
	name := "shop_" + strings.ToLower(rand.Text())
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	require.NoError(t, err)
	return server.url(name) + " pool_max_conns=24"
}

// connect returns connections to a database, with the tables in it.
func connect(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	db, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.NoError(t, migrate(t.Context(), db))
	return db
}
