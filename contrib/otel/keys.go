package wxotel

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/wxpay-go/wxpay"
)

// Watch measures the keys of a client at each collection, until the registration is unregistered: the
// end of the platform certificates, the age of their list, and failed refreshes. own are the
// caller's API certificates; the client does not tell when they end.
//
// A public key of the platform never ends, so a client that has only that gives no measurement.
func (t *Telemetry) Watch(client *wxpay.Client, own ...*x509.Certificate) (metric.Registration, error) {
	if client == nil || slices.Contains(own, nil) {
		return nil, errors.New("wxotel: Watch needs a client, and no certificate may be nil")
	}
	return t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		identity, now := keyIdentity.String(client.Identity()), time.Now()
		status := client.KeyStatus()
		var platform, caller time.Time
		for _, key := range status.Keys {
			platform = later(platform, key.NotAfter)
		}
		for _, certificate := range own {
			caller = later(caller, certificate.NotAfter)
		}
		if !platform.IsZero() {
			o.ObserveFloat64(t.expiry, platform.Sub(now).Seconds(),
				metric.WithAttributes(identity, keyKind.String("platform")))
		}
		if !caller.IsZero() {
			o.ObserveFloat64(t.expiry, caller.Sub(now).Seconds(),
				metric.WithAttributes(identity, keyKind.String("caller")))
		}
		if !status.Fetched.IsZero() {
			o.ObserveFloat64(t.age, now.Sub(status.Fetched).Seconds(), metric.WithAttributes(identity))
		}
		if !status.Fetched.IsZero() || !status.Next.IsZero() || status.Failures > 0 {
			o.ObserveInt64(t.failures, int64(status.Failures), metric.WithAttributes(identity))
		}
		return nil
	}, t.expiry, t.age, t.failures)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
