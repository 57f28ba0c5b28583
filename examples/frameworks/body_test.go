package frameworks_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/ut"
	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"
	khttp "github.com/go-kratos/kratos/v2/transport/http"
	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zeromicro/go-zero/core/conf"
	"github.com/zeromicro/go-zero/rest"
	"github.com/zeromicro/go-zero/rest/httpx"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

type object = map[string]any

// ginWith is gin with a middleware before the handler.
func ginWith(h http.Handler, before func(c *gin.Context)) http.Handler {
	r := gin.New()
	r.Use(before)
	r.POST("/*path", gin.WrapH(h))
	return r
}

func echoWith(h http.Handler, before echo.MiddlewareFunc) http.Handler {
	e := echo.New()
	e.Use(before)
	e.POST("/*", echo.WrapHandler(h))
	return e
}

func goZeroWith(h http.Handler, before func(r *http.Request)) http.Handler {
	routes := rest.WithMiddlewares([]rest.Middleware{func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			before(r)
			next(w, r)
		}
	}}, rest.Route{Method: http.MethodPost, Path: "/", Handler: h.ServeHTTP})
	return routes[0].Handler
}

func kratosWith(h http.Handler, before func(r *http.Request)) http.Handler {
	s := khttp.NewServer(khttp.Filter(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			before(r)
			next.ServeHTTP(w, r)
		})
	}))
	s.HandlePrefix("/", h)
	return s
}

// What middleware does to the body of a notification. A body that was read is an error of its own,
// so that nobody looks for a wrong key.
func TestBodies(t *testing.T) {
	for name, test := range map[string]struct {
		serve  func(h *webhook.Handler, r *http.Request) int
		breaks bool
	}{
		"gin: ShouldBindJSON": {inProcess(func(h http.Handler) http.Handler {
			return ginWith(h, func(c *gin.Context) { _ = c.ShouldBindJSON(new(object)) })
		}), true},
		"gin: ShouldBindBodyWith": {inProcess(func(h http.Handler) http.Handler {
			return ginWith(h, func(c *gin.Context) { _ = c.ShouldBindBodyWith(new(object), binding.JSON) })
		}), true},
		"gin: the body is put back": {inProcess(func(h http.Handler) http.Handler {
			return ginWith(h, func(c *gin.Context) {
				body, _ := c.GetRawData()
				c.Request.Body = io.NopCloser(bytes.NewReader(body))
			})
		}), false},
		"echo: Bind": {inProcess(func(h http.Handler) http.Handler {
			return echoWith(h, func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error {
					_ = c.Bind(new(object))
					return next(c)
				}
			})
		}), true},
		"echo: BodyDump": {inProcess(func(h http.Handler) http.Handler {
			return echoWith(h, middleware.BodyDump(func(echo.Context, []byte, []byte) {}))
		}), false},
		"fiber: Bind": {func(h *webhook.Handler, r *http.Request) int {
			f := fiber.New()
			f.Use(func(c fiber.Ctx) error {
				_ = c.Bind().JSON(new(object))
				return c.Next()
			})
			return fiberStatus(f, h, r)
		}, false},
		"fiber: SetBody": {func(h *webhook.Handler, r *http.Request) int {
			f := fiber.New()
			f.Use(func(c fiber.Ctx) error {
				c.Request().SetBody(nil)
				return c.Next()
			})
			return fiberStatus(f, h, r)
		}, true},
		"hertz: BindJSON": {func(h *webhook.Handler, r *http.Request) int {
			s := server.New()
			s.Use(func(ctx context.Context, c *app.RequestContext) { _ = c.BindJSON(new(object)) })
			return hertzStatus(s, h, r)
		}, false},
		"hertz: ResetBody": {func(h *webhook.Handler, r *http.Request) int {
			s := server.New()
			s.Use(func(ctx context.Context, c *app.RequestContext) { c.Request.ResetBody() })
			return hertzStatus(s, h, r)
		}, true},
		"go-zero: ParseJsonBody": {inProcess(func(h http.Handler) http.Handler {
			return goZeroWith(h, func(r *http.Request) { _ = httpx.ParseJsonBody(r, &object{}) })
		}), true},
		"kratos: a filter reads": {inProcess(func(h http.Handler) http.Handler {
			return kratosWith(h, func(r *http.Request) { _, _ = io.ReadAll(r.Body) })
		}), true},
		"kratos: DefaultRequestDecoder": {inProcess(func(h http.Handler) http.Handler {
			return kratosWith(h, func(r *http.Request) { _ = khttp.DefaultRequestDecoder(r, &object{}) })
		}), false},
	} {
		t.Run(name, func(t *testing.T) {
			h, r, failure := notified(t, func(context.Context, *webhook.Event) error { return nil })
			status := test.serve(h, r)
			if test.breaks {
				assert.Equal(t, http.StatusInternalServerError, status)
				require.ErrorIs(t, failure(), webhook.ErrBodyConsumed)
				return
			}
			require.NoError(t, failure())
			assert.Equal(t, http.StatusNoContent, status)
		})
	}
}

