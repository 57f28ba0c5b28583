//go:build unix

package wxsql_test

import (
	"context"
	"database/sql"
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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
)

// server is a database server of the tests' own: in a temporary folder, on a Unix socket, gone
// afterwards.
type server struct {
	kind    string
	dialect wxsql.Dialect
	driver  string
	user    string // of the operating system, in order of preference before nobody
	dir     string
	command []string
	address func(s *server, database string) string

	process *exec.Cmd
	exit    chan struct{} // closed when the process has ended
}

var errNoServer = errors.New("its programs are not installed")

// newServers starts a server of a kind.
var newServers = map[string]func() (*server, error){"postgresql": newPostgres, "mysql": newMariaDB}

func newPostgres() (*server, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	s := &server{kind: "postgresql", dialect: wxsql.PostgreSQL, driver: "pgx", user: "postgres",
		address: func(s *server, database string) string {
			return "host=" + s.dir + " user=shop dbname=" + database + " sslmode=disable"
		}}
	return s, s.make(
		[]string{filepath.Join(bin, "initdb"), "-D", "data", "-U", "shop", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"},
		[]string{filepath.Join(bin, "postgres"), "-D", "data", "-k", ".", "-h", "", "-F", "-c", "max_connections=200"})
}

// postgresPrograms returns the folder of the server's programs. Debian keeps them off PATH.
func postgresPrograms() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	version := func(folder string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
		return n
	}
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) }) // the newest first
	if found, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(found))
	}
	for _, folder := range folders {
		if executable(filepath.Join(folder, "initdb")) && executable(filepath.Join(folder, "postgres")) {
			return folder, nil
		}
	}
	return "", errNoServer
}

func executable(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode()&0o111 != 0
}

func newMariaDB() (*server, error) {
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		return nil, errNoServer
	}
	program := "/usr/sbin/mariadbd"
	if !executable(program) {
		if program, err = exec.LookPath("mariadbd"); err != nil {
			return nil, errNoServer
		}
	}
	s := &server{kind: "mysql", dialect: wxsql.MySQL, driver: "mysql", user: "mysql",
		address: func(s *server, database string) string {
			return "root@unix(" + filepath.Join(s.dir, "socket") + ")/" + database + "?timeout=5s"
		}}
	return s, s.make(
		[]string{install, "--no-defaults", "--datadir=data", "--auth-root-authentication-method=normal", "--skip-test-db",
			"--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=8M", "--tmpdir=../"},
		// Without a tmpdir of its own, a server that starts removes the temporary tables of every other one, which can crash then.
		[]string{program, "--no-defaults", "--datadir=data", "--tmpdir=../", "--socket=../socket", "--skip-networking", "--pid-file=../pid", "--max-connections=200",
			"--innodb-flush-log-at-trx-commit=2", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M", "--skip-log-bin"})
}

// make makes the folder and the data, and starts the server.
func (s *server) make(install, command []string) (err error) {
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp" // the path of a socket has at most 107 bytes
	}
	if s.dir, err = os.MkdirTemp(parent, "wxpay-"+s.kind+"-"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	attributes, err := s.unprivileged()
	if err != nil {
		return err
	}
	for i := range install {
		install[i] = s.absolute(install[i])
	}
	first := exec.Command(install[0], install[1:]...)
	first.Dir, first.SysProcAttr = s.dir, attributes
	if out, err := first.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", install[0], err, out)
	}
	for i := range command {
		command[i] = s.absolute(command[i])
	}
	s.command = command
	return s.start()
}

// absolute replaces the names of the data's folder and the server's own.
func (s *server) absolute(argument string) string {
	switch argument {
	case "data", "--datadir=data":
		return strings.TrimSuffix(argument, "data") + filepath.Join(s.dir, "data")
	case ".":
		return s.dir
	}
	return strings.ReplaceAll(argument, "=../", "="+s.dir+"/")
}

// unprivileged returns the attributes of a program that runs as the owner of the folder, because
// the servers refuse to run as root.
func (s *server) unprivileged() (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range [...]string{s.user, "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		gid, groupErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err, groupErr, os.Chown(s.dir, int(uid), int(gid))); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("a server does not run as root, and there is nobody else")
}

// start starts the server on its data, and waits until it responds.
func (s *server) start() error {
	attributes, err := s.unprivileged()
	if err != nil {
		return err
	}
	output, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	s.process = exec.Command(s.command[0], s.command[1:]...)
	s.process.Dir, s.process.SysProcAttr, s.process.Stdout, s.process.Stderr = s.dir, attributes, output, output
	if err := s.process.Start(); err != nil {
		return err
	}
	s.exit = make(chan struct{})
	go func() {
		_ = s.process.Wait() // how it ended is of no interest
		close(s.exit)
	}()
	return s.ready()
}

func (s *server) ready() error {
	db, err := sql.Open(s.driver, s.address(s, s.system()))
	if err != nil {
		return err
	}
	defer db.Close()
	for deadline := time.Now().Add(time.Minute); ; {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err := db.PingContext(ctx)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-s.exit:
			err = errors.Join(err, errors.New("it has ended"))
		case <-time.After(20 * time.Millisecond):
			if time.Now().Before(deadline) {
				continue
			}
		}
		said, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("%s did not start: %w\n%s", s.kind, err, said)
	}
}

// system is the name of a database that is always there.
func (s *server) system() string {
	if s.dialect == wxsql.MySQL {
		return "mysql"
	}
	return "postgres"
}

// kill ends the server at once, as a power failure would.
func (s *server) kill() {
	// PostgreSQL is a group of processes, of which the others notice.
	_ = s.process.Process.Kill()
	<-s.exit
}

// stop ends the server and removes everything.
func (s *server) stop() {
	if s.process != nil {
		select {
		case <-s.exit:
			said, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			fmt.Fprintf(os.Stderr, "%s ended by itself:\n%s\n", s.kind, said)
		default:
		}
		_ = s.process.Process.Signal(syscall.SIGQUIT)
		if s.dialect == wxsql.MySQL {
			_ = s.process.Process.Kill()
		}
		select {
		case <-s.exit:
		case <-time.After(10 * time.Second):
			s.kill()
		}
	}
	_ = os.RemoveAll(s.dir)
}

// TestServersShareNoFolder keeps a server that starts from the temporary tables of another one.
func TestServersShareNoFolder(t *testing.T) {
	t.Parallel()
	var dir string
	require.NoError(t, newDatabase(t, "mysql").QueryRow("SELECT @@tmpdir").Scan(&dir))
	assert.Equal(t, serverOf(t, "mysql").dir, filepath.Clean(dir))
}
