package wxsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay"
)

// source is how a scheme of wxpay.Config reaches a database.
type source struct {
	dialect Dialect
	drivers []string // names under which drivers register with database/sql, the preferred first
	advice  string   // an import that registers one
	prefix  string   // is not part of the driver's data source name
}

var sources = map[string]source{
	"postgres":   {PostgreSQL, []string{"pgx", "postgres"}, "github.com/jackc/pgx/v5/stdlib", ""},
	"postgresql": {PostgreSQL, []string{"pgx", "postgres"}, "github.com/jackc/pgx/v5/stdlib", ""},
	"mysql":      {MySQL, []string{"mysql"}, "github.com/go-sql-driver/mysql", "mysql://"},
	"sqlite":     {SQLite, []string{"sqlite", "sqlite3"}, "modernc.org/sqlite", "sqlite:"},
}

func init() {
	for scheme, from := range sources {
		wxpay.RegisterStore(scheme, from.open)
	}
}

// open opens the key store of a URL for wxpay.Config.
func (s source) open(ctx context.Context, url string) (wxpay.Store, error) {
	name, found := strings.CutPrefix(url, s.prefix)
	if !found {
		return wxpay.Store{}, fmt.Errorf("wxsql: it does not begin with %s", s.prefix)
	}
	i := slices.IndexFunc(s.drivers, func(driver string) bool { return slices.Contains(sql.Drivers(), driver) })
	if i < 0 {
		return wxpay.Store{}, fmt.Errorf("wxsql: the program has no driver for %s: add import _ %q", s.dialect, s.advice)
	}
	db, err := sql.Open(s.drivers[i], name)
	if err != nil { // a driver may repeat the password
		return wxpay.Store{}, fmt.Errorf("wxsql: the driver %s takes no such data source name", s.drivers[i])
	}
	keys, err := OpenKeyStore(ctx, db, s.dialect)
	if err != nil {
		return wxpay.Store{}, errors.Join(err, db.Close())
	}
	return wxpay.Store{Keys: keys, Close: db.Close}, nil
}
