package wxpay_test

import (
	"net/http"
	"runtime"
	"runtime/metrics"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// Many merchants fit into a process: a client that shares the pool of connections with others takes 3.6 kB beside
// its key. The catalogue is the process's.
func TestManyClientsInLittleMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory too")
	}
	const clients = 200
	pool := http.DefaultTransport.(*http.Transport).Clone()
	open := func(i int) *wxpay.Client {
		client, err := wxpay.New(
			wxpay.Merchant{ID: strconv.Itoa(1900000000 + i), Serial: testSerial, PrivateKey: testKeys().merchant, APIv3Key: secretAPIv3Key},
			wxpay.WithPublicKey(testKeyID, testKeys().platform.Public()), wxpay.WithTransport(pool))
		require.NoError(t, err)
		return client
	}
	held := func() int64 {
		runtime.GC()
		runtime.GC()
		objects := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(objects)
		return int64(objects[0].Value.Uint64())
	}
	all := make([]*wxpay.Client, clients)
	all[0] = open(0) // and what all share
	before := held()
	for i := 1; i < clients; i++ {
		all[i] = open(i)
	}
	each := (held() - before) / (clients - 1)
	t.Logf("%d bytes", each)
	assert.Less(t, each, int64(4_500))
	runtime.KeepAlive(all)
}
