package wxsql_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A configuration names the database that keeps the certificates, by a driver that the program imports.
func TestConfigNamesTheDatabase(t *testing.T) {
	gateway := sandbox.Start(t, sandbox.WithKeyMode(sandbox.CertificatesOnly))
	open := func(url string) (*wxpay.Client, error) {
		values := map[string]string{"WXPAY_FETCH_CERTIFICATES": "true", "WXPAY_KEY_STORE": url}
		return wxpay.FromLookupEnv(func(name string) (string, bool) {
			if value, ok := values[name]; ok {
				return value, true
			}
			return gateway.LookupEnv(name)
		})
	}
	file := filepath.Join(t.TempDir(), "shop.db")
	_, err := open("sqlite:" + file)
	require.ErrorContains(t, err, "WXPAY_KEY_STORE: ", "there are no tables yet")
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, wxsql.Migrate(t.Context(), db, wxsql.SQLite))

	client, err := open("sqlite:" + file)
	require.NoError(t, err)
	defer client.Close()
	_, err = client.VerifyKeys(t.Context())
	require.NoError(t, err)
	var copies int
	require.NoError(t, db.QueryRow("SELECT count(*) FROM wxpay_key_copy").Scan(&copies))
	assert.Equal(t, 1, copies)

	for url, says := range map[string]string{
		"mysql:shop":                   "it does not begin with mysql://",
		"mysql://shop:secret@nonsense": "the driver mysql takes no such data source name",
	} {
		_, err := open(url)
		require.ErrorContains(t, err, says, url)
		assert.NotContains(t, err.Error(), "secret")
	}
}
