package frameworks_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/network/standard"
	"github.com/gin-gonic/gin"
	khttp "github.com/go-kratos/kratos/v2/transport/http"
	"github.com/gofiber/fiber/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zeromicro/go-zero/core/conf"
	"github.com/zeromicro/go-zero/core/logx"
	"github.com/zeromicro/go-zero/rest"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/examples/frameworks"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// patient is a deadline that only a failure reaches.
const patient = time.Minute

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	logx.Disable()
	m.Run()
}

// stand is a shop with its platform. The errors of notifications are collected.
type stand struct {
	*frameworks.Shop
	sandbox  *sandbox.Sandbox
	listener net.Listener

	mu   sync.Mutex
	errs []error
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := new(stand)
	var err error
	s.sandbox, err = sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.sandbox.Close() })
	s.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.listener.Close() })
	client, err := wxpay.FromLookupEnv(s.sandbox.LookupEnv, wxpay.WithTransport(s.sandbox.Transport()), wxpay.WithLogger(nil))
	require.NoError(t, err)
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: s.sandbox.Keys.PublicKeyID(), Key: s.sandbox.Keys.PublicKey()})
	require.NoError(t, err)
	m := s.sandbox.Merchant()
	s.Shop, err = frameworks.NewShop(client, "wxd678efh567hg6787", s.url("/wxpay/notify"),
		webhook.Merchant{ID: m.ID, APIv3Key: m.APIv3Key, Keys: webhook.Static(keys)},
		webhook.WithObserver(func(_ context.Context, o webhook.Observation) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if o.Err != nil {
				s.errs = append(s.errs, o.Err)
			}
		}))
	require.NoError(t, err)
	return s
}

func (s *stand) url(path string) string { return "http://" + s.listener.Addr().String() + path }

// failures are the errors of notifications until now.
func (s *stand) failures() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}

// serve serves with net/http.
func (s *stand) serve(t *testing.T, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: patient}
	go func() { _ = server.Serve(s.listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

// The servers of the frameworks.
var servers = map[string]func(t *testing.T, s *stand){
	"gin":  func(t *testing.T, s *stand) { s.serve(t, frameworks.Gin(s.Shop)) },
	"echo": func(t *testing.T, s *stand) { s.serve(t, frameworks.Echo(s.Shop)) },
	"fiber": func(t *testing.T, s *stand) {
		app := frameworks.Fiber(s.Shop)
		go func() { _ = app.Listener(s.listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
		t.Cleanup(func() { _ = app.Shutdown() })
	},
	"hertz": func(t *testing.T, s *stand) {
		h := frameworks.Hertz(s.Shop, server.WithListener(s.listener), server.WithTransport(standard.NewTransporter), server.WithExitWaitTime(0))
		go func() { _ = h.Run() }()
		t.Cleanup(func() { _ = h.Close() })
	},
	"go-zero": func(t *testing.T, s *stand) {
		var config rest.RestConf
		require.NoError(t, conf.FillDefault(&config))
		config.Name, config.Host, config.Port, config.Timeout = "shop", "127.0.0.1", s.listener.Addr().(*net.TCPAddr).Port, 5000
		server, err := frameworks.GoZero(s.Shop, config)
		require.NoError(t, err)
		// go-zero listens itself: here it lends its handler, and ends because the port is taken.
		handler := make(chan http.Handler, 1)
		go func() {
			defer func() { _ = recover() }() // it panics when it cannot listen
			server.StartWithOpts(func(h *http.Server) { handler <- h.Handler })
		}()
		s.serve(t, <-handler)
	},
	"kratos": func(t *testing.T, s *stand) {
		server := frameworks.Kratos(s.Shop, khttp.Listener(s.listener))
		go func() { _ = server.Start(context.Background()) }()
		t.Cleanup(func() { _ = server.Stop(context.Background()) })
	},
}

// post sends a request to the shop once it answers, and returns the reply.
func (s *stand) post(t *testing.T, path, body string) (reply frameworks.Reply) {
	t.Helper()
	var response *http.Response
	require.Eventually(t, func() (ok bool) {
		var err error
		response, err = http.Post(s.url(path), "application/json", strings.NewReader(body))
		return err == nil
	}, patient, 10*time.Millisecond, "the server has not started")
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, 300, "%s", text)
	if len(text) > 0 {
		require.NoError(t, json.Unmarshal(text, &reply))
	}
	return reply
}

// becomes waits for the state of the order.
func (s *stand) becomes(t *testing.T, state string) {
	t.Helper()
	require.Eventually(t, func() bool { return s.State("ORDER-0001") == state }, patient, 10*time.Millisecond, "%v", s.failures())
}

// A whole sale in every framework: order, payment, notification, refund, notification.
func TestSale(t *testing.T) {
	for name, serve := range servers {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			serve(t, s)
			reply := s.post(t, "/orders", `{"number":"ORDER-0001","total":100}`)
			assert.NotEmpty(t, reply.CodeURL)
			_, err := s.sandbox.Users.Pay("ORDER-0001")
			require.NoError(t, err)
			s.becomes(t, "paid")
			s.post(t, "/refunds", `{"number":"ORDER-0001","total":100}`)
			s.becomes(t, "refunded")
			assert.NoError(t, s.failures())
		})
	}
}