// notified returns a handler, a notification for it, and the error of its last delivery.
func notified(t *testing.T, fn webhook.Func) (*webhook.Handler, *http.Request, func() error) {
	t.Helper()
	sb, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = sb.Close() })
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: sb.Keys.PublicKeyID(), Key: sb.Keys.PublicKey()})
	require.NoError(t, err)
	var last atomic.Pointer[webhook.Observation]
	h, err := webhook.New(webhook.Merchant{ID: sb.Merchant().ID, APIv3Key: sb.Merchant().APIv3Key, Keys: webhook.Static(keys)},
		webhook.WithObserver(func(_ context.Context, o webhook.Observation) { last.Store(&o) }))
	require.NoError(t, err)
	h.On(webhook.TransactionSuccess, fn)
	r, err := sb.Deliveries.Notify(webhook.TransactionSuccess, nil)
	require.NoError(t, err)
	r.URL.Path, r.RequestURI, r.Host = "/wxpay/notify", "", "shop.example.com"
	return h, r, func() error { return last.Load().Err }
}

func inProcess(mount func(h http.Handler) http.Handler) func(*webhook.Handler, *http.Request) int {
	return func(h *webhook.Handler, r *http.Request) int {
		w := httptest.NewRecorder()
		mount(h).ServeHTTP(w, r)
		return w.Code
	}
}

func fiberStatus(f *fiber.App, h *webhook.Handler, r *http.Request) int {
	f.Post("/*", func(c fiber.Ctx) error {
		response := h.Deliver(c.Context(), &webhook.Delivery{Header: c.GetReqHeaders(), Body: c.BodyRaw()})
		return c.Status(response.Status).Send(response.Body)
	})
	response, err := f.Test(r, fiber.TestConfig{Timeout: patient})
	if err != nil {
		return 0
	}
	return response.StatusCode
}

// hertzStatus calls Deliver: the server of hertz's tests has no connection, which its adaptor needs.
func hertzStatus(s *server.Hertz, h *webhook.Handler, r *http.Request) int {
	s.POST("/*path", func(ctx context.Context, c *app.RequestContext) {
		header := http.Header{}
		c.Request.Header.VisitAll(func(name, value []byte) { header.Add(string(name), string(value)) })
		response := h.Deliver(ctx, &webhook.Delivery{Header: header, Body: c.Request.Body()})
		c.Data(response.Status, "application/json", response.Body)
	})
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 0
	}
	var headers []ut.Header
	for name, values := range r.Header {
		headers = append(headers, ut.Header{Key: name, Value: values[0]})
	}
	return ut.PerformRequest(s.Engine, r.Method, r.URL.Path, &ut.Body{Body: bytes.NewReader(body), Len: len(body)}, headers...).Code
}

// The timeouts of go-zero and kratos are shorter than the budget of a notification.
func TestTimeouts(t *testing.T) {
	var config rest.RestConf
	require.NoError(t, conf.FillDefault(&config))
	assert.EqualValues(t, 3000, config.Timeout, "milliseconds")

	for name, test := range map[string]struct {
		options []khttp.ServerOption
		status  int
	}{
		"kratos, by default": {nil, http.StatusInternalServerError},
		"kratos, 5 s":        {[]khttp.ServerOption{khttp.Timeout(5 * time.Second)}, http.StatusNoContent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, r, failure := notified(t, func(context.Context, *webhook.Event) error {
					time.Sleep(2 * time.Second)
					return nil
				})
				s := khttp.NewServer(test.options...)
				s.HandlePrefix("/", h)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				assert.Equal(t, test.status, w.Code)
				if test.status != http.StatusNoContent {
					require.ErrorIs(t, failure(), webhook.ErrOverrun)
				}
				require.NoError(t, h.Wait(t.Context()))
			})
		})
	}
}
