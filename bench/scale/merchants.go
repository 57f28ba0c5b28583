package main

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"net/http"
	"runtime"
	"runtime/metrics"
	"strconv"

	"github.com/wxpay-go/wxpay"
)

const merchantCount = 10_000

// merchants measures the memory of many clients that share a pool of connections. The catalogue is
// one for all of the process by itself. Each has a private key of its own, whose memory is told
// apart: it is that of crypto/rsa.
func merchants(_ context.Context, _ string, write func(measurement)) {
	m := measurement{Kind: "merchants", Name: "clients"}
	fail := func(err error) { m.Failed = err.Error(); write(m) }
	p, err := newPlatform()
	if err != nil {
		fail(err)
		return
	}
	der := x509.MarshalPKCS1PrivateKey(p.merchant)
	pool := http.DefaultTransport.(*http.Transport).Clone()
	keys, clients := make([]*rsa.PrivateKey, merchantCount), make([]*wxpay.Client, merchantCount)
	open := func(i int) (err error) {
		clients[i], err = wxpay.New(
			wxpay.Merchant{ID: strconv.Itoa(1900000000 + i), Serial: serial, PrivateKey: keys[i], APIv3Key: apiv3Key},
			wxpay.WithPublicKey(keyID, &p.key.PublicKey), wxpay.WithTransport(pool))
		return err
	}
	keys[0] = p.merchant
	if err := open(0); err != nil { // what all share is loaded by the first
		fail(err)
		return
	}
	empty := held()
	for i := range keys {
		if keys[i], err = x509.ParsePKCS1PrivateKey(der); err != nil {
			fail(err)
			return
		}
	}
	withKeys := held()
	began := used()
	for i := range clients {
		if err := open(i); err != nil {
			fail(err)
			return
		}
	}
	took := used() - began
	all := held()
	m.Values = map[string]float64{
		"merchants": merchantCount, "key bytes": float64(withKeys-empty) / merchantCount, "client bytes": float64(all-withKeys) / merchantCount,
		"microseconds to make one": float64(took.Microseconds()) / merchantCount, "goroutines": float64(runtime.NumGoroutine() - 1),
	}
	write(m)
	runtime.KeepAlive(keys)
	runtime.KeepAlive(clients)
}

// held is the memory of what is reachable.
func held() int64 {
	runtime.GC()
	runtime.GC()
	objects := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(objects)
	return int64(objects[0].Value.Uint64())
}
