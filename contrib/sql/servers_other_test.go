//go:build !unix

package wxsql_test

import (
	"errors"

	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
)

// server is not started on this system.
type server struct {
	dialect wxsql.Dialect
	driver  string
	address func(s *server, database string) string
}

var errUnix = errors.New("the tests start servers on Unix only")

func noServer() (*server, error) { return nil, errUnix }

var newServers = map[string]func() (*server, error){"postgresql": noServer, "mysql": noServer}

func (s *server) system() string { return "" }
func (s *server) start() error   { return nil }
func (s *server) kill()          {}
func (s *server) stop()          {}
