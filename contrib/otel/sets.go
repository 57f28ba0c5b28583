package wxotel

import (
	"net"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/wxpay-go/wxpay/middleware"
)

// mostSets bounds the kept sets. More are made anew for each measurement; the SDK has a limit of its
// own.
const mostSets = 4096

// labels are the attributes of one measurement.
type labels struct {
	method, template, host string
	status                 int
	failure, code          string
	outcome                middleware.Outcome
	judged, money          bool // outcome and money are attributes
	event, result          string
}

// sets keeps the attribute sets of measurements, since making one costs more than recording.
type sets struct {
	mu   sync.RWMutex
	made map[labels][]metric.RecordOption
}

func (s *sets) of(l labels) []metric.RecordOption {
	s.mu.RLock()
	options, ok := s.made[l]
	s.mu.RUnlock()
	if ok {
		return options
	}
	options = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(l.attributes()...))}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		s.made = map[labels][]metric.RecordOption{}
	}
	if len(s.made) < mostSets {
		s.made[l] = options
	}
	return options
}

func (l *labels) attributes() []attribute.KeyValue {
	var list []attribute.KeyValue
	text := func(key attribute.Key, value string) {
		if value != "" {
			list = append(list, key.String(value))
		}
	}
	text(semconv.HTTPRequestMethodKey, l.method)
	text(semconv.URLTemplateKey, l.template)
	list = append(list, server(l.host)...)
	if l.status > 0 {
		list = append(list, semconv.HTTPResponseStatusCode(l.status))
	}
	text(semconv.ErrorTypeKey, l.failure)
	text(keyCode, l.code)
	if l.judged {
		list = append(list, keyOutcome.String(outcomeName(l.outcome)), keyMoney.Bool(l.money))
	}
	text(keyEventType, l.event)
	text(keyDelivery, l.result)
	return list
}

// server is the address of a host of the gateway, without a port where that is the usual one.
func server(host string) []attribute.KeyValue {
	if host == "" {
		return nil
	}
	if name, port, err := net.SplitHostPort(host); err == nil {
		if number, err := strconv.Atoi(port); err == nil {
			return []attribute.KeyValue{semconv.ServerAddress(name), semconv.ServerPort(number)}
		}
	}
	return []attribute.KeyValue{semconv.ServerAddress(host)}
}
