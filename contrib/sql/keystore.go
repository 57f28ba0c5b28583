package wxsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/wxpay-go/wxpay"
)

// maxName is the longest text that the columns for names and numbers take, in bytes.
const maxName = 255

type keyStore struct {
	db      *sql.DB
	dialect Dialect
}

// OpenKeyStore returns a [wxpay.KeyStore] in a database that has the tables of [Migrate], for
// wxpay.StoreIn. While the database is away a client keeps the certificates that it has, and reads
// the list from the platform when they are due.
func OpenKeyStore(ctx context.Context, db *sql.DB, dialect Dialect) (wxpay.KeyStore, error) {
	if err := dialect.ready(ctx, db, "wxpay_key_copy"); err != nil {
		return nil, err
	}
	return &keyStore{db, dialect}, nil
}

func (s *keyStore) Load(ctx context.Context, name string) (content []byte, err error) {
	err = s.dialect.row(ctx, s.db, "SELECT content FROM wxpay_key_copy WHERE name = ?", name).Scan(&content)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("wxsql: loading the certificate list: %w", err)
	}
	return content, nil
}

func (s *keyStore) Save(ctx context.Context, name string, content []byte) error {
	if len(name) > maxName {
		return fmt.Errorf("wxsql: the name of a certificate list has %d bytes, at most %d are kept", len(name), maxName)
	}
	changed, err := s.dialect.exec(ctx, s.db, "UPDATE wxpay_key_copy SET content = ?, saved = {now} WHERE name = ?",
		content, name)
	if err == nil && changed == 0 { // if two insert at once either copy will do
		_, err = s.dialect.exec(ctx, s.db, "INSERT{ignore} INTO wxpay_key_copy (name, content, saved) VALUES (?, ?, {now}){nothing}",
			name, content)
	}
	if err != nil {
		return fmt.Errorf("wxsql: saving the certificate list: %w", err)
	}
	return nil
}
