package wxredis_test

import (
	"testing"

	"github.com/redis/go-redis/v9/logging"
)

// TestMain silences the client, which logs every lost connection.
func TestMain(m *testing.M) {
	logging.Disable()
	m.Run()
}
